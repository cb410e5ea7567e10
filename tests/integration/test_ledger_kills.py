# SPDX-License-Identifier: Apache-2.0
"""Processes killed and the power cut at any moment of a bulk job: whatever a
client was given is on record, and the same request gets the same bytes.

LEDGER_KILLS   moments (default 16); 200 takes a quarter of an hour
LEDGER_SEED    which moments
"""
import json
import os
import pathlib
import random
import shutil
import threading
import time

import cbor2
import pytest

import hcert
import ledger
from conftest import BUILD, SLOW, record
from streams import NDJSON

KILLS = int(os.environ.get("LEDGER_KILLS", "16"))
SEED = int(os.environ.get("LEDGER_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
# Of a job's lines half are old ones, so that what is on record stays small enough
# to be copied with each power cut.
WORKERS, LINES, OLD = 3, 100, 50


class Worker(threading.Thread):
    """Sends records by hundreds until told to stop, old ones again among new
    ones; remembers every answer."""

    def __init__(self, demo, rng):
        super().__init__(daemon=True)
        self.demo, self.rng = demo, rng
        self.stopping, self.wrong = False, []
        self.dcc = {}      # UVCI -> payload, of everything ever sent
        self.uvcis = []    # its keys
        self.lost = {}     # what of it has no answer
        self.answer = {}   # UVCI -> the certificate that it got
        self.replayed = 0

    def batch(self):
        old = [self.dcc[u] for u in self.rng.sample(self.uvcis, min(OLD, len(self.uvcis)))]
        lost = list(self.lost.values())[:30]
        new = [record() for _ in range(LINES - len(old) - len(lost))]
        for d in new:
            uvci = d["v"][0]["ci"]
            self.dcc[uvci] = self.lost[uvci] = d
            self.uvcis.append(uvci)
        lines = old + lost + new
        self.rng.shuffle(lines)
        return lines

    def keep(self, dcc, answer):
        if "hcert" not in answer:
            if answer.get("status") not in (503, 504):
                self.wrong.append(answer)
            return
        uvci = dcc["v"][0]["ci"]
        self.replayed += answer.get("replayed", False)
        known = self.answer.setdefault(uvci, answer)
        self.lost.pop(uvci, None)
        if known["hcert"] != answer["hcert"] or known["ledger"] != answer["ledger"]:
            self.wrong.append(f"two certificates for {uvci}")

    def once(self, connection):
        lines = self.batch()
        connection.request("POST", "/v1/certificates", b"".join(
            json.dumps(dict(dcc=d)).encode() + b"\n" for d in lines), {"Content-Type": NDJSON})
        r = connection.getresponse()
        if r.status != 200:
            r.read()
            return
        for dcc in lines:
            line = r.readline()
            if not line.endswith(b"\n"):
                return
            self.keep(dcc, json.loads(line))
        r.read()

    def run(self):
        connection = None
        while not self.stopping:
            try:
                connection = connection or self.demo.connect(timeout=10)
                self.once(connection)
            except Exception:  # it was killed: connect again
                if connection:
                    connection.close()
                connection = None
                time.sleep(0.02)


def wait_gone(pids):
    end = time.monotonic() + 10 * SLOW
    while any(pathlib.Path(f"/proc/{p}").exists() and
              b" Z " not in pathlib.Path(f"/proc/{p}/stat").read_bytes() for p in pids):
        assert time.monotonic() < end
        time.sleep(0.01)


def wait_serving(demo):
    """Every process serves: SoftHSM2 loses its token for good where a process is
    killed while it logs in (pkcs11/README.md)."""
    end = time.monotonic() + 30 * SLOW
    while time.monotonic() < end:
        try:
            up = [v for n, _, v in demo.metrics() if n == "signer_process_up"]
            if up and all(up):
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("not all processes came up: " + demo.log()[-3000:])


def kill_role(demo, role):
    """Kill its processes, and wait until others have taken their place: until
    then all seem to serve."""
    old = {n: p for n, p in demo.roles().items() if n.startswith(role)}
    for pid in old.values():
        os.kill(pid, 9)
    end = time.monotonic() + 20 * SLOW
    while any(demo.roles().get(n, p) == p for n, p in old.items()):
        assert time.monotonic() < end, demo.log()[-3000:]
        time.sleep(0.01)


def kill_all(demo):
    pids = list(demo.roles().values())
    demo.process.kill()
    demo.process.wait()
    demo.process = None
    wait_gone(pids)


def torn(real, synced, rng):
    """Some of what was written after the last sync may be on the disk, and some
    of that may be rubbish."""
    for path in sorted((real / "journal").glob("[0-9]*"))[-1:]:
        copy = synced / "journal" / path.name
        if not copy.exists():
            continue
        size = copy.stat().st_size
        rest = path.read_bytes()[size:]
        rest = bytearray(rest[:rng.randrange(len(rest) + 1)])
        if rest and rng.random() < 0.5:
            at = rng.randrange(len(rest))
            rest[at:] = bytes(len(rest) - at)
        with open(copy, "ab") as f:
            f.write(rest)


def cut_power(demo, rng):
    """Kill all, and go on with what was synced."""
    kill_all(demo)
    real, synced = demo.dir / "state", demo.dir / "synced"
    torn(real, synced, rng)
    if rng.random() < 0.5 and (real / "index").exists():
        shutil.rmtree(synced / "index", ignore_errors=True)
        shutil.copytree(real / "index", synced / "index")
    shutil.rmtree(real)
    shutil.copytree(synced, real)


def check_all(demo, workers):
    """Every answer is on record, with the hashes of its certificate."""
    log = ledger.Log(demo.dir / "state/ledger")
    end = time.monotonic() + 20 * SLOW
    answers = [a for w in workers for a in list(w.answer.values())]
    last = max((a["ledger"]["index"] for a in answers), default=-1)
    while log.size <= last:
        assert time.monotonic() < end, (log.size, last)
        time.sleep(0.1)
        log = ledger.Log(demo.dir / "state/ledger")
    entries = log.check()
    for a in answers:
        protected, _, payload, signature = cbor2.loads(hcert.unwrap(a["hcert"])).value
        structure = cbor2.dumps(["Signature1", protected, b"", payload])
        e = entries[a["ledger"]["index"]]
        assert e[10] == ledger.sha(signature, structure)
        assert e[7] == ledger.sha(signature, a["uvci"].encode())
    return log, len(answers)


def test_killed_and_cut_off_at_any_moment(own):
    if not (BUILD / "signerd_powercut").exists():
        pytest.skip("signerd_powercut is not built")
    print(f"LEDGER_SEED={SEED}")
    rng = random.Random(SEED)
    own.program = "signerd_powercut"
    (own.dir / "synced").mkdir()
    with open(own.dir / "signerd.yaml", "a") as config:  # the core writes there, too
        config.write("sandbox: {off: {supervisor: [files], core: [files]}}\n")
    own.start()
    workers = [Worker(own, random.Random(rng.random())) for _ in range(WORKERS)]
    for w in workers:
        w.start()
    earlier = None
    for moment in range(KILLS):
        wait_serving(own)
        time.sleep(rng.uniform(0, 0.8) * SLOW)
        victim = rng.choice(["front", "core", "hsm", "supervisor", "power", "power"])
        if victim == "power":
            cut_power(own, rng)
        elif victim == "supervisor":
            kill_all(own)
        else:
            kill_role(own, victim)
        if own.process is None:
            own.start()
        else:
            own.wait_ready()
        if moment % max(8, KILLS // 6) == 7:
            log, _ = check_all(own, workers)
            assert earlier is None or earlier.is_prefix_of(log), "the tree was rewritten"
            shutil.rmtree(own.dir / "earlier", ignore_errors=True)
            earlier = ledger.copy(own.dir / "state/ledger", own.dir / "earlier")
            earlier.check()
    for w in workers:
        w.stopping = True
        w.join()
    assert own.stop() == 0
    own.start()
    # What was never answered is answered now, and what was is the same.
    for w in workers:
        w.stopping, w.rng = False, random.Random(1)
        while w.lost:
            w.once(own.connect())
    _, n = check_all(own, workers)
    assert not any(w.wrong for w in workers), [w.wrong[:3] for w in workers]
    assert n > KILLS and sum(w.replayed for w in workers) > 0
    print(f"{n} certificates, {sum(w.replayed for w in workers)} given again, {KILLS} moments")
