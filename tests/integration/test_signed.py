# SPDX-License-Identifier: Apache-2.0
"""Requests that the client signs: where the policy asks for that, nothing is
signed, judged or given out again in its name without.  The client here is
written from policy/README.md alone."""
import base64
import hashlib
import json
import os
import subprocess
import threading
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

    def sign(self, request, operation="issue", audience=None, at=None, payload=None, header=None):
        alg, sign = self.raw(None)
        header = {1: alg, 4: self.kid, 15: {6: int(time.time()) if at is None else at}, **(header or {})}
        header = cbor2.dumps(header, canonical=True)
        payload = cbor2.dumps(request, canonical=True) if payload is None else payload
        purpose = cbor2.dumps(["signerd request 1", operation, audience or self.audience])
        tbs = cbor2.dumps(["Signature1", header, purpose, payload])
        return cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, sign(tbs)]))


@pytest.fixture(scope="module")
def world():
    """The client "attested" of the demo has to sign instead, and
    "any-country" may."""
    demo = Demo(os.environ.get("DEMO_ALG", "ES256"))
    origin = next(line.split()[1] for line in (demo.dir / "signerd.yaml").read_text().splitlines()
                  if line.strip().startswith("origin:"))
    signer = Signer(origin)
    second = Signer(origin, ed25519.Ed25519PrivateKey.generate())
    theirs = Signer(origin)
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
    text = before + "  - name: attested\n" + "".join(block) + "".join(lines)
    head = "  - name: any-country\n"
    assert head in text
    text = text.replace(head, head + f'    request_keys: ["{base64.b64encode(theirs.spki).decode()}"]\n', 1)
    (demo.dir / "policy.yaml").write_text(text)
    demo.start()
    demo.signer, demo.second, demo.theirs = signer, second, theirs
    yield demo
    assert demo.stop() == 0
    log = demo.log()
    demo.remove()
    assert "Sanitizer" not in log


def codes(r):
    assert r.status == 422, r
    return [(v["pointer"], v["code"]) for v in r.json["violations"]]


def post(demo, body, path="certificates", kind=COSE, accept="application/json", client="attested"):
    return demo.request("POST", f"/v1/{path}", body, {"Content-Type": kind, "Accept": accept}, client=client)


def text(signed):
    return base64.b64encode(signed).decode()


def stream(demo, lines, path="certificates"):
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    r = post(demo, body, path, "application/x-ndjson", "application/x-ndjson")
    assert r.status == 200, r
    return [json.loads(line) for line in r.body.splitlines()]


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


def test_policy_tells(world):
    """Each client the keys that its own requests may be signed with."""
    told = world.request("GET", "/v1/policy", client="attested").json
    assert told["require"] == ["signature"] and told["request_age"] == 3600
    assert told["request_keys"] == [world.signer.kid.hex(), world.second.kid.hex()]
    told = world.request("GET", "/v1/policy", client="any-country").json
    assert told["require"] == [] and told["request_age"] == 86400
    assert told["request_keys"] == [world.theirs.kid.hex()]
    told = cbor2.loads(world.request("GET", "/v1/policy", headers={"Accept": "application/cbor"},
                                     client="issuer").body)
    assert told["request_keys"] == [] and "request_age" not in told


OPERATIONS = {"certificates": "issue", "validations": "validate", "renewals": "renew"}


@pytest.mark.parametrize("path", OPERATIONS)
def test_each_operation_has_its_own(world, path):
    request = {"dcc": record()}
    for operation in OPERATIONS.values():
        r = post(world, world.signer.sign(request, operation), path)
        if operation != OPERATIONS[path]:
            assert codes(r) == [("", "signature-invalid")]
        elif path == "renewals":  # nothing is there to renew; but it was judged
            assert codes(r) == [("/dcc/v/0/ci", "not-renewable")]
        else:
            assert r.status == 200, r


def test_another_clients_key(world):
    """Neither signs for the other, whoever brings it: a front cannot take what
    one has signed for another one's wish."""
    mine, theirs = ({"dcc": record()} for _ in range(2))
    assert codes(post(world, world.theirs.sign(mine))) == [("", "signature-invalid")]
    assert codes(post(world, world.signer.sign(theirs), client="any-country")) == [("", "signature-invalid")]
    # with the other one's kid it is only more wrong
    for signer, kid, client in ((world.theirs, world.signer.kid, "attested"),
                                (world.signer, world.theirs.kid, "any-country")):
        bad = signer.sign(mine, header={4: kid})
        assert codes(post(world, bad, client=client)) == [("", "signature-invalid")]
    world.check(post(world, world.theirs.sign(theirs), client="any-country"), theirs["dcc"])
    # what is another client's stays so, however well it is signed
    assert post(world, world.signer.sign(theirs)).json["violations"][0]["code"] == "uvci-conflict"
    # who may sign and does not is served; who signs wrongly is not
    other = {"dcc": record()}
    bad = world.theirs.sign(other, "validate")
    assert codes(post(world, bad, client="any-country")) == [("", "signature-invalid")]
    world.check(post(world, json.dumps(other).encode(), kind="application/json", client="any-country"), other["dcc"])


