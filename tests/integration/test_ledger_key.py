# SPDX-License-Identifier: Apache-2.0
"""The ledger's checkpoints come to be signed by another key, while certificates
are issued: nobody who checks the ledger by the old key is left behind, and no
older state comes back."""
import base64
import re
import shutil
import signal
import subprocess
import time

import cbor2
import pytest

import ledger
from ceremony import ALGS, Ceremony, good, run
from conftest import BUILD, SLOW, record
from test_ceremony import Load, demo_lives, refused, until
from test_ledger import refuses, state, wait_covered

LEAD = 3  # seconds for which both keys sign


@pytest.fixture
def court(own):
    own.start().wait_all_up()
    c = Ceremony(own)
    c.found(lead=LEAD)
    return c


def verifier_key(origin, public):
    raw = b"\1" + public
    keyhash = ledger.sha(origin.encode(), b"\n", raw)[:4].hex()
    return f"{origin}+{keyhash}+{base64.b64encode(raw).decode()}"


def make(court, label="ledger-2"):
    """A key beside the ledger's; returns its SPKI, and its verifier key."""
    court.decide("generate", key=label, hsm="ledger", alg=ALGS["EdDSA"])
    spki = base64.b64decode(court.key(label)["spki"])
    until(lambda: court.key(label)["good"] > 0)
    return spki, verifier_key(court.document()["origin"], spki[-32:])


def ledger_size(path):
    return int(path.read_bytes().split(b"\n")[1])


def signers(demo):
    """How many signatures the newest checkpoint has."""
    return (state(demo) / "checkpoint").read_bytes().partition(b"\n\n")[2].count(b"\n")


def names(demo):
    """The verifier key that the log names."""
    return (state(demo) / "vkey").read_text().strip()


def audit(demo, vkey, *words):
    return subprocess.run([BUILD / "signer-auditor", "verify", "--quiet", "--vkey", vkey,
                           *map(str, words), state(demo)], capture_output=True, text=True,
                          timeout=120 * SLOW)


def change(court, label="ledger-2"):
    spki, vkey = make(court, label)
    court.decide("log-key", key=label, spki=spki)
    return vkey


def retired(court, label="ledger"):
    return court.key(label)["state"] == "retired"


def test_change_under_load(court):
    demo = court.demo
    old = names(demo)
    early, kept = court.dir / "early", court.dir / "kept"
    assert audit(demo, old, "--keep", early).returncode == 0  # before the officers, maybe
    wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
    assert audit(demo, old, "--keep", kept).returncode == 0
    first = ledger.Log(state(demo))
    load = Load(demo)
    try:
        spki, new = make(court)
        assert signers(demo) == 1
        court.decide("log-key", key="ledger-2", spki=spki)
        until(lambda: signers(demo) == 2)
        until(lambda: names(demo) == new)
        both = ledger.Log(state(demo), old)  # by either key
        assert ledger.Log(state(demo), new).size >= both.size
        during = [audit(demo, k, "--since", kept) for k in (old, new) if not retired(court)]
        until(lambda: retired(court))
        until(lambda: signers(demo) == 1)
        before = len(load.answers)
        until(lambda: len(load.answers) > before + 50)
    finally:
        answers = load.end()
    assert all(a.status == 200 for a in answers), [a for a in answers if a.status != 200][:3]
    log = wait_covered(demo, max(a.json["ledger"]["index"] for a in answers))
    assert log.vkey.strip() == new
    entries = log.check()
    assert [(e[19], e[20]) for e in entries if e[1] == 4] == [
        ("ledger-2", "generated"), ("ledger-2", "active"), ("ledger", "retired")]
    with pytest.raises(ledger.Broken):
        ledger.Log(state(demo), old)
    assert during[0].returncode == 0 and "vkey-changes" in during[0].stdout, during[0].stdout
    # who has the new key; and who has the old one, and a checkpoint by it
    assert audit(demo, new).returncode == 0
    done = audit(demo, old, "--since", kept, "--keep", kept)
    assert done.returncode == 0 and f"new key   {new}" in done.stdout, done.stdout + done.stderr
    # What is kept now the new one has signed, and no other proves it.
    assert audit(demo, new, "--since", kept).returncode == 0
    done = audit(demo, old, "--since", kept)
    assert done.returncode == 2 and "never one that was stolen" in done.stderr, done.stderr
    # the old key alone says nothing about the new one
    for words in ([], ["--since", early] if first.size > ledger_size(early) == 0 else []):
        done = audit(demo, old, *words)
        assert done.returncode == 1 and "checkpoint-unsigned" in done.stdout, done.stdout
    assert demo.stop() == 0
    # signerd.yaml may name the new key, and the old one go
    config = demo.dir / "signerd.yaml"
    config.write_text(config.read_text().replace("object=ledger\n", "object=ledger-2\n"))
    demo.start().wait_all_up()
    assert demo.issue(record()).status == 200
    assert signers(demo) == 1 and retired(court)
    assert first.size < log.size


