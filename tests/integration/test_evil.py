# SPDX-License-Identifier: Apache-2.0
"""A front that was taken over (tests/evil): it says to the core and the
supervisor whatever it likes, beside fronts that are sound.  The core stays,
another front's clients are served all the while, and the ledger has nothing
that the named client may not have."""
import collections
import contextlib
import hashlib
import base64
import http.client
import os
import re
import signal
import ssl
import threading
import time

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import ledger
from conftest import SLOW, Demo, record
from test_sandbox import sanitized
from test_signed import Signer

FRONTS = 6
MUTATIONS = int(os.environ.get("EVIL_SEEDS", "6"))  # runs, each with a seed of its own
# enum wire_type of signer/ipc/wire.h
TYPES = ("none", "issue", "ask", "operate", "handshake", "credit", "issued", "problem", "later", "answer", "status", "sign",
         "anchor", "find-key", "hsm-ready", "signed", "sign-failed", "anchored", "found-key", "forge", "forged",
         "cosign", "cosigned", "link", "page", "reload", "drain", "up", "reloaded", "peer-bad", "unknown")
FRONT_MAY = {"issue", "ask", "operate"}
ISSUED = TYPES.index("issued")
SUPERVISOR, FRONT, CORE, HSM, WITNESS, SMITH = range(6)  # enum wire_role
YEAR_S = 366 * 86400


def identity(demo, client):
    """As a front tells it to the core (signer/base/identity.h)."""
    c = x509.load_pem_x509_certificate((demo.dir / f"clients/{client}.pem").read_bytes())
    spki = c.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    names = c.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    out = [(0, n.value.encode()) for n in names if isinstance(n, x509.UniformResourceIdentifier)]
    return hashlib.sha256(spki).digest() + bytes([len(out)]) + b"".join(
        bytes([kind]) + len(text).to_bytes(2, "little") + text for kind, text in out)


def request_of(dcc):
    return cbor2.dumps({"dcc": dcc}, canonical=True)


class Evil(Demo):
    """The client "attested" signs its requests."""

    def __init__(self):
        super().__init__(os.environ.get("DEMO_ALG", "ES256"))
        self.program = "signerd_evil"
        self.signed = 0  # certificates that "attested" has signed for
        self.core_may_go = False
        self.killed = 0  # processes, before this start
        path = self.dir / "signerd.yaml"
        text = path.read_text()
        path.write_text(text.replace("fronts: 1", f"fronts: {FRONTS}"))
        self.signer = Signer(re.search(r"^ +origin: (\S+)", text, re.M)[1])
        keys = f'    request_keys: ["{base64.b64encode(self.signer.spki).decode()}"]\n    require: [signature]\n'
        path = self.dir / "policy.yaml"
        before, _, after = path.read_text().partition("  - name: attested\n")
        after = re.sub(r"    gateways: .*\n    require: .*\n", keys, after, count=1)
        path.write_text(before + "  - name: attested\n" + after)

    def front_of(self, connection):
        """The slot of the front that serves CONNECTION."""
        self.order(connection, attack="whoami")
        return int(re.findall(r" front/(\d+) evil-attack attack=whoami ", self.log())[-1])

    def connection_to(self, wanted):
        """(connection, slot) of a front whose slot is WANTED(slot)."""
        end = time.monotonic() + 30 * SLOW
        while time.monotonic() < end:
            c = self.connect("issuer")
            try:
                slot = self.front_of(c)
                if wanted(slot):
                    return c, slot
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            c.close()
        raise AssertionError("no such front: " + self.log()[-3000:])

    def order(self, connection, **what):
        """Have the front behind CONNECTION do it; None: it did not survive."""
        text = ";".join(f"{k}={v.hex() if isinstance(v, bytes) else v}" for k, v in what.items())
        connection.request("POST", "/v1/certificates", cbor2.dumps({"dcc": {"evil": f"EVIL!{text};!"}}),
                           {"Content-Type": "application/cbor"})
        try:
            r = connection.getresponse()
            r.read()
            return r.status
        except (OSError, http.client.HTTPException, ssl.SSLError):
            return None

    def core(self):
        return self.roles()["core/0"]

    def wait(self, condition, seconds=30):
        end = time.monotonic() + seconds * SLOW
        while not condition():
            assert time.monotonic() < end, self.log()[-4000:]
            time.sleep(0.02)


