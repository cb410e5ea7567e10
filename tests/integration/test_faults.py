# SPDX-License-Identifier: Apache-2.0
"""Processes that die, start and stop."""
import contextlib
import datetime
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

import hcert
from conftest import BUILD, SLOW, record


class Load(threading.Thread):
    """Requests one after the other on a connection of its own, until told."""

    def __init__(self, demo):
        super().__init__(daemon=True)
        self.demo, self.stopping = demo, False
        self.good, self.unavailable, self.broken, self.wrong = 0, 0, 0, []
        self.longest, self.last_good = 0.0, 0.0
        self.start()

    def run(self):
        connection, dsc = None, self.demo.dsc
        while not self.stopping:
            begin = time.monotonic()
            try:
                connection = connection or self.demo.connect(timeout=15)
                dcc = record()
                r = self.demo.issue(dcc, connection=connection)
            except Exception:  # the front died: connect again
                self.broken += 1
                if connection:
                    connection.close()
                connection = None
                time.sleep(0.02)
                continue
            finally:
                self.longest = max(self.longest, time.monotonic() - begin)
            if r.status == 200:
                try:
                    _, claims = hcert.verify(hcert.unwrap(r.json["hcert"]), dsc)
                    assert claims[-260][1] == dcc
                    self.good += 1
                    self.last_good = time.monotonic()
                except Exception as e:
                    self.wrong.append(repr(e))
            elif r.status in (503, 504):
                self.unavailable += 1
                if r.status == 503 and "retry-after" not in r.headers:
                    self.wrong.append("503 without Retry-After")
            else:
                self.wrong.append(repr(r))


def again_within(loads, seconds):
    """All loads have a good answer that began after now, in time."""
    begin = time.monotonic()
    while time.monotonic() < begin + seconds * SLOW:
        if any(l.last_good > begin + 0.05 for l in loads):
            return time.monotonic() - begin
        time.sleep(0.01)
    raise AssertionError(f"no service {seconds} s after the kill")


@pytest.mark.parametrize("role", ["front", "core", "hsm"])
def test_kill_a_role_under_load(own, role):
    own.start()
    loads = [Load(own) for _ in range(8)]
    try:
        time.sleep(1)
        for _ in range(2):
            for victim, pid in sorted(own.roles().items()):
                if victim.startswith(role):
                    os.kill(pid, signal.SIGKILL)
                    again_within(loads, 2)
                    time.sleep(0.5)
    finally:
        for l in loads:
            l.stopping = True
        for l in loads:
            l.join(20 * SLOW)
    assert not any(l.is_alive() for l in loads), "a request hangs"
    assert not any(l.wrong for l in loads), [l.wrong[:3] for l in loads]
    assert sum(l.good for l in loads) > 50
    assert max(l.longest for l in loads) < 12 * SLOW
    if role != "front":
        assert sum(l.broken for l in loads) == 0
    if role == "hsm":  # the jobs go to the other process, or wait for the next
        assert sum(l.unavailable for l in loads) == 0
    assert own.metric_sum("signer_process_starts_total", f'role="{role}"') >= 3
    assert own.stop() == 0


