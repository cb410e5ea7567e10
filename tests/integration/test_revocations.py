# SPDX-License-Identifier: Apache-2.0
"""Revocations: what enough officers have signed counts, and nothing else."""
import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import cbor2
import pytest

import hcert
from conftest import BUILD, SLOW, record
from test_ledger import officer, officers  # noqa: F401 (a fixture)
from test_renewals import only_violation, renew, soon

AUDITOR = BUILD / "signer-auditor"
AT = ("/dcc/v/0/ci", "revoked")


class Statements:
    def __init__(self, demo):
        self.demo, self.dir = demo, demo.dir / "state/revocations"
        self.origin = next(line.split(":", 1)[1].strip() for line in
                           (demo.dir / "signerd.yaml").read_text().splitlines()
                           if line.strip().startswith("origin:"))

    def make(self, serial, kind, hashes, signers=("guard-1", "guard-2"), origin=None):
        """Make the statement, have it signed, and return its two files."""
        d = self.demo.dir
        source = hashes if not isinstance(hashes, list) else d / "hashes"
        if isinstance(hashes, list):
            source.write_text("\n".join(h.hex() for h in hashes) + "\n")
        note, listed = d / f"{serial}.note", d / f"{serial}.list"
        for i, name in enumerate(signers):
            first = ["--serial", serial, "--kind", kind, "--origin", origin or self.origin,
                     "--reason", "giả mạo: forged at the front"] if i == 0 else []
            r = officer("revoke", source if i == 0 else note, "--list", listed, "--key",
                        d / f"{name}.key", "--name", name, "--out", note, *first)
            assert r.returncode == 0, r.stderr
            assert f"serial {serial}" in r.stderr and "forged at the front" in r.stderr
        return note, listed

    def put(self, serial, note, listed):
        shutil.copy(listed, self.dir / f"{serial:08}.list")
        shutil.copy(note, self.dir / f"{serial:08}.note")

    def revoke(self, serial, kind, hashes, **more):
        self.put(serial, *self.make(serial, kind, hashes, **more))
        self.demo.reload()

    def applied(self, n, seconds=20):
        path = self.dir / "applied"
        end = time.monotonic() + seconds * SLOW
        while not path.exists() or path.read_text().count("\n") < n:
            assert time.monotonic() < end, self.demo.log()[-2000:]
            time.sleep(0.05)


@pytest.fixture
def revoking(own, officers):  # noqa: F811
    own.start()
    return Statements(own)


def uci(dcc):
    return hashlib.sha256(dcc["v"][0]["ci"].encode()).digest()[:16]


def country_uci(dcc):
    return hashlib.sha256(b"VN" + dcc["v"][0]["ci"].encode()).digest()[:16]


def signature(answer):
    sig = cbor2.loads(hcert.unwrap(answer["hcert"])).value[3]
    return hashlib.sha256(sig[:32] if answer["alg"] == "ES256" else sig).digest()[:16]