class Customer:
    """A client of a sound front, who asks all the while."""

    def __init__(self, demo, connection):
        self.demo, self.connection, self.good, self.over, self.fault = demo, connection, 0, False, None
        self.thread = threading.Thread(target=self.work)

    def work(self):
        try:
            while not self.over or self.good == 0:
                dcc = record()
                self.demo.check(self.demo.issue(dcc, connection=self.connection), dcc)
                self.good += 1
                time.sleep(0.01)
        except Exception as e:  # told in the test's own thread
            self.fault = e

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.connection.close()
        assert self.fault is None, self.fault
        assert self.good > 0


Outcome = collections.namedtuple("Outcome", "slot pid log answers")


def attack(demo, name, **what):
    """What came of attack NAME by one of the fronts, while another one's client
    asks on.  The core is the same afterwards."""
    core = demo.core()
    connection, slot = demo.connection_to(lambda s: True)
    sound, _ = demo.connection_to(lambda s: s != slot)
    pid, seen = demo.roles()[f"front/{slot}"], len(demo.log())
    what.setdefault("who", identity(demo, "issuer"))
    what.setdefault("request", request_of(record()))
    with contextlib.closing(connection), Customer(demo, sound):
        demo.order(connection, attack=name, **what)
        demo.wait(lambda: f" evil-done attack={name} " in demo.log()[seen:] or
                  f" process-killed process=front/{slot} " in demo.log()[seen:])
    log = demo.log()[seen:]
    assert f" front/{slot} evil-attack attack={name} " in log
    assert demo.core() == core, log
    answers = [dict(f.split("=", 1) for f in line.split(" ")) for line in re.findall(r" evil-answer (.*)", log)]
    return Outcome(slot, pid, log, answers)


def is_replaced(demo, o, reason):
    """The front was killed for that, and another one serves in its place."""
    killed = re.compile(rf' process-killed process=front/{o.slot} pid={o.pid} reason="{reason}')
    demo.wait(lambda: killed.search(demo.log()))
    demo.wait(lambda: demo.roles().get(f"front/{o.slot}", o.pid) != o.pid and
              f"process-up process=front/{o.slot} " in killed.split(demo.log())[-1])


def lives(demo, o):
    assert demo.roles()[f"front/{o.slot}"] == o.pid, o.log


def faults(demo):
    return {re.search('fault="([^"]*)"', labels)[1]: value for name, labels, value in demo.metrics()
            if name == "signer_front_faults_total"}


@contextlib.contextmanager
def counted(demo, name, n, label=""):
    before = demo.metric_sum(name, label)
    yield
    after = demo.metric_sum(name, label)
    assert after - before == n if isinstance(n, int) else n(after - before), (name, label, before, after)


