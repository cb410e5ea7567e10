# SPDX-License-Identifier: Apache-2.0
"""TLS beyond who may ask (test_clients.py): floors, TLS 1.2, limits, files that change, OCSP."""
import datetime
import os
import signal
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

import pki
from conftest import SLOW, record
from test_clients import closed, get

URI = "urn:signerd:demo:issuer"


def settle(demo, section, **keys):
    """Put KEYS into SECTION of the demo's signerd.yaml."""
    path = demo.dir / "signerd.yaml"
    lines = "".join(f"  {key}: {value}\n" for key, value in keys.items())
    text = path.read_text()
    if f"\n{section}:\n" in text:
        text = text.replace(f"\n{section}:\n", f"\n{section}:\n{lines}", 1)
    else:
        text += f"{section}:\n{lines}"
    path.write_text(text)


def test_weak_keys(own):
    """Refused by the default, with its reason in the log; taken where the configuration says so."""
    ca = pki.load_ca(own)
    for label, key in (("small", rsa.generate_private_key(65537, 2048)),
                       ("enough", rsa.generate_private_key(65537, 3072)),
                       ("curve", ec.generate_private_key(ec.SECP384R1()))):
        pki.client(own, ca, label, URI, key=key)
    own.start()
    own.check(own.issue(record(), client="enough"))
    own.check(own.issue(record(), client="curve"))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="small")
    assert 'reason="RSA key of 2048 bits is too weak: tls.client_rsa_bits is 3072"' in own.log()
    settle(own, "tls", client_rsa_bits=2048)
    own.reload()
    own.check(own.issue(record(), client="small"))


def test_tls12_by_option(own):
    settle(own, "tls", min_version='"1.2"')
    own.start()
    context = own.context("issuer")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    own.check(own.issue(record(), connection=own.connect(context=context)))
    own.check(own.issue(record()))
    assert own.metric_sum("signer_tls_handshakes_total", 'version="1.2"') == 1
    assert own.metric_sum("signer_tls_handshakes_total", 'version="1.3"') == 1
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384")  # not an AEAD
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), connection=own.connect(context=context))


def test_failed_handshakes_of_an_address(own):
    """Those who have no good certificate run out of tries; then clients of their address have to wait, too."""
    settle(own, "limits", failed_handshakes=1)
    own.start()
    for _ in range(60):  # what succeeds costs nothing
        own.tls().close()
    tries = 0
    while not own.metric_sum("signer_connections_limited_total", 'limit="address"'):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            own.issue(record(), client=None)
        tries += 1
        assert tries < 500
    assert tries > 50
    assert "handshakes-limited address=127.0.0.1 limit=1 " in own.log()
    # Configured away, all is as it was.
    path = own.dir / "signerd.yaml"
    path.write_text(path.read_text().replace("failed_handshakes: 1", "failed_handshakes: 0"))
    own.reload()
    own.check(own.issue(record()))


def test_handshakes_of_an_address(own):
    """Nor can who has a good certificate have the server sign without end; who is in stays in."""
    settle(own, "limits", address_handshakes=1)
    own.start()
    kept = own.connect()
    own.check(own.issue(record(), connection=kept))
    made = 1
    while True:
        try:
            own.tls().close()
        except (ssl.SSLError, ConnectionError):
            break
        made += 1
        assert made < 500
    assert made >= 50
    assert own.metric_sum("signer_connections_limited_total", 'limit="handshakes"') == 1
    assert own.metric_sum("signer_connections_limited_total", 'limit="address"') == 0
    assert "handshakes-many address=127.0.0.1 limit=1 " in own.log()
    own.check(own.issue(record(), connection=kept))
    kept.close()
    path = own.dir / "signerd.yaml"
    path.write_text(path.read_text().replace("address_handshakes: 1", "address_handshakes: 0"))
    own.reload()
    own.check(own.issue(record()))


def test_connections_of_a_client(own):
    """The one has all that it may have; the other still comes in."""
    settle(own, "limits", client_connections=3)
    own.start()
    held = [own.tls() for _ in range(3)]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record())
    assert own.metric_sum("signer_connections_limited_total", 'limit="client"') == 1
    assert "client-connections-full spki=" in own.log()
    own.check(own.issue(record(), client="any-country"))
    held.pop().close()
    end = time.monotonic() + 10 * SLOW
    while True:  # the front has to notice first
        try:
            own.check(own.issue(record()))
            break
        except (ssl.SSLError, ConnectionError):
            assert time.monotonic() < end


