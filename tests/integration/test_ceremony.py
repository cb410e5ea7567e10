# SPDX-License-Identifier: Apache-2.0
"""Officers: who may decide what, rotations while signing goes on, smart cards,
and that a key's state outlives the process."""
import base64
import hashlib
import http.server
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import threading
import time

import cbor2
import pytest

import ceremony
import hcert
from ceremony import ALGS, KEYS, Ceremony, Officer, cose_sign, encode, good, run, verified
from conftest import BUILD, SLOW, record


@pytest.fixture
def court(own):
    """A daemon with three officers; nothing is decided yet."""
    own.start().wait_all_up()
    return Ceremony(own)


def dscs(demo):
    """Certificates of the demo, by kid."""
    found = [hcert.load_certificate(p) for p in (demo.dir / "dsc").glob("*.pem")]
    return {hcert.kid_of(c): c for c in found}


def check(demo, answer):
    """Genuine, by the key that its kid names; returns the kid."""
    kid = base64.b64decode(answer["kid"])
    hcert.verify(hcert.unwrap(answer["hcert"]), dscs(demo)[kid])
    return kid


def until(what, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


# --- two of three ---------------------------------------------------------------

def refused(court, cose, status, reason):
    r = court.bring(cose)
    assert r.status == status and reason in r.json["detail"], r


def test_before_the_genesis(court):
    generate = dict(key="dsc-2", hsm="demo", alg=-7, kinds="vtr", country="VN")
    refused(court, court.signed(court.operation("generate", **generate), "anh", "binh"), 403,
            "no officers yet")
    roll = court.roll(court.officers.values())
    # two of the three whom it names are not enough
    refused(court, court.signed(court.operation("genesis", **roll), "anh", "binh"), 403,
            "2 of the 3 approvals")
    court.found()
    refused(court, court.signed(court.operation("genesis", **roll), *court.officers), 409, "")
    assert [o["name"] for o in court.document()["roll"]["officers"]] == list(court.officers)


def test_two_of_three(court):
    court.found()
    generate = dict(key="dsc-2", hsm="demo", alg=-7, kinds="vtr", country="VN")
    operation = court.operation("generate", **generate)
    anh, binh, chi = (court.officers[n].sign(operation) for n in court.officers)
    now = int(time.time())
    reasons = []

    def no(cose, status, reason):
        refused(court, cose, status, reason)
        reasons.append(reason)

    no(cose_sign(operation, [anh, binh]), 403, "1 of the 2 approvals")
    no(cose_sign(operation, [binh, binh]), 403, "signed twice")
    no(cose_sign(operation, [anh]), 403, "0 of the 2 approvals")  # its proposer's
    no(cose_sign(operation, [binh, chi]), 403, "its proposer has not signed")
    no(cose_sign(operation.replace(b"dsc-2", b"dsc-3"), [anh, binh, chi]), 403, "does not verify")
    stranger = Officer("dung", "ES256")
    no(cose_sign(operation, [binh, stranger.sign(operation)]), 403, "no officer")
    old = court.operation("generate", created=now - 100, expires=now - 10, **generate)
    no(court.signed(old, "anh", "binh", "chi"), 403, "expired")
    stale = court.operation("generate", created=now - 90000, expires=now + 100, **generate)
    no(court.signed(stale, "anh", "binh", "chi"), 403, "stale")
    fork = court.operation("generate", root=os.urandom(32), **generate)
    no(court.signed(fork, "anh", "binh", "chi"), 403, "not of this ledger")
    ahead = court.operation("generate", size=1 << 20, **generate)
    no(court.signed(ahead, "anh", "binh", "chi"), 403, "not of this ledger")
    other = court.operation("generate", origin="other.example/ledger", **generate)
    no(court.signed(other, "anh", "binh", "chi"), 403, "another ledger")
    assert court.key("dsc-2") is None

    # two good ones pass, once
    assert court.bring(cose_sign(operation, [anh, binh, chi])).status == 200
    assert court.key("dsc-2")["state"] == "generated"
    r = court.bring(cose_sign(operation, [anh, binh, chi]))
    assert r.status in (403, 409), r
    reasons.append(r.json["detail"])

    # an officer who was one
    dung = court.officers["dung"] = stranger
    court.decide("officers", "anh", "binh", "chi",
                 **court.roll([court.officers["anh"], court.officers["binh"], dung]))
    publish = court.operation("csr", key="dsc-2", subject=ceremony.x501({"CN": "dsc-2"}))
    no(court.signed(publish, "anh", "binh", "chi"), 403, "no officer")
    assert court.bring(court.signed(publish, "anh", "binh", "dung")).status == 200

    # all of it is on record, with its reason
    told = court.refusals()
    assert told.count(None) == 4  # genesis, generate, officers, csr
    whys = [why for why in told if why is not None]
    assert len(whys) == len(reasons)
    for why, reason in zip(whys, reasons):
        assert reason in why


def test_not_the_next_step(court):
    court.found()
    for op, more in (("publish", {}), ("activate", {}), ("start", {}), ("destroy", {}),
                     ("retire", {})):
        r = court.bring(court.signed(court.operation(op, key="dsc-9", **more), *court.officers))
        assert r.status == 409 and r.json["detail"], r
    r = court.bring(court.signed(court.operation(
        "generate", key="dsc-2", hsm="nowhere", alg=-7, kinds="v"), "anh", "binh", "chi"))
    assert r.status == 409, r
    assert court.bring(b"\xa0").status == 400
    assert court.bring(b"nonsense").status == 400


# --- the ways in ----------------------------------------------------------------

def test_ways(court):
    demo = court.demo
    for client in ("issuer", "auditor"):
        r = demo.request("GET", "/v1/operations", client=client)
        assert r.status == 403, r
        r = court.bring(b"\xa0", client)
        assert r.status == 403, r
    r = demo.request("POST", "/v1/operations", b"{}", client="officer-1")
    assert r.status == 415 and r.headers["accept-post"] == "application/cose"
    assert court.bring(b"\0" * 32769).status == 413
    assert demo.request("DELETE", "/v1/operations", client="officer-1").status == 405
    # the same in CBOR as in JSON
    d, j = {"size": 0}, {"size": None}
    while d["size"] != j["size"]:  # no checkpoint in between
        r = demo.request("GET", "/v1/operations", headers={"Accept": "application/cbor"},
                         client="officer-1")
        d, j = cbor2.loads(r.body), court.document()
    assert d["root"].hex() == j["root"] and d["policy"].hex() == j["policy"]
    assert [k["label"] for k in d["keys"]] == [k["label"] for k in j["keys"]] == \
        ["dsc-1", "ledger"]
    assert base64.b64decode(j["keys"][0]["kid"]) == d["keys"][0]["kid"]

    # the socket is its owner's alone, and outlives the core
    mode = court.socket.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    assert "dsc-1" in good("keys", "--socket", court.socket)
    os.kill(demo.roles()["core/0"], signal.SIGKILL)
    assert "dsc-1" in good("keys", "--socket", court.socket)
    demo.wait_ready()
    # a second start on the same directory replaces what a killed one left
    demo.stop(signal.SIGKILL)
    until(lambda: not demo_lives(demo))
    assert court.socket.exists()
    demo.start()
    assert "dsc-1" in good("keys", "--socket", court.socket)
    assert demo.stop() == 0
    assert not court.socket.exists()
    assert run("keys", "--socket", court.socket).returncode == 2


def demo_lives(demo):
    """Does a process that was started on its directory still run?"""
    mark = str(demo.dir / "signerd.yaml").encode()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes():
                return True
        except OSError:
            pass
    return False


def test_commands(court):
    """A key's whole way by signer-officer alone."""
    d, files = court.dir, {}
    demo = court.demo
    for o in court.officers.values():
        files[o.name] = o.write(d)
    at = ("--socket", court.socket)
    over = ("--server", f"https://localhost:{demo.port}", "--ca", demo.dir / "ca.pem", "--cert",
            demo.dir / "clients/officer-3.pem", "--tls-key", demo.dir / "clients/officer-3.key")
    genesis = d / "genesis.op"
    roll = [w for n, (_, public) in files.items() for w in ("--officer", f"{n}={public}")]
    good("propose", "genesis", *at, "--proposer", "anh", "--out", genesis, *roll,
         "--threshold", "2")

    def approve(file, *names):
        for n in names:
            r = run("approve", file, "--key", files[n][0], "--name", n, "--yes")
            assert r.returncode == 0 and "SHA-256" in r.stderr, r.stderr

    approve(genesis, *files)
    # who has signed it already adds nothing, byte for byte
    before = genesis.read_bytes()
    again = subprocess.run([ceremony.OFFICER, "approve", "-", "--key", files["anh"][0], "--name",
                            "anh", "--yes"], input=before, capture_output=True, timeout=60)
    assert again.returncode == 0 and again.stdout == before, again.stderr
    shown = good("show", genesis)
    assert shown.count(": verified") == 3 and "operation: genesis" in shown
    # what it has written is what Python reads
    publics = {o.kid: o.public for o in court.officers.values()}
    kids, operation = verified(genesis.read_bytes(), publics)
    assert kids == [o.kid for o in court.officers.values()]
    assert encode(cbor2.loads(operation)) == operation
    assert hashlib.sha256(operation).hexdigest() in shown.replace(" ", "").replace("\n", "")
    assert "done: genesis" in good("apply", genesis, *over)

    def decide(op, *words, csr=()):
        file, copy = d / f"{op}.op", d / f"{op}-chi.op"
        file.unlink(missing_ok=True)
        good("propose", op, *over, "--proposer", "anh", "--sign", files["anh"][0], "--key",
             "dsc-2", "--out", file, *words)
        shutil.copy(file, copy)
        approve(file, "binh")
        r = run("apply", file, *at)
        assert r.returncode == 1 and "1 of the 2 approvals" in r.stderr
        approve(copy, "chi")
        good("join", file, copy)
        shown = good("show", file, "--roll", genesis)
        assert shown.count(": verified") == 3 and "2 of 2" in shown
        end = time.monotonic() + 20 * SLOW
        r = run("apply", file, *at, *csr)
        while "try again" in r.stderr and time.monotonic() < end:  # the key is tried first
            time.sleep(0.2)
            r = run("apply", file, *at, *csr)
        assert r.returncode == 0, r.stderr
        return r.stdout

    assert "generated" in decide("generate", "--hsm", "demo", "--alg", demo.alg, "--country", "VN",
                                 "--reason", "the old one is half a year old")
    csr = d / "dsc-2.csr"
    decide("csr", "--subject", "C=VN,O=Bộ Y tế,CN=DSC 2", csr=("--csr", csr))
    text = subprocess.run(["openssl", "req", "-in", csr, "-noout", "-verify", "-subject",
                           "-nameopt", "utf8"], capture_output=True, text=True)
    assert text.returncode == 0 and "Bộ Y tế" in text.stdout, text
    court.certify("dsc-2", csr)
    assert "certified" in decide("import", "--certificate", demo.dir / "dsc/dsc-2.pem")
    assert "published" in decide("publish")
    file = d / "early.op"
    good("propose", "activate", *at, "--proposer", "anh", "--key", "dsc-2", "--out", file)
    approve(file, *files)
    r = run("apply", file, *at)
    assert r.returncode == 1 and "bring this operation again later" in r.stderr
    waits = good("keys", *at)
    assert "dsc-2: published at " in waits and "propose activate, from " in waits
    said = decide("activate", "--override")
    assert "the key is active now" in said
    assert "it has taken over from dsc-1, which is retired now" in said
    table = good("keys", *at)
    assert "retired" in table and "officers, 2 of whom decide: anh, binh, chi" in table
    a = demo.issue(record()).json
    kid = check(demo, a)
    assert kid == hcert.kid_of(hcert.load_certificate(demo.dir / "dsc/dsc-2.pem"))


def test_join_and_show_refuse(court):
    d = court.dir
    for o in court.officers.values():
        o.write(d)
    at = ("--socket", court.socket, "--proposer", "anh", "--key", "dsc-1", "--out")
    good("propose", "publish", *at, d / "a.op")
    good("propose", "publish", *at, d / "b.op")
    r = run("join", d / "a.op", d / "b.op")
    assert r.returncode == 1 and "not the same operation" in r.stderr
    (d / "c.op").write_bytes(b"\xa1\x62op\x60")
    assert run("show", d / "c.op").returncode == 2
    # without a terminal nobody can say yes
    r = run("approve", d / "a.op", "--key", d / "anh.key", "--name", "anh",
            stdin=subprocess.DEVNULL)
    assert r.returncode == 1 and "--yes" in r.stderr
    assert cbor2.loads((d / "a.op").read_bytes())["op"] == "publish"  # nothing was signed


def test_away_from_the_daemon(court):
    """An officer who sees nothing of it but its ledger, at any file server."""
    folder = court.demo.dir / "state/ledger"
    until(lambda: (folder / "checkpoint").exists())

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words):
            super().__init__(*words, directory=folder)

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            for ledger in (url, folder):
                (court.dir / "x.op").unlink(missing_ok=True)
                good("propose", "publish", "--ledger", ledger, "--proposer", "anh", "--key",
                     "dsc-1", "--out", court.dir / "x.op")
                o = cbor2.loads((court.dir / "x.op").read_bytes())
                assert o["origin"] == court.document()["origin"] and len(o["root"]) == 32
            r = run("propose", "publish", "--ledger", url + "/nothing", "--proposer", "anh",
                    "--key", "dsc-1", "--out", court.dir / "y.op")
            assert r.returncode == 2 and "404" in r.stderr
            assert not (court.dir / "y.op").exists()
        finally:
            server.shutdown()


