# SPDX-License-Identifier: Apache-2.0
"""signer-auditor on what the daemon wrote, and on what somebody did to it
afterwards.

DRILL_RECORDS   certificates of the revocation drill (default 4000, of which an
                eighth is one client's; by hand 400000)
"""
import base64
import json
import os
import random
import shutil
import subprocess
import time

import cbor2
import pytest

import hcert
import ledger
from conftest import BUILD, record
from streams import NDJSON
from test_ledger import parts, some, state, wait_covered

RECORDS = int(os.environ.get("DRILL_RECORDS", "4000"))


def audit(*args, want=0):
    r = subprocess.run([BUILD / "signer-auditor", *map(str, args)], capture_output=True,
                       text=True)
    assert r.returncode == want, (args, r.stdout[-2000:], r.stderr[-2000:])
    return r


def as_auditor(demo):
    return ["--ca", demo.dir / "ca.pem", "--cert", demo.dir / "clients/auditor.pem",
            "--key", demo.dir / "clients/auditor.key"]


def server(demo):
    return f"https://localhost:{demo.port}"


def codes(r):
    """The codes of the findings that --json printed."""
    found = json.loads(r.stdout)
    return {f["code"] for f in found["findings"]}, found


def test_verify_from_the_directory_and_from_the_server(demo, tmp_path):
    a = demo.issue(record()).json
    log = wait_covered(demo, a["ledger"]["index"])
    vkey = tmp_path / "vkey"
    vkey.write_text(log.vkey)
    audit("verify", state(demo), "--vkey", vkey, "--keep", tmp_path / "kept")
    b = demo.issue(record()).json
    wait_covered(demo, b["ledger"]["index"])
    audit("verify", server(demo), "--vkey", vkey, "--since", tmp_path / "kept",
          *as_auditor(demo))
    audit("verify", state(demo), "--vkey", vkey, "--journal", state(demo, "journal"))
    # who may not audit gets the hash tiles, and no entries
    r = subprocess.run([BUILD / "signer-auditor", "verify", server(demo), "--vkey", vkey,
                        "--ca", demo.dir / "ca.pem", "--cert", demo.dir / "clients/issuer.pem",
                        "--key", demo.dir / "clients/issuer.key"], capture_output=True)
    assert r.returncode == 2


def test_a_mirror_follows_and_shouts(own, tmp_path):
    some(own)
    shutil.copytree(state(own), tmp_path / "old")
    audit("mirror", state(own), tmp_path / "copy")
    some(own)
    shutil.copytree(own.dir / "state", tmp_path / "good")
    audit("mirror", state(own), tmp_path / "copy")
    copy = ledger.Log(tmp_path / "copy")
    copy.check()
    # rolled back: the copy stays as it is
    r = audit("mirror", tmp_path / "old", tmp_path / "copy", want=1)
    assert "ROLLED BACK" in r.stderr.upper()
    assert ledger.Log(tmp_path / "copy").size == copy.size


def last_entry_file(directory, log):
    n, rest = divmod(log.size, 256)
    path = directory / "tile/entries" / ledger.grouped(n)
    return path.with_name(path.name + ".p") / str(rest)


def test_what_was_done_to_a_ledger_is_named(own, tmp_path):
    some(own, 300)
    log = ledger.Log(state(own))
    audit("verify", state(own), "--keep", tmp_path / "kept")

    def broken(change, *more, want=1):
        shutil.rmtree(tmp_path / "log", ignore_errors=True)
        shutil.copytree(state(own), tmp_path / "log")
        change(tmp_path / "log")
        return codes(audit("verify", tmp_path / "log", "--vkey", log.vkey.strip(), "--json",
                           *more, want=want))

    def flip(name, at):
        def change(directory):
            path = directory / name if isinstance(name, str) else name(directory)
            data = bytearray(path.read_bytes())
            data[at] ^= 1
            path.write_bytes(data)
        return change

    seen = {}
    seen["entry"] = broken(flip("tile/entries/000", 300))[0]
    seen["tile"] = broken(flip("tile/0/000", 300))[0]
    seen["last entry"] = broken(flip(lambda d: last_entry_file(d, log), 300))[0]
    seen["tail"] = broken(lambda d: last_entry_file(d, log).unlink())[0]
    seen["checkpoint"] = broken(flip("checkpoint", -20))[0]
    assert all(seen.values())
    assert seen["entry"] != seen["tile"] != seen["checkpoint"] != seen["tail"]
    # every entry, by number
    at = 300
    _, found = broken(flip("tile/entries/000", at))
    assert any("entry" in json.dumps(f) for f in found["findings"])


