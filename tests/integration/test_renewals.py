# SPDX-License-Identifier: Apache-2.0
"""Renewals: what was issued gets new times, once, and nothing else does."""
import io
import json
import os
import signal
import subprocess
import time
import zlib

import cbor2
import pytest

import hcert
from conftest import BUILD, ROOT, SLOW, record
from test_bulk import Files

ISSUER = BUILD / "signer-issuer"
AUDITOR = BUILD / "signer-auditor"
SOON = 3600  # within the month in which a certificate may be renewed
YEAR = 365 * 86400


def renew(demo, client="issuer", headers=None, **body):
    return demo.request("POST", "/v1/renewals", body, headers, client)


def soon(demo, dcc=None, **extra):
    """A payload, and its certificate, which may be renewed."""
    dcc = dcc or record()
    r = demo.issue(dcc, exp=int(time.time()) + SOON, **extra)
    assert r.status == 200, r
    return dcc, r.json


def only_violation(r, status=422):
    assert r.status == status, r
    (v,) = r.json["violations"]
    return v["pointer"], v["code"]


def base45(data):
    out = ""
    for i in range(0, len(data), 2):
        n = int.from_bytes(data[i:i + 2], "big")
        for _ in range(len(data[i:i + 2]) + 1):
            n, digit = divmod(n, 45)
            out += hcert.ALPHABET[digit]
    return out


def wrap(cose):
    return "HC1:" + base45(zlib.compress(cose, 9))


def same(a, b):
    assert hcert.unwrap(a["hcert"]) == hcert.unwrap(b["hcert"])
    assert a["ledger"] == b["ledger"] and b["replayed"] is True


@pytest.mark.parametrize("kind", ["v", "t", "r"])
@pytest.mark.parametrize("way", ["hcert", "dcc"])
def test_new_times_and_the_same_payload(demo, kind, way):
    dcc, first = soon(demo, record(kind))
    body = dict(hcert=first["hcert"]) if way == "hcert" else dict(dcc=dcc)
    r = renew(demo, id="a", **body)
    claims = demo.check(r, dcc)
    again = r.json
    assert again["id"] == "a" and "replayed" not in again
    assert claims[4] - claims[6] == YEAR and claims[6] >= first["iat"]
    assert again["uvci"] == first["uvci"]
    assert again["ledger"]["index"] > first["ledger"]["index"]
    # Twice is once, by whatever certificate it is asked for; and issuance
    # has the newest one.
    same(again, renew(demo, hcert=first["hcert"]).json)
    same(again, renew(demo, hcert=again["hcert"]).json)
    same(again, renew(demo, dcc=dcc, exp=int(time.time()) + 5000).json)
    same(again, demo.issue(dcc).json)


def test_a_time_of_ones_own(demo):
    dcc, first = soon(demo)
    exp = int(time.time()) + 90 * 86400
    r = renew(demo, hcert=first["hcert"], exp=exp)
    assert demo.check(r, dcc)[4] == exp
    dcc, first = soon(demo)
    assert only_violation(renew(demo, dcc=dcc, exp=int(time.time()) + YEAR + 86400)) == \
        ("/exp", "validity-too-long")


def test_run_out(demo):
    dcc = record()
    first = demo.issue(dcc, exp=int(time.time()) + 2).json
    time.sleep(max(0, first["exp"] + 0.2 - time.time()))
    assert only_violation(demo.issue(dcc), 409) == ("/dcc/v/0/ci", "expired")
    r = renew(demo, hcert=first["hcert"])
    demo.check(r, dcc)
    same(r.json, demo.issue(dcc).json)