# --- rotations ------------------------------------------------------------------

class Load:
    """Clients that ask for one certificate after the other."""

    def __init__(self, demo, clients=3):
        self.demo, self.over, self.answers = demo, False, []
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def work(self):
        connection = self.demo.connect()
        while not self.over:
            self.answers.append(self.demo.issue(record(), connection=connection))

    def end(self):
        self.over = True
        for t in self.threads:
            t.join()
        return self.answers


def test_rotations_under_load(court):
    demo = court.demo
    court.found()
    load = Load(demo)
    try:
        for n in range(2, 5):
            court.rotate(f"dsc-{n}", alg=demo.alg)
            before = len(load.answers)
            until(lambda b=before: len(load.answers) > b + 50)
    finally:
        answers = load.end()
    assert all(a.status == 200 for a in answers), [a for a in answers if a.status != 200][:3]
    kids = [check(demo, a.json) for a in answers]
    assert len(set(kids)) == 4
    # each key signs for one stretch: none comes back
    indexes = sorted((a.json["ledger"]["index"], k) for a, k in zip(answers, kids))
    assert len({i for i, _ in indexes}) == len(answers)
    assert len({a.json["uvci"] for a in answers}) == len(answers)
    # all of them can be verified by who asks for the keys
    states = {base64.b64decode(k["kid"]): k["state"]
              for k in demo.request("GET", "/v1/keys").json["keys"]}
    assert set(kids) <= set(states) and list(states.values()).count("active") == 1
    assert demo.stop() == 0