def test_all_hsm_processes_gone_then_back(own):
    own.start()
    # SoftHSM2 writes the token's file at each login: a process that is killed
    # in the middle of that leaves a token that cannot be found again.
    own.wait_all_up()
    pids = [p for r, p in own.roles().items() if r.startswith("hsm")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    begin = time.monotonic()
    while True:
        if own.issue(record()).status == 200:
            break
        assert time.monotonic() - begin < 5 * SLOW
    own.wait_ready()


def test_a_key_removed_from_the_token_signs_no_more(own):
    """The hsm processes sign with copies, which must not outlive their key."""
    own.start()
    assert 'session-copies token="demo" keys=1 copies=1' in own.log()
    own.check(own.issue(record()))
    subprocess.run(
        ["pkcs11-tool", "--module", "/usr/lib/softhsm/libsofthsm2.so", "--token-label", "demo",
         "--login", "--pin", "env:PIN", "--delete-object", "--type", "privkey", "--label", "dsc-1"],
        check=True, stdout=subprocess.DEVNULL, timeout=60,
        env=dict(os.environ, SOFTHSM2_CONF=str(own.dir / "softhsm2.conf"),
                 PIN=(own.dir / "pin").read_text().strip()))
    end = time.monotonic() + 10 * SLOW
    while own.issue(record()).status != 503:
        assert time.monotonic() < end, "a key that is gone still signs"
        time.sleep(0.1)
    time.sleep(2)
    assert own.issue(record()).status == 503
    assert "key-not-found" in own.log()


def test_roles_die_with_the_supervisor(own):
    own.start()
    pids = list(own.roles().values())
    assert len(pids) >= 4
    own.process.kill()
    own.process.wait()
    end = time.monotonic() + 5 * SLOW
    while any(pathlib.Path(f"/proc/{p}").exists() for p in pids):
        assert time.monotonic() < end, "a role outlives the supervisor"
        time.sleep(0.05)
    own.start()  # the pid file of the dead one does not stop the next
    own.check(own.issue(record()))


def test_sigterm_drains(own):
    own.start()
    loads = [Load(own) for _ in range(4)]
    time.sleep(1)
    idle = own.tls()
    own.process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    assert own.process.wait(30 * SLOW) == 0
    assert time.monotonic() - begin < 10 * SLOW
    for l in loads:
        l.stopping = True
    for l in loads:
        l.join(20 * SLOW)
        assert not l.wrong and not l.is_alive()
    idle.close()
    assert not (own.dir / "run/signerd.pid").exists()


def test_second_daemon_on_the_same_directory_refuses(demo):
    out = subprocess.run([BUILD / "signerd", "--config", demo.dir / "signerd.yaml"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 2 and "pid" in out.stderr
    demo.check(demo.issue(record()))


@contextlib.contextmanager
def systemd(own):
    """Its end of NOTIFY_SOCKET, and the path; in the demo's folder, which is short enough."""
    path = str(own.dir / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(30 * SLOW)
        yield s, path


def test_sd_notify(own):
    with systemd(own) as (s, path):
        own.start(env={"NOTIFY_SOCKET": path})
        seen = ""
        while "READY=1" not in seen:
            seen += s.recv(4096).decode() + "\n"
        own.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in seen:
            seen += s.recv(4096).decode() + "\n"
    assert own.process.wait(30 * SLOW) == 0


def test_sd_notify_beside_a_dead_hsm(two_hsms):
    """It signs with the other one: systemd's time for a start must not end it."""
    own = two_hsms()
    own.control("fail=C_OpenSession:1-:CKR_DEVICE_ERROR\n")
    with systemd(own) as (s, path):
        own.start(env={"NOTIFY_SOCKET": path})
        told = s.recv(4096).decode()
        assert told.startswith("READY=1\nSTATUS=Serving, but not up: "), told
        assert " hsm/0 " in told + " "
        assert "hsm-down" in own.log() and " supervisor ready " not in own.log()
        assert own.check(own.issue(record())) == "dsc-2"
        own.control("")
        while told != "STATUS=Serving":
            told = s.recv(4096).decode()
    own.wait_all_up()


def test_check(demo, tmp_path):
    def check(text):
        path = demo.dir / "check.yaml"
        path.write_text(text)
        out = subprocess.run([BUILD / "signerd", "--config", path, "--check"],
                             capture_output=True, text=True, timeout=60)
        path.unlink()
        return out
    good = (demo.dir / "signerd.yaml").read_text()
    assert check(good).returncode == 0
    out = check(good.replace("port:", "prot:", 1))
    assert out.returncode == 2
    line = 1 + good.split("port:")[0].count("\n")
    assert f"check.yaml:{line}:" in out.stderr and "prot" in out.stderr, out.stderr
    out = check(good.replace("policy.yaml", "nothing.yaml"))
    assert out.returncode == 2 and "nothing.yaml" in out.stderr


def test_few_descriptors_are_said_with_what_to_do(own):
    own.wrapper = ["prlimit", "--nofile=1000:1000"]
    own.start()
    assert "descriptors-short limit=1000 needed=20512 " in own.log()
    assert "about 488 connections" in own.log() and "LimitNOFILE=" in own.log()
    own.check(own.issue(record()))
    own.stop()
    before = len(own.log())
    with (own.dir / "signerd.yaml").open("a") as f:
        f.write("limits: {connections: 488}\n")
    own.start()
    assert "descriptors-short" not in own.log()[before:]


def test_a_shared_pin_file(own):
    """Refused where something begins; what runs is replaced, with a warning."""
    own.start()
    own.wait_all_up()
    (own.dir / "pin").chmod(0o644)
    before = own.metric_sum("signer_process_starts_total", 'role="hsm"')
    os.kill(own.roles()["hsm/0"], signal.SIGKILL)
    end = time.monotonic() + 10 * SLOW
    while own.log().count("process-up process=hsm/0") < 2:
        assert time.monotonic() < end, own.log()[-3000:]
        time.sleep(0.02)
    assert own.metric_sum("signer_process_starts_total", 'role="hsm"') == before + 1
    assert "pin-file-shared" in own.log() and "mode=644" in own.log()
    own.reload()
    assert own.metric_sum("signer_reloads_refused_total", 'role="supervisor"') == 1
    own.stop()
    own.start(wait=False)
    assert own.process.wait(20 * SLOW) == 2


def test_wrong_pin_is_said_and_not_repeated_endlessly(own):
    pins = [p for p in own.dir.iterdir() if p.is_file() and "pin" in p.name and "so" not in p.name]
    assert len(pins) == 1
    pins[0].write_text("0000wrong\n")
    own.start(wait=False)
    time.sleep(3 * SLOW)
    assert own.process.poll() is None
    assert "CKR_PIN_INCORRECT" in own.log()
    assert own.ops("/readyz").status == 503
    assert own.log().count("CKR_PIN_INCORRECT") < 12
    # Held off, it shows as a process that is not up and holds nothing.
    series = {(n, l): v for n, l, v in own.metrics()}
    held = [l for n, l in series if n == "signer_process_up" and 'role="hsm"' in l]
    assert len(held) == 3
    for labels in held:
        assert series["signer_process_up", labels] == 0
        assert series["signer_process_resident_bytes", labels] == 0
    assert series["signer_process_up", 'role="core",slot="0"'] == 1
    assert series["signer_process_up", 'role="supervisor",slot="0"'] == 1
    own.stop()


def test_no_secret_in_argv_or_log(demo):
    pins = [p for p in demo.dir.iterdir() if p.is_file() and "pin" in p.name]
    assert pins
    for pin in (p.read_text().strip() for p in pins):
        assert len(pin) >= 4
        assert pin not in demo.log()
        for pid in [demo.process.pid, *demo.roles().values()]:
            assert pin.encode() not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()


def test_ops(demo):
    assert demo.ops("/livez").status == 200
    assert demo.ops("/readyz").status == 200
    assert demo.ops("/v1/keys").status == 404
    names = {n for n, _, _ in demo.metrics()}
    assert {"signer_ready", "signer_sign_queue_seconds_bucket",
            "signer_sign_execution_seconds_bucket", "signer_request_seconds_count"} <= names
    demo.wait_all_up()
    up = {l: v for n, l, v in demo.metrics() if n == "signer_process_up"}
    assert len(up) == len(demo.roles()) + 1 and set(up.values()) == {1}
    (expiry,) = [v for n, _, v in demo.metrics() if n == "signer_dsc_expires_seconds"]
    assert expiry == demo.dsc.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
    # No series of a role that could only ever be 0.
    assert {l for n, l, _ in demo.metrics() if n == "signer_ready"} == {'role="core",slot="0"'}
    text = demo.ops("/metrics").body.decode()
    assert text.count("# TYPE signer_http_responses_total counter") == 1


def test_core_counts_what_it_refuses(demo):
    before = demo.metric_sum("signer_certificates_refused_total")
    demo.issue(record(entry={"dn": 0}))
    assert demo.metric_sum("signer_certificates_refused_total") == before + 1


def test_a_library_that_uses_openssl_first(own):
    """Nobody can say any more what was refused for want of memory: each process says so, and all else works."""
    if not (BUILD / "signerd_unwatched").exists():
        pytest.skip("signerd_unwatched is not built")
    own.program = "signerd_unwatched"
    own.start().wait_all_up()
    own.check(own.issue(record()))
    told = [line for line in own.log().splitlines() if " memory-unwatched " in line]
    assert len(told) == 1 + len(own.roles())
    assert " signerd memory-unwatched " in told[0], told
    own.stop()
    own.program = "signerd"
    before = len(own.log())
    own.start().wait_all_up()
    assert "memory-unwatched" not in own.log()[before:]