def test_a_fork_is_found(own, tmp_path):
    """Two logs of one key that go apart: as a thief of the whole machine, HSM
    and all, would make them."""
    some(own)
    shutil.copytree(own.dir, tmp_path / "twin")
    some(own)
    audit("mirror", state(own), tmp_path / "copy")
    audit("verify", state(own), "--keep", tmp_path / "kept")
    shutil.rmtree(own.dir)
    shutil.copytree(tmp_path / "twin", own.dir)
    some(own)
    r = audit("mirror", state(own), tmp_path / "copy", want=1)
    assert "FORK" in r.stderr.upper(), r.stderr
    r = audit("verify", state(own), "--since", tmp_path / "kept", "--json", want=1)
    assert any("fork" in c or "consisten" in c for c in codes(r)[0]), r.stdout


def test_receipts(demo, tmp_path):
    answer = tmp_path / "answer.json"
    answer.write_bytes(demo.issue(record()).body)
    issuer = ["--server", server(demo), "--ca", demo.dir / "ca.pem", "--cert",
              demo.dir / "clients/issuer.pem", "--key", demo.dir / "clients/issuer.key"]
    r = subprocess.run([BUILD / "signer-issuer", "receipt", answer, *issuer, "--out",
                        tmp_path / "proof"], capture_output=True, text=True)
    assert r.returncode == 0, (r.stdout, r.stderr)
    vkey = (state(demo) / "vkey").read_text()
    index, hashes, size, root, extra = ledger.open_proof((tmp_path / "proof").read_bytes(), vkey)
    assert index == json.loads(answer.read_text())["ledger"]["index"]
    ledger.check_inclusion(hashes, size, index, ledger.leaf_hash(extra), root)
    # offline, and with another certificate
    audit("receipt", answer, "--proof", tmp_path / "proof", "--vkey", vkey.strip())
    other = tmp_path / "other.json"
    wrong = demo.issue(record()).json
    wrong["ledger"]["index"] = index
    other.write_text(json.dumps(wrong))
    audit("receipt", other, "--proof", tmp_path / "proof", "--vkey", vkey.strip(), want=1)
    # somebody else's proof brings no entry along
    r = demo.request("GET", f"/v1/ledger/proof?index={index}", client="any-country")
    assert r.status == 200 and ledger.open_proof(r.body, vkey)[4] is None


def test_the_report_says_who_signed_how_much(own, tmp_path):
    own.start()
    for _ in range(7):
        own.issue(record())
    own.issue(record(entry={"dn": 0}))
    assert own.stop() == 0
    audit("report", state(own), "--html", tmp_path / "r.html", "--text")
    html = (tmp_path / "r.html").read_text()
    for word in ("issuer", "out-of-range", "demo.signerd.example/ledger"):
        assert word in html
    assert "<script" not in html
    rows = [json.loads(l) for l in audit("export", state(own), "--type", "issued", "--json"
                                         ).stdout.splitlines()]
    assert len(rows) == 7


def issue_many(demo, n, client):
    """N certificates: [(HC1, UVCI, country)]"""
    out, context = [], demo.context(client)
    while len(out) < n:
        lines = [record() for _ in range(min(1000, n - len(out)))]
        r = demo.request("POST", "/v1/certificates", b"".join(
            json.dumps(dict(dcc=d)).encode() + b"\n" for d in lines), {"Content-Type": NDJSON},
            connection=demo.connect(client, context=context))
        answers = [json.loads(l) for l in r.body.splitlines()]
        assert len(answers) == len(lines) and all("hcert" in a for a in answers), answers[:2]
        out += answers
    return out


def test_revocation_drill(own, tmp_path):
    """One client's certificates of some hours among all others: exactly their
    hashes, as they follow from the certificates themselves."""
    own.start()
    eighth = RECORDS // 8
    issue_many(own, eighth, "any-country")
    issue_many(own, eighth * 2, "issuer")
    time.sleep(1.1)
    begin = int(time.time())
    bad = issue_many(own, eighth, "any-country")
    issue_many(own, eighth, "issuer")
    time.sleep(1.1)
    end = int(time.time())
    time.sleep(1.1)
    issue_many(own, eighth, "any-country")
    issue_many(own, eighth * 2, "issuer")
    assert own.stop() == 0
    for kind in ("SIGNATURE", "UCI", "COUNTRYCODEUCI"):
        out = tmp_path / kind
        audit("revocations", state(own), "--journal", state(own, "journal"), "--client",
              "any-country", "--from", str(begin), "--to", str(end), "--hash-type", kind,
              "--out", out)
        got = []
        for path in sorted(out.iterdir()):
            batch = json.loads(path.read_text())
            assert batch["hashType"] == kind and batch["country"] == "VN"
            assert len(batch["entries"]) <= 1000
            got += [e["hash"] for e in batch["entries"]]
        want = set()
        for a in bad:
            _, _, signature = parts(a)
            half = signature[:32] if own.alg == "ES256" else signature
            data = {"SIGNATURE": half, "UCI": a["uvci"].encode(),
                    "COUNTRYCODEUCI": b"VN" + a["uvci"].encode()}[kind]
            want.add(base64.b64encode(ledger.sha(data)[:16]).decode())
        assert set(got) == want and len(got) == len(bad) == eighth
