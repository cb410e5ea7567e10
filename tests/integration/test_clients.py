# SPDX-License-Identifier: Apache-2.0
"""Who may ask: refused in TLS, or by the policy, each with a clear error."""
import datetime
import hashlib
import select
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import pki
from conftest import SLOW, record

URI = "urn:signerd:demo:issuer"


def curl(demo, client, *more):
    args = ["curl", "-sS", "--cacert", demo.dir / "ca.pem", "--max-time", "20"]
    if client:
        args += ["--cert", demo.dir / f"clients/{client}.pem",
                 "--key", demo.dir / f"clients/{client}.key"]
    return subprocess.run([*args, *more, f"https://localhost:{demo.port}/v1/policy"],
                          capture_output=True, text=True)


def issued(demo):
    return demo.metric_sum("signer_certificates_issued_total")


def refused_by_tls(demo, client, reason):
    before = issued(demo)
    failed = demo.metric_sum("signer_tls_handshakes_failed_total")
    with pytest.raises((ssl.SSLError, ConnectionError)) as e:
        demo.issue(record(), client=client)
    assert reason in str(e.value), e.value
    out = curl(demo, client)
    assert out.returncode != 0 and "alert" in out.stderr, out
    assert issued(demo) == before
    assert demo.metric_sum("signer_tls_handshakes_failed_total") >= failed + 2


def test_no_certificate(demo):
    refused_by_tls(demo, None, "CERTIFICATE_REQUIRED")


def test_expired(demo):
    pki.client(demo, pki.load_ca(demo), "expired", URI,
               begin=datetime.timedelta(days=-2), end=datetime.timedelta(days=-1))
    refused_by_tls(demo, "expired", "CERTIFICATE_EXPIRED")


def test_not_yet_valid(demo):
    pki.client(demo, pki.load_ca(demo), "early", URI,
               begin=datetime.timedelta(days=1), end=datetime.timedelta(days=2))
    refused_by_tls(demo, "early", "BAD_CERTIFICATE")


def test_other_ca(demo):
    pki.client(demo, pki.new_ca(), "foreign", URI)
    refused_by_tls(demo, "foreign", "UNKNOWN_CA")


def test_revoked(own):
    certificate = pki.client(own, pki.load_ca(own), "revoked", URI)
    pki.write_crl(own, [certificate.serial_number])
    own.start()
    refused_by_tls(own, "revoked", "CERTIFICATE_REVOKED")
    own.check(own.issue(record()))


def test_stranger(demo):
    before = issued(demo)
    r = demo.issue(record(), client="stranger")
    assert r.status == 403 and r.json["type"] == "/problems/forbidden"
    for path in ("/v1/policy", "/v1/keys"):
        assert demo.request("GET", path, client="stranger").status == 403
    assert issued(demo) == before
    # The log names the key as the policy would.
    spki = hashlib.sha256(x509.load_pem_x509_certificate(
        (demo.dir / "clients/stranger.pem").read_bytes()).public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    name = r.headers["signer-request"]
    assert f"client-unknown request={name} spki={spki} " in demo.log()


@pytest.mark.parametrize("client", ["officer-1", "auditor"])
def test_not_an_issuing_client(demo, client):
    before = issued(demo)
    r = demo.issue(record(), client=client)
    assert r.status == 403
    assert r.json["detail"] == "the policy does not allow this client to issue"
    assert issued(demo) == before
    name = r.headers["signer-request"]
    assert f'client-forbidden request={name} client="{client}" operation=issue ' in demo.log()


def test_tls12_is_off(demo):
    context = demo.context("issuer")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        demo.request("GET", "/v1/policy", connection=demo.connect(context=context))


def test_h2_by_alpn(demo):
    out = curl(demo, "issuer", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}")
    assert out.stdout == "2 200", out
    out = curl(demo, "issuer", "--http1.1", "-o", "/dev/null", "-w", "%{http_version} %{http_code}")
    assert out.stdout == "1.1 200", out


def closed(sock, seconds=5):
    """Does the other end close SOCK in time?"""
    sock.settimeout(seconds)
    try:
        while sock.recv(4096):
            pass
    except ssl.SSLError:
        return True
    except TimeoutError:
        return False
    return True


def get(sock, path="/v1/policy"):
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return data
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += sock.recv(65536)
    return head


def test_reload_closes_only_what_is_no_longer_valid(own):
    """SIGHUP: revoked, expired, and out of the policy are closed; the valid stays."""
    ca = pki.load_ca(own)
    revoked = pki.client(own, ca, "revoked", URI)
    pki.client(own, ca, "brief", URI, end=datetime.timedelta(seconds=6 * SLOW))
    own.start()
    good, bad, brief, left = (own.tls(c) for c in ("issuer", "revoked", "brief", "any-country"))
    for sock in (good, bad, brief, left):
        assert b" 200 " in get(sock)
    time.sleep(6 * SLOW + 1.5)
    pki.write_crl(own, [revoked.serial_number])
    policy = own.dir / "policy.yaml"
    policy.write_text(policy.read_text().replace("urn:signerd:demo:any-country", "urn:gone"))
    # A look at all connections every few seconds may have found the expired one.
    early = len(select.select([brief], [], [], 0)[0])
    own.reload()
    assert closed(bad) and closed(brief) and closed(left)
    assert b" 200 " in get(good)
    assert own.metric_sum("signer_connections_closed_by_reload_total") >= 3 - early
    assert own.issue(record(), client="any-country").status == 403
    own.check(own.issue(record()))


def test_expired_connection_is_refused_without_reload(own):
    pki.client(own, pki.load_ca(own), "brief", URI, end=datetime.timedelta(seconds=4))
    own.start()
    sock = own.tls("brief")
    assert b" 200 " in get(sock)
    time.sleep(5.5)
    try:
        head = get(sock)
    except (OSError, ssl.SSLError):
        head = b""
    assert head == b"" or b" 401 " in head


def test_faulty_reload_keeps_the_old(own):
    own.start()
    policy = own.dir / "policy.yaml"
    old = policy.read_text()
    policy.write_text(old.replace("kinds:", "knids:", 1))
    own.reload()
    assert own.metric_sum("signer_reloads_refused_total") == 1
    assert "knids" in own.log()
    own.check(own.issue(record()))
    policy.write_text(old)
    (own.dir / "tls/server.pem").rename(own.dir / "tls/moved.pem")
    own.reload()
    assert own.metric_sum("signer_reloads_refused_total") == 2
    own.check(own.issue(record()))
    (own.dir / "tls/moved.pem").rename(own.dir / "tls/server.pem")
    own.reload()
    own.check(own.issue(record()))