def test_commands(court):
    """The same by signer-officer."""
    d, at = court.dir, ("--socket", court.socket)
    files = {n: court.officers[n].write(d) for n in court.officers}

    def decide(op, *words):
        file = d / f"{op}.op"
        good("propose", op, *at, "--proposer", "anh", "--key", "ledger-2", "--out", file, *words)
        for n, (private, _) in files.items():
            assert run("approve", file, "--key", private, "--name", n, "--yes").returncode == 0
        return file, good("apply", file, *at)

    r = run("propose", "log-key", *at, "--proposer", "anh", "--key", "ledger", "--out", d / "x.op")
    assert r.returncode != 0 and "--public" in r.stderr, r.stderr
    decide("generate", "--hsm", "ledger", "--alg", "EdDSA", "--kinds", "none")
    until(lambda: court.key("ledger-2")["good"] > 0)
    spki = base64.b64decode(court.key("ledger-2")["spki"])
    # signerd's word of the public key, and a file's
    der = d / "public.der"
    der.write_bytes(spki)
    good("propose", "log-key", *at, "--proposer", "anh", "--key", "ledger-2", "--out",
         d / "file.op", "--public", der)
    assert cbor2.loads((d / "file.op").read_bytes())["spki"] == spki
    file, out = decide("log-key")
    assert "active" in out
    # its long lines are broken
    until(lambda: f"verifier key: {names(court.demo)}\n" in
          re.sub(r"\n +", "", good("show", file)))


def test_restarts_in_each_phase(court):
    demo = court.demo
    court.decide("officers", **court.roll(court.officers.values(), lead=60))
    spki, new = make(court)
    for sig in (signal.SIGTERM, signal.SIGKILL):
        demo.stop(sig)
        until(lambda: not demo_lives(demo))
        demo.start().wait_all_up()
        assert demo.issue(record()).status == 200 and signers(demo) == 1
    court.decide("log-key", key="ledger-2", spki=spki)
    for sig in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        demo.stop(sig)
        until(lambda: not demo_lives(demo))
        demo.start().wait_all_up()
        wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
        assert signers(demo) == 2 and not retired(court)
    # the new key does not retire; the old one goes before its time
    r = court.bring(court.signed(court.operation("retire", key="ledger-2"), "anh", "binh", "chi"))
    assert r.status == 409, r
    court.decide("compromise", key="ledger")
    for sig in (signal.SIGKILL, signal.SIGTERM):
        wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
        until(lambda: signers(demo) == 1 and names(demo) == new)
        demo.stop(sig)
        until(lambda: not demo_lives(demo))
        demo.start().wait_all_up()
    assert court.key("ledger")["state"] == "compromised"
    # and once more
    third = change(court, "ledger-3")
    until(lambda: signers(demo) == 2 and names(demo) == third)
    assert demo.issue(record()).status == 200
    # which was a mistake: the one before goes on alone
    court.decide("compromise", key="ledger-3")
    for sig in (None, signal.SIGKILL):
        if sig:
            demo.stop(sig)
            until(lambda: not demo_lives(demo))
            demo.start().wait_all_up()
        wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
        until(lambda: signers(demo) == 1 and names(demo) == new)
    assert court.key("ledger-2")["state"] == "active"


def test_kills_while_it_changes(court):
    """Whenever the process is killed, the log goes on, and the change with it."""
    demo, last = court.demo, "ledger"
    court.decide("officers", **court.roll(court.officers.values(), lead=1))
    for n in range(2, 7):
        label = f"ledger-{n}"
        change(court, label)
        time.sleep(0.45 * (n - 2))  # from the operation to the end of the overlap
        demo.stop(signal.SIGKILL)
        until(lambda: not demo_lives(demo))
        demo.start().wait_all_up()
        wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
        until(lambda old=last: retired(court, old))
        until(lambda: signers(demo) == 1)
        last = label
    log = wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
    states = [(e[19], e[20]) for e in log.check() if e[1] == 4 and e[20] != "generated"]
    # a kill at the wrong moment may have one recorded twice
    assert list(dict.fromkeys(states)) == [s for n in range(2, 7) for s in (
        (f"ledger-{n}", "active"), ("ledger" if n == 2 else f"ledger-{n - 1}", "retired"))]
    assert audit(demo, names(demo)).returncode == 0


@pytest.mark.parametrize("when", ["before", "overlap", "after"])
def test_no_older_state_comes_back(court, when):
    demo = court.demo

    def copy():
        assert demo.stop() == 0
        shutil.copytree(demo.dir / "state", demo.dir / "old")
        demo.start().wait_all_up()

    if when == "before":
        copy()
    change(court)
    if when == "overlap":
        until(lambda: signers(demo) == 2)
        copy()
    until(lambda: retired(court))
    until(lambda: signers(demo) == 1)
    if when == "after":
        copy()
    wait_covered(demo, demo.issue(record()).json["ledger"]["index"])
    assert demo.stop() == 0
    shutil.move(demo.dir / "state", demo.dir / "new")
    shutil.move(demo.dir / "old", demo.dir / "state")
    refuses(demo, ["the HSM knows of", "rolled back"])
    # the right one back: it goes on
    shutil.rmtree(demo.dir / "state")
    shutil.move(demo.dir / "new", demo.dir / "state")
    demo.start().wait_all_up()
    assert demo.issue(record()).status == 200


