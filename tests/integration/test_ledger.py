# SPDX-License-Identifier: Apache-2.0
"""Every certificate on record, and what the record makes possible: retries
that get the same certificate, and a start that refuses another past."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import cbor2
import pytest

import hcert
import ledger
from conftest import BUILD, SLOW, record
from streams import NDJSON


def state(demo, name="ledger"):
    return demo.dir / "state" / name


def wait_covered(demo, index, seconds=20):
    """The ledger, once a checkpoint covers entry INDEX."""
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        log = ledger.Log(state(demo))
        if log.size > index:
            return log
        time.sleep(0.05)
    raise AssertionError("no checkpoint covers it: " + demo.log()[-2000:])


def parts(answer):
    """(COSE_Sign1, Sig_structure, signature) of an answer's certificate."""
    cose = hcert.unwrap(answer["hcert"])
    protected, _, payload, signature = cbor2.loads(cose).value
    return cose, cbor2.dumps(["Signature1", protected, b"", payload]), signature


def test_each_certificate_is_on_record(demo):
    answers = [demo.issue(record(kind)).json for kind in "vtr"]
    last = max(a["ledger"]["index"] for a in answers)
    log = wait_covered(demo, last)
    entries = log.check()
    policy = demo.request("GET", "/v1/policy").json["hash"]
    for kind, a in zip("vtr", answers):
        _, structure, signature = parts(a)
        e = entries[a["ledger"]["index"]]
        assert a["ledger"]["origin"] == log.origin
        assert e[1] == 1 and e[3] == "issuer" and e[6] == kind
        assert e[4] == hcert.kid_of(demo.dsc)
        assert e[7] == ledger.sha(signature, a["uvci"].encode())
        half = signature[:32] if demo.alg == "ES256" else signature
        assert e[9] == ledger.sha(half)[:16]
        assert e[10] == ledger.sha(signature, structure)
        assert (e[11], e[12]) == (a["iat"], a["exp"])
        assert e[13].hex() == policy
        assert abs(e[2] / 1000 - a["iat"]) < 5


def test_entries_hold_nobody(demo):
    dcc = record(nam=dict(fn="Zqwname", fnt="ZQWNAME", gn="Qz", gnt="QZ"))
    a = demo.issue(dcc).json
    raw = wait_covered(demo, a["ledger"]["index"]).entries()[a["ledger"]["index"]]
    uvci = a["uvci"].encode()
    for secret in (b"Zqw", b"ZQW", uvci, hashlib.sha256(uvci).digest(), dcc["dob"].encode()):
        assert secret not in raw


# -- retries ---------------------------------------------------------------------

def same(first, again):
    """AGAIN is the very certificate of FIRST."""
    a, b = first.json, again.json
    assert again.status == 200, again
    assert b["replayed"] is True and "replayed" not in a
    assert b["hcert"] == a["hcert"] and b["ledger"] == a["ledger"]
    assert (b["iat"], b["exp"], b["kid"], b["uvci"]) == (a["iat"], a["exp"], a["kid"], a["uvci"])


def test_the_same_request_again_is_the_same_certificate(demo):
    dcc = record()
    first = demo.issue(dcc)
    same(first, demo.issue(dcc))
    same(first, demo.issue(dcc, exp=int(time.time()) + 3600))  # exp is no part of it
    # in other words, the same payload
    body = cbor2.dumps(dict(dcc=dcc))
    r = demo.request("POST", "/v1/certificates", body, {"Content-Type": "application/cbor"})
    again = cbor2.loads(r.body)
    assert again["cose"] == hcert.unwrap(first.json["hcert"]) and again["replayed"] is True
    verdict = demo.request("POST", "/v1/validations", dict(dcc=dcc))
    assert verdict.status == 200 and verdict.json["verdict"] == "accept"


@pytest.mark.parametrize("client,change", [("issuer", dict(dob="1984-03-03")),
                                           ("any-country", {})])
