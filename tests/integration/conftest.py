# SPDX-License-Identifier: Apache-2.0
"""The real daemon on a real SoftHSM2 token, for all integration tests.

BUILD_DIR   the executables to test (default build/release)
DEMO_ALG    ES256 (default) or PS256
"""
import atexit
import functools
import http.client
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest

import contract
import hcert

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", ROOT / "build/release")).resolve()
SHARED = ROOT.parent / "shared"
# Sanitizers and valgrind make everything slower.
SLOW = float(os.environ.get("TEST_SLOW", "1"))


# Where several run side by side each has ports of its own, below those that
# the kernel gives to who asks for any.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 6


def free_port():
    """A port P such that P and P + 1000 are free on loopback."""
    while True:
        port = 20000 + 2000 * WORKER + random.randrange(1000)
        try:
            for p in (port, port + 1000):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue


# Those that take longest first, for whom files run side by side.
LONG = ["test_hsm_drills.py", "test_many_keys.py", "test_ledger.py", "test_ceremony.py", "test_shim.py", "test_stream.py",
        "test_ledger_witness.py", "test_ledger_key.py", "test_ledger_kills.py", "test_bench.py", "test_tls.py",
        "test_rotations.py", "test_bulk_client.py", "test_tls_key.py", "test_ledger_audit.py", "test_evil.py",
        "test_no_personal_data.py", "test_contract.py", "test_revocations.py", "test_renewals.py", "test_faults.py",
        "test_quota.py", "test_auditor.py", "test_bulk.py"]


