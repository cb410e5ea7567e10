# SPDX-License-Identifier: Apache-2.0
"""signer-issuer bulk and the data-cleaning report against the real daemon:
whatever is killed in the middle, each line gets exactly one good answer."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

import hcert
from conftest import BUILD, SLOW, record

ISSUER = BUILD / "signer-issuer"


class Files:
    def __init__(self, demo, directory):
        self.demo, self.input, self.output = demo, directory / "in", directory / "out"

    def make(self, n, wrong=lambda i: False):
        self.records = []
        for i in range(n):
            entry = {"dn": 0} if wrong(i) else {}
            self.records.append(dict(dcc=record("vtr"[i % 3] if not entry else "v",
                                                entry=entry), id=f"n{i}"))
        self.wrong = [wrong(i) for i in range(n)]
        self.input.write_text("".join(
            json.dumps(r, ensure_ascii=False) + "\n" for r in self.records))

    def command(self, *more, command="bulk"):
        d = self.demo.dir
        files = [self.input, self.output] if command == "bulk" else [self.input]
        return [ISSUER, command, "--server", f"https://localhost:{self.demo.port}",
                "--ca", d / "ca.pem", "--cert", d / "clients/issuer.pem",
                "--key", d / "clients/issuer.key", *more, *files]

    def start(self, *more):
        return subprocess.Popen(self.command(*more), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, *more, expect, command="bulk"):
        out = subprocess.run(self.command(*more, command=command), capture_output=True,
                             timeout=120 * SLOW)
        assert out.returncode == expect, (out.returncode, out.stdout, out.stderr)
        return out

    def lines(self):
        return self.output.read_bytes().count(b"\n") if self.output.exists() else 0

    def wait(self, n, process):
        end = time.monotonic() + 60 * SLOW
        while self.lines() < n:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, f"{self.lines()} of {n}"
            time.sleep(0.005)

    def check(self):
        text = self.output.read_bytes()
        answers = [json.loads(line) for line in text.splitlines()]
        assert text.endswith(b"\n")
        assert [a["id"] for a in answers] == [r["id"] for r in self.records]
        dsc = self.demo.dsc
        for i, (r, a) in enumerate(zip(self.records, answers)):
            if self.wrong[i]:
                assert a["status"] == 422 and a["violations"][0]["code"] == "out-of-range"
                continue
            assert "hcert" in a, a
            if i % 50 == 0:
                claims = hcert.verify(hcert.unwrap(a["hcert"]), dsc)[1]
                assert claims[-260][1] == r["dcc"]
        assert [p.name for p in self.output.parent.iterdir() if "out." in p.name] == []


@pytest.fixture
def files(demo, tmp_path):
    return Files(demo, tmp_path)


@pytest.mark.parametrize("connections", [1, 3])
def test_issue(files, connections):
    files.make(2000, lambda i: i % 3 == 0)
    report = json.loads(files.run("--json", "--connections", str(connections),
                                  expect=1).stdout)
    files.check()
    wrong = sum(files.wrong)
    assert report["signed"] == 2000 - wrong and report["refused"] == wrong
    assert report["codes"][0]["code"] == "out-of-range"
    assert report["codes"][0]["count"] == wrong


def test_lines_stay_in_step(files):
    """Empty lines, lines that are no JSON, and one beyond every limit."""
    files.make(5)
    lines = files.input.read_text().splitlines()
    lines[1:1] = ["", "no JSON", json.dumps({"dcc": "x" * 300000}), "[]"]
    files.input.write_text("\n".join(lines))  # and the last one has no end
    files.run(expect=1)
    answers = [json.loads(line) for line in files.output.read_text().splitlines()]
    assert [a.get("status", 200) for a in answers] == [200, 400, 400, 413, 400] + [200] * 4
    assert [a.get("id") for a in answers] == ["n0"] + [None] * 4 + ["n1", "n2", "n3", "n4"]


def test_everything_is_killed(own, tmp_path):
    files = Files(own, tmp_path)
    files.make(int(12000 / SLOW), lambda i: i % 7 == 0)
    own.start()
    n = len(files.records)
    process = files.start("--connections", "2")
    for share, role in ((0.1, "front/0"), (0.25, "core/0"), (0.4, "hsm/0")):
        files.wait(int(n * share), process)
        pid = own.roles().get(role)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
    files.wait(int(n * 0.55), process)
    process.kill()
    process.communicate()
    process = files.start()
    files.wait(int(n * 0.75), process)
    own.process.kill()
    own.process.wait()
    time.sleep(0.5)
    own.start()
    out, err = process.communicate(timeout=120 * SLOW)
    assert process.returncode == 1, (out, err)
    files.check()


def test_restart_in_the_middle(own, tmp_path):
    """SIGTERM drains: what was taken is answered, the rest goes to the next."""
    files = Files(own, tmp_path)
    files.make(int(6000 / SLOW))
    own.start()
    process = files.start()
    files.wait(len(files.records) // 4, process)
    assert own.stop() == 0
    own.start()
    out, err = process.communicate(timeout=120 * SLOW)
    assert process.returncode == 0, (out, err)
    files.check()


def test_restart_while_nothing_is_under_way(own, tmp_path):
    """The producer is slow: the server takes its leave, and is found again."""
    files = Files(own, tmp_path)
    files.make(2)
    lines = files.input.read_bytes().splitlines(True)
    own.start()
    command = [a if a != files.input else "-" for a in files.command("--json")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(lines[0])
    process.stdin.flush()
    files.wait(1, process)
    assert own.stop(timeout=10 * SLOW) == 0  # less than limits.drain
    own.start()
    out, err = process.communicate(lines[1], timeout=60 * SLOW)
    assert process.returncode == 0, (out, err)
    files.check()
    assert json.loads(out)["sent_again"] == 0


def test_cleaning_report(files):
    files.make(900, lambda i: i % 9 == 0)
    issued = files.demo.metric_sum("signer_certificates_issued_total")
    out = files.run("--json", expect=1, command="validate")
    report = json.loads(out.stdout)
    assert report["records"] == 900 and report["accepted"] == 800
    assert report["fields"][0]["field"] == "/dcc/v/0/dn"
    assert report["issuers"] == [{"issuer": "Bộ Y tế", "records": 900, "refused": 100,
                                  "lines": [1, 2, 3, 4, 5]}]
    assert files.demo.metric_sum("signer_certificates_issued_total") == issued
    assert not files.output.exists()


def test_refused_client(files):
    """No record has that for its answer: it goes on when the client may."""
    files.make(30)
    command = [str(a).replace("issuer.", "stranger.") for a in files.command()]
    out = subprocess.run(command, capture_output=True, timeout=60 * SLOW)
    assert out.returncode == 2 and b"403" in out.stderr and b"policy" in out.stderr, out
    assert files.lines() == 0
    files.run(expect=0)
    files.check()


@pytest.mark.parametrize("command", ["issue", "validate"])
def test_a_refusal_tells_the_request(files, command):
    """Who is refused can tell the operator which request it was."""
    name = r"[0-9a-hjkmnp-tv-z]{9}\.1"
    files.make(1, wrong=lambda i: True)
    out = files.run(expect=1, command=command)
    assert re.search(rf"^  request {name} in the server's log$", out.stdout.decode(), re.M), out
    assert out.stderr == b""
    out = files.run("--json", expect=1, command=command)
    assert json.loads(out.stdout)["status"] == 422  # as it came
    assert re.fullmatch(rf"  request {name} in the server's log\n", out.stderr.decode()), out
    files.make(1)
    assert b"request" not in files.run(expect=0, command=command).stdout


def test_a_receipt_of_nothing_tells_the_request(files, tmp_path):
    files.make(1)
    answer = tmp_path / "answer.json"
    answer.write_bytes(files.run("--json", expect=0, command="issue").stdout)
    out = subprocess.run([*files.command(command="receipt")[:-1], "--index", "4000000000",
                          answer], capture_output=True)
    assert out.returncode == 1
    assert re.search(r"no such entry \(request [0-9a-hjkmnp-tv-z]{9}\.[12]\)$",
                     out.stderr.decode().strip()), out
