# SPDX-License-Identifier: Apache-2.0
"""State directories that earlier versions have written (tests/state/state-N.tar.xz, by tests/state/make) are
opened: nothing that was signed is lost, forgotten or signed twice by an upgrade."""
import base64
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import time

import pytest

import hcert
from ceremony import Ceremony
from conftest import BUILD, PATTERN_PORT, ROOT, record
from hsms import EXTENSIONS, softhsm
from test_ledger import officers  # noqa: F401 (a fixture)
from test_renewals import only_violation, renew, soon
from test_revocations import AT, Statements, uci

STATES = sorted((ROOT / "tests/state").glob("state-*.tar.xz"))
# All that stays; TLS files are the test's own, since they run out.
KEPT = ["state", "tokens", "dsc", "csca", "pin", "policy.yaml", "signerd.yaml"]
MODULE, FOR_EVER = "/usr/lib/softhsm/libsofthsm2.so", 36500  # days


def verify(demo):
    out = subprocess.run([BUILD / "signer-auditor", "verify", "--json", demo.dir / "state/ledger"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, (out.stdout, out.stderr)
    return json.loads(out.stdout)


def dscs(demo):
    found = [hcert.load_certificate(p) for p in (demo.dir / "dsc").glob("*.pem")]
    return {hcert.kid_of(c): c for c in found}


def genuine(demo, answer, dcc):
    _, claims = hcert.verify(hcert.unwrap(answer["hcert"]), dscs(demo)[base64.b64decode(answer["kid"])])
    assert claims[-260][1] == dcc


def key_states(demo):
    return {k["label"]: k["state"] for k in demo.request("GET", "/v1/operations", client="officer-1").json["keys"]}


# -- what was written ------------------------------------------------------------
def unpack(demo, file):
    """The demo's directory has what FILE has; and what is expected of that."""
    for name in KEPT:
        path = demo.dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with tarfile.open(file) as tar:
        tar.extractall(demo.dir)
    config = demo.dir / "signerd.yaml"
    text = config.read_text()
    for old, new in ((f"  port: {PATTERN_PORT}\n", f"  port: {demo.port}\n"),
                     (f":{PATTERN_PORT + 1000}\n", f":{demo.port + 1000}\n"), (MODULE, softhsm())):
        assert old in text
        text = text.replace(old, new)
    config.write_text(text)
    (demo.dir / "pin").chmod(0o600)
    return json.loads((demo.dir / "expected.json").read_text())


@pytest.mark.parametrize("file", STATES, ids=lambda p: p.name)
def test_it_is_opened(own, file):
    expected = unpack(own, file)
    assert verify(own)["entries"] == expected["size"]
    own.start()
    own.wait_all_up()
    assert key_states(own) == expected["keys"]
    for was in expected["issued"]:
        r = own.issue(was["dcc"])
        if r.status == 200:
            assert r.json["replayed"] and r.json["hcert"] == was["hcert"] and r.json["ledger"]["index"] == was["index"]
            genuine(own, r.json, was["dcc"])
        else:  # a year after it was written
            assert only_violation(r, 409)[1] == "expired"
        r = own.issue(dict(was["dcc"], dob="1971-01-01"))
        assert r.status == 409 and r.json["violations"][0]["code"] == "uvci-conflict", r
    assert only_violation(own.issue(expected["revoked"])) == AT
    dcc = record()
    r = own.issue(dcc)
    assert r.status == 200 and "replayed" not in r.json and r.json["ledger"]["index"] >= expected["size"], r
    genuine(own, r.json, dcc)
    assert own.stop() == 0
    assert verify(own)["entries"] > expected["size"]


# -- writing it ------------------------------------------------------------------
def make_lasting(demo):
    """The demo's DSC anew, for longer than anybody keeps this."""
    d = demo.dir
    public = subprocess.run(["openssl", "x509", "-in", d / "dsc/dsc-1.pem", "-noout", "-pubkey"],
                            check=True, capture_output=True).stdout
    (d / "dsc.pub").write_bytes(public)
    subprocess.run(["openssl", "x509", "-new", "-force_pubkey", d / "dsc.pub", "-subj", "/C=VN/O=signerd demo/CN=Demo DSC 1",
                    "-days", str(FOR_EVER), "-sha256", "-CA", d / "csca.pem", "-CAkey", d / "csca.key", "-extfile",
                    "/dev/stdin", "-out", d / "dsc/new.pem"], input=EXTENSIONS.encode(), check=True, capture_output=True)
    (d / "dsc/new.pem").rename(d / "dsc/dsc-1.pem")


def wait_recorded(demo, index):
    """A checkpoint has covered the entry of that index."""
    end = time.monotonic() + 30
    while int((demo.dir / "state/ledger/checkpoint").read_text().split("\n")[1]) <= index:
        assert time.monotonic() < end
        time.sleep(0.1)


def write(own, officers):  # noqa: F811
    out = pathlib.Path(os.environ["STATE_OUT"])
    make_lasting(own)
    own.start()
    own.wait_all_up()
    issued = []

    def keep(dcc, r):
        assert r.status == 200, r
        issued.append({"dcc": dcc, "hcert": r.json["hcert"], "index": r.json["ledger"]["index"]})
    for kind in "vtr":
        dcc = record(kind)
        keep(dcc, own.issue(dcc))
    dcc, _ = soon(own)
    keep(dcc, renew(own, dcc=dcc))
    assert own.issue(record(dob="2091-01-01")).status == 422  # a refusal, which is counted
    revoked = record()
    assert own.issue(revoked).status == 200
    statements = Statements(own)
    statements.revoke(1, "uci", [uci(revoked)])
    statements.applied(1)
    court = Ceremony(own)
    court.days = FOR_EVER
    court.found()
    court.rotate("dsc-2")
    dcc = record()
    keep(dcc, own.issue(dcc))
    wait_recorded(own, issued[-1]["index"])
    keys = key_states(own)
    assert keys["dsc-2"] == "active" and keys["dsc-1"] != "active", keys
    assert own.stop() == 0
    expected = {"size": verify(own)["entries"], "keys": keys, "issued": issued, "revoked": revoked}

    config = own.dir / "signerd.yaml"
    config.write_text(config.read_text().replace(f": {own.port}\n", f": {PATTERN_PORT}\n")
                      .replace(f":{own.port + 1000}\n", f":{PATTERN_PORT + 1000}\n").replace(softhsm(), MODULE))
    shutil.rmtree(own.dir / "state/index")  # RocksDB's; it is made anew from the journal
    number = (own.dir / "state/format").read_text().split()[-1]
    with tarfile.open(out / f"state-{number}.tar.xz", "w:xz", preset=9) as tar:
        for name in KEPT:
            tar.add(own.dir / name, name)
        text = json.dumps(expected, ensure_ascii=False, indent=1).encode()
        member = tarfile.TarInfo("expected.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))


if "STATE_OUT" in os.environ:
    test_write = write
