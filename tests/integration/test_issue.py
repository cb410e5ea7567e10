# SPDX-License-Identifier: Apache-2.0
"""Certificates, from the request to an independent verifier."""
import base64
import json
import time

import cbor2
import pytest

import hcert
from conftest import record


@pytest.mark.parametrize("kind", ["v", "t", "r"])
def test_each_kind_verifies(demo, kind):
    dcc = record(kind)
    before = int(time.time())
    r = demo.issue(dcc)
    claims = demo.check(r, dcc)
    assert before - 2 <= claims[6] <= time.time() + 2
    assert claims[4] - claims[6] == 365 * 86400
    assert claims[1] == "VN"
    answer = r.json
    assert answer["uvci"] == dcc[kind][0]["ci"]
    assert base64.b64decode(answer["kid"]) == hcert.kid_of(demo.dsc)
    assert answer["alg"] == demo.alg
    assert r.headers["content-type"] == "application/json"


@pytest.mark.parametrize("fn,gn", [
    ("Nguyễn", "Đặng Ơn Ưu"), ("Ѝванова-Щукина", "Ольга Ёлкина"),
    ("Παπαδόπουλος", "Ἀγαθόκλεια"), ("Nguye\u0302\u0303n", "Ha\u0309i"),
    ("  padded  ", "\ttab"), ("O'Neill \"Q\" \\ /", "\u0001\u007f\u00a0"),
    ("𝒳𝓎", "🙂"), ("", "")])
def test_names_survive_byte_for_byte(demo, fn, gn):
    dcc = record(nam=dict(fn=fn, fnt="A", gn=gn, gnt="B"))
    r = demo.issue(dcc, client="any-country")
    demo.check(r, dcc)


def test_an_empty_id_is_none(demo):
    body = json.dumps({"dcc": record(), "id": ""}).encode()
    r = demo.request("POST", "/v1/certificates", body, {"Content-Type": "application/json"})
    assert r.status == 200 and "id" not in r.json


def test_cbor_in_cbor_out(demo):
    dcc = record()
    body = cbor2.dumps(dict(dcc=dcc, id="row 7"))
    r = demo.request("POST", "/v1/certificates", body, {"Content-Type": "application/cbor"})
    assert r.status == 200 and r.headers["content-type"] == "application/cbor"
    answer = cbor2.loads(r.body)
    _, claims = hcert.verify(answer["cose"], demo.dsc)
    assert claims[-260][1] == dcc and answer["id"] == "row 7"
    assert answer["kid"] == hcert.kid_of(demo.dsc)


def test_cbor_body_need_not_be_deterministic(demo):
    dcc = record()
    # long heads, unsorted keys, indefinite map: {"id": "x", "dcc": ...}
    body = b"\xbf" + b"\x78\x02id" + b"\x61x" + b"\x63dcc" + cbor2.dumps(dcc) + b"\xff"
    r = demo.request("POST", "/v1/certificates", body, {
        "Content-Type": "application/cbor", "Accept": "application/json"})
    assert r.json["id"] == "x"
    demo.check(r, dcc)


def test_payload_is_signed_as_deterministic_cbor(demo):
    dcc = record()
    r = demo.issue(dcc)
    cose = hcert.unwrap(r.json["hcert"])
    payload = cbor2.loads(cose).value[2]
    # canonical CBOR of cbor2 sorts text keys as RFC 8949 does; integer keys by hand
    want = b"\xa4\x01\x62VN\x04" + cbor2.dumps(r.json["exp"]) + b"\x06" + \
        cbor2.dumps(r.json["iat"]) + b"\x39\x01\x03\xa1\x01" + cbor2.dumps(dcc, canonical=True)
    assert payload == want
    protected = cbor2.loads(cose).value[0]
    alg = {"ES256": b"\x26", "PS256": b"\x38\x24"}[demo.alg]
    assert protected == b"\xa2\x01" + alg + b"\x04\x48" + hcert.kid_of(demo.dsc)


@pytest.mark.parametrize("accept,starts", [
    ("application/cose", b"\xd2\x84"), ("text/plain", b"HC1:"),
    ("image/svg+xml", b"<"), ("image/png", b"\x89PNG\r\n")])
def test_other_forms(demo, accept, starts):
    r = demo.issue(record(), headers={"Accept": accept})
    assert r.status == 200 and r.body.startswith(starts), r
    assert r.headers["content-type"].split(";")[0] == accept
    assert base64.b64decode(r.headers["signer-kid"]) == hcert.kid_of(demo.dsc)
    assert int(r.headers["signer-expires"]) > time.time()
    if accept == "application/cose":
        hcert.verify(r.body, demo.dsc)
    if accept == "text/plain":
        hcert.verify(hcert.unwrap(r.body.decode().strip()), demo.dsc)