def test_another_certificate_under_its_uvci_is_a_conflict(demo, client, change):
    dcc = record()
    assert demo.issue(dcc).status == 200
    r = demo.issue(dict(dcc, **change), client=client)
    assert r.status == 409 and r.json["type"] == "/problems/conflict", r
    assert [(v["pointer"], v["code"]) for v in r.json["violations"]] == [
        ("/dcc/v/0/ci", "uvci-conflict")]
    assert demo.request("POST", "/v1/validations", dict(dcc=dict(dcc, **change)),
                        client=client).json == r.json


def test_one_that_has_run_out_is_not_given_again(demo):
    dcc = record()
    assert demo.issue(dcc, exp=int(time.time()) + 2).status == 200
    time.sleep(3.1)
    r = demo.issue(dcc)
    assert r.status == 409
    assert [v["code"] for v in r.json["violations"]] == ["expired"]


def test_twins_of_a_stream_get_one_signature(demo):
    before = demo.metric_sum("signer_certificates_issued_total")
    dcc, other = record(), record()
    changed = dict(dcc, dob="1999-09-09")
    lines = [dcc, other, dcc, dcc, changed]
    body = b"".join(json.dumps(dict(dcc=d)).encode() + b"\n" for d in lines)
    r = demo.request("POST", "/v1/certificates", body, {"Content-Type": NDJSON})
    got = [json.loads(l) for l in r.body.splitlines()]
    assert len(got) == 5
    assert got[0]["hcert"] == got[2]["hcert"] == got[3]["hcert"] != got[1]["hcert"]
    assert [g.get("replayed") for g in got[:4]] == [None, None, True, True]
    assert got[4]["status"] == 409 and got[4]["violations"][0]["code"] == "uvci-conflict"
    assert demo.metric_sum("signer_certificates_issued_total") - before == 2


def test_retries_survive_restarts_and_stricter_policies(own):
    own.start()
    dcc = record()
    first = own.issue(dcc)
    assert own.stop() == 0
    own.start()
    same(first, own.issue(dcc))
    policy = own.dir / "policy.yaml"
    text = policy.read_text()
    assert "URN:UVCI:01:VN:" in text
    policy.write_text(text.replace("URN:UVCI:01:VN:", "URN:UVCI:01:VN:NEW"))
    own.reload()
    assert own.issue(record()).status == 422
    same(first, own.issue(dcc))
    own.roles()
    os.kill(own.roles()["core/0"], 9)
    end = time.monotonic() + 20 * SLOW
    while (again := own.issue(dcc)).status == 503:
        assert time.monotonic() < end
        time.sleep(0.05)
    same(first, again)


# -- what the record shows -----------------------------------------------------------

def test_the_record_tells_of_starts_policies_refusals_and_stops(own):
    own.start()
    own.issue(record(entry={"dn": 0}))
    own.issue(record(entry={"dn": 0, "co": "FR"}))
    own.issue(record())
    assert own.stop() == 0
    entries = ledger.Log(state(own)).check()
    assert entries[0][1] == 6  # started
    assert entries[1][1] == 5 and len(entries[1][13]) == 32
    assert entries[-1][1] == 7
    (refused,) = [e for e in entries if e[1] == 3]
    counts = next(v for v in refused.values() if isinstance(v, dict))
    assert counts == {"out-of-range": 2, "country-not-allowed": 1, "uvci-country": 1}
    assert refused[3] == "issuer" and 2 in refused.values()


def test_the_tree_only_grows(own):
    logs = []
    for _ in range(3):
        own.start()
        for _ in range(40):
            assert own.issue(record()).status == 200
        assert own.stop() == 0
        copy = own.dir / f"copy-{len(logs)}"
        shutil.copytree(state(own), copy)
        logs.append(ledger.Log(copy))
        logs[-1].check()
    for earlier, later in zip(logs, logs[1:]):
        assert earlier.size < later.size and earlier.is_prefix_of(later)