def test_states_outlive_the_process(court):
    demo = court.demo
    court.found()
    court.rotate("dsc-2", alg=demo.alg)
    court.decide("generate", key="dsc-3", hsm="demo", alg=-7, kinds="v", country="VN")

    def states():
        return {k["label"]: k["state"] for k in court.document()["keys"]}

    before = states()
    assert before == {"dsc-1": "retired", "dsc-2": "active", "dsc-3": "generated",
                      "ledger": "active"}
    kid = check(demo, demo.issue(record()).json)
    for end in (signal.SIGTERM, signal.SIGKILL):
        demo.stop(end)
        until(lambda: not demo_lives(demo))
        demo.start().wait_all_up()
        assert states() == before
        assert check(demo, demo.issue(record()).json) == kid
    os.kill(demo.roles()["core/0"], signal.SIGKILL)
    until(lambda: demo.request("GET", "/v1/operations", client="officer-1").status == 200)
    demo.wait_ready()
    assert states() == before
    assert check(demo, demo.issue(record()).json) == kid


def test_outcomes_are_bound_to_the_ledger(court):
    """What came of an operation says which keys and which policy count: it must be on record."""
    demo = court.demo
    court.found()
    court.rotate("dsc-2")
    until(lambda: len((demo.dir / "state/operations/recorded").read_text().splitlines()) >= 6)
    assert demo.stop() == 0
    done = demo.dir / "state/operations/00000001.done"
    good = done.read_bytes()
    outcome = cbor2.loads(good)
    outcome["time"] += 1
    done.write_bytes(cbor2.dumps(outcome))
    assert cbor2.dumps(cbor2.loads(good)) == good  # else the check would be of the form
    demo.start(wait=False)
    until(lambda: "what came of it is not what is on record" in demo.log())
    assert "number=1 " in demo.log()
    done.write_bytes(good)
    demo.wait_ready(60)
    check(demo, demo.issue(record()).json)


