# SPDX-License-Identifier: Apache-2.0
"""A program under what a systemd unit takes from its service, without systemd:

    confined.py UNIT PROGRAM ARGUMENT...

What lines of UNIT say by seccomp, resource limits, capabilities and umask holds for PROGRAM; what takes a mount
namespace (ProtectSystem=, PrivateDevices=) does not.  As root PROGRAM runs as USER, with no capability."""
import ctypes
import errno
import functools
import os
import pwd
import resource
import subprocess
import sys

import seccomp
from seccomp import ALLOW, ERRNO, EQ, MASKED_EQ, Arg

USER = "daemon"  # in the place of the unit's own, which only the package makes

# linux/prctl.h, linux/sched.h, sys/socket.h, sys/mman.h, sys/shm.h, sys/stat.h, fcntl.h
PR_CAPBSET_READ, PR_CAPBSET_DROP = 23, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
NAMESPACES = {0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000}
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
ALL_FAMILIES = range(46)
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
S_ISUID, S_ISGID, O_CREAT = 0o4000, 0o2000, 0o100
SCHED_RESET_ON_FORK, ORDINARY_POLICIES = 0x40000000, {0, 3, 5}

LIMITS = {"LimitNOFILE": resource.RLIMIT_NOFILE, "LimitCORE": resource.RLIMIT_CORE,
          "LimitMEMLOCK": resource.RLIMIT_MEMLOCK}


def settings(unit):
    """{name: [value, ...]} of the section [Service] of UNIT."""
    found, section = {}, ""
    with open(unit) as f:
        for line in map(str.strip, f):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                name, value = line.split("=", 1)
                found.setdefault(name, []).append(value)
    return found


@functools.cache
def expand(name):
    """The system calls of the set NAME, or NAME itself."""
    if not name.startswith("@"):
        return frozenset([name])
    out = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name],
                         capture_output=True, text=True, check=True).stdout
    members = [line.strip() for line in out.splitlines() if line.startswith("    ")]
    return frozenset().union(*(expand(m) for m in members if not m.startswith("#")))


def allowed(lines):
    """What systemd.exec(5) makes of the lines SystemCallFilter= of a unit: the first is a list of what is allowed, and
    the later ones add to it or (~) take away."""
    calls = set(expand("@default"))
    for line in lines:
        names = frozenset().union(*(expand(n) for n in line.removeprefix("~").split()))
        calls = calls - names if line.startswith("~") else calls | names
    return calls


def calls_filter(has):
    f = seccomp.SyscallFilter(ERRNO(getattr(errno, has["SystemCallErrorNumber"][-1])))
    for name in allowed(has["SystemCallFilter"]):
        try:
            f.add_rule(ALLOW, name)
        except (RuntimeError, ValueError):
            pass  # of another architecture, or newer than libseccomp
    return f


def families_filter(has):
    f = seccomp.SyscallFilter(ALLOW)
    good = {FAMILIES[name] for name in has["RestrictAddressFamilies"][-1].split()}
    for family in set(ALL_FAMILIES) - good:
        f.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, EQ, family))
    return f


def memory_filter(f):
    both = PROT_WRITE | PROT_EXEC
    f.add_rule(ERRNO(errno.EPERM), "mmap", Arg(2, MASKED_EQ, both, both))
    for name in ("mprotect", "pkey_mprotect"):
        f.add_rule(ERRNO(errno.EPERM), name, Arg(2, MASKED_EQ, PROT_EXEC, PROT_EXEC))
    f.add_rule(ERRNO(errno.EPERM), "shmat", Arg(2, MASKED_EQ, SHM_EXEC, SHM_EXEC))


def namespaces_filter(f):
    f.add_rule(ERRNO(errno.ENOSYS), "clone3")
    f.add_rule(ERRNO(errno.EPERM), "setns")
    for flag in NAMESPACES:
        for name in ("clone", "unshare"):
            f.add_rule(ERRNO(errno.EPERM), name, Arg(0, MASKED_EQ, flag, flag))


def set_id_filter(f):
    f.add_rule(ERRNO(errno.ENOSYS), "openat2")
    for bit in (S_ISUID, S_ISGID):
        for name, at in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2),
                         ("mknod", 1), ("mknodat", 2), ("creat", 1)):
            f.add_rule(ERRNO(errno.EPERM), name, Arg(at, MASKED_EQ, bit, bit))
        for name, at in (("open", 1), ("openat", 2)):
            f.add_rule(ERRNO(errno.EPERM), name, Arg(at, MASKED_EQ, O_CREAT, O_CREAT), Arg(at + 1, MASKED_EQ, bit, bit))


def realtime_filter(f):
    for policy in set(range(7)) - ORDINARY_POLICIES:
        f.add_rule(ERRNO(errno.EPERM), "sched_setscheduler", Arg(1, MASKED_EQ, ~SCHED_RESET_ON_FORK & 0xffffffff, policy))


def personality_filter(f):
    f.add_rule(ERRNO(errno.EPERM), "personality")


SWITCHES = {"MemoryDenyWriteExecute": memory_filter, "RestrictNamespaces": namespaces_filter,
            "RestrictSUIDSGID": set_id_filter, "RestrictRealtime": realtime_filter, "LockPersonality": personality_filter}


def filters(has):
    made = [families_filter(has)]
    for name, fill in SWITCHES.items():
        if has.get(name, ["no"])[-1] == "yes":
            f = seccomp.SyscallFilter(ALLOW)
            fill(f)
            made.append(f)
    return [*made, calls_filter(has)]  # this one last: it may close the way to another


def limit(has):
    for name, which in LIMITS.items():
        value = has[name][-1]
        # Who is not root cannot have more than there is.
        most = resource.getrlimit(which)[1]
        want = resource.RLIM_INFINITY if value == "infinity" else int(value)
        if most != resource.RLIM_INFINITY and (want == resource.RLIM_INFINITY or want > most):
            want = most
        resource.setrlimit(which, (want, want))


def drop(has):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if os.geteuid() == 0:
        assert has["CapabilityBoundingSet"] == [""], "only a unit that keeps none is known here"
        cap = 0
        while libc.prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0:
            assert libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0
            cap += 1
        who = pwd.getpwnam(USER)
        os.setgroups([])
        os.setresgid(*[who.pw_gid] * 3)
        os.setresuid(*[who.pw_uid] * 3)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0


def main():
    unit, *command = sys.argv[1:]
    has = settings(unit)
    made = filters(has)
    limit(has)
    os.umask(int(has["UMask"][-1], 8))
    drop(has)
    for f in made:
        f.load()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
