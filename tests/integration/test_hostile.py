# SPDX-License-Identifier: Apache-2.0
"""What was tried against the service, and must not work again."""
import datetime
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import time

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import hcert
import pki
from conftest import BUILD, SLOW, record

CBOR = {"Content-Type": "application/cbor", "Accept": "application/json"}


def renewed(old, key, serial, days=700, public=None):
    """A DSC like OLD from another CA, for PUBLIC or the same key."""
    begin = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    return (x509.CertificateBuilder().subject_name(old.subject)
            .issuer_name(pki.name("new CSCA")).public_key(public or old.public_key())
            .serial_number(serial).not_valid_before(begin - datetime.timedelta(days=1))
            .not_valid_after(begin + datetime.timedelta(days=days))
            .add_extension(x509.KeyUsage(True, *[False] * 8), True)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM))


def test_renewed_dsc_is_taken_at_sighup(own):
    own.start()
    (path,) = (own.dir / "dsc").glob("*.pem")
    csca = ec.generate_private_key(ec.SECP256R1())
    old = own.dsc
    own.check(own.issue(record()))
    path.write_bytes(renewed(old, csca, 1))
    own.reload()
    assert hcert.kid_of(own.dsc) != hcert.kid_of(old)
    own.check(own.issue(record()))  # by the kid of the new one
    good = path.read_bytes()
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    for bad in (renewed(old, csca, 2, public=stranger), renewed(old, csca, 3, days=-0.5),
                b"no certificate"):
        refused = own.metric_sum("signer_reloads_refused_total", 'role="supervisor"')
        path.write_bytes(bad)
        own.reload()
        assert own.metric_sum("signer_reloads_refused_total", 'role="supervisor"') == refused + 1
        path.write_bytes(good)
        own.check(own.issue(record()))
    assert own.stop() == 0


def test_reload_with_an_old_crl_changes_nothing(own):
    own.start()
    ca, key = pki.load_ca(own)
    crl = (x509.CertificateRevocationListBuilder().issuer_name(ca.subject)
           .last_update(pki.now() - 2 * pki.HOUR).next_update(pki.now() - pki.HOUR)
           .sign(key, hashes.SHA256()))
    before = json.loads(own.request("GET", "/v1/policy").body)["hash"]
    (own.dir / "tls/crl.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
    text = (own.dir / "policy.yaml").read_text()
    (own.dir / "policy.yaml").write_text(text + "# another hash\n")
    checked = subprocess.run([BUILD / "signerd", "--config", own.dir / "signerd.yaml", "--check"],
                             capture_output=True, text=True, timeout=60 * SLOW)
    assert checked.returncode == 2 and "tls.crl: is past its next update" in checked.stderr
    own.reload()
    assert own.metric_sum("signer_reloads_total", 'role="core"') == 0
    assert json.loads(own.request("GET", "/v1/policy").body)["hash"] == before


def test_nobody_reads_the_log(own):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
    own.process = subprocess.Popen(
        [BUILD / "signerd", "--config", own.dir / "signerd.yaml"],
        stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
    os.close(writer)
    try:
        own.wait_ready()
        # Handshakes that are refused, ten lines a second, until the pipe is full.
        end = time.monotonic() + 20 * SLOW
        while own.metric_sum("signer_log_lines_dropped_total") == 0:
            assert time.monotonic() < end
            with pytest.raises(OSError):
                own.tls(client=None).recv(1)
            time.sleep(0.005)
        own.check(own.issue(record()))
        reloads = own.metric_sum("signer_reloads_total", 'role="supervisor"')
        own.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10 * SLOW
        while own.metric_sum("signer_reloads_total", 'role="supervisor"') == reloads:
            assert time.monotonic() < end
            time.sleep(0.02)
        own.check(own.issue(record()))
        assert own.stop() == 0
        read = os.read(reader, 65536).decode()
        assert " info supervisor starting " in read and " front/0 " in read
    finally:
        os.close(reader)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root counts, and limits, a front's descriptors")
def test_no_descriptor_left_is_said(own):
    own.start()
    front = own.roles()["front/0"]
    used = max(int(fd) for fd in os.listdir(f"/proc/{front}/fd"))
    soft, hard = resource.prlimit(front, resource.RLIMIT_NOFILE)
    resource.prlimit(front, resource.RLIMIT_NOFILE, (used + 1, hard))
    held = [socket.create_connection(("127.0.0.1", own.port)) for _ in range(60)]
    end = time.monotonic() + 10 * SLOW
    while "accept-failed" not in own.log():
        assert time.monotonic() < end, own.log()[-2000:]
        held.append(socket.create_connection(("127.0.0.1", own.port)))
        time.sleep(0.1)
    for s in held:
        s.close()
    resource.prlimit(front, resource.RLIMIT_NOFILE, (soft, hard))
    time.sleep(1.5)
    assert own.log().count("accept-failed") == 1
    own.check(own.issue(record()))


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 10**30, -2**63 - 1])
@pytest.mark.parametrize("client", ["issuer", "any-country"])
def test_integers_beyond_64_bits(demo, client, number):
    dcc = record(entry={"dn": number})
    a = demo.issue(dcc, client=client)
    b = None
    if -2**64 <= number < 2**64:
        b = demo.request("POST", "/v1/certificates", cbor2.dumps(dict(dcc=dcc)), CBOR, client)
    for r in filter(None, (a, b)):
        assert r.status == 422, r
        assert [(v["code"], v["pointer"]) for v in r.json["violations"]] == \
            [("out-of-range", "/dcc/v/0/dn")]