@pytest.mark.parametrize("what", ["all", "newest", "newest-noted", "recorded"])
def test_what_was_decided_may_not_vanish(court, what):
    """Who can write to the state directory could else undo what officers decided."""
    demo, operations = court.demo, court.demo.dir / "state/operations"
    court.found()
    court.rotate("dsc-2")  # 2 to 6
    recorded = operations / "recorded"
    until(lambda: len(recorded.read_text().splitlines()) == 6)
    kid = check(demo, demo.issue(record()).json)
    assert demo.stop() == 0
    before = len(demo.log())
    copy = shutil.copytree(operations, demo.dir / "operations.copy")
    missing = 1 if what == "all" else 6
    if what == "all":
        shutil.rmtree(operations)
    else:
        for suffix in ("cose", "done"):
            (operations / f"{missing:08}.{suffix}").unlink()
        lines = recorded.read_text().splitlines(keepends=True)
        if what != "newest-noted":
            recorded.write_text("".join(lines[:5]) if what == "newest" else "")
    demo.start(wait=False)
    event = "operations-damaged" if what == "newest-noted" else "operation-missing"
    until(lambda: f"{event} number={missing} " in demo.log()[before:], 60)
    assert f"{missing:08}.cose" in demo.log()[before:]
    for _ in range(10):  # nor later
        with pytest.raises((OSError, AssertionError)):
            assert demo.issue(record()).status == 200
        time.sleep(0.2)
    shutil.rmtree(operations)
    shutil.copytree(copy, operations)
    demo.wait_ready(60)
    assert check(demo, demo.issue(record()).json) == kid
    assert court.key("dsc-1")["state"] == "retired"


