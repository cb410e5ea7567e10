# SPDX-License-Identifier: Apache-2.0
"""TLS beyond who may ask (test_clients.py): floors, TLS 1.2, limits, files that change."""
import ssl
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import pki
from conftest import SLOW, record

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
