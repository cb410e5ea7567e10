# SPDX-License-Identifier: Apache-2.0
"""Requests that the client signs: where the policy asks for that, nothing is
signed, judged or given out again in its name without.  The client here is
written from policy/README.md alone."""
import base64
import hashlib
import json
import os
import subprocess
import time

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

import hcert
from conftest import BUILD, Demo, record

COSE = "application/cose"


class Signer:
    """A client with a key of its own for its requests."""

    def __init__(self, audience, key=None):
        self.audience = audience
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.kid = hashlib.sha256(self.spki).digest()[:8]

    def pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())

    def raw(self, tbs):
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return -8, lambda t: self.key.sign(t)
        def sign(t):
            r, s = utils.decode_dss_signature(self.key.sign(t, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return -7, sign

    def sign(self, request, operation="issue", audience=None, at=None, payload=None):
        alg, sign = self.raw(None)
        header = cbor2.dumps({1: alg, 4: self.kid, 15: {6: int(time.time()) if at is None else at}}, canonical=True)
        payload = cbor2.dumps(request, canonical=True) if payload is None else payload
        purpose = cbor2.dumps(["signerd request 1", operation, audience or self.audience])
        tbs = cbor2.dumps(["Signature1", header, purpose, payload])
        return cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, sign(tbs)]))


@pytest.fixture(scope="module")
def world():
    """The client "attested" of the demo has to sign instead."""
    demo = Demo(os.environ.get("DEMO_ALG", "ES256"))
    origin = next(line.split()[1] for line in (demo.dir / "signerd.yaml").read_text().splitlines()
                  if line.strip().startswith("origin:"))
    signer = Signer(origin)
    second = Signer(origin, ed25519.Ed25519PrivateKey.generate())
    policy = (demo.dir / "policy.yaml").read_text()
    keys = ", ".join(f'"{base64.b64encode(s.spki).decode()}"' for s in (signer, second))
    before, _, after = policy.partition("  - name: attested\n")
    lines = after.splitlines(keepends=True)
    block = []
    while lines and not lines[0].startswith("  - name:") and lines[0].startswith("    "):
        line = lines.pop(0)
        if not line.strip().startswith(("gateways:", "require:")):
            block.append(line)
    block += [f"    request_keys: [{keys}]\n", "    request_age: 1h\n", "    require: [signature]\n"]
    (demo.dir / "policy.yaml").write_text(before + "  - name: attested\n" + "".join(block) + "".join(lines))
    demo.start()
    demo.signer, demo.second = signer, second
    yield demo
    assert demo.stop() == 0
    log = demo.log()
    demo.remove()
    assert "Sanitizer" not in log


def codes(r):
    assert r.status == 422, r
    return [(v["pointer"], v["code"]) for v in r.json["violations"]]


def post(demo, body, path="certificates", kind=COSE, accept="application/json"):
    return demo.request("POST", f"/v1/{path}", body, {"Content-Type": kind, "Accept": accept}, client="attested")


def test_policy_says_so(world):
    r = world.request("GET", "/v1/policy", client="attested")
    assert r.json["require"] == ["signature"]


def test_unsigned(world):
    before = world.metric_sum("signer_requests_unsigned_total")
    dcc = record()
    for path in ("certificates", "validations", "renewals"):
        for body, kind in ((json.dumps({"dcc": dcc}).encode(), "application/json"),
                           (cbor2.dumps({"dcc": dcc}), "application/cbor")):
            assert codes(post(world, body, path, kind)) == [("", "signature-missing")]
    # no more is told than that: a faulty one is refused for that alone
    assert codes(post(world, b'{"dcc": {}}', kind="application/json")) == [("", "signature-missing")]
    assert world.metric_sum("signer_requests_unsigned_total") == before + 7


@pytest.mark.parametrize("which", ["signer", "second"])
def test_signed(world, which):
    signer = getattr(world, which)
    dcc = record()
    signed = signer.sign({"dcc": dcc, "id": "mine"})
    r = post(world, signed)
    world.check(r, dcc)
    assert r.json["id"] == "mine"
    # again, and in each form: the same certificate
    text = base64.b64encode(signed).decode()
    for body, kind in ((signed, COSE), (json.dumps({"signed": text}).encode(), "application/json"),
                       (cbor2.dumps({"signed": signed}), "application/cbor")):
        again = post(world, body, kind=kind)
        assert again.json["hcert"] == r.json["hcert"] and again.json["replayed"]
    # who has it not is told nothing, and gets nothing
    assert codes(post(world, json.dumps({"dcc": dcc}).encode(), kind="application/json")) == \
        [("", "signature-missing")]
    # by validate
    assert post(world, signer.sign({"dcc": record()}, "validate"), "validations").json["verdict"] == "accept"
    # without a wish it comes as COSE came: in CBOR
    r = world.request("POST", "/v1/certificates", signer.sign({"dcc": record()}), {"Content-Type": COSE},
                      client="attested")
    assert r.headers["content-type"] == "application/cbor" and "cose" in cbor2.loads(r.body)