def test_stop_at_once(court):
    demo = court.demo
    court.found()
    private, _ = court.officers["chi"].write(court.dir)
    assert demo.issue(record()).status == 200
    r = run("stop", "dsc-1", "--socket", court.socket, "--key", private, "--name", "binh")
    assert r.returncode == 2 and "the roll has this key as chi's" in r.stderr
    assert demo.issue(record()).status == 200
    out = good("stop", "dsc-1", "--socket", court.socket, "--key", private, "--name", "chi",
               "--reason", "a reader was stolen")
    assert "stopped" in out
    assert "kinds-unsigned key=\"dsc-1\" kinds=vtr" in demo.log()
    r = demo.issue(record())
    assert r.status == 503, r
    # to start again takes two
    one = court.signed(court.operation("start", key="dsc-1"), "anh", "binh")
    refused(court, one, 403, "1 of the 2 approvals")
    court.decide("start", key="dsc-1")
    until(lambda: demo.issue(record()).status == 200)


def test_the_next_key_is_stopped(court):
    """One officer's stop does not have the key before it end with nobody behind it."""
    demo = court.demo
    court.found()
    court.new_key("dsc-2", alg=demo.alg)
    at = int(time.time()) + 3
    court.decide("activate", key="dsc-2", activate=at, override=True)
    court.decide("retire", key="dsc-1", retire=at)
    private, _ = court.officers["chi"].write(court.dir)
    assert "! dsc-1: nothing is to follow it for vtr" in good(
        "stop", "dsc-2", "--socket", court.socket, "--key", private, "--name", "chi")
    assert "nothing is to follow it for vtr" in good("keys", "--socket", court.socket)
    until(lambda: "retirement-waits key=\"dsc-1\" kinds=vtr" in demo.log())
    assert time.time() >= at
    first = check(demo, demo.issue(record()).json)
    assert court.key("dsc-1")["state"] == "active"
    court.decide("start", key="dsc-2")
    court.decide("activate", key="dsc-2", override=True)
    assert court.key("dsc-1")["state"] == "retired"
    assert check(demo, demo.issue(record()).json) != first


def test_compromised(court):
    demo = court.demo
    court.found()
    dcc = record()
    first = demo.issue(dcc).json
    court.rotate("dsc-2", alg=demo.alg)
    again = demo.issue(dcc).json
    assert again["replayed"] is True and again["kid"] == first["kid"]
    court.decide("compromise", key="dsc-1")
    again = demo.issue(dcc)
    assert again.status == 200, again
    assert "replayed" not in again.json and again.json["kid"] != first["kid"]
    check(demo, again.json)
    bare = demo.request("GET", "/v1/keys", headers={"Accept": "application/jwk-set+json"})
    assert len(bare.json["keys"]) == 1


def hsm_processes(demo):
    return {pid for name, pid in demo.roles().items() if name.startswith("hsm/")}


