# SPDX-License-Identifier: Apache-2.0
"""The public national test data, through the daemon and the tools."""
import json
import subprocess

import pytest

import hcert
from conftest import BUILD, shared

SCHEMA = "reference/dcc-schema/1.3.3/DCC.combined-schema.json"


def expected_pointers(errors, dcc):
    """Where our violations must point, for the JSON Schema's ERRORS."""
    for e in errors:
        path = "".join(f"/{p}" for p in e.absolute_path)
        if e.validator in ("oneOf", "anyOf"):
            yield "/dcc" + path
        elif e.validator == "required":
            for name in e.validator_value:
                if name not in e.instance:
                    yield f"/dcc{path}/{name}"
        else:
            yield "/dcc" + path


def test_national_payloads(demo):
    """319 payloads: the schema's verdict, and certificates that hold them."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(shared(SCHEMA).read_text())
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted(shared("conformance/hcert/valid").glob("*.dcc.json"))
    connection = demo.connect("any-country")
    accepted = refused = conflicts = 0
    used = {}  # UVCI: the payload that has it
    for path in files:
        text = path.read_bytes()
        dcc = json.loads(text)
        r = demo.request("POST", "/v1/certificates", b'{"dcc":' + text + b"}",
                         connection=connection)
        errors = list(validator.iter_errors(dcc))
        if not errors:
            uvci = next(dcc[k][0]["ci"] for k in "vtr" if k in dcc)
            if used.setdefault(uvci, dcc) != dcc:
                # Somebody else's UVCI once more: once it was issued, no more.
                assert r.status == 409, (path.name, r)
                assert [v["code"] for v in r.json["violations"]] == ["uvci-conflict"]
                conflicts += 1
                continue
            demo.check(r, dcc)
            assert json.dumps(hcert.payload_of(hcert.unwrap(r.json["hcert"])), sort_keys=True) == \
                json.dumps(dcc, sort_keys=True), path.name
            accepted += 1
            continue
        assert r.status == 422, (path.name, r)
        got = {v["pointer"] for v in r.json["violations"]}
        assert set(expected_pointers(errors, dcc)) == got, (path.name, r)
        refused += 1
    assert len(files) == 319
    assert (accepted + conflicts, refused) == (290, 29)
    print(f"{accepted} accepted, {conflicts} conflicts, {refused} refused")


def batch(lines):
    """Each line through `signer-issuer verify --batch`."""
    out = subprocess.run([BUILD / "signer-issuer", "verify", "--batch"],
                         input="".join(json.dumps(x) + "\n" for x in lines),
                         capture_output=True, text=True, timeout=120)
    return [json.loads(x) for x in out.stdout.splitlines()]


DATED_AHEAD = ["ES_1101", "ES_1102", "ES_1103", "ES_2101", "ES_2102", "ES_2103",
               "FR_recovery_ok", "FR_vaccin_ok", "LU_INCERT_R_DCC_Recovery"]
OTHER_KEY_USAGE = ["LI_4", "LV_1", "LV_2", "LV_3"]


def test_foreign_certificates_verify():
    import base64
    lines, expected, names = [], [], []
    for meta in sorted(shared("conformance/hcert/valid").glob("*.meta.json")):
        stem = str(meta)[:-len(".meta.json")]
        lines.append(dict(
            hcert=open(stem + ".hc1.txt").read().strip(),
            dsc=base64.b64encode(open(stem + ".dsc.der", "rb").read()).decode(),
            at=json.loads(meta.read_text())["clock"]))
        expected.append(json.loads(meta.read_text())["expected"])
        names.append(meta.name[:-len(".meta.json")])
    results = batch(lines)
    assert len(results) == 319
    # tests/README.md tells why these are refused, and rightly.
    refused = {n: r.get("failures") for n, r in zip(names, results) if not r["ok"]}
    assert refused == {**{n: ["expiry"] for n in DATED_AHEAD},
                       **{n: ["key-usage"] for n in OTHER_KEY_USAGE}}
    # None of it is what the case itself states as true.
    states = {"expiry": "EXPECTEDEXPIRATIONCHECK", "key-usage": "EXPECTEDKEYUSAGE"}
    assert not [n for n, r, e in zip(names, results, expected)
                for f in r.get("failures", []) if e.get(states[f]) is True]


# expectation that is false -> what `verify` must say failed
REASON = {
    "EXPECTEDUNPREFIX": "prefix", "EXPECTEDB45DECODE": "base45",
    "EXPECTEDCOMPRESSION": "compression", "EXPECTEDDECODE": "decode",
    "EXPECTEDVERIFY": "signature", "EXPECTEDEXPIRATIONCHECK": "expiry",
    "EXPECTEDKEYUSAGE": "key-usage",
}


def test_negative_certificates_are_refused_for_the_stated_reason():
    folder = shared("conformance/hcert/negative")
    lines, want, names = [], [], []
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text())
        reasons = [REASON[k] for k, v in case["EXPECTEDRESULTS"].items()
                   if v is False and k in REASON]
        if not reasons or path.stem == "common_CO11":
            continue
        context = case["TESTCTX"]
        if "PREFIX" not in case or not context.get("CERTIFICATE"):
            continue
        lines.append(dict(hcert=case["PREFIX"], dsc=context["CERTIFICATE"],
                          at=context.get("VALIDATIONCLOCK")))
        want.append(reasons)
        names.append(path.stem)
    results = batch(lines)
    assert len(results) == len(lines)
    wrong = [(n, w, r) for n, w, r in zip(names, want, results)
             if r["ok"] or not set(w) & set(r.get("failures", [r.get("failed")]))]
    assert not wrong, wrong
