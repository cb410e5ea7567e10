# SPDX-License-Identifier: Apache-2.0
"""Fraud drills: a genuine client asks for what it may not have.  Each attempt is
refused, counted by its code on record, and nothing of it is signed."""
import re
import time

import pytest

from conftest import SLOW, record
from ledger import Log
from test_attestation import Gateway, send
from test_quota import ask_many, set_fronts

REFUSED = 3
FAKES = 20  # of each kind of attempt


@pytest.fixture
def office(own):
    """With one client who may issue vaccinations under one province's prefix."""
    path = own.dir / "policy.yaml"
    text = path.read_text()
    head, body = text.split("  - name: issuer ", 1)
    mine, rest = body.split("  - name: ", 1)
    mine = mine.replace("kinds: [v, t, r]", "kinds: [v]").replace(
        "URN:UVCI:01:VN:", "URN:UVCI:01:VN:HN/")
    mine = re.sub(r"validity: .*", "validity: {v: 365d}", mine)
    path.write_text(head + "  - name: issuer " + mine + "  - name: " + rest)
    set_fronts(own, 2)
    own.start()
    own.wait_all_up()
    return own


def fakes(kind="v", **entry):
    """Records that are as they should be, but for KIND and ENTRY."""
    return [record(kind, entry=dict({"ci": f"URN:UVCI:01:VN:HN/{i:06}"}, **entry))
            for i in range(FAKES)]


def attempt(demo, records, expected):
    """All of RECORDS are refused with the code EXPECTED."""
    for dcc in records:
        r = demo.issue(dcc)
        assert r.status == 422, r
        assert expected in {v["code"] for v in r.json["violations"]}, r.json


def test_drills(office):
    demo = office
    gateway = Gateway.of(demo)
    good = fakes()[0]
    assert demo.issue(good).status == 200

    attempt(demo, fakes(co="LA", ci="URN:UVCI:01:LA:HN/1"), "country-not-allowed")
    attempt(demo, fakes("t"), "kind-not-allowed")
    attempt(demo, fakes(ci="URN:UVCI:01:VN:SG/000001"), "uvci-not-allowed")

    # With the attestation of somebody who was really looked up.
    dcc = record()
    attestation = gateway.attest(dcc)
    assert send(demo, dcc, attestation).status == 200
    for _ in range(FAKES):
        again = record(entry={"ci": record()["v"][0]["ci"] + "R"})
        r = send(demo, again, attestation)
        assert [v["code"] for v in r.json["violations"]] == ["attestation-replayed"]
        other = record(nam=dict(fn="Trần", fnt="TRAN", gn="An", gnt="AN"))
        claims = gateway.claims(dcc)
        claims[1] = other["v"][0]["ci"]
        r = send(demo, other, gateway.sign(claims))
        assert [v["code"] for v in r.json["violations"]] == ["attestation-mismatch"]

    # After its certificate was removed from the policy.
    path = demo.dir / "policy.yaml"
    path.write_text(path.read_text().replace("uri:urn:signerd:demo:issuer", "uri:urn:gone"))
    open_connection = demo.connect()
    assert demo.issue(good, connection=open_connection).json["replayed"]
    demo.reload()
    end = time.monotonic() + 5 * SLOW
    with pytest.raises(OSError):  # closed under it
        while time.monotonic() < end:
            demo.issue(good, connection=open_connection)
    for dcc in fakes():
        assert demo.issue(dcc).status == 403
    assert demo.metric_sum("signer_requests_forbidden_total") >= FAKES

    refused = demo.metric_sum("signer_certificates_refused_total")
    assert refused == 5 * FAKES
    assert demo.metric_sum("signer_certificates_issued_total") == 2
    assert demo.stop() == 0
    entries = Log(demo.dir / "state/ledger").check()
    counts = {}
    for e in entries:
        if e[1] == REFUSED:
            for code, n in e[16].items():
                counts[e[3], code] = counts.get((e[3], code), 0) + n
    for client, code in (("issuer", "country-not-allowed"), ("issuer", "kind-not-allowed"),
                         ("issuer", "uvci-not-allowed"), ("attested", "attestation-replayed"),
                         ("attested", "attestation-mismatch")):
        assert counts[client, code] >= FAKES, (client, code, counts)
    assert sum(e[1] == 1 for e in entries) == 2


@pytest.mark.parametrize("limit, room, code", [
    ("quota: {per_day: 50}", 50, "quota-exceeded"),
    ("rate: {per_second: 1, burst: 50}", 50, "rate-exceeded")])
def test_beyond_the_bucket(own, limit, room, code):
    """Ten thousand fakes of a stolen key: what the bucket holds is all there is."""
    path = own.dir / "policy.yaml"
    text = path.read_text()
    path.write_text(text.replace("    quota: {per_day: 5000000}\n", f"    {limit}\n", 1))
    set_fronts(own, 2)
    own.start()
    own.wait_all_up()
    n = int(10000 / SLOW)
    began = time.monotonic()
    answers = ask_many(own, [record() for _ in range(n)])
    # A rate goes on filling the bucket, a token a second.
    more = int(time.monotonic() - began) + 1 if code == "rate-exceeded" else 0
    good = sum(a.status == 200 for a in answers)
    assert room <= good <= room + more
    assert {a.json["violations"][0]["code"] for a in answers if a.status != 200} == {code}
    assert own.metric_sum("signer_certificates_refused_total") == n - good
    assert own.stop() == 0
    entries = Log(own.dir / "state/ledger").check()
    assert sum(e[1] == 1 for e in entries) == good
    assert sum(e[16].get(code, 0) for e in entries if e[1] == REFUSED) == n - good