def signed_anew(demo, dcc, before):
    """The same request is not answered with what a key of BEFORE has signed; and once."""
    again = demo.issue(dcc)
    assert again.status == 200 and "replayed" not in again.json, again
    assert check(demo, again.json) not in before
    assert demo.issue(dcc).json["replayed"] is True


def test_a_key_of_the_configuration_may_go(court):
    """Destroyed in the HSM, and later taken out of signerd.yaml: the others sign on."""
    demo = court.demo
    court.found()
    by_first = [record() for _ in range(3)]
    first = {check(demo, demo.issue(dcc).json) for dcc in by_first}
    assert len(first) == 1
    court.rotate("dsc-2", alg=demo.alg)
    court.decide("compromise", key="dsc-1")
    court.decide("destroy", key="dsc-1")
    before = hsm_processes(demo)
    for pid in before:  # each has to find its keys anew
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 30 * SLOW
    while len(hsm_processes(demo) - before) < len(before):
        assert time.monotonic() < end, demo.log()[-3000:]
        time.sleep(0.05)
    demo.wait_ready(30)
    check(demo, demo.issue(record()).json)
    assert demo.stop() == 0
    demo.start()
    check(demo, demo.issue(record()).json)
    assert court.key("dsc-1")["state"] == "destroyed"
    signed_anew(demo, by_first[0], first)
    assert demo.stop() == 0
    config = demo.dir / "signerd.yaml"
    text = config.read_text()
    begin = text.index("keys:")
    config.write_text(text[:begin] + text[text.index("ledger:", begin):])
    demo.start()
    check(demo, demo.issue(record()).json)
    assert court.key("dsc-1")["state"] == "destroyed"
    # no key has the kid any more, and still it is a compromised one's
    signed_anew(demo, by_first[1], first)
    renewed = demo.request("POST", "/v1/renewals", {"dcc": by_first[2]})
    assert renewed.status == 200 and check(demo, renewed.json) not in first, renewed
    court.rotate("dsc-3", alg=demo.alg)
    check(demo, demo.issue(record()).json)


@pytest.mark.parametrize("alg,bits", [("ES256", 0), ("PS256", 2048), ("PS256", 3072),
                                      ("EdDSA", 0)])
def test_each_kind_of_key(court, alg, bits):
    court.found()
    court.rotate("dsc-2", alg=alg, **({"bits": bits} if bits else {}))
    a = court.demo.issue(record()).json
    assert a["alg"] == alg
    check(court.demo, a)


def test_destroy_waits(court):
    """Not before the last certificate that it signed has run out."""
    court.found()
    court.rotate("dsc-2")
    check(court.demo, court.demo.issue(record()).json)
    # nothing would sign any more: that must be said
    refused(court, court.signed(court.operation("retire", key="dsc-2"), *court.officers), 409,
            "nothing else signs its kinds")
    court.decide("retire", key="dsc-2", last=True)
    r = court.bring(court.signed(court.operation("destroy", key="dsc-2"), "anh", "binh", "chi"))
    assert r.status in (403, 409), r
    assert court.key("dsc-2")["state"] == "retired"


# --- the policy -----------------------------------------------------------------

def checked(demo):
    """What --check says of a configuration that is valid, approved or not."""
    r = subprocess.run([BUILD / "signerd", "--config", demo.dir / "signerd.yaml", "--check"],
                       capture_output=True, text=True)
    assert r.returncode == 0 and "configuration is valid" in r.stdout, r
    return r.stdout


def test_policy_needs_approval(court):
    demo = court.demo
    court.found(**{"policy-approval": True})
    # the one in force is the first that they must approve
    path = demo.dir / "policy.yaml"
    court.decide("policy", policy=hashlib.sha256(path.read_bytes()).digest())
    before = court.document()["policy"]
    assert court.document()["approved-policy"] == before
    told = checked(demo)
    assert f"policy: approved by the officers: {before}" in told
    path.write_text(path.read_text() + "# by one root user alone\n")
    told = checked(demo)
    assert f"not approved by the officers: {hashlib.sha256(path.read_bytes()).hexdigest()}" in told
    assert f"policy: approved is {before}\n" in told
    demo.reload()
    assert court.document()["policy"] == before
    assert demo.issue(record()).status == 200
    # nor by a restart: the approved one is in the archive
    demo.stop()
    demo.start()
    assert court.document()["policy"] == before
    assert demo.issue(record()).status == 200
    private = {n: o.write(court.dir)[0] for n, o in court.officers.items()}
    file = court.dir / "policy.op"
    good("propose", "policy", "--socket", court.socket, "--proposer", "anh", "--policy", path,
         "--out", file)
    for n in court.officers:
        good("approve", file, "--key", private[n], "--name", n, "--yes")
    good("apply", file, "--socket", court.socket)
    demo.reload()
    assert court.document()["policy"] == hashlib.sha256(path.read_bytes()).hexdigest()