def test_each_kind(revoking):
    own = revoking.demo
    pairs = [soon(own) for _ in range(4)]
    renewed = renew(own, dcc=pairs[1][0]).json
    unknown = record()
    revoking.revoke(1, "signature", [signature(pairs[0][1])])
    revoking.revoke(2, "uci", [uci(pairs[1][0]), uci(unknown)])
    revoking.revoke(3, "countrycodeuci", [country_uci(pairs[2][0])])
    for dcc, first in pairs[:3]:
        assert only_violation(own.issue(dcc)) == AT
        assert only_violation(renew(own, dcc=dcc)) == AT
        assert only_violation(renew(own, hcert=first["hcert"])) == AT
        r = own.request("POST", "/v1/validations", dict(dcc=dcc))
        assert only_violation(r) == AT
    # The renewal that was made before goes with its UVCI.
    assert only_violation(renew(own, hcert=renewed["hcert"])) == AT
    assert only_violation(own.issue(unknown)) == AT
    own.check(own.issue(pairs[3][0]), pairs[3][0])
    own.check(renew(own, dcc=pairs[3][0]), pairs[3][0])
    assert own.metric_sum("signer_revocations") == 4
    # For good, also over restarts and crashes; and on record.
    revoking.applied(3)
    os.kill(own.roles()["core/0"], signal.SIGKILL)
    end = time.monotonic() + 30 * SLOW
    while (r := own.issue(pairs[0][0])).status == 503:
        assert time.monotonic() < end, r
        time.sleep(0.1)
    assert only_violation(r) == AT
    assert own.stop() == 0
    own.start()
    for dcc, _ in pairs[:3]:
        assert only_violation(renew(own, dcc=dcc)) == AT
    time.sleep(1.5)
    out = subprocess.run([AUDITOR, "list", "--json", "--type", "revocation",
                          own.dir / "state/ledger"], capture_output=True, timeout=60)
    assert out.returncode == 0, out.stderr
    listed = out.stdout.decode()
    assert listed.count('"revocation"') >= 3, listed
    out = subprocess.run([AUDITOR, "verify", own.dir / "state/ledger"],
                         capture_output=True, timeout=60)
    assert out.returncode == 0, (out.stdout, out.stderr)
    assert own.stop() == 0


def test_the_renewed_certificate_is_no_way_to_its_renewal(revoking):
    own = revoking.demo
    dcc, first = soon(own)
    second = renew(own, hcert=first["hcert"]).json
    revoking.revoke(1, "signature", [signature(first)])
    assert only_violation(renew(own, hcert=first["hcert"])) == AT
    cose = cbor2.dumps({"cose": hcert.unwrap(first["hcert"])})
    r = own.request("POST", "/v1/renewals", cose, headers={
        "Content-Type": "application/cbor", "Accept": "application/json"})
    assert only_violation(r) == AT
    lines = "".join(json.dumps(row) + "\n" for row in (
        {"id": "old", "hcert": first["hcert"]}, {"id": "new", "hcert": second["hcert"]},
        {"id": "payload", "dcc": dcc}))
    r = own.request("POST", "/v1/renewals", lines.encode(),
                    headers={"Content-Type": "application/x-ndjson"})
    answers = {a["id"]: a for a in map(json.loads, r.body.splitlines())}
    assert [v["code"] for v in answers["old"]["violations"]] == ["revoked"], answers
    assert answers["new"]["hcert"] == second["hcert"] == answers["payload"]["hcert"]
    assert own.stop() == 0


def test_what_is_refused_changes_nothing(revoking):
    own = revoking.demo
    dcc, first = soon(own)
    hashes = [uci(dcc)]

    def refused(reason):
        before = own.metric_sum("signer_revocations_refused_total")
        own.reload()
        assert own.metric_sum("signer_revocations_refused_total") == before + 1
        assert reason in own.log()
        assert own.metric_sum("signer_revocations") == 0
        assert own.issue(dcc).status == 200

    revoking.put(3, *revoking.make(3, "uci", hashes))
    own.reload()
    assert "revocation-waiting serial=3 missing=1 " in own.log()
    assert own.issue(dcc).status == 200
    for left in revoking.dir.glob("00000003.*"):
        left.unlink()
    one = revoking.make(1, "uci", hashes, signers=["guard-1"])
    revoking.put(1, *one)
    refused("not enough officers have signed it")
    revoking.put(1, *revoking.make(1, "uci", hashes, signers=["guard-1", "nobody"]))
    refused("not enough officers have signed it")
    revoking.put(1, *revoking.make(2, "uci", hashes))
    refused("it has another serial")
    revoking.put(1, *revoking.make(1, "uci", hashes, origin="other.example/log"))
    refused("it is of another ledger")
    note, listed = revoking.make(1, "uci", hashes)
    listed.write_bytes(bytes(16))
    # An officer does not sign what the list is not.
    r = officer("revoke", note, "--list", listed, "--key", own.dir / "guard-3.key",
                "--name", "guard-3")
    assert r.returncode == 1 and "not the one" in r.stderr
    revoking.put(1, note, listed)
    refused("the list beside it is not the one that it names")
    (revoking.dir / "00000001.note").write_text("nothing")
    refused("it is no statement")
    # And the right one, at last, counts.
    revoking.revoke(1, "uci", hashes)
    assert only_violation(own.issue(dcc)) == AT
    # Sent once more under the next serial: refused.
    shutil.copy(revoking.dir / "00000001.note", revoking.dir / "00000002.note")
    shutil.copy(revoking.dir / "00000001.list", revoking.dir / "00000002.list")
    own.reload()
    assert own.log().count("it has another serial") == 2
    assert own.stop() == 0


