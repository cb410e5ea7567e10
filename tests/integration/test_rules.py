# SPDX-License-Identifier: Apache-2.0
"""CertLogic rules: tried by signer-officer, loaded by the policy, kept by the core."""
import json
import subprocess

import pytest

from conftest import BUILD, record, shared


def officer(*args):
    return subprocess.run([BUILD / "signer-officer", "rules", *map(str, args)],
                          capture_output=True, text=True, timeout=60)


def last(out):
    return out.stdout.splitlines()[-1]


def var(path):
    return {"var": path}


def rule(identifier, logic, fields=(), kind="Vaccination", **changes):
    return dict({
        "Identifier": identifier, "Type": "Acceptance", "Country": "VN", "Version": "1.0.0",
        "SchemaVersion": "1.0.0", "Engine": "CERTLOGIC", "EngineVersion": "1.0.0",
        "CertificateType": kind, "ValidFrom": "2021-01-01T00:00:00Z",
        "ValidTo": "2040-01-01T00:00:00Z", "AffectedFields": list(fields), "Logic": logic,
        "Description": [{"lang": "en", "desc": f"{identifier} in English"},
                        {"lang": "vi", "desc": f"{identifier} bằng tiếng Việt"}]}, **changes)


DOSES = rule("VR-VN-0001", {"<=": [var("payload.v.0.dn"), 3]}, ["v.0.dn"])
AGE = rule("VR-VN-0002", {"not-after": [
    {"dccDateOfBirth": [var("payload.dob")]},
    {"plusTime": [var("external.validationClock"), -12, "year"]}]}, ["dob"])


def put(folder, one, tests):
    (folder / "tests").mkdir(parents=True)
    (folder / "rule.json").write_text(json.dumps(one, ensure_ascii=False))
    for name, (payload, external, expected) in tests.items():
        (folder / "tests" / f"{name}.json").write_text(json.dumps(dict(
            name=name, payload=payload, external=external, expected=expected)))


def doses(n):
    return {"v": [{"dn": n}]}


@pytest.fixture
def good(tmp_path):
    put(tmp_path / "VN/doses", DOSES, {"three": (doses(3), {}, True),
                                       "four": (doses(4), {}, False),
                                       "a fraction": (doses(2.5), {}, False),
                                       "zero fraction": (doses(2.0), {}, True)})
    clock = {"validationClock": "2026-11-26T00:00:00Z"}
    put(tmp_path / "VN/age", AGE, {"young": ({"dob": "2020"}, clock, False),
                                   "old": ({"dob": "2000-02"}, clock, True),
                                   "no clock": ({"dob": "2000-02"}, {}, False)})
    return tmp_path


@pytest.mark.parametrize("folder, least", [("rules", 602), ("spec/testSuite", 200),
                                           ("spec/validation-testSuite", 15), ("", 800)])
def test_public_cases(folder, least):
    out = officer(shared("conformance/certlogic") / folder)
    print(folder, out.stdout)
    assert out.returncode == 0 and last(out).endswith(" 0 failed"), out
    assert int(last(out).split()[0]) >= least


def test_own_rules(good):
    out = officer(good)
    assert (out.returncode, out.stdout) == (0, "2 rules\n7 passed, 0 failed\n"), out
    out = officer(good / "VN/age", good / "VN/doses", "--json")
    assert json.loads(out.stdout) == dict(passed=7, failed=0, skipped=0, rules=2, untested=0,
                                          failures=[])


def test_failures(good):
    put(good / "VN/wrong", DOSES, {"four": (doses(4), {}, True), "no": (doses("x"), {}, True)})
    put(good / "VN/broken", dict(DOSES, Logic={"if": [True, {"or": []}, 1]}), {})
    (good / "VN/wrong/tests/bare.json").write_text('{"payload": {}}')
    (good / "VN/wrong/tests/text.json").write_text('{"payload": {}, "payload": {}}')
    out = officer(good)
    assert out.returncode == 1 and last(out) == "7 passed, 5 failed"
    assert f"{good}/VN/wrong/tests/four.json: four: expected true, but it is not true\n" in out.stdout
    assert "no: expected true, but an operand has the wrong type\n" in out.stdout
    assert "bare.json: VR-VN-0001: it needs payload, external and expected\n" in out.stdout
    assert "text.json: JSON: line 1: duplicate object key" in out.stdout
    assert "broken/rule.json: the rule: Logic.if[1]: there is no operation 'or'\n" in out.stdout
    out = officer(good, "--json")
    assert out.returncode == 1 and len(json.loads(out.stdout)["failures"]) == 5
    out = officer(good, "--policy")  # none of them goes into a policy
    assert out.returncode == 1 and out.stdout == "" and "5 failed" in out.stderr