def test_what_cannot_be_renewed(demo):
    dcc = record()
    fresh = demo.issue(dcc).json
    at = ("/dcc/v/0/ci", "not-renewable")

    def cause(r):
        assert only_violation(r) == at
        return r.json["violations"][0]["detail"]

    assert cause(renew(demo, hcert=fresh["hcert"])) == "it is not due for renewal yet"
    unknown = cause(renew(demo, dcc=record()))
    assert unknown.startswith("there is no certificate of this client on record")
    dcc, first = soon(demo)
    assert "says something else" in cause(renew(demo, dcc=dict(dcc, dob="1984-03-03")))
    # Another client's is told as if there were none.
    assert cause(renew(demo, "any-country", hcert=first["hcert"])) == unknown
    assert renew(demo, "auditor", dcc=dcc).status == 403
    assert only_violation(renew(demo, "attested", dcc=dcc)) == at
    assert renew(demo, "officer-1", dcc=dcc).status == 403
    assert renew(demo, "stranger", dcc=dcc).status == 403
    # Today's law counts, with all that it finds.
    r = renew(demo, dcc=dict(dcc, x=1))
    assert {v["code"] for v in r.json["violations"]} == {"unknown-field", "not-renewable"}
    # Vietnamese for who asks for it, and nothing of the request in it.
    r = renew(demo, headers={"Accept-Language": "vi"}, dcc=record())
    assert "không có trong sổ" in r.json["violations"][0]["detail"]
    r = renew(demo, headers={"Accept-Language": "vi"}, hcert=fresh["hcert"])
    assert r.json["violations"][0]["detail"] == "chưa đến hạn gia hạn"
    assert "T%X" % os.getpid() not in r.body.decode()


def test_garbage_in_place_of_a_certificate(demo):
    bomb = "HC1:" + base45(zlib.compress(b"\0" * 5_000_000, 9))
    _, first = soon(demo)
    assert len(bomb) < 10_000
    for text, code in [("", "bad-format"), ("HC2:X", "bad-format"), ("HC1:", "bad-format"),
                       ("HC1:a\u00e9", "bad-format"), ("HC1:ABC", "bad-format"),
                       (wrap(b""), "bad-format"), (wrap(b"\xd2\x84"), "bad-format"),
                       (wrap(cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b"\xa0", b"s"]))),
                        "bad-format"), (bomb, "too-long"), (7, "wrong-type"),
                       (first["hcert"][:-3], "bad-format")]:
        assert only_violation(renew(demo, hcert=text)) == ("/hcert", code), text
    r = renew(demo, hcert=first["hcert"], dcc=record())
    assert only_violation(r) == ("/hcert", "unknown-field")
    r = renew(demo, id="x")
    assert only_violation(r) == ("/dcc", "missing-field") and r.json["id"] == "x"
    assert renew(demo, hcert="HC1:" + "A" * 70_000).status == 413
    assert demo.request("POST", "/v1/renewals", b"[]").status == 400
    # Elsewhere a certificate is no part of a request.
    r = demo.request("POST", "/v1/certificates", dict(hcert=first["hcert"]))
    assert {v["pointer"] for v in r.json["violations"]} == {"/hcert", "/dcc"}


def test_a_certificate_that_is_not_deterministic(demo):
    """As others may have wrapped it: keys in their own order, long heads, no
    signature of ours.  The payload is what counts."""
    dcc, _ = soon(demo)
    shuffled = dict(reversed(list(dcc.items())))
    payload = b"\xbf\x39\x01\x03\xa1\x01" + cbor2.dumps(shuffled) + b"\xff"
    cose = cbor2.dumps([b"\xa1\x01\x26", {}, payload, b"forged"])
    demo.check(renew(demo, hcert=wrap(cose)), dcc)


