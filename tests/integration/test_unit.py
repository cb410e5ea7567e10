# SPDX-License-Identifier: Apache-2.0
"""signerd under what the packages' unit takes from it (confined.py)."""
import os
import pwd
import re
import shutil
import subprocess
import sys

import pytest

import confined
from ceremony import Ceremony
from conftest import BUILD, ROOT, record
from test_sandbox import sanitized, status
from test_ledger_witness import witness  # noqa: F401 (a fixture)

UNIT = ROOT / "tools/packages/systemd/signerd.service.in"

pytestmark = [
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="the sets of system calls are systemd's to tell"),
    pytest.mark.skipif(sanitized(), reason="a sanitizer asks for more than the unit gives")]


@pytest.fixture
def service(own):
    """As systemd would start it."""
    own.wrapper = [sys.executable, confined.__file__, UNIT]
    if os.geteuid() == 0:
        # The build may lie where nobody else may look.
        own.program = shutil.copy(BUILD / "signerd", own.dir)
        who = pwd.getpwnam(confined.USER)
        for path in [own.dir, *own.dir.rglob("*")]:
            os.chown(path, who.pw_uid, who.pw_gid)
    return own


def test_it_serves(service, witness):  # noqa: F811
    demo = service
    demo.start()
    demo.wait_all_up()
    demo.check(demo.issue(record()))
    assert demo.request("GET", "/v1/ledger/vkey").status == 200
    demo.reload()
    demo.check(demo.issue(record()))
    # A smith has a key made, too, and takes it to the other processes.
    court = Ceremony(demo)
    court.found()
    court.rotate("dsc-2")
    assert demo.issue(record()).status == 200
    assert {k["label"]: k["state"] for k in court.document()["keys"]}["dsc-2"] == "active"
    # Each has given up of its own what it always does.
    s = status(demo.process.pid)
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2" and int(s["CapPrm"], 16) == 0
    if os.geteuid() == 0:
        assert int(s["CapBnd"], 16) == 0
        assert s["Uid"].split() == [str(pwd.getpwnam(confined.USER).pw_uid)] * 4
    lines = re.findall(r' sandbox on="([^"]*)"', demo.log())
    assert len(lines) > len(demo.roles())  # a smith is another one after each task
    assert all({"capabilities", "system-calls", "files"} <= set(re.split(r"[, ]+", on)) for on in lines)
    assert demo.metric_sum("signer_sandbox_kills_total") == 0
    assert " hsm-not-nice " not in demo.log()
    assert demo.stop() == 0


def test_the_unit_is_in_force(service):
    """What the test above runs under does refuse what the unit refuses."""
    has = confined.settings(UNIT)
    calls = confined.allowed(has["SystemCallFilter"])
    assert {"openat", "seccomp", "landlock_restrict_self", "prlimit64", "mlockall", "setpriority"} <= calls
    assert not {"capset", "setresuid", "mount", "ptrace", "sched_setscheduler"} & calls
    tries = ("import ctypes, errno, os, socket\n"
             "libc = ctypes.CDLL(None, use_errno=True)\n"
             "def failed(call, *a):\n"
             "    ctypes.set_errno(0)\n"
             "    return call(*a) < 0 and errno.errorcode[ctypes.get_errno()]\n"
             "assert failed(libc.sched_setscheduler, 0, 0, ctypes.byref(ctypes.c_int(0))) == 'EPERM'\n"
             "assert failed(libc.unshare, 0x10000000) == 'EPERM'\n"
             "assert failed(libc.socket, 16, 3, 0) == 'EAFNOSUPPORT'\n"
             "libc.mmap.restype = ctypes.c_long\n"
             "assert failed(libc.mmap, None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0)) == 'EPERM'\n"
             "assert failed(libc.syscall, 437, -100, b'/', None, 0) == 'ENOSYS'\n"  # openat2
             "assert libc.socket(2, 1, 0) >= 0\n")
    assert subprocess.run([*service.wrapper, sys.executable, "-c", tries]).returncode == 0