# --- smart cards ----------------------------------------------------------------

MODULE = next((p for p in pathlib.Path("/usr/lib").glob("**/libsofthsm2.so")), None)
PIN = "271828"


class Card:
    """A SoftHSM2 token with an officer's key."""

    def __init__(self, folder, officer):
        self.dir = folder / f"card-{officer.name}"
        (self.dir / "tokens").mkdir(parents=True)
        conf = self.dir / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.dir}/tokens\n"
                        "objectstore.backend = file\nlog.level = ERROR\n")
        self.env = dict(os.environ, SOFTHSM2_CONF=str(conf))
        self.pin_file = self.dir / "pin"
        self.pin_file.write_text(PIN + "\n")
        self.pin_file.chmod(0o600)
        private, _ = officer.write(self.dir)
        for words in (["--init-token", "--free", "--label", "card", "--so-pin", "31415926"],
                      ["--import", private, "--token", "card", "--label", "officer", "--id", "01"]):
            r = subprocess.run(["softhsm2-util", *map(str, words), "--pin", PIN], env=self.env,
                               capture_output=True, text=True)
            if r.returncode != 0:
                pytest.skip("softhsm2-util: " + r.stdout + r.stderr)
        private.unlink()
        self.uri = "pkcs11:token=card;object=officer"


@pytest.mark.parametrize("alg", list(KEYS))
def test_card(tmp_path, demo, alg):
    """Its signature is one that Python believes."""
    chi = Officer("chi", alg)
    card = Card(tmp_path, chi)
    file = tmp_path / "stop.op"
    good("propose", "stop", "--ledger", demo.dir / "state/ledger", "--proposer", "chi", "--key",
         "dsc-1", "--out", file)

    def approve(key, *words):
        return run("approve", file, "--key", key, "--name", "chi", "--yes", *words, env=card.env)

    assert approve(card.uri, "--pin-file", card.pin_file).returncode == 2  # which module?
    r = approve(card.uri + ";id=%02", "--module", MODULE, "--pin-file", card.pin_file)
    assert r.returncode == 2 and "no such private key" in r.stderr
    r = approve("pkcs11:token=other;object=officer", "--module", MODULE, "--pin-file",
                card.pin_file)
    assert r.returncode == 2 and "no card fits" in r.stderr
    r = approve(card.uri + "?pin-value=" + PIN, "--module", MODULE)
    assert r.returncode == 2 and PIN not in r.stderr
    wrong = tmp_path / "wrong"
    wrong.write_text("000000")
    wrong.chmod(0o600)
    r = approve(card.uri, "--module", MODULE, "--pin-file", wrong)
    assert r.returncode == 2 and "refuses the PIN" in r.stderr
    assert cbor2.loads(file.read_bytes())["op"] == "stop"  # not signed yet
    r = approve(f"{card.uri}?module-path={MODULE}&pin-source=file:{card.pin_file}")
    assert r.returncode == 0, r.stderr
    kids, _ = verified(file.read_bytes(), {chi.kid: chi.public})
    assert kids == [chi.kid]


def test_card_counts(court):
    """An approval by a card is one like any other."""
    court.found()
    card = Card(court.dir, court.officers["chi"])
    file = court.dir / "generate.op"
    good("propose", "generate", "--socket", court.socket, "--proposer", "anh", "--key", "dsc-2",
         "--hsm", "demo", "--out", file, "--sign", court.officers["anh"].write(court.dir)[0])
    private, _ = court.officers["binh"].write(court.dir)
    good("approve", file, "--key", private, "--name", "binh", "--yes")
    good("approve", file, "--key", card.uri, "--module", MODULE, "--pin-file", card.pin_file,
         "--name", "chi", "--yes", env=card.env)
    assert "generated" in good("apply", file, "--socket", court.socket)
    assert court.key("dsc-2")["alg"] == "ES256"
    assert ALGS[court.key("dsc-2")["alg"]] == -7
