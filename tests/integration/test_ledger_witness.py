# SPDX-License-Identifier: Apache-2.0
"""The ledger's witnesses: their cosignatures are published, one that is away
delays nothing, and one that knows of another past has the start refused."""
import json
import os
import shutil
import subprocess
import threading
import time

import pytest

import ledger
from conftest import BUILD, SLOW, record
from fakewitness import Witness
from test_ledger import officers, refuses, sign, state  # noqa: F401 (a fixture)
from test_ledger_audit import as_auditor, server


def employ(own, *witnesses, interval="1s", quorum=0, ca=None):
    config = own.dir / "signerd.yaml"
    text = config.read_text().split("  witnesses:\n")[0]
    config.write_text(text + "  witnesses:\n" + "".join(w.yaml for w in witnesses) +
                      f"  witness_interval: {interval}\n  quorum: {quorum}\n" +
                      (f"  witness_ca: {ca}\n" if ca else ""))


@pytest.fixture
def witness(own):
    w = Witness(own)
    employ(own, w)
    yield w
    w.down()


def wait(own, met, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        got = met()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError("it did not come: " + own.log()[-3000:])


def cosigned_by(note, *witnesses):
    """The size of NOTE, if all WITNESSES have cosigned it; else None."""
    if not all(f"— {w.name} ".encode() in note for w in witnesses):
        return None
    texts = {ledger.open_note(note, w.vkey) for w in witnesses}
    assert len(texts) == 1
    return ledger.parse_checkpoint(texts.pop())[1]


def published(own, *witnesses, name="checkpoint"):
    path = state(own) / name
    return cosigned_by(path.read_bytes(), *witnesses) if path.exists() else None


def test_its_cosignature_is_published(own, witness):
    own.start()
    last = own.issue(record()).json["ledger"]["index"]
    size = wait(own, lambda: (published(own, witness) or 0) > last and
                published(own, witness))
    # over HTTP, and for those who prove an entry with it, too
    note = own.request("GET", "/v1/ledger/checkpoint").body
    assert cosigned_by(note, witness) == size
    kept = own.request("GET", "/v1/ledger/checkpoint.cosigned")
    assert kept.status == 200 and cosigned_by(kept.body, witness) == size
    ledger.Log(state(own)).check()
    # it is seen to be there also while nothing is new
    asked = len(witness.asked)
    wait(own, lambda: len(witness.asked) >= asked + 2)
    assert witness.asked[-1] == (size, size)
    assert set(witness.answered) == {200}
    assert note.count("—".encode()) == 2
    assert own.request("GET", "/v1/ledger/checkpoint").body.count("—".encode()) == 2
    assert own.metric_sum("signer_ledger_witnesses") == 1
    assert own.metric_sum("signer_ledger_witnesses_current") == 1
    assert witness.server.connections == 1  # kept open
    assert own.stop() == 0


def test_over_tls_only_one_with_its_certificate_is_asked(own):
    witness = Witness(own, tls=True)
    employ(own, witness, ca="ca.pem")
    own.start()
    wait(own, lambda: published(own, witness))
    assert own.stop() == 0
    employ(own, witness)  # the system's knows nothing of that one
    asked, mark = len(witness.asked), len(own.log())
    own.start()
    wait(own, lambda: "witness-failed" in own.log()[mark:])
    assert "certificate" in own.log()[mark:]
    assert len(witness.asked) == asked
    assert own.stop() == 0
    witness.down()


def test_under_load_the_kept_one_has_them_all(own, witness):
    second = Witness(own, "witness.example/second")
    second.delay = 0.7
    employ(own, witness, second)
    own.start()
    seen, end = set(), time.monotonic() + 12 * SLOW
    with_one = own.connect()
    while time.monotonic() < end and len(seen) < 3:
        assert own.issue(record(), connection=with_one).status == 200
        kept = published(own, witness, second, name="checkpoint.cosigned")
        if kept is not None:
            seen.add(kept)
    assert len(seen) >= 3, own.log()[-3000:]
    assert own.stop() == 0
    ledger.Log(state(own)).check()
    second.down()


def test_an_auditor_is_content_while_the_log_grows(own, witness, tmp_path):
    """Each second has a checkpoint that the witness has not seen yet."""
    second = Witness(own, "witness.example/second")
    second.delay = 0.7
    employ(own, witness, second)
    own.start()
    keys = tmp_path / "keys"
    keys.write_text(f"{witness.vkey}\n{second.vkey}\n")
    wait(own, lambda: published(own, witness, second, name="checkpoint.cosigned"))
    stop, older = threading.Event(), 0

    def grow():
        with_one = own.connect()
        while not stop.is_set():
            assert own.issue(record(), connection=with_one).status == 200

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        for command, *more in [["verify"], ["mirror", tmp_path / "copy"]] * 4:
            done = subprocess.run(
                [BUILD / "signer-auditor", command, "--json", "--quiet", server(own),
                 *more, "--vkey", state(own) / "vkey", "--witness", keys, *as_auditor(own)],
                capture_output=True, text=True, timeout=60 * SLOW)
            assert done.returncode == 0, (done.stdout, done.stderr)
            older += "cosigned_checkpoint" in json.loads(done.stdout)
            time.sleep(0.3)
    finally:
        stop.set()
        thread.join()
    assert older > 0, "each checkpoint was cosigned by itself: nothing was tried"
    assert own.stop() == 0
    second.down()


@pytest.mark.parametrize("how", ["down", "hangs", "fails", "lies"])
def test_one_that_is_away_delays_nothing(own, witness, how):
    ill = Witness(own, "witness.example/ill")
    employ(own, witness, ill)
    if how == "down":
        ill.down()
    elif how == "hangs":
        ill.delay = 3600
    elif how == "fails":
        ill.status = 500
    else:  # it cosigns by another key
        ill.private = type(ill.private).generate()
    own.start()
    began = time.monotonic()
    for _ in range(50):
        assert own.issue(record()).status == 200
    assert time.monotonic() - began < 10 * SLOW
    last = own.issue(record()).json["ledger"]["index"]
    # checkpoints go on, with the cosignature of the other
    wait(own, lambda: ledger.Log(state(own)).size > last)
    wait(own, lambda: (published(own, witness) or 0) > last)
    wait(own, lambda: (published(own, witness, name="checkpoint.cosigned") or 0) > last)
    assert 'witness-failed witness="witness.example/ill"' in own.log()
    assert own.metric_sum("signer_ledger_witnesses") == 2
    assert own.metric_sum("signer_ledger_witnesses_current") == 1
    if how in ("down", "fails"):  # and when it is back, it cosigns
        if how == "down":
            ill.up()
        ill.status = None
        wait(own, lambda: published(own, witness, ill))
    assert own.stop() == 0


def test_the_start_waits_a_while_for_one_that_hangs(own, witness):
    witness.delay = 3600
    began = time.monotonic()
    own.start()
    took = time.monotonic() - began
    assert 5 <= took < 5 + 10 * SLOW, took
    assert own.issue(record()).status == 200
    assert own.stop() == 0


def test_the_processes_of_witnesses_and_core_are_replaced(own, witness):
    own.start()
    for role in ("witness/0", "core/0"):
        pid = own.roles()[role]
        os.kill(pid, 9)
        wait(own, lambda: own.roles().get(role) not in (None, pid))
        own.wait_ready()
        last = own.issue(record()).json["ledger"]["index"]
        wait(own, lambda: (published(own, witness) or 0) > last)
    assert own.stop() == 0


# -- another past ------------------------------------------------------------

def put_back(own):
    """Take a copy of all that signerd and its tokens remember; returns what
    puts it back."""
    for name in ("state", "tokens"):
        shutil.copytree(own.dir / name, own.dir / f"{name}.old")

    def restore():
        for name in ("state", "tokens"):
            shutil.rmtree(own.dir / name)
            shutil.copytree(own.dir / f"{name}.old", own.dir / name)
    return restore


def some(own, witness, n=20):
    """A life of the daemon, all of which WITNESS has cosigned."""
    own.start()
    answers = [own.issue(record()).json for _ in range(n)]
    last = answers[-1]["ledger"]["index"]
    wait(own, lambda: witness.size > last)
    assert own.stop() == 0
    return answers


def test_an_older_copy_of_state_and_token_is_refused(own, witness):
    some(own, witness)
    restore = put_back(own)
    some(own, witness)
    restore()
    refuses(own, [f"the witness {witness.name} knows of {witness.size} entries",
                  "rolled back"])
    assert "disk " in (own.dir / "state/recovery.request").read_text()
    # again, and without the witness nobody would know
    refuses(own, ["rolled back"])
    config = own.dir / "signerd.yaml"
    config.write_text(config.read_text().split("  witnesses:\n")[0])
    own.start()
    assert own.stop() == 0


def test_a_fork_is_refused(own, witness):
    some(own, witness)
    restore = put_back(own)
    some(own, witness, 10)
    restore()
    # it goes on, unseen, and further than the witness knows
    known, witness.delay = witness.size, 3600
    own.start()
    for _ in range(60):
        assert own.issue(record()).status == 200
    assert own.stop() == 0
    assert ledger.Log(state(own)).size > known
    witness.delay = 0
    refuses(own, [f"the witness {witness.name} knows of with {known} entries", "fork"])


def test_who_writes_under_its_key_elsewhere_is_found_while_it_runs(own, witness):
    own.start()
    assert own.issue(record()).status == 200
    wait(own, lambda: published(own, witness))
    mark = len(own.log())
    with witness.lock:
        witness.size += 1000
    assert own.process.wait(30 * SLOW) == 1
    own.process = None
    assert "somebody else writes under its key" in own.log()[mark:]
    refuses(own, [f"knows of {witness.size} entries"])


@pytest.mark.parametrize("both", [False, True])
def test_officers_overrule_it(own, officers, both):
    witness = Witness(own)
    employ(own, witness)
    some(own, witness)
    restore = put_back(own)
    tokens = own.dir / "tokens.newest"
    some(own, witness)
    shutil.copytree(own.dir / "tokens", tokens)
    restore()
    if both:  # the HSM's record says so, too: one statement is for all
        shutil.rmtree(own.dir / "tokens")
        shutil.copytree(tokens, own.dir / "tokens")
    refuses(own, ["rolled back", "the HSM" if both else f"the witness {witness.name}"])
    request = own.dir / "state/recovery.request"
    assert ("known nothing" in request.read_text()) != both
    one = sign(own, "guard-1", request, own.dir / "one")
    shutil.copy(sign(own, "guard-2", one, own.dir / "two"), own.dir / "state/recovery")
    mark = len(own.log())
    own.start()
    assert "ledger-recovered" in own.log()[mark:]
    if both:
        wait(own, lambda: "witness-overruled" in own.log()[mark:])
    assert own.issue(record()).status == 200
    asked = len(witness.answered)
    time.sleep(2.5)
    assert len(witness.answered) == asked  # not any more
    assert own.metric_sum("signer_ledger_witnesses_current") == 0
    assert own.stop() == 0
    entries = ledger.Log(state(own)).check()
    assert len([e for e in entries if e[1] == 8]) == 1  # recorded once
    refuses(own, [f"the witness {witness.name} knows of"])
    witness.down()


# -- readiness ---------------------------------------------------------------

def test_a_quorum_is_asked_for(own, witness):
    second = Witness(own, "witness.example/second")
    second.down()
    employ(own, witness, second, quorum=2)
    own.start(wait=False)
    wait(own, lambda: published(own, witness))
    r = own.ops("/readyz")
    assert r.status == 503
    assert "1 of 2 witnesses have cosigned lately, and 2 must have" in json.dumps(
        r.body.decode()), r
    assert own.issue(record()).status == 200  # it signs all the same
    second.up()
    own.wait_ready()
    second.down()
    wait(own, lambda: own.ops("/readyz").status == 503)
    assert own.stop() == 0
