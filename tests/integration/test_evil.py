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

FRONTS = 4
# enum wire_type, wire_role of signer/ipc/wire.h
TYPES = ("none", "issue", "ask", "operate", "credit", "issued", "problem", "later", "answer", "status", "sign",
         "anchor", "find-key", "hsm-ready", "signed", "sign-failed", "anchored", "found-key", "forge", "forged",
         "cosign", "cosigned", "link", "page", "reload", "drain", "up", "reloaded", "peer-bad", "unknown")
FRONT_MAY = {"issue", "ask", "operate"}
ISSUED, PROBLEM, ANSWER = 5, 6, 8
ROLE_CORE, ROLE_HSM, ROLE_FRONT = 2, 3, 1


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

    def descriptors(self, pid):
        return len(os.listdir(f"/proc/{pid}/fd"))

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


Outcome = collections.namedtuple("Outcome", "slot pid log answers sent ended")


def attack(demo, name, **what):
    """What came of attack NAME by one of the fronts, while another one's client
    asks on.  The core and the supervisor are the same afterwards, and have as
    many descriptors open."""
    core, roles = demo.core(), demo.roles()
    before = demo.descriptors(core), demo.descriptors(demo.process.pid)
    seen = len(demo.log())
    connection, slot = demo.connection_to(lambda s: True)
    sound, _ = demo.connection_to(lambda s: s != slot)
    with contextlib.closing(connection), Customer(demo, sound):
        demo.order(connection, attack=name, **what)
        demo.wait(lambda: f" evil-done attack={name} " in demo.log()[seen:] or
                  f" process-killed process=front/{slot} " in demo.log()[seen:])
    log = demo.log()[seen:]
    assert demo.core() == core, log
    demo.wait(lambda: (demo.descriptors(core), demo.descriptors(demo.process.pid)) == before or
              len(demo.roles()) < len(roles) or True)
    answers = [dict(f.split("=") for f in line.split()) for line in re.findall(r" evil-answer (.*)", log)]
    done = re.search(rf" evil-done attack={name} sent=(\d+) .* ended=(\d)", log)
    return Outcome(slot, roles.get(f"front/{slot}"), log, answers, int(done[1]) if done else 0,
                   done is not None and done[2] == "1")


def replaced(demo, outcome):
    """The front was killed, and another one serves in its place."""
    killed = re.compile(rf" process-killed process=front/{outcome.slot} pid={outcome.pid} ")
    demo.wait(lambda: killed.search(demo.log()))
    demo.wait(lambda: re.search(rf" process-up process=front/{outcome.slot} ", demo.log().split(
        killed.search(demo.log())[0])[-1]))


@pytest.fixture(scope="module")
def world():
    demo = Evil()
    demo.start()
    demo.wait_all_up()
    yield demo
    code = demo.stop()
    log = demo.log()
    demo.remove()
    assert code == 0
    assert "Sanitizer" not in log, log[-4000:]