def test_png_scans(demo, tmp_path):
    import subprocess
    r = demo.issue(record(), headers={"Accept": "image/png"})
    (tmp_path / "qr.png").write_bytes(r.body)
    out = subprocess.run(["zbarimg", "-q", "--raw", tmp_path / "qr.png"],
                         capture_output=True, check=True).stdout.decode().strip()
    hcert.verify(hcert.unwrap(out), demo.dsc)


def test_not_acceptable_signs_nothing(demo):
    before = demo.metric_sum("signer_hsm_signatures_total")
    for _ in range(20):
        r = demo.issue(record(), headers={"Accept": "application/pdf"})
        assert r.status == 406 and r.json["type"] == "/problems/not-acceptable"
    # readiness signs a test message now and then, but not twenty
    assert demo.metric_sum("signer_hsm_signatures_total") - before < 15


def test_exp_of_the_request(demo):
    exp = int(time.time()) + 3600
    assert demo.check(demo.issue(record(), exp=exp))[4] == exp


@pytest.mark.parametrize("change,code,pointer", [
    (dict(entry={"co": "FR"}), "country-not-allowed", "/dcc/v/0/co"),
    (dict(entry={"is": "Ministry of Magic"}), "issuer-not-allowed", "/dcc/v/0/is"),
    (dict(entry={"ci": "URN:UVCI:01:FR:123"}), "uvci-not-allowed", "/dcc/v/0/ci"),
    (dict(entry={"dn": 0}), "out-of-range", "/dcc/v/0/dn"),
    (dict(entry={"dn": 2.5}), "wrong-type", "/dcc/v/0/dn"),
    (dict(entry={"dn": None}), "wrong-type", "/dcc/v/0/dn"),
    (dict(entry={"extra": "x"}), "unknown-field", "/dcc/v/0/extra"),
    (dict(dob="1.1.1980"), "bad-format", "/dcc/dob"),
    (dict(nam=dict(fn="x" * 81, fnt="A")), "too-long", "/dcc/nam/fn"),
    (dict(nam=dict(fn="x")), "name-missing", "/dcc/nam"),
    (dict(v=[]), "entry-count", "/dcc/v"),
    (dict(t=[]), "entry-count", "/dcc"),
])
def test_refusals_name_the_fault(demo, change, code, pointer):
    r = demo.issue(record(**change))
    assert r.status == 422 and r.headers["content-type"] == "application/problem+json"
    p = r.json
    assert p["type"] == "/problems/policy" and p["status"] == 422
    assert (pointer, code) in [(v["pointer"], v["code"]) for v in p["violations"]], p
    assert all(v["level"] == "error" and v["detail"] for v in p["violations"])


def test_all_faults_at_once(demo):
    dcc = record(entry={"co": "FR", "dn": 0, "is": "x", "ci": "URN:UVCI:01:DE:1",
                        "dt": "2021-02-30"}, dob="x", ver=1)
    dcc["v"][0].pop("tg")
    got = {(v["pointer"], v["code"]) for v in demo.issue(dcc, exp=1).json["violations"]}
    assert got == {
        ("/dcc/v/0/co", "country-not-allowed"), ("/dcc/v/0/dn", "out-of-range"),
        ("/dcc/v/0/is", "issuer-not-allowed"), ("/dcc/v/0/ci", "uvci-not-allowed"),
        ("/dcc/dob", "bad-format"), ("/dcc/ver", "wrong-type"),
        ("/dcc/v/0/ci", "uvci-country"), ("/dcc/v/0/dt", "date-impossible"),
        ("/dcc/v/0/tg", "missing-field"), ("/exp", "validity-in-past")}