def test_what_may_not_be(court):
    def no(op, status, reason, **members):
        refused(court, court.signed(court.operation(op, **members), "anh", "binh", "chi"), status,
                reason)

    no("generate", 409, "beside the one that it has", key="x", hsm="demo", alg=-8)
    no("generate", 409, "for the ledger alone", key="x", hsm="ledger", alg=-7, kinds="vtr",
       country="VN")
    no("generate", 400, "a key for no kind", key="x", hsm="ledger", alg=-7)
    spki, _ = make(court)
    no("log-key", 409, "public key", key="ledger-2", spki=spki[:-1] + bytes([spki[-1] ^ 1]))
    no("csr", 409, "a key of the ledger", key="ledger-2",
       subject=b"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02VN")
    no("stop", 409, "a key of the ledger", key="ledger")
    no("retire", 409, "no other key", key="ledger")
    no("destroy", 409, "signerd.yaml names it", key="ledger")
    court.decide("destroy", key="ledger-2")
    assert court.key("ledger-2")["state"] == "destroyed"
    assert court.demo.issue(record()).status == 200


def tool(name, *words, status=0):
    done = subprocess.run([BUILD / name, *map(str, words)], capture_output=True, text=True,
                          timeout=120 * SLOW)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def test_copies_and_receipts(court):
    """A copy goes on to the new key by itself; receipts stay what they are."""
    demo, d = court.demo, court.dir
    old, copy, watched = names(demo), d / "copy", d / "watched"
    log, answer, proof = state(demo), d / "answer", d / "old.proof"
    online = ("--server", f"https://localhost:{demo.port}", "--ca", demo.dir / "ca.pem",
              "--cert", demo.dir / "clients/issuer.pem",
              "--key", demo.dir / "clients/issuer.key")
    r = demo.issue(record())
    answer.write_bytes(r.body)
    wait_covered(demo, r.json["ledger"]["index"])
    tool("signer-auditor", "mirror", "--quiet", log, copy, "--vkey", old)
    tool("signer-issuer", "receipt", answer, *online, "--vkey", old, "--out", proof)
    watch = subprocess.Popen([BUILD / "signer-auditor", "mirror", "--quiet", "--every", "1", log,
                              watched, "--vkey", old], stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: (watched / "checkpoint").exists())
        new = change(court)
        until(lambda: retired(court))
        until(lambda: signers(demo) == 1)
        index = demo.issue(record()).json["ledger"]["index"]
        wait_covered(demo, index)
        until(lambda: (watched / "vkey").read_text().strip() == new)
        until(lambda: ledger_size(watched / "checkpoint") > index)
        assert watch.poll() is None
        watch.terminate()
        said = watch.communicate(timeout=60 * SLOW)[0]
        assert watch.returncode == 0 and said.count("new key") == 1, said
    finally:
        watch.kill()
    # the copy of before, by the key that it has
    done = tool("signer-auditor", "mirror", "--quiet", log, copy)
    assert f"new key   {new}" in done.stdout and (copy / "vkey").read_text().strip() == new
    for where in (copy, watched):
        tool("signer-auditor", "verify", "--quiet", where, "--vkey", new)
    for words in ([], ["--vkey", new]):  # nothing new
        tool("signer-auditor", "mirror", "--quiet", log, copy, *words)
    # somebody gives another key than the one that has signed what is kept: the one of before, or
    # a newer one than the log has, which may be because this one was stolen
    kept = (copy / "checkpoint").read_bytes()
    newest = verifier_key(old.split("+")[0], bytes(range(32)))
    for vkey in (old, newest):
        done = tool("signer-auditor", "mirror", "--quiet", log, copy, "--vkey", vkey, status=2)
        assert "but never one that was stolen" in done.stderr, done.stderr
        done = tool("signer-auditor", "verify", "--quiet", log, "--since", copy / "checkpoint",
                    "--vkey", vkey, status=2)
        assert "but never one that was stolen" in done.stderr, done.stderr
    assert (copy / "checkpoint").read_bytes() == kept
    # a crash between its two last files: the next run puts them right
    (copy / "vkey").write_text(old + "\n")
    tool("signer-auditor", "mirror", "--quiet", log, copy)
    assert (copy / "vkey").read_text().strip() == new
    # where nothing is kept, nothing leads on
    done = tool("signer-auditor", "mirror", "--quiet", log, d / "fresh", "--vkey", old, status=1)
    assert "checkpoint-unsigned" in done.stdout and not (d / "fresh/checkpoint").exists()
    # a receipt of before is good by the old key for ever, one of now by the new one
    tool("signer-issuer", "receipt", answer, "--proof", proof, "--vkey", old)
    done = tool("signer-issuer", "receipt", answer, *online, "--vkey", old, status=1)
    assert "verify --since" in done.stdout, done.stdout
    tool("signer-issuer", "receipt", answer, *online, "--vkey", new, "--out", proof)
    tool("signer-issuer", "receipt", answer, "--proof", proof, "--vkey", new)