def test_forms(demo):
    dcc, first = soon(demo)
    body = cbor2.dumps(dict(cose=hcert.unwrap(first["hcert"]), id="c"))
    r = demo.request("POST", "/v1/renewals", body, {"Content-Type": "application/cbor"})
    answer = cbor2.loads(r.body)
    assert r.status == 200 and answer["id"] == "c"
    _, claims = hcert.verify(answer["cose"], demo.dsc)
    assert claims[-260][1] == dcc
    r = renew(demo, headers={"Accept": "text/plain"}, dcc=dcc)
    assert hcert.unwrap(r.body.decode()) == answer["cose"]
    assert int(r.headers["signer-ledger-index"]) == answer["ledger"]["index"]
    r = renew(demo, headers={"Accept": "image/png"}, dcc=dcc)
    assert r.body.startswith(b"\x89PNG")
    assert renew(demo, headers={"Accept": "text/html"}, dcc=dcc).status == 406
    r = demo.request("GET", "/v1/renewals")
    assert r.status == 405 and r.headers["allow"] == "POST"


def curl(demo, *options, data, path="/v1/renewals", kind="application/x-ndjson"):
    d = demo.dir
    out = subprocess.run(
        ["curl", "-sS", "--max-time", "60", "--cacert", d / "ca.pem",
         "--cert", d / "clients/issuer.pem", "--key", d / "clients/issuer.key",
         "-H", f"Content-Type: {kind}", "-T", "-", "-X", "POST", *options,
         f"https://localhost:{demo.port}{path}"],
        input=data, capture_output=True, timeout=90 * SLOW)
    assert out.returncode == 0, out.stderr
    return out.stdout


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_stream(demo, version):
    records = [record("vtr"[i % 3]) for i in range(2000)]
    exp = int(time.time()) + SOON
    lines = [json.dumps(dict(dcc=r, exp=exp)) for r in records]
    issued = [json.loads(a) for a in curl(
        demo, version, data="\n".join(lines).encode(), path="/v1/certificates").splitlines()]
    asked = []
    for i, a in enumerate(issued):
        body = dict(id=str(i))
        if i % 10 == 7:
            body["hcert"] = a["hcert"][:-4] + "AAAA"  # torn
        elif i % 2:
            body["dcc"] = records[i]
        else:
            body["hcert"] = a["hcert"]
        asked.append(json.dumps(body))
    # Each twice, the second one right behind the first.
    data = "".join(f"{a}\n{a}\n" for a in asked).encode()
    answers = [json.loads(a) for a in curl(demo, version, data=data).splitlines()]
    assert len(answers) == 4000
    for i in range(2000):
        one, two = answers[2 * i], answers[2 * i + 1]
        assert one["id"] == two["id"] == str(i)
        if i % 10 == 7:
            assert one["status"] == 422 and one["violations"][0]["pointer"] == "/hcert"
            continue
        same(one, two)
        assert "replayed" not in one and one["exp"] - one["iat"] == YEAR
        assert one["uvci"] == issued[i]["uvci"]
    before = demo.metric_sum("signer_certificates_renewed_total")
    curl(demo, version, data=data)
    assert demo.metric_sum("signer_certificates_renewed_total") == before


def test_cbor_stream(demo):
    pairs = [soon(demo) for _ in range(5)]
    data = b"".join(cbor2.dumps(dict(cose=hcert.unwrap(a["hcert"]))) for _, a in pairs)
    out = curl(demo, data=data, kind="application/cbor-seq")
    stream = io.BytesIO(out)
    for dcc, _ in pairs:
        _, claims = hcert.verify(cbor2.load(stream)["cose"], demo.dsc)
        assert claims[-260][1] == dcc
    assert stream.read() == b""


def renewed(world, folder, *more, expect):
    d = world.dir
    out = subprocess.run(
        [ISSUER, "renew", *more, "--json", "--server", f"https://localhost:{world.port}",
         "--ca", d / "ca.pem", "--cert", d / "clients/issuer.pem", "--key",
         d / "clients/issuer.key", folder / "in", folder / "out"],
        capture_output=True, text=True, timeout=60 * SLOW)
    assert out.returncode == expect, out
    return json.loads(out.stdout), out.stderr, \
        [json.loads(a) for a in (folder / "out").read_text().splitlines()]