def descriptors(pid):
    """How many PID has open; 0 where only root may look, since it can be dumped by nobody else."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        assert os.getuid() != 0
        return 0



@contextlib.contextmanager
def nothing_kept(demo):
    """No descriptor, and no memory to speak of, is left of it."""
    pids = [demo.core(), demo.process.pid]

    def look():
        return [(descriptors(pid),
                 int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1])) for pid in pids]
    demo.wait(lambda: len(demo.roles()) >= FRONTS + 1)
    before = look()
    yield
    demo.wait(lambda: all(now[0] <= then[0] for now, then in zip(look(), before)))
    if not sanitized():
        assert all(now[1] - then[1] < 64 * 1024 for now, then in zip(look(), before)), (before, look())


def signed(demo, dcc, operation="issue", signer=None):
    """REQUEST and SIGNATURE as a front tells them to the core."""
    tag = cbor2.loads((signer or demo.signer).sign({"dcc": dcc}, operation))
    header, _, payload, signature = tag.value
    return dict(request=payload, signature=cbor2.dumps(cbor2.CBORTag(18, [header, {}, None, signature])))


def check_ledger(demo):
    """Not one entry that the policy does not allow to whom it names."""
    policies = {p.stem for p in (demo.dir / "state/policies").glob("*.yaml")}
    certificates = [e for e in ledger.Log(demo.dir / "state/ledger").check() if e[1] in (1, 2)]
    for e in certificates:
        assert e[3] in ("issuer", "attested") and e[6] in ("v", "t", "r") and e[1] == 1, e
        assert 0 < e[12] - e[11] <= YEAR_S and e[13].hex() in policies, e
    # what needs its client's signature is what its client signed
    assert len([e for e in certificates if e[3] == "attested"]) == demo.signed


def finish(demo):
    assert demo.stop() == 0
    log = demo.log()
    assert "Sanitizer" not in log, log[-4000:]
    check_ledger(demo)


@pytest.fixture(scope="module")
def directory():
    demo = Evil()
    yield demo
    try:
        finish(demo)
    finally:
        demo.remove()


@pytest.fixture
def world(directory):
    """Started anew when so many fronts have died that the next ones wait."""
    demo = directory
    killed = demo.log().count(" process-killed ") if demo.process else 0
    if killed - demo.killed > 2 * FRONTS or demo.core_may_go:
        finish(demo)
    if demo.process is None:
        demo.start()
        demo.wait_all_up()
        demo.killed, demo.core_may_go = killed, False
    demo.wait(lambda: len([r for r in demo.roles() if r.startswith("front/")]) == FRONTS)
    process, core = demo.process.pid, demo.core()
    yield demo
    assert demo.process.pid == process and demo.process.poll() is None
    assert demo.core() == core or demo.core_may_go


# -- in somebody's name ---------------------------------------------------------------

@pytest.mark.parametrize("what, status, code, metric", [
    ("nobody", 403, "", "signer_requests_forbidden_total"),
    ("stranger", 403, "", "signer_requests_forbidden_total"),
    ("auditor", 403, "", "signer_requests_forbidden_total"),
    ("officer-1", 403, "", "signer_requests_forbidden_total"),
    ("country", 422, "country-not-allowed", "signer_certificates_refused_total"),
    ("issuer-name", 422, "issuer-not-allowed", "signer_certificates_refused_total"),
    ("uvci", 422, "uvci-country", "signer_certificates_refused_total"),
    ("not-cbor", 400, "", "signer_ipc_bad_messages_total"),
    ("renewal-of-nothing", 422, "not-renewable", "signer_certificates_refused_total"),
])
def test_outside_of_the_policy(world, what, status, code, metric):
    order = dict(who=identity(world, "issuer"))
    if what == "nobody":
        order["who"] = os.urandom(32) + b"\0"
    elif what in ("stranger", "auditor", "officer-1"):
        order["who"] = identity(world, what)
    elif what == "country":
        order["request"] = request_of(record(entry=dict(co="DE")))
    elif what == "issuer-name":
        order["request"] = request_of(record(entry={"is": "Somebody"}))
    elif what == "uvci":
        order["request"] = request_of(record(entry=dict(ci="URN:UVCI:01:DE:FORGED0001")))
    elif what == "not-cbor":
        order["request"] = b"\xbf\x63dcc\xa0\xff"
    elif what == "renewal-of-nothing":
        order["renew"] = 1
    with counted(world, metric, 1):
        o = attack(world, "forge", **order)
    (answer,) = o.answers
    assert answer["status"] == str(status) and answer["index"] == "-1", answer
    assert answer["code"] == code or code == "uvci-country" and answer["code"].startswith("uvci"), answer
    lives(world, o)


def test_nobody_whose_bytes_make_no_sense(world):
    with counted(world, "signer_front_faults_total", 1, 'fault="message"'):
        is_replaced(world, attack(world, "forge", who=b"nobody"), "its messages make no sense")


def test_within_the_policy(world):
    """What is not stopped: it is on record, once, as its client's."""
    with counted(world, "signer_certificates_issued_total", lambda n: n > 0):
        o = attack(world, "forge")
    (answer,) = o.answers
    assert answer["type"] == str(ISSUED) and int(answer["index"]) > 0
    with counted(world, "signer_certificates_replayed_total", 49):
        o = attack(world, "replay")
    assert len({a["index"] for a in o.answers}) == 1 and len(o.answers) == 50
    # one id for all of them
    o = attack(world, "same-id")
    assert len(o.answers) == 6 and len({a["index"] for a in o.answers if a["index"] != "-1"}) == 1
    lives(world, o)