# -- a past that is not the same -----------------------------------------------------------

def some(own, n=30):
    own.start()
    answers = [own.issue(record()).json for _ in range(n)]
    assert own.stop() == 0
    return answers


def refuses(own, words):
    """signerd does not start with what it finds, and says why in WORDS."""
    mark = len(own.log())
    own.start(wait=False)
    assert own.process.wait(40 * SLOW) == 1, own.log()[mark:]
    own.process = None
    said = [l for l in own.log()[mark:].splitlines() if "ledger-refused" in l]
    assert said and all(w in said[0] for w in words), own.log()[mark:]


def test_an_older_copy_of_the_state_is_refused(own):
    some(own)
    shutil.copytree(own.dir / "state", own.dir / "old")
    some(own)
    shutil.move(own.dir / "state", own.dir / "new")
    shutil.move(own.dir / "old", own.dir / "state")
    refuses(own, ["the HSM knows of", "rolled back"])
    # the right one back: it goes on
    shutil.rmtree(own.dir / "state")
    shutil.move(own.dir / "new", own.dir / "state")
    some(own)


def test_no_state_at_all_is_refused(own):
    some(own)
    shutil.rmtree(own.dir / "state")
    (own.dir / "state").mkdir(mode=0o700)
    refuses(own, ["has 0 entries", "the HSM knows of"])


