# SPDX-License-Identifier: Apache-2.0
"""Officers by Python's own means: operations, COSE_Sign and its check, by
Debian's cbor2 and cryptography.  It shares no line with what it judges."""
import hashlib
import os
import subprocess
import time

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from conftest import BUILD, SLOW

OFFICER = BUILD / "signer-officer"
BODY = cbor2.dumps({3: "application/signerd-operation+cbor"})
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
KEYS = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "PS256": lambda: rsa.generate_private_key(65537, 2048),
        "EdDSA": ed25519.Ed25519PrivateKey.generate}
ALGS = {"ES256": -7, "ES384": -35, "PS256": -37, "EdDSA": -8}


def spki_of(public):
    return public.public_bytes(serialization.Encoding.DER,
                               serialization.PublicFormat.SubjectPublicKeyInfo)


def alg_of(public):
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "ES256" if public.curve.name == "secp256r1" else "ES384"
    return "PS256" if isinstance(public, rsa.RSAPublicKey) else "EdDSA"


def structure(protected, operation):
    """The Sig_structure of one of several signatures (RFC 9052 s. 4.4)."""
    return cbor2.dumps(["Signature", BODY, protected, b"", operation])


def ec_hash(alg):
    return ec.ECDSA(hashes.SHA256() if alg == "ES256" else hashes.SHA384())


