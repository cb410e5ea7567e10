# SPDX-License-Identifier: Apache-2.0
"""Where standard error is the journal's, every process sends entries with fields
to its socket, also from inside its sandbox.  The journald here is a socket of the
test's, put in the place of the real one for the daemon alone."""
import os
import pathlib
import socket
import subprocess
import threading

import pytest

from conftest import SLOW
from test_no_personal_data import People
from written import Values

MOUNT = ("mount -t tmpfs none /run && mkdir -p /run/systemd/journal && "
         'mount --bind "$1" /run/systemd/journal && shift && exec "$@"')


class Journald:
    def __init__(self, folder):
        self.entries, self.raw = [], []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "socket"))
        self.socket.settimeout(0.2)
        self.open = True
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        while self.open:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                continue
            self.raw.append(data)
            self.entries.append(dict(l.split("=", 1) for l in data.decode().splitlines()))

    def of(self, event):
        return [e for e in self.entries if e["SIGNERD_EVENT"] == event]

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()


def datagram_sockets(pid):
    """Those of process PID by which it could write to any other."""
    inodes = {l.split()[6] for l in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
              if l.split()[4] == "0002"}
    own = [os.readlink(f) for f in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    return [o for o in own if o.startswith("socket:") and o[8:-1] in inodes]


def may_mount():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="needs root, and mount namespaces")
def test_entries(own, tmp_path):
    config = own.dir / "signerd.yaml"
    config.write_text(config.read_text() + "log_requests: true\n")
    log = own.dir / "run/signerd.log"
    log.touch()
    journald = Journald(tmp_path)
    values = Values()
    people = People(values)
    own.wrapper = ["unshare", "-m", "sh", "-c", MOUNT, "sh", tmp_path]
    try:
        st = log.stat()
        own.start(env={"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"})
        answer = own.issue(people.dcc())
        assert answer.status == 200
        assert len(datagram_sockets(own.process.pid)) == 1
        assert {r: datagram_sockets(p) for r, p in own.roles().items()} == {
            r: [] for r in own.roles()}
        assert own.issue(dict(people.dcc(), dob=values.add("dob", "1954-77-11"))).status == 422
        assert own.stop(timeout=40 * SLOW) == 0
    finally:
        journald.close()
    name = answer.headers["signer-request"]
    done, refused = journald.of("request-done")
    assert refused["SIGNERD_OUTCOME"] == "policy" and "date" in refused["SIGNERD_CODES"]
    assert done["SIGNERD_REQUEST"] == name
    assert done["SIGNERD_ROLE"] == "core/0" and done["SIGNERD_CLIENT"] == "issuer"
    assert done["PRIORITY"] == "6" and done["SYSLOG_IDENTIFIER"] == "signerd"
    assert int(done["SIGNERD_INDEX"]) == answer.json["ledger"]["index"]
    assert done["MESSAGE"].startswith(f"core/0 request-done request={name} client=\"issuer\" ")
    answered = journald.of("request-answered")[0]
    assert answered["SIGNERD_REQUEST"] == name and answered["SIGNERD_ROLE"] == "front/0"
    # Each role has, and the first word of each is a field of its own.
    assert {e["SIGNERD_ROLE"].partition("/")[0] for e in journald.entries} >= {
        "supervisor", "front", "core", "hsm"}
    assert journald.of("hsm-serving")[0]["SIGNERD_HSM"] in ("demo", "ledger")
    assert log.read_text() == ""  # once, and not twice
    assert values.found_in(b"".join(journald.raw)) == []