def test_for_something_else(world):
    s = world.signer
    request = {"dcc": record()}
    for bad in (s.sign(request, "validate"), s.sign(request, "renew"), s.sign(request, audience="another/ledger"),
                Signer(s.audience).sign(request)):
        assert codes(post(world, bad)) == [("", "signature-invalid")]
    assert codes(post(world, s.sign(request), "validations")) == [("", "signature-invalid")]
    for at in (time.time() - 3700, time.time() + 120, 0):
        assert codes(post(world, s.sign(request, at=int(at)))) == [("", "signature-stale")]
    # what a front would have to do: other content under the signature
    tag = cbor2.loads(s.sign(request))
    tag.value[2] = cbor2.dumps({"dcc": record()}, canonical=True)
    assert codes(post(world, cbor2.dumps(tag))) == [("", "signature-invalid")]
    # of a client that has no keys nothing signed is taken
    r = world.request("POST", "/v1/certificates", s.sign(request), {"Content-Type": COSE, "Accept": "application/json"})
    assert codes(r) == [("", "signature-invalid")]


@pytest.mark.parametrize("body", [
    b"", b"\xd2", cbor2.dumps(cbor2.CBORTag(18, [b"", {}, None, b"x"])), cbor2.dumps([b"", {}, b"\xa0", b"x"]),
    cbor2.dumps(cbor2.CBORTag(18, [b"", {4: b"k"}, b"\xa0", b"x"])), cbor2.dumps(cbor2.CBORTag(17, [b"", {}, b"\xa0", b"x"])),
    cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b"\xbf\xff", b"x"])), cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b"\x01", b"x" * 700])),
    cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b"{}", b"x"])),
])
def test_malformed(world, body):
    r = post(world, body)
    assert r.status == 400 and r.json["type"] == "/problems/malformed", r
    r = post(world, json.dumps({"signed": base64.b64encode(body).decode()}).encode(), kind="application/json")
    assert r.status == 400, r


def test_not_deterministic(world):
    dcc = record()
    loose = b"\xbf\x63dcc" + cbor2.dumps(dcc, canonical=True) + b"\xff"
    r = post(world, world.signer.sign(None, payload=loose))
    assert r.status == 400 and "deterministic CBOR" in r.json["detail"], r


def test_stream(world):
    good, other = record(), record()
    lines = [{"signed": base64.b64encode(world.signer.sign({"dcc": good, "id": "a"})).decode()},
             {"dcc": other, "id": "b"}, {"signed": "AAAA"}, {"signed": 1}, {"signed": "x", "id": "c"},
             {"signed": base64.b64encode(world.second.sign({"dcc": other, "id": "d"})).decode()}]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    r = post(world, body, kind="application/x-ndjson", accept="application/x-ndjson")
    answers = [json.loads(line) for line in r.body.splitlines()]
    assert [a.get("status", 200) for a in answers] == [200, 422, 400, 400, 422, 200], answers
    assert answers[1]["violations"][0]["code"] == "signature-missing" and answers[1]["id"] == "b"
    assert [answers[i]["id"] for i in (0, 5)] == ["a", "d"]
    _, claims = hcert.verify(hcert.unwrap(answers[5]["hcert"]), world.dsc)
    assert claims[-260][1] == other


def issuer(world, *args, expect=0, **files):
    out = subprocess.run(
        [BUILD / "signer-issuer", args[0], "--server", f"https://localhost:{world.port}", "--cert",
         world.dir / "clients/attested.pem", "--key", world.dir / "clients/attested.key", "--ca", world.dir / "ca.pem",
         *args[1:]], capture_output=True, text=True, timeout=120)
    assert out.returncode == expect, out
    return out


def test_signer_issuer(world, tmp_path):
    key = tmp_path / "request.key"
    key.write_bytes(world.second.pem())
    how = ["--sign-with", key, "--audience", world.signer.audience]
    one = tmp_path / "one.json"
    one.write_text(json.dumps(record(), ensure_ascii=False))
    assert "signature-missing" in issuer(world, "issue", one, expect=1).stdout
    assert issuer(world, "issue", *how, one).stdout.startswith("HC1:")
    issuer(world, "validate", *how, one)
    out = issuer(world, "issue", "--sign-with", key, one, expect=2)
    assert "--audience" in out.stderr
    out = issuer(world, "issue", "--sign-with", one, "--audience", "x", one, expect=2)
    assert "not a private key" in out.stderr
    records = tmp_path / "in.ndjson"
    payloads = [record() for _ in range(50)]
    records.write_text("".join(json.dumps({"dcc": p, "id": str(i)}) + "\n" for i, p in enumerate(payloads)))
    answers = tmp_path / "out.ndjson"
    issuer(world, "bulk", *how, "--quiet", records, answers)
    got = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [g["id"] for g in got] == [str(i) for i in range(50)]
    for g, p in zip(got, payloads):
        _, claims = hcert.verify(hcert.unwrap(g["hcert"]), world.dsc)
        assert claims[-260][1] == p
    issuer(world, "bulk", *how, "--quiet", records, answers)  # nothing is left to do
    assert "50 records: 50 accepted" in issuer(world, "validate", *how, "--quiet", records).stdout
    # a renewal that is not due is refused for that, and not for its signature
    renewed = tmp_path / "renewed.ndjson"
    issuer(world, "renew", *how, "--quiet", answers, renewed, expect=1)
    for line in renewed.read_text().splitlines():
        assert [v["code"] for v in json.loads(line)["violations"]] == ["not-renewable"]