def pytest_collection_modifyitems(items):
    rank = {name: i for i, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONG)))


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def answer_of(connection, listener, method, target, sent_type=None):
    """What comes on CONNECTION for the request that has been sent; it is what
    tools/openapi.yaml says (contract.py)."""
    r = connection.getresponse()
    out = Response(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
    contract.check(listener, method, target, sent_type, out.status, out.headers, out.body)
    return out


PATTERN_PORT = 60111  # of the patterns of demos


def pattern_dir():
    """A new directory, gone in the end, for what is made once and then copied."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="signerd-pattern-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def pattern(alg, shim):
    """A demo's directory as tools/quickstart makes it, with SHIM for the test module or without it.  Hundreds of tests
    have a demo of their own, and to make one takes a second of a processor, for nothing but keys and certificates."""
    path = pattern_dir()
    subprocess.run(
        [ROOT / "tools/quickstart", "--dir", path, "--port", str(PATTERN_PORT), "--no-install", "--prepare",
         "--alg", alg, *(["--shim", shim.format(dir=path)] if shim else [])],
        check=True, stdout=subprocess.DEVNULL, timeout=300, env=dict(os.environ, SIGNER_BUILD_DIR=str(BUILD)))
    return path


def copy_pattern(path, directory):
    """What is in PATH is in DIRECTORY, too, which its files name instead of PATH."""
    shutil.copytree(path, directory, dirs_exist_ok=True)
    for file in directory.rglob("*"):
        if file.is_file() and os.fsencode(path) in (text := file.read_bytes()):
            file.write_bytes(text.replace(os.fsencode(path), os.fsencode(directory)))


class Demo:
    """One directory made by tools/quickstart, and the daemon started on it.  Those of one kind have the same keys and
    certificates."""

    def __init__(self, alg="ES256", shim=None):
        """SHIM: a specification for the test module (tests/shim), in which
        {dir} is the demo's directory."""
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="signerd-test-"))
        self.port = free_port()
        self.process = None
        self.alg = alg
        self.wrapper = []  # valgrind and its like
        self.program = "signerd"
        copy_pattern(pattern(alg, shim), self.dir)
        config = self.dir / "signerd.yaml"
        text = config.read_text()
        for old, new in ((f"  port: {PATTERN_PORT}\n", f"  port: {self.port}\n"),
                         (f":{PATTERN_PORT + 1000}\n", f":{self.port + 1000}\n")):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        config.write_text(text)

    # -- the daemon ---------------------------------------------------------
    def start(self, wait=True, env=None):
        log = open(self.dir / "run/signerd.log", "ab")
        self.process = subprocess.Popen(
            [*self.wrapper, BUILD / self.program, "--config", self.dir / "signerd.yaml"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=dict(os.environ, **(env or {})))
        log.close()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError("signerd ended: " + self.log()[-3000:])
            try:
                if self.ops("/readyz").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("not ready: " + self.log()[-3000:])

    def wait_all_up(self, seconds=30):
        """Every process serves; to be ready, one of a kind is enough."""
        end = time.monotonic() + seconds * SLOW
        while " supervisor ready " not in self.log():
            assert time.monotonic() < end, self.log()[-3000:]
            time.sleep(0.02)

    def stop(self, sig=signal.SIGTERM, timeout=40):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("did not stop: " + self.log()[-3000:])
        self.process = None
        return code

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        return (self.dir / "run/signerd.log").read_text(errors="replace")

    def roles(self):
        """{"front/0": pid, ...} of the running role processes."""
        out = {}
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        for pid in pathlib.Path(task).read_text().split():
            try:
                args = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"--role" in args:
                i, j = args.index(b"--role"), args.index(b"--slot")
                out[f"{args[i + 1].decode()}/{args[j + 1].decode()}"] = int(pid)
        return out

    def reload(self, seconds=10):
        """SIGHUP, and wait until the log says that every role has answered."""
        before = self.log().count(" reload-done ")
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + seconds * SLOW
        while self.log().count(" reload-done ") == before:
            assert time.monotonic() < end, "no reload: " + self.log()[-3000:]
            time.sleep(0.02)

    # -- talking to it ------------------------------------------------------
    def context(self, client="issuer", alpn=None):
        c = ssl.create_default_context(cafile=self.dir / "ca.pem")
        if client is not None:
            c.load_cert_chain(self.dir / f"clients/{client}.pem",
                              self.dir / f"clients/{client}.key")
        if alpn:
            c.set_alpn_protocols(alpn)
        return c

    def connect(self, client="issuer", timeout=20, context=None):
        return http.client.HTTPSConnection(
            "localhost", self.port, timeout=timeout * SLOW,
            context=context or self.context(client))

    def tls(self, client="issuer", timeout=20, alpn=None):
        """A bare TLS socket, for requests that no library would send."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout * SLOW)
        return self.context(client, alpn).wrap_socket(raw, server_hostname="localhost")

    def request(self, method, path, body=None, headers=None, client="issuer",
                connection=None):
        c = connection or self.connect(client)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
            headers = dict(headers or {})
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
            c.request(method, path, body=body, headers=headers)
            return answer_of(c, "clients", method, path, headers.get("Content-Type"))
        finally:
            if connection is None:
                c.close()

    def issue(self, dcc, client="issuer", connection=None, **extra):
        headers = extra.pop("headers", None)
        return self.request("POST", "/v1/certificates", dict(dcc=dcc, **extra),
                            headers, client, connection)

    def ops(self, path, method="GET", headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port + 1000, timeout=10 * SLOW)
        try:
            c.request(method, path, headers=headers or {})
            return answer_of(c, "ops", method, path)
        finally:
            c.close()

    def metrics(self):
        """[(name, labels, value)]"""
        out = []
        for line in self.ops("/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                series, value = line.rsplit(" ", 1)
                name, _, labels = series.partition("{")
                out.append((name, labels.rstrip("}"), float(value)))
        return out

    def metric_sum(self, name, label=""):
        return sum(v for n, l, v in self.metrics() if n == name and label in l)

    @property
    def dsc(self):
        (path,) = (self.dir / "dsc").glob("*.pem")
        return hcert.load_certificate(path)

    def check(self, response, dcc=None):
        """The certificate in RESPONSE is genuine, and holds DCC."""
        assert response.status == 200, response
        answer = response.json
        header, claims = hcert.verify(hcert.unwrap(answer["hcert"]), self.dsc)
        if dcc is not None:
            assert claims[-260][1] == dcc
        assert claims[6] == answer["iat"] and claims[4] == answer["exp"]
        return claims


COUNTER = itertools.count(1)  # one step, whichever threads ask


def record(kind="v", **changes):
    """A plausible payload with a UVCI of its own; nobody is behind it."""
    uvci = f"URN:UVCI:01:VN:T{os.getpid():X}N{next(COUNTER):08d}"
    entry = {
        "v": dict(tg="840539006", vp="1119349007", mp="EU/1/20/1528",
                  ma="ORG-100030215", dn=2, sd=2, dt="2021-09-12"),
        "t": dict(tg="840539006", tt="LP6464-4", nm="Roche LightCycler qPCR",
                  sc="2021-11-02T08:15:00Z", tr="260415000", tc="Bệnh viện Chợ Rẫy"),
        "r": dict(tg="840539006", fr="2021-08-01", df="2021-08-12", du="2022-01-28"),
    }[kind]
    entry = dict(entry, co="VN", ci=uvci, **{"is": "Bộ Y tế"})
    entry.update(changes.pop("entry", {}))
    dcc = dict(ver="1.3.3", dob="1984-03-02", nam=dict(
        fn="Nguyễn", fnt="NGUYEN", gn="Bảo Duy", gnt="BAO<DUY"), **{kind: [entry]})
    dcc.update(changes)
    return dcc


@pytest.fixture(scope="session")
def running():
    """The daemon that most tests share; they leave it as it was."""
    demo = Demo(os.environ.get("DEMO_ALG", "ES256"))
    demo.start()
    yield demo
    code = demo.stop()
    log = demo.log()
    demo.remove()
    assert code == 0
    assert "Sanitizer" not in log, log[-4000:]


@pytest.fixture
def demo(running):
    if running.process is None or running.process.poll() is not None:
        running.start()
    return running


def making(kind):
    """For fixtures that make demos, not started: make(...) is KIND(...).  They are removed in the end, and a sanitizer
    has said nothing."""
    made = []

    def make(*arguments, **more):
        made.append(kind(*arguments, **more))
        return made[-1]
    yield make
    for demo in made:
        log = demo.log() if (demo.dir / "run/signerd.log").exists() else ""
        demo.remove()
        assert "Sanitizer" not in log, log[-4000:]


@pytest.fixture
def demos():
    """Makes demos like own, more than one or with an HSM behind the test module: demos(ALG, SHIM)."""
    yield from making(Demo)


@pytest.fixture
def own(demos):
    """A daemon of the test's own, to be broken."""
    return demos(os.environ.get("DEMO_ALG", "ES256"))


@pytest.fixture
def two_hsms():
    """Makes demos with two HSMs, not started: two_hsms(), see hsms.TwoHsms."""
    from hsms import TwoHsms  # which needs what is here
    yield from making(TwoHsms)


def shared(path):
    """A file of the public test data, or skip."""
    found = SHARED / path
    if not found.exists():
        pytest.skip("the public test data (../shared) is not here")
    return found