def test_not_due_and_due_later(own, tmp_path):
    """What comes too early is sent again into the same output once it is due."""
    policy = own.dir / "policy.yaml"
    line = "    validity: {v: 365d, t: 365d, r: 365d}\n"
    policy.write_text(policy.read_text().replace(line, line + "    renewal_window: 60s\n", 1))
    own.start()
    due = own.issue(record(), exp=int(time.time()) + 50).json
    early = own.issue(record(), exp=int(time.time()) + 66).json
    (tmp_path / "in").write_text(json.dumps(early) + "\n" + json.dumps(due) + "\n")
    report, said, (first, second) = renewed(own, tmp_path, expect=1)
    assert report["refused"] == report["renewed"] == 1 and "or due for renewal" in said
    assert first["violations"][0]["detail"] == "it is not due for renewal yet"
    assert second["exp"] > due["exp"]
    time.sleep(max(0, early["exp"] - 59.5 - time.time()))
    # The same command alone goes on, and there is nothing to go on with.
    report, _, answers = renewed(own, tmp_path, expect=1)
    assert report["answered_before"] == 2 and answers == [first, second]
    report, said, answers = renewed(own, tmp_path, "--refused-again", expect=0)
    assert report["renewed"] == 2 and "Refused" not in said
    assert answers[0]["uvci"] == early["uvci"] and answers[0]["exp"] > early["exp"]
    assert "replayed" not in answers[0] and answers[1] == second
    assert own.stop() == 0


def test_the_window_of_the_policy(own):
    policy = own.dir / "policy.yaml"
    text = policy.read_text()
    line = "    validity: {v: 365d, t: 365d, r: 365d}\n"
    policy.write_text(text.replace(line, line + "    renewal_window: 4s\n", 1))
    own.start()
    assert own.request("GET", "/v1/policy").json["renewal_window"] == 4
    assert own.request("GET", "/v1/policy", client="any-country").json["renewal_window"] == \
        30 * 86400
    dcc = record()
    first = own.issue(dcc, exp=int(time.time()) + 8).json
    assert only_violation(renew(own, dcc=dcc)) == ("/dcc/v/0/ci", "not-renewable")
    time.sleep(max(0, first["exp"] - 3.5 - time.time()))
    own.check(renew(own, dcc=dcc, exp=int(time.time()) + 100), dcc)
    policy.write_text(text.replace(line, line + "    renewal_window: 0s\n", 1))
    own.reload()
    assert own.metric_sum("signer_reloads_refused_total") > 0
    assert own.stop() == 0


