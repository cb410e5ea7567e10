# SPDX-License-Identifier: Apache-2.0
"""Identity attestations: a client that must send one gets a certificate for
nobody else, and under no other UVCI.  The gateway here is written from
policy/README.md alone."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from conftest import BUILD, record

PURPOSE = b"signerd identity attestation 1"
NATIONAL_ID = "012084000017"


class Gateway:
    def __init__(self, key):
        self.key = key
        der = key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)
        self.kid = hashlib.sha256(der).digest()[:8]

    @classmethod
    def of(cls, demo):
        pem = (demo.dir / "gateway.key").read_bytes()
        return cls(serialization.load_pem_private_key(pem, None))

    def sign(self, claims, purpose=PURPOSE, kid=None):
        header = cbor2.dumps({1: -7, 4: kid or self.kid})
        payload = cbor2.dumps(claims)
        tbs = cbor2.dumps(["Signature1", header, purpose, payload])
        r, s = utils.decode_dss_signature(
            self.key.sign(tbs, ec.ECDSA(hashes.SHA256())))
        return cbor2.dumps(cbor2.CBORTag(18, [
            header, {}, payload,
            r.to_bytes(32, "big") + s.to_bytes(32, "big")]))

    def claims(self, dcc, **changes):
        (entry,) = (dcc.get("v") or dcc.get("t") or dcc.get("r"))
        nonce = os.urandom(16)
        person = cbor2.dumps([dcc["nam"].get("fnt"), dcc["nam"].get("gnt"), dcc["dob"]])
        out = {1: entry["ci"], 2: hashlib.sha256(nonce + person).digest(), 3: nonce,
               4: hmac.digest(b"the gateway's own", NATIONAL_ID.encode(), "sha256"),
               5: int(time.time()), 6: True}
        out.update(changes.get("claims", {}))
        return out

    def attest(self, dcc, **changes):
        return self.sign(self.claims(dcc, **changes))


def b64(data):
    return base64.b64encode(data).decode()


def send(demo, dcc, attestation=None, client="attested", path="/v1/certificates", headers=None):
    body = {"dcc": dcc}
    if attestation is not None:
        body["attestation"] = attestation if isinstance(attestation, str) else b64(attestation)
    return demo.request("POST", path, body, headers, client)


def codes(response):
    assert response.status == 422, response
    assert all(v["level"] == "error" for v in response.json["violations"])
    return [(v["code"], v["pointer"]) for v in response.json["violations"]]


AT = "/attestation"
# What is wrong -> (attestation of DCC by GATEWAY, codes)
OTHER = Gateway(ec.generate_private_key(ec.SECP256R1()))


def tampered(g, dcc):
    data = bytearray(g.attest(dcc))
    data[-1] ^= 1
    return bytes(data)


WRONG = {
    "absent": (lambda g, d: None, ["attestation-missing"]),
    "empty": (lambda g, d: "", ["attestation-missing"]),
    "garbage": (lambda g, d: b"attestation", ["attestation-invalid"]),
    "no-base64": (lambda g, d: "?", ["bad-format", "attestation-invalid"]),
    "too-long": (lambda g, d: g.attest(d, claims={4: bytes(1300)}), ["attestation-invalid"]),
    "tail": (lambda g, d: g.attest(d) + b"\0", ["attestation-invalid"]),
    "other-key": (lambda g, d: OTHER.attest(d), ["attestation-invalid"]),
    "other-key-this-kid": (lambda g, d: OTHER.sign(OTHER.claims(d), kid=g.kid),
                           ["attestation-invalid"]),
    "tampered": (tampered, ["attestation-invalid"]),
    "other-purpose": (lambda g, d: g.sign(g.claims(d), purpose=b""), ["attestation-invalid"]),
    "more-claims": (lambda g, d: g.attest(d, claims={7: 1}), ["attestation-invalid"]),
    "old": (lambda g, d: g.attest(d, claims={5: int(time.time()) - 3700}), ["attestation-stale"]),
    "future": (lambda g, d: g.attest(d, claims={5: int(time.time()) + 200}),
               ["attestation-stale"]),
    "endless": (lambda g, d: g.attest(d, claims={5: 2**63 - 1}), ["attestation-stale"]),
    "other-person": (lambda g, d: g.attest(dict(d, dob="1984-03-03")), ["attestation-mismatch"]),
    "verdict-no": (lambda g, d: g.attest(d, claims={6: False}), ["attestation-mismatch"]),
    "other-uvci": (lambda g, d: g.attest(d, claims={1: "URN:UVCI:01:VN:OTHER"}),
                   ["attestation-replayed"]),
    "all": (lambda g, d: g.attest(dict(d, nam={"fnt": "TRAN"}),
                                  claims={1: "URN:X", 5: 0, 6: False}),
            ["attestation-stale", "attestation-mismatch", "attestation-replayed"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused(demo, name):
    make, expected = WRONG[name]
    dcc = record()
    refused = demo.metric_sum("signer_certificates_refused_total")
    issued = demo.metric_sum("signer_certificates_issued_total")
    attestation = make(Gateway.of(demo), dcc)
    assert codes(send(demo, dcc, attestation)) == [(c, AT) for c in expected]
    # A validation says the same, and is not counted.
    assert codes(send(demo, dcc, attestation, path="/v1/validations")) == \
        [(c, AT) for c in expected]
    assert demo.metric_sum("signer_certificates_refused_total") == refused + 1
    assert demo.metric_sum("signer_certificates_issued_total") == issued


def test_languages(demo):
    vi = send(demo, record(), headers={"Accept-Language": "vi"}).json["violations"][0]
    en = send(demo, record()).json["violations"][0]
    assert vi["detail"] == "đơn vị này phải gửi kèm xác nhận danh tính"
    assert en["detail"] == "this client must send an identity attestation"


@pytest.mark.parametrize("kind", "vtr")
def test_accepted(demo, kind):
    dcc = record(kind)
    response = send(demo, dcc, Gateway.of(demo).attest(dcc))
    demo.check(response, dcc)
    assert send(demo, record(kind), path="/v1/validations").status == 422
    dcc = record(kind, nam={"fnt": "NGUYEN"})  # no given name
    assert send(demo, dcc, Gateway.of(demo).attest(dcc)).status == 200


def test_cbor(demo):
    dcc = record()
    body = cbor2.dumps({"dcc": dcc, "attestation": Gateway.of(demo).attest(dcc)})
    r = demo.request("POST", "/v1/certificates", body,
                     {"Content-Type": "application/cbor"}, "attested")
    assert r.status == 200, r


def test_retry(demo):
    """The same request stays a retry, whatever has become of its attestation."""
    g, dcc = Gateway.of(demo), record()
    first = send(demo, dcc, g.attest(dcc))
    assert first.status == 200
    for attestation in (None, g.attest(dcc), g.attest(dcc, claims={5: 0}), b"junk"):
        again = send(demo, dcc, attestation)
        assert again.status == 200 and again.json["replayed"] is True, again
        assert again.json["hcert"] == first.json["hcert"]
    # Another payload under its UVCI is none, and its attestation is another's.
    other = dict(dcc, dob="1990-01-01")
    r = send(demo, other, g.attest(dcc))
    assert r.status == 422
    assert [v["code"] for v in r.json["violations"]] == \
        ["attestation-mismatch", "uvci-conflict"]


def listed(demo, index):
    out = subprocess.run(
        [BUILD / "signer-auditor", "list", "--json", "--index", str(index),
         demo.dir / "state/ledger"], capture_output=True, timeout=60)
    return next((e for e in json.loads(out.stdout or "[]") if e["index"] == index), None)


def wait_listed(demo, index):
    for _ in range(100):
        entry = listed(demo, index)
        if entry is not None:
            return entry
        time.sleep(0.1)
    raise AssertionError(f"entry {index} is not in the ledger")


def test_on_record(demo):
    g, dcc = Gateway.of(demo), record()
    attestation = g.attest(dcc)
    r = send(demo, dcc, attestation)
    assert r.status == 200
    entry = wait_listed(demo, r.json["ledger"]["index"])
    assert entry["client"] == "attested"
    assert entry["attestation"] == hashlib.sha256(attestation).hexdigest()


def test_not_asked(demo):
    """Where the policy names no gateway, nothing of it is believed or kept."""
    dcc = record()
    r = send(demo, dcc, b"whatever", client="issuer")
    assert r.status == 200, r
    assert "attestation" not in wait_listed(demo, r.json["ledger"]["index"])


def test_policy_tells(demo):
    told = demo.request("GET", "/v1/policy", client="attested").json
    assert told["require"] == ["attestation"] and told["gateways"] == ["population"]
    told = demo.request("GET", "/v1/policy", client="issuer").json
    assert told["require"] == [] and told["gateways"] == []


def test_renewals(own):
    """What was attested when it was issued is renewed without, and stands on
    record with it again; what was issued before it had to be is not."""
    gateway = Gateway.of(own)
    path = own.dir / "policy.yaml"
    strict = path.read_text()
    path.write_text(strict.replace("    require: [attestation]\n", ""))
    own.start()
    soon = int(time.time()) + 86400  # within the window
    old, new = record(), record()
    assert own.request("POST", "/v1/certificates", {"dcc": old, "exp": soon},
                       client="attested").status == 200
    path.write_text(strict)
    own.reload()
    attestation = gateway.attest(new)
    first = own.request("POST", "/v1/certificates", client="attested", body={
        "dcc": new, "exp": soon, "attestation": b64(attestation)})
    assert first.status == 200, first

    renewed = send(own, new, path="/v1/renewals")
    assert renewed.status == 200 and renewed.json["exp"] > soon
    assert codes(send(own, old, path="/v1/renewals")) == [("attestation-missing", AT)]
    assert codes(send(own, old, gateway.attest(new), path="/v1/renewals")) == \
        [("attestation-replayed", AT)]
    r = send(own, old, gateway.attest(old), path="/v1/renewals")
    assert r.status == 200, r
    for index, proof in ((first.json["ledger"]["index"], attestation),
                         (renewed.json["ledger"]["index"], attestation)):
        entry = wait_listed(own, index)
        assert entry["attestation"] == hashlib.sha256(proof).hexdigest()
    assert "attestation" in wait_listed(own, r.json["ledger"]["index"])
    assert own.stop() == 0


def test_rotation(own):
    """Two keys at a time; then the old one is gone."""
    old = Gateway.of(own)
    new = Gateway(ec.generate_private_key(ec.SECP256R1()))
    pem = new.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    path = own.dir / "policy.yaml"
    text = path.read_text()
    both = text.replace("    keys:\n", f"    keys:\n      - {b64(pem)}\n")
    assert both != text
    own.start()

    def works(g):
        dcc = record()
        return send(own, dcc, g.attest(dcc)).status == 200

    assert works(old) and not works(new)
    path.write_text(both)
    own.reload()
    assert works(old) and works(new)
    begin, end = both.index("      - |\n"), both.index("clients:")
    path.write_text(both[:begin] + both[end:])
    own.reload()
    assert not works(old) and works(new)
    assert own.stop() == 0
    assert NATIONAL_ID not in own.log()


# --- signer-issuer attest ----------------------------------------------------

def attest(demo, dcc, *options, stdin=NATIONAL_ID.encode() + b"\n", wrap=False):
    path = demo.dir / "record.json"
    path.write_text(json.dumps({"dcc": dcc, "id": "x"} if wrap else dcc, ensure_ascii=False))
    return subprocess.run(
        [BUILD / "signer-issuer", "attest", "--gateway-key", demo.dir / "gateway.key",
         "--hmac-key", demo.dir / "gateway.hmac", "--national-id", "-", *options, path],
        input=stdin, capture_output=True, timeout=60)


@pytest.mark.parametrize("wrap", [False, True])
def test_command(demo, wrap):
    dcc = record()
    r = attest(demo, dcc, wrap=wrap)
    assert r.returncode == 0, r.stderr
    claims = cbor2.loads(cbor2.loads(base64.b64decode(r.stdout)).value[2])
    key = (demo.dir / "gateway.hmac").read_bytes()
    assert claims[4] == hmac.digest(key, NATIONAL_ID.encode(), "sha256")
    assert NATIONAL_ID.encode() not in base64.b64decode(r.stdout)
    demo.check(send(demo, dcc, r.stdout.decode().strip()), dcc)


def test_command_forms(demo):
    dcc = record()
    r = attest(demo, dcc, "--request", wrap=True)
    assert r.returncode == 0, r.stderr
    request = json.loads(r.stdout)
    assert request["dcc"] == dcc and request["id"] == "x"
    assert demo.request("POST", "/v1/certificates", request, client="attested").status == 200
    dcc = record()
    r = attest(demo, dcc, "--cbor")
    assert send(demo, dcc, r.stdout).status == 200
    dcc = record()
    r = attest(demo, dcc, "--json", "--refute")
    assert json.loads(r.stdout)["verdict"] is False
    assert codes(send(demo, dcc, json.loads(r.stdout)["attestation"])) == \
        [("attestation-mismatch", AT)]
    r = attest(demo, dcc, "--time", "2021-01-01T00:00:00Z")
    assert codes(send(demo, dcc, r.stdout.decode().strip())) == [("attestation-stale", AT)]


def test_command_refuses(demo):
    dcc = record()
    for options, kwargs, why in [
            ([], {"stdin": b"\n"}, "first line is empty"),
            (["--cbor", "--request"], {}, "different things"),
            (["--time", "soon"], {}, "--time")]:
        r = attest(demo, dcc, *options, **kwargs)
        assert r.returncode == 2 and why in r.stderr.decode(), r
    assert attest(demo, dict(dcc, nam={})).returncode == 2
    assert attest(demo, {"ver": "1"}).returncode == 2
    attest(demo, dcc)
    r = subprocess.run([BUILD / "signer-issuer", "attest", demo.dir / "record.json"],
                       capture_output=True, timeout=60)
    assert r.returncode == 2 and b"--hmac-key is missing" in r.stderr
