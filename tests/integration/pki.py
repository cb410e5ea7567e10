# SPDX-License-Identifier: Apache-2.0
"""Client certificates that a demo does not have: expired, foreign, brief."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def load_ca(demo):
    """The demo's own CA: (certificate, key)."""
    with open(demo.dir / "ca.pem", "rb") as f:
        certificate = x509.load_pem_x509_certificate(f.read())
    with open(demo.dir / "ca.key", "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    return certificate, key


def new_ca():
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (x509.CertificateBuilder().subject_name(name("other CA"))
                   .issuer_name(name("other CA")).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now() - HOUR).not_valid_after(now() + 24 * HOUR)
                   .add_extension(x509.BasicConstraints(True, None), True)
                   .sign(key, hashes.SHA256()))
    return certificate, key


def client(demo, ca, label, uri, begin=-HOUR, end=24 * HOUR, key=None):
    """Write clients/LABEL.pem and .key under DEMO: a certificate of CA for
    URI, valid from BEGIN to END relative to now.  KEY: instead of a P-256 one.
    Returns the certificate."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = (x509.CertificateBuilder().subject_name(name(label))
                   .issuer_name(ca[0].subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now() + begin).not_valid_after(now() + end)
                   .add_extension(x509.SubjectAlternativeName(
                       [x509.UniformResourceIdentifier(uri)]), False)
                   .add_extension(x509.ExtendedKeyUsage(
                       [ExtendedKeyUsageOID.CLIENT_AUTH]), False)
                   .sign(ca[1], hashes.SHA256()))
    (demo.dir / f"clients/{label}.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM))
    (demo.dir / f"clients/{label}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return certificate


def crl_text(demo, serials, update=24 * HOUR, begin=None):
    """A CRL of the demo's CA that revokes SERIALS; it is of now, or of BEGIN from now, and its next update is UPDATE
    from now."""
    ca, key = load_ca(demo)
    if begin is None:
        begin = 0 * HOUR if update > 0 * HOUR else -HOUR
    crl = (x509.CertificateRevocationListBuilder().issuer_name(ca.subject)
           .last_update(now() + begin).next_update(now() + update))
    for serial in serials:
        crl = crl.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial)
            .revocation_date(now() - HOUR).build())
    return crl.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def write_crl(demo, serials, update=24 * HOUR):
    """Replace the demo's CRL by one that revokes SERIALS."""
    (demo.dir / "tls/crl.pem").write_bytes(crl_text(demo, serials, update))