class Officer:
    def __init__(self, name, alg):
        self.name, self.alg = name, alg
        self.key = KEYS[alg]()
        self.public = self.key.public_key()
        self.spki = spki_of(self.public)
        self.kid = hashlib.sha256(self.spki).digest()[:8]

    def write(self, folder):
        """Its key as PEM; returns the paths of both halves."""
        private, public = folder / f"{self.name}.key", folder / f"{self.name}.pub"
        private.write_bytes(self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        private.chmod(0o600)
        public.write_bytes(self.public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        return private, public

    def sign(self, operation):
        """One COSE_Signature."""
        protected = cbor2.dumps({1: ALGS[self.alg], 4: self.kid})
        tbs = structure(protected, operation)
        if self.alg == "EdDSA":
            signature = self.key.sign(tbs)
        elif self.alg == "PS256":
            signature = self.key.sign(tbs, PSS, hashes.SHA256())
        else:
            n = 32 if self.alg == "ES256" else 48
            r, s = utils.decode_dss_signature(self.key.sign(tbs, ec_hash(self.alg)))
            signature = r.to_bytes(n, "big") + s.to_bytes(n, "big")
        return [protected, {}, signature]


def cose_sign(operation, signatures):
    return cbor2.dumps(cbor2.CBORTag(98, [BODY, {}, operation, signatures]))


def verified(cose, publics):
    """The kids that have signed the COSE_Sign, each by its key in PUBLICS, by
    kid; and the operation.  Raises InvalidSignature."""
    message = cbor2.loads(cose)
    assert message.tag == 98 and message.value[0] == BODY and message.value[1] == {}
    operation, out = message.value[2], []
    for protected, unprotected, signature in message.value[3]:
        header = cbor2.loads(protected)
        key, tbs = publics[header[4]], structure(protected, operation)
        alg = alg_of(key)
        assert unprotected == {} and header[1] == ALGS[alg]
        if alg == "EdDSA":
            key.verify(signature, tbs)
        elif alg == "PS256":
            key.verify(signature, tbs, PSS, hashes.SHA256())
        else:
            n = len(signature) // 2
            if n != (32 if alg == "ES256" else 48):
                raise InvalidSignature
            key.verify(utils.encode_dss_signature(int.from_bytes(signature[:n], "big"),
                                                  int.from_bytes(signature[n:], "big")),
                       tbs, ec_hash(alg))
        out.append(header[4])
    return out, operation


def encode(members):
    """Deterministic CBOR (RFC 8949 s. 4.2.1): all keys are short text."""
    return cbor2.dumps(members, canonical=True)


def run(*words, **more):
    return subprocess.run([OFFICER, *map(str, words)], capture_output=True, text=True,
                          timeout=120 * SLOW, **more)


def good(*words, **more):
    r = run(*words, **more)
    assert r.returncode == 0, r.stderr
    return r.stdout


class Ceremony:
    """Three officers of a demo, two of whom decide; they sign by Python."""
    days = 730  # that a new key's certificate lasts

    def __init__(self, demo, names=("anh", "binh", "chi"),
                 algs=("EdDSA", "ES384", "PS256")):
        self.demo, self.dir = demo, demo.dir / "ceremony-test"
        self.dir.mkdir()
        self.officers = {n: Officer(n, a) for n, a in zip(names, algs)}
        self.socket = demo.dir / "run/officer.sock"

    def document(self):
        r = self.demo.request("GET", "/v1/operations", client="officer-1")
        assert r.status == 200, r
        return r.json

    def key(self, label):
        return {k["label"]: k for k in self.document()["keys"]}.get(label)

    def roll(self, who, threshold=2, **terms):
        return {"officers": [{"name": o.name, "spki": o.spki} for o in who],
                "threshold": threshold, "lead": 3600, "stale": 86400,
                "proposer-approves": False, "policy-approval": False, **terms}

    def operation(self, op, **members):
        """Its bytes; what is None is left out."""
        d, now = self.document(), int(time.time())
        all_of = {"op": op, "origin": d["origin"], "nonce": os.urandom(16), "created": now,
                  "expires": now + 3600, "proposer": "anh", "size": d["size"],
                  "root": bytes.fromhex(d["root"]), **members}
        return encode({k: v for k, v in all_of.items() if v is not None})

    def signed(self, operation, *names):
        return cose_sign(operation, [self.officers[n].sign(operation) for n in names])

    def bring(self, cose, client="officer-2"):
        return self.demo.request("POST", "/v1/operations", cose,
                                 {"Content-Type": "application/cose"}, client)

    def decide(self, op, *names, **members):
        """It must pass; its proposer and two others sign where nobody is named.
        A key that was imported is found by the hsms a little later: 503 till then."""
        cose = self.signed(self.operation(op, **members), *(names or ("anh", "binh", "chi")))
        end = time.monotonic() + 20 * SLOW
        r = self.bring(cose)
        while r.status == 503 and time.monotonic() < end:
            time.sleep(0.2)
            r = self.bring(cose)
        assert r.status == 200, r
        return r.json

    def found(self, **terms):
        return self.decide("genesis", *self.officers,
                           **self.roll(self.officers.values(), **terms))

    def new_key(self, label, hsm="demo", alg="ES256", sign=None, **members):
        """Generated, certified by the demo's CSCA, and published."""
        bits = {"bits": members.pop("bits", 2048)} if alg == "PS256" else {}
        self.decide("generate", key=label, hsm=hsm, alg=ALGS[alg], kinds="vtr", country="VN",
                    **bits, **members)
        subject = x501({"C": "VN", "O": "signerd test", "CN": label})
        self.decide("csr", key=label, subject=subject)
        csr = self.dir / f"{label}.csr"
        good("csr", label, "--socket", self.socket, "--out", csr)
        self.certify(label, csr)
        der = subprocess.run(["openssl", "x509", "-in", self.demo.dir / f"dsc/{label}.pem",
                              "-outform", "DER"], check=True, capture_output=True).stdout
        self.decide("import", key=label, certificate=der)
        self.decide("publish", key=label)

    def certify(self, label, csr):
        extensions = self.dir / "dsc.cnf"
        extensions.write_text(
            "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n"
            "extendedKeyUsage = 1.3.6.1.4.1.1847.2021.1.1, 1.3.6.1.4.1.1847.2021.1.2, "
            "1.3.6.1.4.1.1847.2021.1.3\n"
            "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n")
        d = self.demo.dir
        subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", d / "csca.pem", "-CAkey",
                        d / "csca.key", "-days", str(self.days), "-sha256", "-extfile", extensions,
                        "-out", d / f"dsc/{label}.pem"], check=True, capture_output=True)

    def rotate(self, label, **more):
        self.new_key(label, **more)
        self.decide("activate", key=label, override=True)

    def refusals(self):
        """Why each operation on record was refused; None: it was not."""
        from test_ledger import wait_covered
        time.sleep(1.5)  # until a checkpoint has covered them
        log = wait_covered(self.demo, -1)
        return [e.get(23) for e in log.check() if e[1] == 8]


def x501(names):
    from cryptography import x509
    from cryptography.x509.oid import NameOID
    oid = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME}
    return x509.Name([x509.NameAttribute(oid[k], v) for k, v in names.items()]).public_bytes()
