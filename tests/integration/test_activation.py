# SPDX-License-Identifier: Apache-2.0
"""Listeners that systemd has opened (sd_listen_fds(3))."""
import re
import sys

from conftest import record

# What systemd does before it executes a service: sockets from 3 on, and the pid
# that they are for.
ACTIVATE = """
import os, socket, sys
names, ports, program = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
high = []
for i, port in enumerate(ports):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port)))
    s.listen(128)
    os.dup2(s.fileno(), 100 + i)
for i in range(len(ports)):
    os.dup2(100 + i, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(ports)), LISTEN_FDNAMES=names)
os.execv(program[0], program)
"""


def configure(demo, old, new):
    path = demo.dir / "signerd.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_sockets_of_systemd(own):
    """They take the place of those that the configuration names; two fronts share one."""
    configure(own, f"port: {own.port}", "port: 1")  # which signerd is not to open
    configure(own, f"127.0.0.1:{own.port + 1000}", "127.0.0.1:2")
    configure(own, "fronts: 1", "fronts: 2")
    own.wrapper = [sys.executable, "-c", ACTIVATE, "tls:ops", f"{own.port},{own.port + 1000}"]
    own.start()
    own.wait_all_up()
    for _ in range(8):
        assert own.issue(record()).status == 200
    assert len(re.findall("listen-inherited", own.log())) == 2
    assert own.stop() == 0


def test_unknown_socket(own):
    own.wrapper = [sys.executable, "-c", ACTIVATE, "tls:web", f"{own.port},{own.port + 1000}"]
    own.start(wait=False)
    assert own.process.wait(60) != 0
    assert "FileDescriptorName= must be tls, ops or public" in own.log()
    own.process = None
