# SPDX-License-Identifier: Apache-2.0
"""The server's TLS key in an HSM of its own, "door": the front has the certificate alone."""
import concurrent.futures
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import pki
from conftest import BUILD, SLOW, Demo, making, record
from hsms import add_hsm, control, new_key, replace
from test_quota import set_fronts
from test_tls import settle

REFUSED = (ssl.SSLError, ConnectionError)
OTHER_KEY = 'tls-key-other reason="the server\'s certificate is of another key than the one in the HSM"'
NO_HSM = "no HSM signs with the server's key"


class Door(Demo):
    def __init__(self, alg="ES256", shim="control={dir}/control"):
        super().__init__(os.environ.get("DEMO_ALG", "ES256"))
        self.door = alg
        self.certify(self.new_key("door"))
        add_hsm(self, "door", "door", shim)
        replace(self.dir / "signerd.yaml", "^  key: tls/server.key$", f"""\
  hsm_key:
    hsm: door
    uri: pkcs11:token=door;object=server
    alg: {alg}""")
        (self.dir / "tls/server.key").unlink()

    def new_key(self, token):
        """The public key of one called "server" on a new TOKEN."""
        return serialization.load_pem_public_key(new_key(self.dir, "door", token, "server", self.door))

    def certify(self, public, days=9):
        """tls/server.pem is one of the demo's CA for PUBLIC."""
        ca, key = pki.load_ca(self)
        certificate = (x509.CertificateBuilder().subject_name(pki.name("localhost")).issuer_name(ca.subject)
                       .public_key(public).serial_number(x509.random_serial_number())
                       .not_valid_before(pki.now() - pki.HOUR).not_valid_after(pki.now() + days * 24 * pki.HOUR)
                       .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
                       .sign(key, hashes.SHA256()))
        self.public = public
        (self.dir / "tls/server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return certificate

    def until(self, what, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while not what():
            assert time.monotonic() < end, self.log()[-3000:]
            time.sleep(0.05)

    def is_ready(self):
        try:
            return self.ops("/readyz").status == 200
        except OSError:  # no front is up
            return False


@pytest.fixture
def make():
    yield from making(Door)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_serves(make, alg):
    door = make(alg).start()
    for _ in range(3):
        door.check(door.issue(record()))
    with door.tls(alpn=["h2"]) as s:  # the same over HTTP/2's door
        assert s.selected_alpn_protocol() == "h2" and s.version() == "TLSv1.3"
    assert door.metric_sum("signer_tls_key_signatures_total") == 4
    assert door.metric_sum("signer_tls_key_failures_total") == 0
    with pytest.raises(REFUSED):  # who it is, is asked after that
        door.issue(record(), client=None)
    assert 'reason="peer did not return a certificate"' in door.log()
    # It is no key of certificates.
    assert [k["label"] for k in door.request("GET", "/v1/keys").json["keys"]] == ["dsc-1"]
    door.reload()
    door.check(door.issue(record()))
    assert door.stop() == 0


def test_many_at_once(make):
    """Each of many clients waits for its own signature, and no one for a stranger's."""
    door = make(shim="latency=30ms,control={dir}/control").start()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for answer, dcc in pool.map(lambda dcc: (door.issue(dcc), dcc), [record() for _ in range(200)]):
            door.check(answer, dcc)
    assert door.metric_sum("signer_tls_key_signatures_total") == 200
    held = door.connect()
    held.connect()
    # A hundred strangers say hello, and go away or stay silent.
    strangers = []
    for i in range(100):
        raw = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        raw.check_hostname, raw.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = raw.wrap_bio(incoming, outgoing)
        with pytest.raises(ssl.SSLWantReadError):
            hello.do_handshake()
        s = socket.create_connection(("127.0.0.1", door.port), 10)
        s.sendall(outgoing.read())
        if i % 2:
            s.close()
        else:
            strangers.append(s)
    door.check(door.issue(record(), connection=held))
    for s in strangers:
        s.close()
    door.until(lambda: door.metric_sum("signer_connections", 'role="front"') == 1)
    door.check(door.issue(record()))
    assert door.stop() == 0


def test_outage(make):
    """While no HSM has the key nobody comes in; who is in is served."""
    door = make().start()
    door.wait_all_up()
    held = door.connect()
    door.check(door.issue(record(), connection=held))
    control(door, "lose=C_SignInit:1:3600s\n")
    door.until(lambda: not door.is_ready())
    assert b"key tls: no HSM signs with it" in door.ops("/readyz").body
    begin = time.monotonic()
    with pytest.raises(REFUSED):
        door.issue(record())
    assert time.monotonic() - begin < 8 * SLOW
    assert f'reason="{NO_HSM}"' in door.log()
    assert door.metric_sum("signer_tls_key_failures_total") >= 1
    door.check(door.issue(record(), connection=held))
    control(door, "")
    door.until(door.is_ready, 40)
    door.check(door.issue(record()))
    assert door.stop() == 0


def test_faults(make):
    """A call that fails, one that hangs, a process that dies: the handshake takes longer."""
    door = make().start()
    door.wait_all_up()
    for fault in ("fail=C_Sign:1:CKR_DEVICE_ERROR", "crash=C_Sign:1", "hang=C_Sign:1", "forge=C_Sign:1"):
        control(door, fault + "\n")
        door.check(door.issue(record()))
        control(door, "")
        door.until(door.is_ready, 40)
    core = door.roles()["core/0"]
    os.kill(core, signal.SIGKILL)
    door.until(lambda: door.roles().get("core/0", core) != core)
    door.until(door.is_ready, 40)
    door.check(door.issue(record()))
    assert door.stop() == 0


def test_another_key(make):
    """A certificate of another key than the one in the HSM never comes into force: not at a start, not by SIGHUP, and
    not as the files change; a renewed one is taken."""
    door = make()
    ours = door.public
    other = door.new_key("elsewhere")
    door.certify(other)
    door.start(wait=False)
    door.until(lambda: OTHER_KEY in door.log())
    with pytest.raises(OSError):
        door.issue(record())
    # The right file is all that it takes, and others are held against that one from then on.
    door.certify(ours)
    door.until(door.is_ready, 40)
    door.wait_all_up()
    mark = len(door.log())
    door.reload()
    door.check(door.issue(record()))
    assert " reload-refused " not in door.log()[mark:]
    assert " tls-files-refused " not in door.log()
    mark = len(door.log())
    door.certify(other)
    door.until(lambda: " tls-files-refused " in door.log()[mark:])
    assert "that takes a restart" in door.log()[mark:]
    door.check(door.issue(record()))
    door.reload()
    assert " reload-refused " in door.log()[mark:]
    assert re.search(" reload-done generation=[0-9]+ taken=0", door.log()[mark:])
    door.check(door.issue(record()))
    new = door.certify(ours, days=11)
    door.until(lambda: " tls-files-taken " in door.log()[mark:])
    door.check(door.issue(record()))
    with door.tls() as s:
        assert s.getpeercert(True) == new.public_bytes(serialization.Encoding.DER)
    assert door.stop() == 0


def test_processes_die_beside_a_refused_file(make):
    """The certificate of another key lies there, refused.  A core that starts anew signs for the fronts that have the
    right one; a front that does takes no connection away from them; and with the right file all is well by itself."""
    door = make()
    set_fronts(door, 2)
    ours = door.public
    door.start()
    door.wait_all_up()
    door.certify(door.new_key("elsewhere"))
    door.until(lambda: " tls-files-refused " in door.log())
    core, front = door.roles()["core/0"], door.roles()["front/1"]
    os.kill(core, signal.SIGKILL)
    door.until(lambda: door.roles().get("core/0", core) != core and door.is_ready())
    for _ in range(8):
        door.check(door.issue(record()))
    os.kill(front, signal.SIGKILL)
    door.until(lambda: re.search(r"front/1 tls-key-other .*of another key than the one in the HSM", door.log()))
    door.until(lambda: " door-shut front=1 " in door.log())
    for _ in range(40):
        door.check(door.issue(record()))
    assert door.metric_sum("signer_tls_key_failures_total") == 0
    door.certify(ours)
    door.until(lambda: " door-open front=1" in door.log(), 40)
    for _ in range(16):
        door.check(door.issue(record()))
    assert door.stop() == 0


def test_more_come_than_are_signed_for(make):
    """Who cannot be served in time is told so early: the HSM works for nobody who is gone."""
    door = make(shim="rate=20,control={dir}/control")
    settle(door, "limits", handshake="2s", in_flight=16)
    door.start(wait=False)
    door.until(door.is_ready, 60)
    end = time.monotonic() + 10

    def come(_):
        served = 0
        while time.monotonic() < end:
            try:
                served += door.request("GET", "/v1/policy").status == 200
            except REFUSED:
                pass
        return served

    with concurrent.futures.ThreadPoolExecutor(80) as pool:
        served = sum(pool.map(come, range(80)))
    signed = door.metric_sum("signer_tls_key_signatures_total")
    assert 50 < signed <= served * 10 / 9, (signed, served, door.log()[-2000:])
    assert door.metric_sum("signer_tls_key_failures_total") > 0
    assert 'reason="handshake timed out"' not in door.log()
    assert " handshakes-limited " not in door.log()  # it is no fault of theirs
    door.until(door.is_ready)
    door.check(door.issue(record()))
    assert door.stop() == 0


def test_wave(make):
    """More clients at once than the core has signed for at a time: they wait, and none is turned away."""
    door = make(shim="latency=20ms,control={dir}/control")
    settle(door, "limits", in_flight=16)
    door.start()
    door.wait_all_up()
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        for status in pool.map(lambda _: door.request("GET", "/v1/policy").status, range(240)):
            assert status == 200
    assert door.metric_sum("signer_tls_handshakes_failed_total") == 0
    assert door.stop() == 0


def test_core_dies_meanwhile(make):
    """Handshakes that wait for their signature get it from the next core."""
    door = make(shim="latency=500ms,control={dir}/control").start()
    door.wait_all_up()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(door.request, "GET", "/v1/policy") for _ in range(8)]
        time.sleep(0.2)
        os.kill(door.roles()["core/0"], signal.SIGKILL)
        assert [a.result().status for a in answers] == [200] * 8
    assert door.metric_sum("signer_tls_handshakes_failed_total") == 0
    assert door.stop() == 0


def test_reload_meanwhile(make):
    """A reload, and the end of patience, while handshakes wait."""
    door = make(shim="latency=1s,control={dir}/control")
    settle(door, "limits", handshake="4s")
    door.start(wait=False)
    door.until(door.is_ready, 60)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(door.issue, record()) for _ in range(4)]
        time.sleep(0.5)
        door.reload()
        for a in answers:
            door.check(a.result())
    control(door, "hang=C_Sign:1-\n")
    begin = time.monotonic()
    with pytest.raises(REFUSED):
        door.issue(record())
    assert time.monotonic() - begin < 12 * SLOW
    control(door, "")
    door.until(door.is_ready, 60)
    door.check(door.issue(record()))
    assert door.stop() == 0


