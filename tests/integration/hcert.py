# SPDX-License-Identifier: Apache-2.0
"""An independent reader of health certificates: base45, zlib, CBOR, COSE and
CWT by Python's own means and Debian's cbor2 and cryptography.  It shares no
line with the program that it judges."""
import hashlib
import zlib

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Bad(Exception):
    """The certificate is not what it should be."""


def base45(text):
    out = bytearray()
    values = [ALPHABET.index(c) for c in text]
    for i in range(0, len(values), 3):
        part = values[i:i + 3]
        if len(part) == 3:
            n = part[0] + part[1] * 45 + part[2] * 2025
            if n > 0xFFFF:
                raise Bad("base45 triple out of range")
            out += n.to_bytes(2, "big")
        elif len(part) == 2:
            n = part[0] + part[1] * 45
            if n > 0xFF:
                raise Bad("base45 pair out of range")
            out.append(n)
        else:
            raise Bad("base45 length")
    return bytes(out)


def unwrap(hc1):
    if not hc1.startswith("HC1:"):
        raise Bad("prefix")
    return zlib.decompress(base45(hc1[4:]))


def kid_of(certificate):
    from cryptography.hazmat.primitives.serialization import Encoding
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()[:8]


def verify(cose, certificate):
    """Return (protected header, claims) of the COSE_Sign1 bytes COSE, or
    raise.  CERTIFICATE is the signer's, an x509.Certificate."""
    message = cbor2.loads(cose)
    if not isinstance(message, cbor2.CBORTag) or message.tag != 18:
        raise Bad("not tagged as COSE_Sign1")
    protected, unprotected, payload, signature = message.value
    if unprotected != {}:
        raise Bad("unprotected header is not empty")
    header = cbor2.loads(protected)
    if header.get(4) != kid_of(certificate):
        raise Bad("kid is not the signer's")
    tbs = cbor2.dumps(["Signature1", protected, b"", payload])
    key = certificate.public_key()
    try:
        if header[1] == -7 and isinstance(key, ec.EllipticCurvePublicKey):
            if len(signature) != 64:
                raise Bad("ES256 signature is not 64 bytes")
            der = utils.encode_dss_signature(
                int.from_bytes(signature[:32], "big"),
                int.from_bytes(signature[32:], "big"))
            key.verify(der, tbs, ec.ECDSA(hashes.SHA256()))
        elif header[1] == -37 and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, tbs,
                       padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                       hashes.SHA256())
        elif header[1] == -8 and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, tbs)
        else:
            raise Bad("algorithm and key do not fit")
    except InvalidSignature:
        raise Bad("signature") from None
    return header, cbor2.loads(payload)


def kid(cose):
    """The kid in the protected header of the COSE_Sign1, without verifying."""
    return cbor2.loads(cbor2.loads(cose).value[0])[4]


def payload_of(cose):
    """The DCC in the COSE_Sign1, without verifying."""
    return cbor2.loads(cbor2.loads(cose).value[2])[-260][1]


def load_certificate(path):
    with open(path, "rb") as f:
        return x509.load_pem_x509_certificate(f.read())