def test_vietnamese_details(demo):
    r = demo.issue(record(entry={"dn": 0}), headers={"Accept-Language": "vi, en;q=0.5"})
    assert any("ố" in v["detail"] for v in r.json["violations"])


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_vietnamese_problems(demo, kind):
    """Titles too, of single requests and of a stream's records alike."""
    def ask(path, body, client="issuer"):
        r = demo.request("POST", path, body + b"\n" * (kind == "ndjson"), {
            "Content-Type": {"json": "application/json", "ndjson": "application/x-ndjson"}[kind],
            "Accept-Language": "vi"}, client=client)
        return json.loads(r.body)

    p = ask("/v1/certificates", json.dumps(dict(dcc=record(entry={"dn": 0}))).encode())
    assert p["type"] == "/problems/policy" and p["title"] == "Bị từ chối theo chính sách"
    assert p["detail"] == "bị từ chối theo chính sách cấp chứng nhận"
    p = ask("/v1/certificates", b'{"dcc": {}, "dcc": {}}')
    assert p["title"] == "Yêu cầu sai cú pháp"
    for path, what in (("certificates", "cấp chứng nhận"), ("validations", "kiểm tra dữ liệu"),
                       ("renewals", "gia hạn chứng nhận")):
        p = ask(f"/v1/{path}", json.dumps(dict(dcc=record())).encode(), "auditor")
        assert p["title"] == "Không được phép" and p["status"] == 403
        assert p["detail"] == f"chính sách không cho phép đơn vị này {what}"
    p = ask("/v1/certificates", json.dumps(dict(dcc=record())).encode(), "stranger")
    assert p["detail"] == "chính sách không có đơn vị nào dùng chứng thư này"
    # English for everybody else.
    p = demo.issue(record(entry={"dn": 0}), headers={"Accept-Language": "fr, en"}).json
    assert p["title"] == "Refused by policy"


def test_problem_echoes_no_personal_data(demo):
    dcc = record(nam=dict(fn="Zwrqxname", fnt="zwrqx", gn="Qqgiven", gnt="1"), dob="1912-QQ")
    r = demo.issue(dcc, id="r1")
    assert r.status == 422 and r.json["id"] == "r1"
    for secret in (b"Zwrqx", b"zwrqx", b"Qqgiven", b"1912"):
        assert secret not in r.body
    assert "wrqx" not in demo.log()


def test_extra_fields_pass_where_the_profile_says_so(demo):
    dcc = record(entry={"extra": ["x", 1, {"y": -2}]})
    demo.check(demo.issue(dcc, client="any-country"), dcc)
    r = demo.issue(record(entry={"extra": None}), client="any-country")
    assert r.status == 422 and r.json["violations"][0]["code"] == "wrong-type"


def test_zero_fraction_is_an_integer(demo):
    dcc = record(entry={"dn": 2.0})
    claims = demo.check(demo.issue(dcc))
    assert type(claims[-260][1]["v"][0]["dn"]) is int


def test_validation_is_a_dry_run(demo):
    before = demo.metric_sum("signer_certificates_issued_total")
    r = demo.request("POST", "/v1/validations", dict(dcc=record(), id="a"))
    assert r.status == 200 and r.json == {"id": "a", "verdict": "accept"}
    bad = record(entry={"dn": 0})
    verdict = demo.request("POST", "/v1/validations", dict(dcc=bad))
    assert demo.metric_sum("signer_certificates_issued_total") == before
    assert verdict.status == 422 and verdict.json == demo.issue(bad).json


def test_keys(demo):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    der = demo.dsc.public_bytes(Encoding.DER)
    (key,) = demo.request("GET", "/v1/keys").json["keys"]
    assert base64.b64decode(key["certificate"]) == der
    assert key["state"] == "active" and key["kinds"] == ["v", "t", "r"]
    pem = demo.request("GET", "/v1/keys", headers={
        "Accept": "application/pem-certificate-chain"}).body
    assert x509.load_pem_x509_certificate(pem) == demo.dsc
    (jwk,) = demo.request("GET", "/v1/keys", headers={
        "Accept": "application/jwk-set+json"}).json["keys"]
    assert jwk["alg"] == demo.alg and base64.b64decode(jwk["x5c"][0]) == der
    (ck,) = cbor2.loads(demo.request("GET", "/v1/keys", headers={
        "Accept": "application/cose-key-set"}).body)
    assert ck[2] == hcert.kid_of(demo.dsc)
    numbers = demo.dsc.public_key().public_numbers()
    if demo.alg == "ES256":
        assert int.from_bytes(ck[-2], "big") == numbers.x
        assert int.from_bytes(ck[-3], "big") == numbers.y
    else:
        assert int.from_bytes(ck[-1], "big") == numbers.n


def test_policy_of_the_caller(demo):
    import hashlib
    p = demo.request("GET", "/v1/policy").json
    want = hashlib.sha256((demo.dir / "policy.yaml").read_bytes()).hexdigest()
    assert p["client"] == "issuer" and p["hash"] == want
    assert p["countries"] == ["VN"] and p["issuers"] == ["Bộ Y tế"]
    q = demo.request("GET", "/v1/policy", client="any-country").json
    assert q["client"] == "any-country" and q["hash"] == want
    (label,) = [labels for name, labels, _ in demo.metrics() if name == "signer_policy_info"]
    assert label == f'sha256="{want}"'