BESIDE = {"exp": 4_000_000_000, "id": "x", "attestation": "AAAA", "dcc": {}, "hcert": "HC1:", "signature": "AAAA",
          "Signed": "AAAA"}


@pytest.mark.parametrize("path", OPERATIONS)
def test_what_stands_beside_it(world, path):
    """A front that puts something of its own next to what was signed has put
    all of it outside of what was signed."""
    signed = world.signer.sign({"dcc": record()}, OPERATIONS[path])
    for key, value in BESIDE.items():
        if key == "hcert" and path == "renewals":
            continue  # the front takes it apart, and stops at it
        r = post(world, json.dumps({"signed": text(signed), key: value}).encode(), path, "application/json")
        assert codes(r) == [("", "signature-missing")], (key, r)
        r = post(world, cbor2.dumps({"signed": signed, key: value}, canonical=True), path, "application/cbor")
        assert codes(r) == [("", "signature-missing")], (key, r)
    twice = b'{"signed": "%s", "signed": "%s"}' % ((text(signed).encode(),) * 2)
    assert post(world, twice, path, "application/json").status == 400
    # one inside of the other is no request
    nested = world.signer.sign({"signed": signed}, OPERATIONS[path])
    assert post(world, nested, path).status == 422


def test_headers(world):
    s = world.signer
    request = {"dcc": record()}
    for more in ({2: [15]}, {2: [1], "x": 1}, {3: 0}, {5: b"iv"}, {33: b"cert"}, {4: s.kid + b"x"}, {4: s.kid[:7]},
                 {1: -8}, {1: -37}, {1: -257}, {1: "ES256"}, {15: {}}, {15: {6: 1.5}}, {15: {6: "1"}},
                 {15: {6: int(time.time()), 7: b"n"}}, {15: int(time.time())}):
        r = post(world, s.sign(request, header=more))
        assert r.status == 400 or codes(r) == [("", "signature-invalid")], (more, r)
    tag = cbor2.loads(s.sign(request))
    for body in (cbor2.dumps(tag.value), cbor2.dumps(cbor2.CBORTag(98, tag.value)),
                 cbor2.dumps(cbor2.CBORTag(18, [tag.value[0], {1: -7}, *tag.value[2:]])),
                 cbor2.dumps(cbor2.CBORTag(18, [b"", cbor2.loads(tag.value[0]), *tag.value[2:]])),
                 cbor2.dumps(cbor2.CBORTag(18, tag.value[:3])), cbor2.dumps(cbor2.CBORTag(18, tag.value + [b""])),
                 cbor2.dumps(cbor2.CBORTag(61, tag)), cbor2.dumps(tag) + b"\0"):
        assert post(world, body).status == 400, body
    assert codes(post(world, cbor2.dumps(cbor2.CBORTag(18, [b"", {}, *tag.value[2:]])))) == [("", "signature-invalid")]


def test_keys_twice_inside(world):
    """Two readers of it might see two certificates: nobody reads it."""
    dcc = cbor2.dumps(record(), canonical=True)
    for payload in (b"\xa2\x63dcc" + dcc + b"\x63dcc" + cbor2.dumps(record(), canonical=True),
                    b"\xa1\x63dcc" + bytes([dcc[0] + 1]) + dcc[1:] + dcc[1:dcc.index(b"\x63ver")]):
        r = post(world, world.signer.sign(None, payload=payload))
        assert r.status == 400, r


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


def test_sent_again(world):
    """By a front that has kept it: the certificate that there is."""
    soon = int(time.time()) + 3600
    request = {"dcc": record(), "exp": soon}
    issue, renew = world.signer.sign(request), world.signer.sign({"dcc": request["dcc"]}, "renew")
    issued = world.metric_sum("signer_certificates_issued_total")
    first = post(world, issue)
    world.check(first, request["dcc"])
    assert post(world, issue).json["hcert"] == first.json["hcert"]
    second = post(world, renew, "renewals")
    world.check(second, request["dcc"])
    assert second.json["exp"] > soon and "replayed" not in second.json
    for body, path in ((renew, "renewals"), (issue, "certificates")):
        r = post(world, body, path)
        assert r.json["hcert"] == second.json["hcert"] and r.json["replayed"]
    # and no other wish comes of it
    assert codes(post(world, renew)) == [("", "signature-invalid")]
    # twice in one stream, next to each other and far apart
    lines = [{"signed": text(world.second.sign({"dcc": record(), "id": str(i)}))} for i in range(20)]
    answers = stream(world, [line for line in lines for _ in range(2)] + lines)
    for i in range(20):
        same = [answers[2 * i], answers[2 * i + 1], answers[40 + i]]
        assert {a["id"] for a in same} == {str(i)}
        assert len({a["hcert"] for a in same}) == len({a["ledger"]["index"] for a in same}) == 1
    assert world.metric_sum("signer_certificates_issued_total") == issued + 22


