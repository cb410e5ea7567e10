# SPDX-License-Identifier: Apache-2.0
"""The sandbox of each role in the daemon that runs, and what weakens it."""
import collections
import os
import pathlib
import pwd
import re
import subprocess

import pytest

from conftest import BUILD, record
from test_ledger_witness import witness  # noqa: F401 (a fixture)

PARTS = {"user", "capabilities", "system-calls", "files", "memory"}
EVERYTHING = "[user, capabilities, system-calls, files, memory]"
ROLES = ("front", "core", "hsm", "smith", "witness")


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def configure(demo, text):
    with open(demo.dir / "signerd.yaml", "a") as f:
        f.write("sandbox:\n" + text)


def outcomes(log):
    """{role: {attempt: (allowed, outcome)}}"""
    found = collections.defaultdict(dict)
    for role, allowed, outcome, attempt in re.findall(
            r' sandbox-probe role=(\S+) allowed=(\d) outcome=(\S+) attempt="([^"]*)"', log):
        found[role][attempt] = (allowed == "1", outcome)
    return found


def sanitized():
    return b"__asan_init" in (BUILD / "signerd").read_bytes() or \
        b"__tsan_init" in (BUILD / "signerd").read_bytes()


def test_threads_have_names(own):
    """For top: also those that are started when /proc is shut."""
    own.start()
    own.wait_all_up()
    core = own.roles()["core/0"]
    names = {(t / "comm").read_text().strip()
             for t in pathlib.Path(f"/proc/{core}/task").iterdir()}
    assert {"core/0", "journal", "scribe"} <= names


def test_tokens_are_nice(own):
    """Those who sign leave the CPU to those who bring them work."""
    own.start()
    own.wait_all_up()
    base = os.getpriority(os.PRIO_PROCESS, own.process.pid)
    for role, pid in own.roles().items():
        more = 5 if role.startswith("hsm/") else 0
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            assert os.getpriority(os.PRIO_PROCESS, int(thread.name)) == min(base + more, 19), role
    assert " hsm-not-nice " not in own.log()


def test_in_force(own, witness):  # noqa: F811
    demo = own
    demo.start()
    demo.wait_all_up()
    for role, pid in demo.roles().items():
        s = status(pid)
        assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2", role
        assert int(s["CapEff"], 16) == int(s["CapPrm"], 16) == 0, role
        if os.geteuid() == 0:
            assert int(s["CapBnd"], 16) == 0, role
    s = status(demo.process.pid)
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
    assert int(s["CapEff"], 16) & ~0x1fe == 0, "more than files, users and signals"
    parts = {(m[1], m[2]) for n, l, v in demo.metrics() if n == "signer_sandbox" and v == 1
             for m in [re.search(r'part="([^"]*)".*role="([^"]*)"', l) or
                       re.search(r'(?=.*part="([^"]*)")(?=.*role="([^"]*)")', l)]}
    for role in ("supervisor", *ROLES):
        assert {("capabilities", role), ("system-calls", role), ("files", role)} <= parts
    assert " sandbox-weakened " not in demo.log()
    # What an old Landlock does not hold is said.
    lines = re.findall(r" sandbox on=.* landlock=(\d+) unheld=\"([a-z, ]+)\"", demo.log())
    assert len(lines) == len(demo.roles()) + 1
    assert all((unheld == "none") == (int(abi) >= 6) for abi, unheld in lines)
    assert demo.stop() == 0


@pytest.mark.skipif(sanitized(), reason="a sanitizer's build has a list of its own")
def test_every_attempt_from_inside(own, witness):  # noqa: F811
    own.program = "signerd_probe"
    own.start()
    own.wait_all_up()
    assert own.issue(record()).status == 200
    found = outcomes(own.log())
    assert own.stop() == 0
    assert set(found) == set(ROLES)
    assert " victim=role" in own.log()
    for role, attempts in found.items():
        assert len(attempts) >= 28
        for attempt, (allowed, outcome) in attempts.items():
            good = {"worked"} if allowed else {"failed", "killed"}
            assert outcome in good, (role, attempt, outcome)


@pytest.mark.skipif(sanitized() or os.geteuid() != 0, reason="root may do all of it")
def test_the_same_attempts_without_a_sandbox(own, witness):  # noqa: F811
    own.program = "signerd_probe"
    configure(own, "  off:\n" + "".join(
        f"    {role}: {EVERYTHING}\n" for role in ("supervisor", "front", "core", "hsm", "witness")))
    checked = subprocess.run([BUILD / "signerd", "--check", "--config", own.dir / "signerd.yaml"],
                             capture_output=True, text=True)
    assert checked.returncode == 0
    assert "weakens the front's sandbox" in checked.stderr
    own.start()
    own.wait_all_up()
    found = outcomes(own.log())
    assert "sandbox-weakened" in own.log()
    assert own.metric_sum("signer_sandbox") == 0
    assert own.stop() == 0
    for role in ROLES:
        bad = {a for a, (_, outcome) in found[role].items() if outcome != "worked"}
        assert not bad, role


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_users(own):
    users = {"front": "www-data", "core": "daemon", "hsm": "games"}
    ids = {role: pwd.getpwnam(user).pw_uid for role, user in users.items()}
    ids["smith"] = ids["hsm"]
    configure(own, "  users:\n" + "".join(f"    {r}: {u}\n" for r, u in users.items()))
    own.dir.chmod(0o755)
    for role, places in {"front": ["tls"], "core": ["state", "dsc", "csca"],
                         "hsm": ["tokens", "pin", "softhsm2.conf"]}.items():
        for place in places:
            for path in [own.dir / place, *(own.dir / place).rglob("*")]:
                os.chown(path, ids[role], -1)
    (own.dir / "state").chmod(0o711)  # the fronts go through it to the ledger
    own.start()
    own.wait_all_up()
    own.check(own.issue(record()))
    assert own.request("GET", "/v1/ledger/checkpoint").status == 200
    for name, pid in own.roles().items():
        role = name.split("/")[0]
        assert status(pid)["Uid"].split() == [str(ids[role])] * 4, name
    own.reload()
    own.check(own.issue(record()))
    assert own.stop() == 0


def test_a_user_that_is_not_there(own):
    configure(own, "  users: {front: no-such-user}\n")
    checked = subprocess.run([BUILD / "signerd", "--check", "--config", own.dir / "signerd.yaml"],
                             capture_output=True, text=True)
    assert checked.returncode == 2
    assert 'sandbox.users.front: there is no user "no-such-user"' in checked.stderr