def test_a_client_that_signs(world):
    """In its name nothing is signed but what it has signed itself."""
    who = identity(world, "attested")
    dcc, another = record(), record()
    good = signed(world, dcc)
    forged = [
        dict(request=request_of(another)),
        dict(request=request_of(another), dry_run=1),
        dict(request=request_of(another), renew=1),
        dict(request=request_of(another), signature=good["signature"]),
        dict(request=good["request"], signature=good["signature"], dry_run=1),
        dict(request=good["request"], signature=good["signature"], renew=1),
        signed(world, another, signer=Signer(world.signer.audience)),
        signed(world, another, signer=Signer("another/ledger", world.signer.key)),
        signed(world, another, "validate"),
        dict(request=request_of(another), signature=b"\xd2\x84\x40\xa0\xf6\x40"),
    ]
    for order in forged:
        with counted(world, "signer_requests_unsigned_total", 1):
            o = attack(world, "forge", who=who, **order)
        (answer,) = o.answers
        assert answer["status"] == "422" and answer["code"].startswith("signature-"), (order, answer)
    # and in nobody else's: what it has signed is not another one's
    o = attack(world, "forge", **good)
    assert o.answers[0]["code"].startswith("signature-"), o.answers
    # a front that keeps what it has seen gets no more than its client did
    with counted(world, "signer_certificates_replayed_total", 49):
        o = attack(world, "replay", who=who, **good)
    world.signed += 1
    assert len({a["index"] for a in o.answers}) == 1 and len(o.answers) == 50, o.answers


def test_what_may_be_asked(world):
    with counted(world, "signer_operations_refused_total", 0), counted(world, "signer_requests_forbidden_total", 52):
        o = attack(world, "ask")
        assert [a["status"] for a in o.answers if a["id"] in ("4", "5")] == ["403", "403"], o.answers
        o = attack(world, "operate", request=os.urandom(200))
        assert {a["status"] for a in o.answers} == {"403"} and len(o.answers) == 50
    # in an officer's name: only signatures count
    with counted(world, "signer_operations_refused_total", 50):
        o = attack(world, "operate", who=identity(world, "officer-1"), request=os.urandom(200))
    assert not {a["status"] for a in o.answers} & {"200"} and len(o.answers) == 50
    lives(world, o)
    with counted(world, "signer_requests_forbidden_total", 6):
        o = attack(world, "ask", who=os.urandom(32) + b"\0")
    assert {a["status"] for a in o.answers} == {"403"} and len(o.answers) == 6, o.answers


# -- what makes no sense ----------------------------------------------------------------

@pytest.mark.parametrize("part", range(3))
def test_messages_of_other_roles(world, part):
    with nothing_kept(world):
        for number, name in list(enumerate(TYPES))[part::3]:
            if name not in FRONT_MAY:
                with counted(world, "signer_front_faults_total", 1, 'fault="message"'):
                    is_replaced(world, attack(world, "type", seed=number), "its messages make no sense")


@pytest.mark.parametrize("part", range(3))
def test_messages_to_the_supervisor(world, part):
    with nothing_kept(world), counted(world, "signer_front_faults_total", 0):
        for number, name in list(enumerate(TYPES))[part::3]:
            with counted(world, "signer_ipc_bad_messages_total", 1, 'role="supervisor"'):
                is_replaced(world, attack(world, "control", seed=number),
                            "it accuses a process" if name == "peer-bad" else "its messages make no sense")


def test_accusations(world):
    """One front's word ends the front, and never the core or an hsm."""
    roles = {r: p for r, p in world.roles().items() if not r.startswith("front/")}
    for role, slot, reason in ((CORE, 0, "it accuses the core"), (CORE, 7, "it accuses a process"),
                               (HSM, 0, "it accuses a process"), (FRONT, 0, "it accuses a process"),
                               (FRONT, 1, "it accuses a process"), (SMITH, 0, "it accuses a process"),
                               (WITNESS, 0, "it accuses a process"), (SUPERVISOR, 0, "it accuses a process")):
        with counted(world, "signer_ipc_bad_messages_total", 1, 'role="supervisor"'):
            is_replaced(world, attack(world, "accuse", seed=100 * role + slot), reason)
    assert roles == {r: p for r, p in world.roles().items() if not r.startswith("front/")}


@pytest.mark.parametrize("ways", [range(1, 7), range(7, 13), (13, 1 << 16)])
def test_lengths_that_lie(world, ways):
    for way in ways:
        with counted(world, "signer_front_faults_total", 1, 'fault="message"'):
            is_replaced(world, attack(world, "lengths", seed=way), "its messages make no sense")


@pytest.mark.parametrize("seed", range(1, MUTATIONS + 1))
def test_mutations(world, seed):
    """A good request with a few bits changed, until one makes no sense.  The
    seed is the parameter; `EVIL_SEEDS=1000` goes on."""
    o = attack(world, "mutate", seed=seed * 0x9E3779B97F4A7C15 % (1 << 64))
    if "ended=1" in o.log or "evil-done" not in o.log:
        is_replaced(world, o, "its messages make no sense")