# -- files that change -----------------------------------------------------------
def replace(path, data):
    """As a job should: beside it, and renamed."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    os.rename(beside, path)


def wait_for_log(demo, text, times=1):
    end = time.monotonic() + 20 * SLOW
    while demo.log().count(text) < times:
        assert time.monotonic() < end, demo.log()[-3000:]
        time.sleep(0.05)


def metric_becomes(demo, name, wanted):
    end = time.monotonic() + 20 * SLOW
    while not wanted(demo.metric_sum(name)):
        assert time.monotonic() < end, (name, demo.metric_sum(name))
        time.sleep(0.05)


def test_a_new_crl_is_taken_by_itself(own):
    """Who is revoked is out, the others notice nothing; a broken one changes nothing, and alarms."""
    path = own.dir / "tls/crl.pem"
    ca = pki.load_ca(own)
    later = pki.client(own, ca, "later", URI)
    own.start()
    good, bad = own.tls("issuer"), own.tls("later")
    assert b" 200 " in get(good) and b" 200 " in get(bad)
    assert own.metric_sum("signer_tls_files_refused") == 0

    replace(path, b"garbage\n")
    wait_for_log(own, "tls-files-refused ")
    metric_becomes(own, "signer_tls_files_refused", lambda v: v == 1)
    own.check(own.issue(record(), client="later"))

    pki.write_crl(own, [], update=-pki.HOUR / 2)  # out of date
    wait_for_log(own, 'tls-files-refused reason="the CRL is past its next update"')
    own.check(own.issue(record(), client="later"))

    text = pki.crl_text(own, [later.serial_number])
    replace(path, text)
    wait_for_log(own, "tls-files-taken ")
    metric_becomes(own, "signer_tls_files_refused", lambda v: v == 0)
    assert closed(bad)
    assert b" 200 " in get(good)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="later")
    own.check(own.issue(record()))
    assert " reload-done " not in own.log()

    # An older one would let him in again: it takes SIGHUP, as of a nation that forgave.
    replace(path, pki.crl_text(own, [], begin=-pki.HOUR))
    wait_for_log(own, 'tls-files-refused reason="a CRL is older than the one of its issuer that is in force"')
    metric_becomes(own, "signer_tls_files_refused", lambda v: v == 1)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="later")
    own.reload()
    metric_becomes(own, "signer_tls_files_refused", lambda v: v == 0)
    own.check(own.issue(record(), client="later"))


def front_dies(own):
    """Its only front: the next one has what lies there."""
    front = own.roles()["front/0"]
    os.kill(front, signal.SIGKILL)
    end = time.monotonic() + 10 * SLOW
    while own.roles().get("front/0", front) == front:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_front_that_starts_anew_with_files_that_were_refused(own):
    """What cannot be used keeps it out, and so all clients, until it is mended.  An older CRL is taken, for
    it knows no other: SECURITY.md says so."""
    path = own.dir / "tls/crl.pem"
    later = pki.client(own, pki.load_ca(own), "later", URI)
    revoked = pki.crl_text(own, [later.serial_number])
    replace(path, revoked)
    own.start()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="later")

    replace(path, b"garbage\n")
    wait_for_log(own, "tls-files-refused ")
    own.check(own.issue(record()))
    front_dies(own)
    wait_for_log(own, " tls-failed ")
    with pytest.raises((OSError, ssl.SSLError)):
        own.issue(record(), connection=own.connect(timeout=2))
    replace(path, revoked)
    own.wait_ready()
    own.check(own.issue(record()))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="later")

    replace(path, pki.crl_text(own, [], begin=-pki.HOUR))
    wait_for_log(own, 'tls-files-refused reason="a CRL is older than the one of its issuer that is in force"')
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="later")
    front_dies(own)
    own.wait_ready()
    own.check(own.issue(record(), client="later"))


def test_a_crl_that_is_not_valid_yet(own):
    """It would lock everybody out: what is in force stays until its time has come, and then it is taken by itself."""
    path = own.dir / "tls/crl.pem"
    later = pki.client(own, pki.load_ca(own), "later", URI)
    own.start()
    replace(path, pki.crl_text(own, [later.serial_number], begin=20 * SLOW * datetime.timedelta(seconds=1)))
    wait_for_log(own, 'tls-files-refused reason="the CRL is not valid yet"')
    own.check(own.issue(record(), client="later"))
    os.kill(own.process.pid, signal.SIGHUP)
    wait_for_log(own, " reload-refused ")
    assert "config-outdated fault=" in own.log() and "is not valid yet" in own.log()
    own.check(own.issue(record(), client="later"))
    end = time.monotonic() + 60 * SLOW
    while "tls-files-taken " not in own.log():
        assert time.monotonic() < end
        time.sleep(0.1)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        own.issue(record(), client="later")
    own.check(own.issue(record()))


def test_a_new_server_certificate_is_taken_by_itself(own):
    """Certificate and key come one after the other; in between the old ones serve."""
    own.start()
    held = own.tls()
    ca, ca_key = pki.load_ca(own)
    key = ec.generate_private_key(ec.SECP256R1())
    old = x509.load_pem_x509_certificate((own.dir / "tls/server.pem").read_bytes())
    new = (x509.CertificateBuilder().subject_name(old.subject).issuer_name(ca.subject)
           .public_key(key.public_key()).serial_number(x509.random_serial_number())
           .not_valid_before(pki.now() - pki.HOUR).not_valid_after(pki.now() + 24 * pki.HOUR)
           .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
           .sign(ca_key, hashes.SHA256()))
    replace(own.dir / "tls/server.pem", new.public_bytes(serialization.Encoding.PEM))
    wait_for_log(own, "tls-files-refused ")
    own.check(own.issue(record()))
    beside = own.dir / "tls/server.key"
    replace(beside, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
    beside.chmod(0o600)
    wait_for_log(own, "tls-files-taken ")
    metric_becomes(own, "signer_tls_certificate_expires_seconds",
                   lambda v: v == new.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp())
    with own.tls() as sock:
        assert x509.load_der_x509_certificate(sock.getpeercert(True)).serial_number == new.serial_number
    assert b" 200 " in get(held)


def test_what_runs_out(demo):
    """Each end is a metric."""
    now = time.time()
    ca, _ = pki.load_ca(demo)
    seconds = demo.metric_sum("signer_tls_client_ca_expires_seconds", 'slot="0"')
    assert seconds == ca.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
    assert demo.metric_sum("signer_tls_certificate_expires_seconds", 'slot="0"') > now
    assert demo.metric_sum("signer_tls_crl_next_update_seconds", 'slot="0"') > now
    assert demo.metric_sum("signer_dsc_expires_seconds") > now
    assert demo.metric_sum("signer_tls_ocsp_next_update_seconds") == 0
    assert demo.metric_sum("signer_tls_ocsp_missing") == 0


# -- OCSP ------------------------------------------------------------------------
def ocsp_response(demo, status=ocsp.OCSPCertStatus.GOOD, until=24 * pki.HOUR):
    ca, key = pki.load_ca(demo)
    server = x509.load_pem_x509_certificate((demo.dir / "tls/server.pem").read_bytes())
    revoked = status == ocsp.OCSPCertStatus.REVOKED
    return (ocsp.OCSPResponseBuilder().add_response(
        cert=server, issuer=ca, algorithm=hashes.SHA1(), cert_status=status,
        this_update=pki.now() - pki.HOUR, next_update=pki.now() + until,
        revocation_time=pki.now() - pki.HOUR if revoked else None, revocation_reason=None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, ca)
        .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def stapled(demo):
    """What openssl says of the response that comes with a handshake."""
    c = demo.dir / "clients/issuer"
    out = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{demo.port}", "-status", "-CAfile", demo.dir / "ca.pem",
         "-cert", f"{c}.pem", "-key", f"{c}.key"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20 * SLOW).stdout
    assert "CONNECTED" in out, out
    if "OCSP response: no response sent" in out:
        return None
    assert "OCSP Response Status: successful" in out, out
    return out.split("Cert Status: ")[1].split()[0]


def test_ocsp_response_is_stapled(own):
    """While it is good; a stale or a bad one is not, and that is an alarm."""
    path = own.dir / "tls/server.ocsp"
    settle(own, "tls", ocsp_response="tls/server.ocsp")
    own.start()  # before the first one is there
    assert "ocsp-unusable " in own.log()
    assert own.metric_sum("signer_tls_ocsp_missing") > 0
    assert stapled(own) is None
    own.check(own.issue(record()))

    replace(path, ocsp_response(own))
    metric_becomes(own, "signer_tls_ocsp_missing", lambda v: v == 0)
    assert stapled(own) == "good"
    assert own.metric_sum("signer_tls_ocsp_next_update_seconds", 'slot="0"') > time.time()

    replace(path, b"torn")
    wait_for_log(own, "ocsp-kept reason=")
    assert stapled(own) == "good"
    assert own.metric_sum("signer_tls_ocsp_missing") == 0

    replace(path, ocsp_response(own, ocsp.OCSPCertStatus.REVOKED))
    wait_for_log(own, "server.ocsp: says that the certificate is revoked")
    assert stapled(own) is None
    assert own.metric_sum("signer_tls_ocsp_missing") > 0

    replace(path, ocsp_response(own, until=datetime.timedelta(seconds=8 * SLOW)))
    metric_becomes(own, "signer_tls_ocsp_missing", lambda v: v == 0)
    wait_for_log(own, 'ocsp-unusable reason="it is past its next update"')
    assert own.metric_sum("signer_tls_ocsp_missing") > 0
    assert stapled(own) is None
    own.check(own.issue(record()))


def test_curl_wants_the_issuer(own):
    """A client that verifies the response itself needs its issuer in the chain."""
    settle(own, "tls", ocsp_response="tls/server.ocsp")
    server = own.dir / "tls/server.pem"
    (own.dir / "tls/server.ocsp").write_bytes(ocsp_response(own))
    own.start()
    c = own.dir / "clients/issuer"

    def curl():
        return subprocess.run(
            ["curl", "-sS", "--cert-status", "--cacert", own.dir / "ca.pem", "--cert", f"{c}.pem",
             "--key", f"{c}.key", f"https://localhost:{own.port}/v1/policy"],
            capture_output=True, text=True, timeout=20 * SLOW)

    assert stapled(own) == "good"
    alone = curl()
    assert alone.returncode == 91 and "OCSP" in alone.stderr, alone
    with server.open("ab") as f:
        f.write((own.dir / "ca.pem").read_bytes())
    own.reload()
    assert '"client"' in curl().stdout