def test_slowed_down(world):
    """What has to wait for its client's rate waits with its signature."""
    path = world.dir / "policy.yaml"
    before = path.read_text()
    path.write_text(before.replace("    request_age: 1h\n",
                                   "    request_age: 1h\n    rate: {per_second: 100, burst: 20}\n", 1))
    world.reload()
    delayed = world.metric_sum("signer_requests_delayed_total")
    answers = stream(world, [{"signed": text(world.signer.sign({"dcc": record(), "id": str(i)}))} for i in range(80)])
    assert [a.get("id") for a in answers] == [str(i) for i in range(80)]
    assert all("hcert" in a for a in answers), answers
    assert world.metric_sum("signer_requests_delayed_total") > delayed
    path.write_text(before)
    world.reload()


def test_a_key_that_is_taken_away(world):
    """By a reload, while what it has signed is on its way: from some record on
    none counts any more, and none is lost."""
    path = world.dir / "policy.yaml"
    before = path.read_text()
    keys = f', "{base64.b64encode(world.second.spki).decode()}"'
    assert keys in before
    streams, gone = [], threading.Event()

    def send():
        while not gone.is_set() or len(streams) < 2:
            lines = [{"signed": text(world.second.sign({"dcc": record()}))} for _ in range(200)]
            streams.append(stream(world, lines))
            if "violations" in streams[-1][-1]:
                break

    thread = threading.Thread(target=send)
    thread.start()
    try:
        while len(streams) < 2:
            assert thread.is_alive()
            time.sleep(0.01)
        path.write_text(before.replace(keys, "", 1))
        world.reload()
    finally:
        gone.set()
        thread.join()
    assert codes(post(world, world.second.sign({"dcc": record()}))) == [("", "signature-invalid")]
    refused = [[v["code"] for v in a["violations"]] if "violations" in a else None for s in streams for a in s]
    first = refused.index(["signature-invalid"]) if ["signature-invalid"] in refused else len(refused)
    assert first >= 400 and all(r is None for r in refused[:first])
    assert all(r == ["signature-invalid"] for r in refused[first:])
    # the client's other key goes on, and has what the old one asked for
    dcc = record()
    world.check(post(world, world.signer.sign({"dcc": dcc})), dcc)
    path.write_text(before)
    world.reload()
    assert post(world, world.second.sign({"dcc": dcc})).json["replayed"]


def issuer(world, *args, expect=0, env=None):
    out = subprocess.run(
        [BUILD / "signer-issuer", args[0], "--server", f"https://localhost:{world.port}", "--cert",
         world.dir / "clients/attested.pem", "--key", world.dir / "clients/attested.key", "--ca", world.dir / "ca.pem",
         *args[1:]], capture_output=True, text=True, timeout=120, env=env)
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
    # and one that is due, by its certificate, becomes a new one
    payloads = [record() for _ in range(20)]
    records.write_text("".join(json.dumps({"dcc": p, "exp": int(time.time()) + 3600}) + "\n" for p in payloads))
    answers, renewed = tmp_path / "out2.ndjson", tmp_path / "renewed2.ndjson"
    issuer(world, "bulk", *how, "--quiet", records, answers)
    assert "signature-missing" in issuer(world, "renew", "--quiet", answers, renewed, expect=1).stdout
    issuer(world, "renew", *how, "--quiet", "--refused-again", answers, renewed)
    for line, p in zip(renewed.read_text().splitlines(), payloads):
        _, claims = hcert.verify(hcert.unwrap(json.loads(line)["hcert"]), world.dsc)
        assert claims[-260][1] == p and claims[4] > time.time() + 7200
    # the server it is signed for is not the server's to say
    out = issuer(world, "issue", "--sign-with", key, "--audience", "another/ledger", one, expect=1)
    assert "signature-invalid" in out.stdout
    environ = dict(os.environ, SIGNER_SIGN_WITH=str(key), SIGNER_AUDIENCE=world.signer.audience)
    issuer(world, "issue", one, env=environ)
