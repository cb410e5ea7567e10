# SPDX-License-Identifier: Apache-2.0
"""Demos whose HSM has faults, set by control() while they run; and with a second
HSM, with a key and a DSC of its own:

    a   the demo's own: key dsc-1
    b   "second", in a token directory of its own: key dsc-2

A request may be signed by either; check() verifies by the kid."""
import functools
import os
import pathlib
import re
import shutil
import subprocess

import hcert
from conftest import BUILD, Demo, copy_pattern, pattern, pattern_dir

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib64/softhsm/libsofthsm2.so")

EXTENSIONS = """subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = 1.3.6.1.4.1.1847.2021.1.1, 1.3.6.1.4.1.1847.2021.1.2, 1.3.6.1.4.1.1847.2021.1.3
"""


def replace(path, pattern, text):
    changed, n = re.subn(pattern, lambda m: text, path.read_text(), count=1, flags=re.M)
    assert n == 1, pattern
    path.write_text(changed)


def control(demo, text):
    """TEXT is what goes wrong from now on with the HSM of DEMO whose module has control={dir}/control, which reads it as
    a whole."""
    new = demo.dir / "control.new"
    new.write_text(text)
    new.rename(demo.dir / "control")


def softhsm():
    """The path of SoftHSM2's module."""
    return next(m for m in MODULES if pathlib.Path(m).exists())


def new_key(directory, name, token, label, alg):
    """A key for ALG called LABEL on a new TOKEN, in the token directory NAME of the demo's DIRECTORY, which
    softhsm2-NAME.conf is for.  Its public half, PEM."""
    (directory / f"tokens-{name}").mkdir(exist_ok=True)
    conf = directory / f"softhsm2-{name}.conf"
    conf.write_text(f"directories.tokendir = {directory}/tokens-{name}\nobjectstore.backend = file\n"
                    "log.level = ERROR\nslots.removable = false\n")
    return subprocess.run([BUILD / "demo-token", softhsm(), token, "pin", label, alg], cwd=directory,
                          env=dict(os.environ, SOFTHSM2_CONF=str(conf)), check=True, stdout=subprocess.PIPE,
                          timeout=120).stdout


def add_hsm(demo, name, directory, spec, more=""):
    """One more HSM in signerd.yaml: NAME, behind the test module with SPEC ({dir}: the demo's), on the token directory
    DIRECTORY; MORE lines of it."""
    text = ",".join(filter(None, [spec.format(dir=demo.dir), f"module={softhsm()}",
                                  f"state={demo.dir}/run/shim-{directory}.state"]))
    replace(demo.dir / "signerd.yaml", "^  - name: ledger$", f"""\
  - name: {name}
    module: {BUILD}/libpkcs11-shim.so
    pin: file:pin
    processes: 2
    sessions: 2
{more}    environment:
      - SOFTHSM2_CONF=softhsm2-{directory}.conf
      - SIGNER_SHIM={text}
    access:
      read: [.]
      write: [run]
  - name: ledger""")


class OneHsm(Demo):
    """The demo's HSM behind the test module."""

    def __init__(self, shim="control={dir}/control", alg=None):
        super().__init__(alg or os.environ.get("DEMO_ALG", "ES256"), shim)

    def configure(self, pattern, text):
        """Change signerd.yaml before it starts."""
        replace(self.dir / "signerd.yaml", pattern, text)

    def control(self, text):
        """TEXT is what goes wrong with HSM a from now on."""
        control(self, text)

    @functools.cached_property
    def dscs(self):
        """{label: certificate}"""
        return {p.stem: hcert.load_certificate(p) for p in (self.dir / "dsc").glob("*.pem")}

    def verify(self, hc1, dcc=None):
        """The certificate HC1 is genuine, by the DSC that its kid names, and
        holds DCC.  Which DSC, and the claims."""
        cose = hcert.unwrap(hc1)
        kid = hcert.kid(cose)
        for label, dsc in self.dscs.items():
            if hcert.kid_of(dsc) == kid:
                _, claims = hcert.verify(cose, dsc)
                assert dcc is None or claims[-260][1] == dcc
                return label, claims
        raise AssertionError("the kid is nobody's")

    def check(self, response, dcc=None):
        assert response.status == 200, response
        answer = response.json
        label, claims = self.verify(answer["hcert"], dcc)
        assert claims[6] == answer["iat"] and claims[4] == answer["exp"]
        return label


@functools.cache
def second_key(alg, shim, days):
    """A directory with what TwoHsms have more than the pattern of ALG and SHIM: the key dsc-2 on a token of its own,
    with a DSC that lasts for DAYS."""
    path, first = pattern_dir(), pattern(alg, shim)
    shutil.copy(first / "pin", path)
    (path / "dsc-2.pub").write_bytes(new_key(path, "b", "second", "dsc-2", alg))
    (path / "dsc").mkdir()
    subprocess.run(
        ["openssl", "x509", "-new", "-force_pubkey", "dsc-2.pub", "-subj",
         "/C=VN/O=signerd demo/CN=Demo DSC 2", "-days", str(days), "-sha256",
         "-out", "dsc/dsc-2.pem", "-CA", first / "csca.pem", "-CAkey", first / "csca.key",
         "-extfile", "/dev/stdin"],
        cwd=path, input=EXTENSIONS.encode(), check=True, stderr=subprocess.DEVNULL,
        timeout=60)
    return path


class TwoHsms(OneHsm):
    def __init__(self, shim="control={dir}/control", second="latency=1ms", alg=None,
                 days=730):
        """SHIM, SECOND: specifications for the test module, where {dir} is the
        demo's directory.  The second one's latency makes the first one the
        choice of whoever comes alone.  DAYS: how long the second DSC lasts."""
        super().__init__(shim, alg)
        copy_pattern(second_key(self.alg, shim, days), self.dir)
        self._configure(second)

    def _configure(self, second):
        add_hsm(self, "second", "b", second, "    session_copies: false\n")
        replace(self.dir / "signerd.yaml", "^ledger:$", f"""\
  - label: dsc-2
    hsm: second
    uri: pkcs11:token=second;object=dsc-2
    alg: {self.alg}
    kinds: [v, t, r]
    country: VN
    certificate: dsc/dsc-2.pem
ledger:""")