def test_drain(make):
    """A handshake that waits when the server ends is let go."""
    door = make(shim="latency=2s,control={dir}/control")
    door.start(wait=False)
    door.until(door.is_ready, 60)
    ended = []

    def come():
        try:
            door.issue(record())
            ended.append("served")
        except (OSError, ssl.SSLError) as e:
            ended.append(e)
    client = threading.Thread(target=come)
    client.start()
    time.sleep(0.5)
    assert door.stop() == 0
    client.join()
    assert len(ended) == 1


def test_configuration(make):
    door = make()
    config = door.dir / "signerd.yaml"
    good = config.read_text()

    def faults(old, new):
        assert old in good
        config.write_text(good.replace(old, new, 1))
        r = subprocess.run([BUILD / "signerd", "--config", config, "--check"], capture_output=True, text=True, timeout=60)
        return r.returncode, r.stdout + r.stderr

    assert faults("tls:\n", "tls:\n")[0] == 0
    place = "  hsm_key:\n    hsm: door\n    uri: pkcs11:token=door;object=server\n    alg: ES256\n"
    for old, new, what in (
            (place, "", "tls.key: is missing, and so is hsm_key"),
            (place, place + "  key: tls/client-ca.pem\n", "tls.hsm_key: stands beside key: one of them"),
            ("tls:\n", 'tls:\n  min_version: "1.2"\n', 'tls.hsm_key: needs min_version "1.3"'),
            ("hsm: door", "hsm: nowhere", 'tls.hsm_key.hsm: there is no HSM "nowhere"'),
            ("alg: ES256\n  client_ca", "alg: PS256\n  client_ca",
             "tls/server.pem: its key is not for the algorithm of tls.hsm_key"),
            ("alg: ES256\n  client_ca", "alg: ES256\n    label: dsc-1\n  client_ca",
             "tls.hsm_key.label: another key has this label"),
            ("    alg: ES256\n  client_ca", "  client_ca", "tls.hsm_key.alg: is missing")):
        code, text = faults(old, new)
        assert code == 2 and what in text, text
    code, text = faults(place, "  hsm_key:\n    hsm: demo\n    uri: pkcs11:token=demo;object=dsc-1\n    alg: ES256\n")
    assert code == 2 and 'tls.hsm_key.uri: is the place of the key "dsc-1"' in text
    code, text = faults("hsm: door", "hsm: demo")
    assert code == 0 and "tls.hsm_key.hsm: has keys of certificates as well" in text
    # From one place to the other takes a restart.
    config.write_text(good)
    door.start()
    (door.dir / "other.key").write_bytes((door.dir / "clients/issuer.key").read_bytes())
    config.write_text(good.replace(place, "  key: other.key\n", 1))
    door.process.send_signal(signal.SIGHUP)
    door.until(lambda: "does not fit the certificate" in door.log())
    door.check(door.issue(record()))
    config.write_text(good.replace("object=server", "object=other", 1))
    door.reload()
    assert 'sections="keys, tls"' in door.log()
    door.check(door.issue(record()))
    assert door.stop() == 0