def test_before_a_word_was_said(world):
    """The core has begun anew, and the front does not wait for its credit."""
    world.core_may_go = True
    connection, slot = world.connection_to(lambda s: True)
    pid = world.roles()[f"front/{slot}"]
    world.order(connection, attack="early")
    connection.close()
    core, seen = world.core(), len(world.log())
    os.kill(core, signal.SIGKILL)
    world.wait(lambda: f" front/{slot} evil-attack attack=before-hello " in world.log()[seen:])
    is_replaced(world, Outcome(slot, pid, "", []), "its messages make no sense")
    world.wait_ready()
    assert world.log()[seen:].count("process-started process=core/0") == 1
    world.check(world.issue(record()))


# -- too much -----------------------------------------------------------------------------

@pytest.mark.parametrize("question", range(6))
def test_flood_of_questions(world, question):
    with nothing_kept(world), counted(world, "signer_front_faults_total", 1, 'fault="credit"'):
        is_replaced(world, attack(world, "flood", seed=question), "its messages make no sense")


def test_flood_of_requests(world):
    with nothing_kept(world), counted(world, "signer_front_faults_total", lambda n: n > 0, 'fault="credit"'):
        is_replaced(world, attack(world, "flood-issue"), "its messages make no sense")


def test_answers_that_nobody_reads(world):
    """It costs the core eight megabytes, and nobody else anything."""
    with counted(world, "signer_front_faults_total", lambda n: n > 0, 'fault="unread"'):
        o = attack(world, "unread")
    lives(world, o)
    seconds = {line[:19] for line in o.log.splitlines() if " answer-dropped " in line}
    assert o.log.count(" answer-dropped ") <= 10 * len(seconds)


# -- the channel itself ---------------------------------------------------------------------

@pytest.mark.parametrize("n", [1, 4, 5, 253])
def test_descriptors(world, n):
    # more than there is room for: the packet is no packet
    fault = "descriptor" if n <= 4 else "message"
    with nothing_kept(world):
        with counted(world, "signer_front_faults_total", 1, f'fault="{fault}"'):
            is_replaced(world, attack(world, "descriptors", seed=n), "its messages make no sense")
        with counted(world, "signer_ipc_bad_messages_total", 1, 'role="supervisor"'):
            is_replaced(world, attack(world, "control-descriptors", seed=n), "its messages make no sense")


def test_an_empty_packet(world):
    with counted(world, "signer_front_faults_total", 1, 'fault="message"'):
        is_replaced(world, attack(world, "empty-packet"), "its messages make no sense")


def test_a_link_that_ends(world):
    """The front is there, serves nobody, and says nothing wrong."""
    with counted(world, "signer_ipc_bad_messages_total", 1, 'role="supervisor"'):
        is_replaced(world, attack(world, "leave"), "it has left the core")


@pytest.mark.skipif(sanitized(), reason="a sanitizer's build has a list of system calls of its own")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_descriptor_that_is_slow_to_close(world, seed):
    """Of a client who does not read, made to linger: whoever has it last would
    wait, be it the core or the supervisor."""
    core = world.core()
    end = time.monotonic() + 30 * SLOW
    seen = len(world.log())
    with contextlib.closing(world.tls()) as client:
        text = f"EVIL!attack=linger;seed={seed};who={identity(world, 'issuer').hex()};!"
        body = cbor2.dumps({"dcc": {"evil": text}})
        client.sendall(b"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
        world.wait(lambda: " evil-linger found=1 set=0" in world.log()[seen:])
        world.wait(lambda: " process-killed process=front/" in world.log()[seen:])
        time.sleep(1)
        while True:  # the answer may have to wait for the front's successor
            try:
                world.check(world.issue(record()))
                break
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < end
    assert world.core() == core


def test_listeners_that_wait(world):
    """The fronts share their listeners' flags: without O_NONBLOCK each of them
    would wait in accept() for a connection more than there is."""
    over = threading.Event()

    def operators():
        while not over.is_set():
            try:
                world.ops("/livez")
            except (OSError, http.client.HTTPException):
                pass  # it came to the front that does nothing else
            time.sleep(0.1)
    thread = threading.Thread(target=operators)
    thread.start()
    try:
        o = attack(world, "block")
    finally:
        over.set()
        thread.join()
    assert " process-killed " not in o.log, o.log
    world.check(world.issue(record()))