def test_rules_without_tests(good):
    """They pass, also into a policy; the last lines say how many they are."""
    put(good / "VN/untested", DOSES, {})
    want = "3 rules\n1 of 3 rules have no test\n7 passed, 0 failed\n"
    out = officer(good)
    assert (out.returncode, out.stdout) == (0, want), out
    out = officer(good, "--policy")
    assert out.returncode == 0 and out.stdout.startswith("certlogic:\n"), out
    assert out.stderr == want
    # In one stream, as on a terminal, they are behind the rules.
    both = subprocess.run([BUILD / "signer-officer", "rules", good, "--policy"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert both.stdout == out.stdout + want
    assert json.loads(officer(good, "--json").stdout)["untested"] == 1


def test_usage(tmp_path):
    for args in ([], [tmp_path / "none"], [tmp_path], [tmp_path, "--json", "--policy"],
                 [tmp_path, "--no"]):
        out = officer(*args)
        assert out.returncode == 2 and out.stderr.startswith("signer-officer: "), out


def load(own, good, profile):
    """The demo's policy with the rules; the full profile says PROFILE of them."""
    block = officer(good, "--policy")
    assert block.returncode == 0, block
    policy = own.dir / "policy.yaml"
    text = policy.read_text().replace("- name: full\n", f"- name: full\n    certlogic: {profile}\n")
    assert profile in text
    policy.write_text(text + block.stdout)
    return policy


def check(own):
    return subprocess.run([BUILD / "signerd", "--config", own.dir / "signerd.yaml", "--check"],
                          capture_output=True, text=True)


def test_the_policy_keeps_them(own, good):
    load(own, good, "{VR-VN-0002: warning}")
    assert check(own).returncode == 0, check(own)
    own.start()
    own.check(own.issue(record()))
    for language, text in (("en", "VR-VN-0001 in English"),
                           ("vi", "VR-VN-0001 bằng tiếng Việt")):
        r = own.issue(record(entry=dict(dn=4, sd=4)), headers={"Accept-Language": language})
        assert r.status == 422 and r.json["violations"] == [dict(
            pointer="/dcc/v/0/dn", code="rule:VR-VN-0001", level="error", detail=text)], r
    # A warning is told with the certificate.
    r = own.issue(record(dob="2019-01-01"))
    assert r.status == 200 and [(w["code"], w["pointer"], w["level"])
                                for w in r.json["warnings"]] == [
        ("rule:VR-VN-0002", "/dcc/dob", "warning")], r
    # The rules are for vaccinations, and off in the profile whose default is.
    own.check(own.issue(record("r")))
    assert own.issue(record(entry=dict(dn=4, sd=4)), client="any-country").status == 200
    said = own.request("GET", "/v1/policy").json["profile"]
    assert said["rule:VR-VN-0001"] == "error" and said["rule:VR-VN-0002"] == "warning"


def test_check_names_line_and_place(own, good):
    policy = load(own, good, "{VR-VN-0009: error}")
    policy.write_text(policy.read_text().replace('"<="', '"=<"').replace('"not-after"', '"no"'))
    out = check(own)
    assert out.returncode == 2, out
    lines = policy.read_text().splitlines()
    begin = [n for n, line in enumerate(lines, 1) if line == "  - |"]
    assert f":{begin[0]}: certlogic[0]: Logic: there is no operation 'no'" in out.stderr
    assert f":{begin[1]}: certlogic[1]: Logic: there is no operation '=<'" in out.stderr
    assert "there is no rule 'VR-VN-0009'" in out.stderr