def test_what_is_on_record_must_be_there(revoking):
    own = revoking.demo
    dcc, _ = soon(own)
    revoking.revoke(1, "uci", [uci(dcc)])
    revoking.applied(1)
    assert own.stop() == 0
    note = (revoking.dir / "00000001.note").read_bytes()
    (revoking.dir / "00000001.note").unlink()
    own.start(wait=False)
    end = time.monotonic() + 20 * SLOW
    while "revocations-damaged" not in own.log():
        assert time.monotonic() < end, own.log()[-2000:]
        time.sleep(0.05)
    with pytest.raises((AssertionError, OSError)):
        assert own.issue(dcc).status == 200
    (revoking.dir / "00000001.note").write_bytes(note)
    own.wait_ready(60)
    assert only_violation(own.issue(dcc)) == AT
    assert own.stop() == 0


def test_a_batch_of_the_auditor(revoking):
    own = revoking.demo
    pairs = [soon(own) for _ in range(20)]
    time.sleep(1.5)
    out = subprocess.run([AUDITOR, "revocations", own.dir / "state/ledger", "--country", "VN",
                          "--client", "issuer"], capture_output=True, timeout=60)
    assert out.returncode == 0, out.stderr
    batches = own.dir / "batches.json"
    batches.write_bytes(out.stdout)
    assert sum(len(b["entries"]) for b in json.loads(out.stdout)) == 20
    revoking.revoke(1, "signature", batches)
    for dcc, _ in pairs:
        assert only_violation(renew(own, dcc=dcc)) == AT
    assert own.issue(record()).status == 200
    assert own.stop() == 0


def test_a_million(revoking):
    own = revoking.demo
    dcc, _ = soon(own)
    n = 1 << 20
    hashes = sorted({hashlib.sha256(i.to_bytes(4, "big")).digest()[:16] for i in range(n - 1)} |
                    {uci(dcc)})
    assert len(hashes) == n
    parts = []
    for i in range(4):
        part = own.dir / f"many{i}"
        part.write_text("".join(base64.b64encode(h).decode() + "\n" for h in hashes[i::4]))
        parts.append(part)
    d = own.dir
    note, listed = d / "1.note", d / "1.list"
    r = officer("revoke", *parts, "--list", listed, "--key", d / "guard-1.key", "--name",
                "guard-1", "--out", note, "--serial", 1, "--kind", "uci", "--origin",
                revoking.origin, "--reason", "all of them")
    assert r.returncode == 0, r.stderr
    assert listed.read_bytes() == b"".join(hashes)
    r = officer("revoke", note, "--list", listed, "--key", d / "guard-2.key", "--name",
                "guard-2", "--out", note)
    assert r.returncode == 0, r.stderr
    revoking.put(1, note, listed)
    own.reload(60)
    assert own.metric_sum("signer_revocations") == n
    assert only_violation(own.issue(dcc)) == AT
    assert own.issue(record()).status == 200
    revoking.applied(1)
    assert own.stop() == 0
    begin = time.monotonic()
    own.start()
    print("a start with a million:", time.monotonic() - begin)
    assert only_violation(own.issue(dcc)) == AT
    assert own.stop() == 0


def test_without_officers(own):
    own.start()
    dcc, _ = soon(own)
    (own.dir / "state/revocations/00000001.note").write_text("anything")
    own.reload()
    assert "revocation-refused" in own.log()
    assert own.issue(dcc).status == 200
    assert own.stop() == 0