def test_killed_in_between(own):
    """The core dies amid renewals, again and again: each certificate has one
    renewal in the end, and what was answered is what is on record."""
    own.start()
    records = [record() for _ in range(300)]
    exp = int(time.time()) + SOON
    data = "".join(json.dumps(dict(dcc=r, exp=exp)) + "\n" for r in records).encode()
    first = [json.loads(a) for a in curl(own, data=data, path="/v1/certificates").splitlines()]
    asked = [json.dumps(dict(id=str(i), hcert=a["hcert"])) for i, a in enumerate(first)]
    held = {}
    for _ in range(4):
        d = own.dir
        p = subprocess.Popen(
            ["curl", "-sS", "-N", "--max-time", "60", "--cacert", d / "ca.pem",
             "--cert", d / "clients/issuer.pem", "--key", d / "clients/issuer.key",
             "-H", "Content-Type: application/x-ndjson", "-T", "-", "-X", "POST",
             f"https://localhost:{own.port}/v1/renewals"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        p.stdin.write("\n".join(asked).encode())
        p.stdin.flush()
        time.sleep(0.03)
        os.kill(own.roles()["core/0"], signal.SIGKILL)
        out, _ = p.communicate(timeout=90 * SLOW)
        for line in out.splitlines():
            a = json.loads(line)
            if "hcert" not in a:
                assert a["status"] in (500, 503, 504), a
                continue
            cose = hcert.unwrap(a["hcert"])
            assert held.setdefault(a["id"], cose) == cose
        own.wait_ready()
    answers = [json.loads(a) for a in
               curl(own, data="\n".join(asked).encode()).splitlines()]
    for i, a in enumerate(answers):
        cose = hcert.unwrap(a["hcert"])
        assert held.setdefault(str(i), cose) == cose
        claims = hcert.verify(cose, own.dsc)[1]
        assert claims[-260][1] == records[i] and claims[4] - claims[6] == YEAR
    assert own.stop() == 0
    out = subprocess.run([AUDITOR, "verify", own.dir / "state/ledger",
                          "--journal", own.dir / "state/journal"],
                         capture_output=True, timeout=60 * SLOW)
    assert out.returncode == 0, (out.stdout, out.stderr)


class Renewals(Files):
    def command(self, *more, command="renew"):
        return [*super().command(*more, command="bulk")[:1], "renew",
                *super().command(*more, command="bulk")[2:]]


def test_the_national_job(demo, tmp_path):
    """What bulk has written is renewed, killed again and again."""
    issued = Files(demo, tmp_path)
    n = 2000
    exp = int(time.time()) + SOON
    issued.make(n, wrong=lambda i: i % 100 == 99)
    issued.input.write_text("".join(
        json.dumps(dict(r, exp=exp), ensure_ascii=False) + "\n" for r in issued.records))
    issued.run("--quiet", expect=1)
    (tmp_path / "again").mkdir()
    job = Renewals(demo, tmp_path / "again")
    job.input.write_bytes(issued.output.read_bytes())
    for stop in (20, 500, 1100):
        p = job.start("--quiet", "--window", "100")
        job.wait(stop, p)
        p.kill()
        p.communicate()
    job.run("--quiet", expect=1)
    old = [json.loads(a) for a in issued.output.read_bytes().splitlines()]
    new = [json.loads(a) for a in job.output.read_bytes().splitlines()]
    assert len(new) == n
    for i, (a, b) in enumerate(zip(old, new)):
        if i % 100 == 99:
            assert "hcert" not in a and b["status"] == 400
            continue
        assert b["id"] == a["id"] and b["uvci"] == a["uvci"]
        assert b["exp"] - b["iat"] == YEAR and b["ledger"]["index"] > a["ledger"]["index"]
    assert [p.name for p in job.output.parent.iterdir() if "out." in p.name] == []
    # Once more, to another file: the very same ones.
    job.output = tmp_path / "again/other"
    out = json.loads(job.run("--quiet", "--json", expect=1).stdout)
    assert out["replayed"] == out["renewed"] == n - n // 100
    third = [json.loads(a) for a in job.output.read_bytes().splitlines()]
    for b, c in zip(new, third):
        assert ("hcert" in b) == ("hcert" in c)
        if "hcert" in b:
            assert hcert.unwrap(b["hcert"]) == hcert.unwrap(c["hcert"])


def test_renewals_stand_in_the_ledger(own):
    own.start()
    dcc, first = soon(own)
    second = renew(own, dcc=dcc).json
    time.sleep(1.5)
    out = subprocess.run([AUDITOR, "list", "--json", "--type", "renewed",
                          own.dir / "state/ledger"], capture_output=True, timeout=60)
    assert out.returncode == 0, out.stderr
    assert str(second["ledger"]["index"]) in out.stdout.decode()
    assert own.stop() == 0


def test_openapi_tells_of_it():
    yaml = pytest.importorskip("yaml")
    api = yaml.safe_load((ROOT / "tools/openapi.yaml").read_text())
    post = api["paths"]["/v1/renewals"]["post"]
    assert {"200", "403", "422", "413", "429", "503"} <= set(post["responses"])
    schema = api["components"]["schemas"]["RenewalRequest"]
    assert {"hcert", "dcc", "exp", "id"} <= set(schema["properties"])