def test_a_journal_without_its_end_is_refused(own):
    some(own)
    last = sorted(state(own, "journal").glob("[0-9]*"))[-1]
    os.truncate(last, last.stat().st_size * 2 // 3)
    refuses(own, ["journal's end is gone"])


def test_a_journal_without_its_beginning_is_refused(own):
    some(own)
    first = sorted(state(own, "journal").glob("[0-9]*"))[0]
    first.rename(first.with_name("00000000000000000001"))
    refuses(own, ["journal is damaged", "missing"])


def test_a_checkpoint_by_another_key_is_refused(own):
    some(own)
    path = state(own) / "checkpoint"
    note = path.read_bytes()
    path.write_bytes(note[:-10] + (b"A" if note[-10:-9] != b"A" else b"B") + note[-9:])
    refuses(own, ["not signed by the ledger's key"])


def test_another_past_of_the_same_length_is_refused(own):
    some(own)
    shutil.copytree(own.dir / "state", own.dir / "old")
    some(own)
    # The same log goes on in two ways; the HSM has seen the first.
    shutil.rmtree(own.dir / "state")
    shutil.copytree(own.dir / "old", own.dir / "state")
    token = own.dir / "tokens"
    assert token.is_dir()
    refuses(own, ["rolled back"])


@pytest.mark.parametrize("what", ["gone", "damaged"])
def test_tiles_are_made_again(own, what):
    answers = some(own, 300)
    before = ledger.Log(state(own))
    before.check()
    if what == "gone":
        shutil.rmtree(state(own) / "tile")
    else:  # the last one, on which the next ones stand; the others are an auditor's to find
        (tile,) = (state(own) / "tile/0/001.p").glob(str(before.size - 256))
        data = bytearray(tile.read_bytes())
        data[7] ^= 1
        tile.write_bytes(data)
        with pytest.raises(ledger.Broken):
            before.check()
    some(own, 3)
    assert "tiles-damaged" in own.log()
    after = ledger.Log(state(own))
    after.check()
    assert len([e for e in after.check() if e[1] == 1]) == len(answers) + 3


@pytest.mark.parametrize("what", ["gone", "damaged"])
def test_the_index_is_made_again(own, what):
    own.start()
    dccs = [record() for _ in range(50)]
    first = [own.issue(d) for d in dccs]
    assert own.stop() == 0
    index = state(own, "index")
    if what == "gone":
        shutil.rmtree(index)
    else:
        for f in index.iterdir():
            if f.is_file() and f.name != "LOCK":
                f.write_bytes(b"nonsense")
    own.start()
    for f, d in zip(first, dccs):
        same(f, own.issue(d))


def test_a_torn_end_of_the_journal_is_cut(own):
    answers = some(own)
    last = sorted(state(own, "journal").glob("[0-9]*"))[-1]
    with open(last, "ab") as f:
        f.write(b"\x40\x01\0\0" + os.urandom(100))
    some(own, 5)
    assert "journal-cut" in own.log()
    entries = ledger.Log(state(own)).check()
    assert len([e for e in entries if e[1] == 1]) == len(answers) + 5


# -- a disk that gives out ----------------------------------------------------------------------

@pytest.fixture
def small(own):
    """A daemon whose state lies on a file system of its own, of 24 MiB."""
    where = own.dir / "state"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs",
                              str(where)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    yield own
    if own.process is not None:
        own.stop()
    subprocess.run(["umount", "-l", str(where)], check=True)


def send_until(demo, status, seconds=60):
    """Send records until one is answered with STATUS; what was issued."""
    issued, end = [], time.monotonic() + seconds * SLOW
    connection = demo.connect()
    while time.monotonic() < end:
        dcc = record()
        r = demo.issue(dcc, connection=connection)
        if r.status == 200:
            issued.append((dcc, r))
        else:
            assert r.status in (503, 504), r
            if r.status == 503:
                assert "retry-after" in r.headers
        if r.status == status:
            connection.close()
            return issued
        time.sleep(0.001)
    raise AssertionError(f"no {status}: " + demo.log()[-2000:])


def all_on_record(demo, issued):
    log = wait_covered(demo, max(r.json["ledger"]["index"] for _, r in issued))
    entries = log.check()
    for dcc, r in issued:
        _, structure, signature = parts(r.json)
        assert entries[r.json["ledger"]["index"]][10] == ledger.sha(signature, structure)
    assert len([e for e in entries if e[1] == 1]) >= len(issued)


def test_a_full_disk_stops_signing_and_nothing_else(small):
    small.start()
    issued = send_until(small, 200)
    filler = state(small, "filler")
    with open(filler, "wb") as f:
        try:
            while True:
                f.write(bytes(65536))
                f.flush()
        except OSError:
            pass
    issued += send_until(small, 503)
    pids = small.roles()
    assert "journal-down" in small.log() or "ledger" in small.ops("/readyz").body.decode()
    filler.unlink()
    issued += send_until(small, 200)
    small.wait_ready()
    assert small.roles() == pids
    all_on_record(small, issued)
    for dcc, r in issued[:: max(1, len(issued) // 50)]:
        same(r, small.issue(dcc))


@pytest.fixture
def ext4(own, tmp_path):
    """A daemon whose state lies on an ext4 of its own, which can be made to fail
    as it does when its device fails: it turns read-only under open files."""
    where, image = own.dir / "state", tmp_path / "image"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(mode=0o700)
    with open(image, "wb") as f:
        f.truncate(64 << 20)

    def mount(*options):
        return subprocess.run(["mount", "-o", ",".join(["loop", *options]), image, where],
                              capture_output=True).returncode == 0
    made = subprocess.run(["mkfs.ext4", "-q", "-F", image], capture_output=True)
    if made.returncode != 0 or not mount():
        pytest.skip("this machine lets nobody mount a file system")
    own.mount = mount
    own.image = image
    yield own
    if own.process is not None:
        own.stop()
    subprocess.run(["umount", "-l", where], capture_output=True)


def test_a_disk_that_turns_read_only(ext4):
    where = ext4.dir / "state"
    ext4.start()
    issued = send_until(ext4, 200)
    for _ in range(50):
        dcc = record()
        issued.append((dcc, ext4.issue(dcc)))
    subprocess.run(["mount", "-o", "remount,abort", where], check=True)
    issued += send_until(ext4, 503)
    pids = ext4.roles()
    issued += send_until(ext4, 503)  # and so it stays, and nobody dies of it
    assert ext4.roles() == pids
    assert "journal-down" in ext4.log() and "errno=30" in ext4.log()
    # Such a disk is mended with nobody on it.
    assert ext4.stop() == 0
    subprocess.run(["umount", where], check=True)
    subprocess.run(["e2fsck", "-y", ext4.image], capture_output=True)
    assert ext4.mount()
    ext4.start()
    issued += send_until(ext4, 200)
    all_on_record(ext4, [i for i in issued if i[1].status == 200])
    for dcc, r in issued[::7]:
        same(r, ext4.issue(dcc))


# -- officers ------------------------------------------------------------------------------------

def officer(command, *args):
    return subprocess.run([BUILD / "signer-officer", command, *map(str, args)],
                          capture_output=True, text=True)


@pytest.fixture
def officers(own):
    """Three officers of the ledger, two of whom decide; and one of nobody's."""
    names = [f"guard-{i}" for i in range(1, 4)] + ["nobody"]
    for name in names:
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out",
                        own.dir / f"{name}.key"], check=True)
    vkeys = [officer("vkey", own.dir / f"{n}.key", "--name", n).stdout.strip()
             for n in names[:3]]
    config = own.dir / "signerd.yaml"
    text = config.read_text()
    assert "\nledger:\n" in text
    config.write_text(text.replace("\nledger:\n", "\nledger:\n  officers:\n" + "".join(
        f"    - {v}\n" for v in vkeys), 1))
    return names


def sign(own, name, statement, out):
    r = officer("recover", statement, "--key", own.dir / f"{name}.key", "--name", name,
                "--out", out)
    assert r.returncode == 0, r.stderr
    return out


def test_officers_let_it_go_on_after_a_disaster(own, officers):
    some(own)
    shutil.copytree(own.dir / "state", own.dir / "old")
    lost = some(own)
    shutil.rmtree(own.dir / "state")
    shutil.move(own.dir / "old", own.dir / "state")
    before = ledger.Log(state(own))
    refuses(own, ["rolled back"])
    request, statement = own.dir / "state/recovery.request", own.dir / "state/recovery"
    said = request.read_text().split("\n")
    assert said[0] == "signerd ledger recovery" and said[1] == before.origin
    assert said[2].startswith(f"disk {before.size} ") and said[3].startswith("known ")
    # One of three is not enough, nor is one twice, nor somebody else.
    one = sign(own, "guard-1", request, own.dir / "one")
    assert officer("recover", one, "--key", own.dir / "guard-1.key", "--name", "guard-1",
                   ).returncode == 1
    shutil.copy(one, statement)
    refuses(own, ["rolled back"])
    shutil.copy(sign(own, "nobody", one, own.dir / "two"), statement)
    refuses(own, ["rolled back"])
    # Another state than the one that was found.
    statement.write_text(one.read_text().replace(f"disk {before.size} ", "disk 1 "))
    refuses(own, ["rolled back"])
    assert "recovery-refused" in own.log()
    signed = sign(own, "guard-3", one, own.dir / "both")
    shutil.copy(signed, statement)
    own.start()
    assert "ledger-recovered" in own.log()
    a = own.issue(record()).json
    after = wait_covered(own, a["ledger"]["index"])
    assert not statement.exists() and not request.exists()
    entries = after.check()
    assert before.is_prefix_of(after)
    (ceremony,) = [e for e in entries if e[1] == 8]
    assert signed.read_bytes() in ceremony.values()
    assert entries.index(ceremony) == before.size  # before anything else
    assert own.stop() == 0
    assert len(lost) == 30
    # It counts once: the same loss again is another one.
    shutil.copy(signed, statement)
    shutil.rmtree(state(own, "journal"))
    shutil.rmtree(state(own))
    refuses(own, ["has 0 entries"])