@pytest.mark.parametrize("text", ["Ng\0", "\x01", "N\u202en", "\u0085", "\u2028", "\u2067n"])
def test_control_characters_are_not_signed(demo, text):
    dcc = record()
    dcc["nam"]["fn"] = "A" + text + "b"  # at an end some are white space as well
    del dcc["nam"]["fnt"]
    r = demo.issue(dcc)
    assert r.status == 422
    assert [(v["code"], v["pointer"]) for v in r.json["violations"]] == \
        [("control-character", "/dcc/nam/fn")]
    demo.check(demo.issue(dcc, client="any-country"), dcc)


def test_long_unknown_names_are_cut(demo):
    r = demo.issue(record(**{"Nguyễn Văn A " * 100: 1}))
    (violation,) = r.json["violations"]
    assert violation["code"] == "unknown-field"
    assert len(violation["pointer"].encode()) <= 64


def test_caches_are_told(demo):
    r = demo.issue(record())
    assert r.headers["cache-control"] == "no-store" and r.headers["vary"].startswith("accept")
    r = demo.issue(record(entry={"dn": 0}))
    assert r.headers["cache-control"] == "no-store"
    r = demo.request("GET", "/v1/keys")
    assert r.headers["vary"].startswith("accept") and "cache-control" not in r.headers


def test_unknown_method(demo):
    r = demo.request("BREW", "/v1/certificates")
    assert r.status == 405 and r.json["type"] == "/problems/method-not-allowed"
    assert "POST" in r.headers["allow"]


def test_role_says_what_is_wrong():
    r = subprocess.run([BUILD / "signerd", "--role", "hsm", "--slot", "99999999999"],
                       capture_output=True, text=True, timeout=20 * SLOW)
    assert r.returncode == 2 and "no such slot: 99999999999" in r.stderr


def test_requests_that_are_abandoned(own):
    """Who sends and hangs up takes no more than a quarter of the credit."""
    path = own.dir / "signerd.yaml"
    # Those that stop are not replaced before all have been sent.
    text = path.read_text().replace("session_copies: true\n",
                                    f"session_copies: true\n    hang: {2 * SLOW**2:.0f}s\n")
    path.write_text(text + f"limits:\n  in_flight: 40\n  request: {min(59, 4 * SLOW**2):.0f}s\n")
    own.start()
    stopped = [p for r, p in own.roles().items() if r.startswith("hsm")]
    body = [json.dumps(dict(dcc=record())).encode() for _ in range(60)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    for b in body:
        s = own.tls()
        s.sendall(b"POST /v1/certificates HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(b) + b)
        s.close()
    begin = time.monotonic()
    mine = own.issue(record())
    assert mine.status == 503 and time.monotonic() - begin < 2 * SLOW
    other = own.connect("any-country")
    other.request("GET", "/v1/policy")  # there is room for others
    assert other.getresponse().status == 200
    other.close()
    for pid in stopped:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    end = time.monotonic() + 15 * SLOW
    while own.issue(record()).status != 200:
        assert time.monotonic() < end
        time.sleep(0.1)
