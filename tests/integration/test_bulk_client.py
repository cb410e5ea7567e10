# SPDX-License-Identifier: Apache-2.0
"""signer-issuer bulk and the streaming validate, against a server that breaks
in every way (fakeserver.py)."""
import csv
import fcntl
import gzip
import io
import json
import os
import pty
import signal
import subprocess
import time

import pytest

from conftest import BUILD, SLOW, record
from fakeserver import FakeServer, problem, violation

ISSUER = BUILD / "signer-issuer"


class Job:
    """A server, an input and an output."""

    def __init__(self, directory):
        self.dir = directory
        self.server = FakeServer(directory)
        self.records = []
        self.input = directory / "in.ndjson"
        self.output = directory / "out.ndjson"
        self.partial = directory / "out.ndjson.partial"
        self.mended = directory / "out.ndjson.mended"

    def make(self, n, refused=(), **more):
        """N records; the numbers in REFUSED are to be refused."""
        for i in range(n):
            entry = {"dn": 0} if i in refused else {}
            self.records.append(dict(dcc=record(entry=entry), id=f"r{i}", **more))
        self.input.write_text("".join(
            json.dumps(r, ensure_ascii=False) + "\n" for r in self.records))

    def command(self, *more, command="bulk", files=None):
        files = [self.input, self.output] if files is None else files
        return [ISSUER, command, *self.server.arguments(), *more, *files]

    def start(self, *more, **popen):
        return subprocess.Popen(self.command(*more), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **popen)

    def run(self, *more, expect=0, command="bulk", files=None, **kw):
        out = subprocess.run(self.command(*more, command=command, files=files),
                             capture_output=True, timeout=40 * SLOW, **kw)
        assert out.returncode == expect, (out.returncode, out.stdout, out.stderr)
        return out

    def report(self, *more, expect=0, **kw):
        return json.loads(self.run("--json", *more, expect=expect, **kw).stdout)

    def lines(self):
        text = self.output.read_bytes()
        assert text == b"" or text.endswith(b"\n")
        return [json.loads(line) for line in text.splitlines()]

    def check(self, refused=()):
        """Exactly one good answer a record, in order, and nothing left over."""
        answers = self.lines()
        assert [a.get("id") for a in answers] == [r["id"] for r in self.records]
        for i, (r, a) in enumerate(zip(self.records, answers)):
            if i in refused:
                assert a["status"] == 422
            else:
                assert a["uvci"] == r["dcc"]["v"][0]["ci"] and a["hcert"]
        assert not self.partial.exists() and not self.mended.exists()

    def asked_once(self):
        """No record that was answered for good was sent again."""
        return all(n == 1 for n in self.server.answered.values())


@pytest.fixture
def job(tmp_path):
    j = Job(tmp_path)
    yield j
    j.server.close()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)


def count_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_all_signed(job):
    job.make(300)
    report = job.report()
    job.check()
    assert report["complete"] and report["records"] == report["signed"] == 300
    assert report["refused"] == report["again"] == 0 and report["codes"] == []
    headers = job.server.headers[0]
    assert headers["content-type"] == "application/x-ndjson"
    assert headers["transfer-encoding"] == "chunked" and "expect" not in headers
    assert oct(job.output.stat().st_mode & 0o777) == "0o600"


def test_refused_are_counted(job):
    refused = set(range(0, 500, 3))
    job.make(500, refused)
    out = job.run(expect=1)
    job.check(refused)
    table = out.stdout.decode()
    assert "333 signed" in table and "167 refused" in table
    assert any(line.split()[:2] == ["date-in-future", "167"] and
               line.split()[2:] == ["1", "4", "7", "10", "13"]
               for line in table.splitlines()), table
    assert b"Nguy" not in out.stdout + out.stderr
    # Again: nothing to do, the same words.
    before = job.server.streams
    again = job.run(expect=1)
    assert job.server.streams == before
    assert again.stdout.splitlines()[0] == out.stdout.splitlines()[0]


def test_gzip_and_many_members(job):
    job.make(400)
    text = job.input.read_bytes()
    half = text.index(b"\n", len(text) // 2) + 10  # within a line
    packed = job.dir / "in.ndjson.gz"
    packed.write_bytes(gzip.compress(text[:half]) + gzip.compress(text[half:]))
    job.run(files=[packed, job.output])
    job.check()


def test_gzip_cut_short(job):
    job.make(400)
    packed = gzip.compress(job.input.read_bytes())
    job.input.write_bytes(packed[:len(packed) * 3 // 4])
    out = job.run(expect=2)
    assert b"gzip" in out.stderr and b"Once that is mended" in out.stderr
    n = count_lines(job.output)
    job.input.write_bytes(packed)
    job.run()
    job.check()
    assert n < 400


def test_standard_input_and_last_line_without_end(job):
    job.make(50)
    text = job.input.read_bytes()
    assert job.run(files=["-", job.output], input=text[:-1]).returncode == 0
    job.check()


def test_slow_pipe_answers_flow(job):
    job.make(20)
    lines = job.input.read_bytes().splitlines(True)
    process = subprocess.Popen(job.command(files=["-", job.output]), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for i, line in enumerate(lines):  # each waits for the answer before
        process.stdin.write(line)
        process.stdin.flush()
        wait_for(lambda: count_lines(job.output) == i + 1)
    out = process.communicate(timeout=30)
    assert process.returncode == 0, out
    job.check()


def test_lines_that_are_not_sent(job):
    job.make(6)
    lines = job.input.read_text().splitlines()
    lines[1] = ""
    lines[3] = '{"dcc": "' + "x" * (3 << 20) + '"}'
    lines[4] = "not JSON"
    job.input.write_text("\r\n".join(lines) + "\r\n")
    report = job.report(expect=1)
    answers = job.lines()
    assert [a.get("status", 200) for a in answers] == [200, 400, 200, 413, 400, 200]
    assert report["records"] == 6 and report["refused"] == 3
    assert {c["code"]: c["lines"] for c in report["codes"]} == {
        "malformed": [2, 5], "too-large": [4]}


@pytest.mark.parametrize("connections", [1, 4])
def test_kill_and_resume(job, connections):
    job.make(1200, set(range(5, 1200, 10)))
    job.server.pace = 0.0005
    options = ["--connections", str(connections), "--window", "40"]
    for at in (100, 450, 800):
        process = job.start(*options)
        wait_for(lambda: count_lines(job.output) >= at)
        process.kill()
        process.communicate()
    # What was on its way when the process died may have been answered to nobody,
    # but what it has in its files is not sent again.
    kept = {r["dcc"]["v"][0]["ci"] for r in job.records[:count_lines(job.output)]}
    if job.partial.exists():
        for line in job.partial.read_bytes().split(b"\n")[1:-1]:
            kept.add(job.records[int(line.split()[0])]["dcc"]["v"][0]["ci"])
    time.sleep(0.2)  # the server may still be at what came before
    before = dict(job.server.received)
    job.run(*options, expect=1)
    job.check(set(range(5, 1200, 10)))
    assert len(kept) >= 800
    assert all(job.server.received[uvci] == before[uvci] for uvci in kept)


def test_journal_spares_what_was_received(job):
    """A record that does not come through holds up the file, not the answers."""
    job.make(100)
    stuck = job.records[10]["dcc"]["v"][0]["ci"]
    job.server.on_record = lambda r, times: \
        problem(503, "unavailable") if r["dcc"]["v"][0]["ci"] == stuck else None
    process = job.start("--window", "50", "--retries", "1000")
    wait_for(lambda: count_lines(job.output) == 10 and count_lines(job.partial) == 90)
    process.kill()
    process.communicate()
    assert job.asked_once()
    # A torn entry is no entry; everything else is not sent again.
    with open(job.partial, "r+b") as f:
        f.truncate(job.partial.stat().st_size - 5)
    job.server.on_record = lambda r, times: None
    report = job.report()
    job.check()
    assert sum(n > 1 for n in job.server.answered.values()) == 1
    assert report["resumed_at"] == 11 and report["replayed"] == 1


def test_journal_of_another_input(job):
    job.make(30)
    job.partial.write_text("signer-issuer bulk: answers out of order, job " + "0" * 32 +
                           '\n5 {"status":400,"type":"/problems/malformed"}\n')
    job.output.write_text("")
    job.run()
    job.check()


@pytest.mark.parametrize("fault", ["cut_after", "tear_after", "end_after", "garbage_after"])
def test_broken_streams(job, fault):
    job.make(400)

    def on_stream(stream):
        if stream.number < 5:
            setattr(stream, fault, 37)

    job.server.on_stream = on_stream
    report = job.report("--window", "50")
    job.check()
    assert job.server.streams >= 6 and report["breaks"] == 5


def test_silence(job):
    job.make(60)
    job.server.on_stream = lambda s: setattr(s, "stall_after", 20 if s.number == 0 else None)
    report = job.report("--stall", "1")
    job.check()
    assert report["breaks"] == 1


def test_server_away(job):
    job.make(300)
    streams = []

    def on_stream(stream):
        stream.cut_after = 100 if stream.number == 0 else None
        streams.append(stream)

    job.server.on_stream = on_stream
    job.server.pace = 0.001
    process = job.start()
    wait_for(lambda: count_lines(job.output) >= 50)
    job.server.stop_listening()
    # A reset takes what was on its way along: not each of them need have come.
    wait_for(lambda: streams[0].answered >= 100)
    time.sleep(1)
    assert process.poll() is None
    job.server.listen_again()
    out = process.communicate(timeout=60)
    assert process.returncode == 0, out
    job.check()


def test_retry_after_is_honoured(job):
    job.make(20)
    times = []

    def on_stream(stream):
        times.append(time.monotonic())
        if stream.number < 2:
            stream.refuse = (503, 2)

    job.server.on_stream = on_stream
    job.run()
    job.check()
    assert times[1] - times[0] >= 2 and times[2] - times[1] >= 2


def test_retry_after_too_long(job):
    job.make(20)
    job.server.on_stream = lambda s: setattr(s, "refuse", (503, 3600))
    out = job.run(expect=2)
    assert b"3600" in out.stderr and b"not just now (request 0c5k3v9qa.1)" in out.stderr
    assert job.lines() == []


@pytest.mark.parametrize("status", [403, 404, 415])
def test_refused_stream(job, status):
    job.make(5)
    job.server.on_stream = lambda s: setattr(s, "refuse", (status, None))
    out = job.run(expect=2)
    assert str(status).encode() in out.stderr and job.server.streams == 1
    assert b"Once that is mended, the same command" in out.stderr
    assert b"not just now (request 0c5k3v9qa.1)\n" in out.stderr
    assert b" 0 sent again" in out.stdout


@pytest.mark.parametrize("status", [429, 503, 504])
def test_lines_come_again(job, status):
    job.make(300)
    job.server.on_record = lambda r, times: \
        problem(status, "x") if int(r["id"][1:]) % 7 == 0 and times <= 2 else None
    report = job.report()
    job.check()
    assert job.asked_once() and report["sent_again"] == 2 * 43


def test_refused_for_now_then_resumed(job):
    """A record that keeps its 503 while others get through, amid the file."""
    job.make(200, {150})
    stuck = {f"r{i}" for i in (3, 77, 78, 120)}
    job.server.on_record = lambda r, times: \
        problem(503, "unavailable") if r["id"] in stuck else None
    report = job.report("--retries", "2", expect=1)
    assert report["again"] == 4 and report["refused"] == 1 and report["complete"]
    assert [a["id"] for a in job.lines() if a.get("status") == 503] == sorted(
        stuck, key=lambda i: int(i[1:]))
    job.server.on_record = lambda r, times: None
    before = sum(job.server.received.values())
    report = job.report(expect=1)
    assert report["again"] == 0 and report["refused"] == 1
    job.check({150})
    assert sum(job.server.received.values()) == before + 4 and job.asked_once()


def test_refused_again(job):
    """Corrected records are sent anew, and only when it is asked for."""
    job.make(200, {0, 50, 51, 199})
    out = job.run(expect=1)
    assert b"--refused-again" in out.stderr and b"Refused: 4." in out.stderr
    job.records[50]["dcc"]["v"][0]["dn"] = job.records[199]["dcc"]["v"][0]["dn"] = 1
    job.input.write_text("".join(json.dumps(r) + "\n" for r in job.records))
    before = sum(job.server.received.values())
    report = job.report(expect=1)
    assert report["refused"] == 4 and report["answered_before"] == 200
    assert sum(job.server.received.values()) == before
    report = job.report("--refused-again", expect=1)
    assert report["refused"] == 2 and report["signed"] == 198
    assert report["answered_before"] == 196 and report["sent_again"] == 0
    assert sum(job.server.received.values()) == before + 4
    job.check({0, 51})


def test_killed_while_mending(job):
    job.make(300)
    job.server.on_record = lambda r, times: \
        problem(504, "deadline") if int(r["id"][1:]) % 3 == 0 and int(r["id"][1:]) < 290 \
        else None
    job.run("--retries", "0", expect=1)
    old = job.output.read_bytes()
    job.server.on_record = lambda r, times: None
    job.server.pace = 0.02
    for at in (30, 120):
        process = job.start("--window", "5")
        wait_for(lambda: count_lines(job.mended) >= at)
        process.kill()
        process.communicate()
        assert job.output.read_bytes() == old
    kept = [r["dcc"]["v"][0]["ci"] for r in job.records[:count_lines(job.mended)]]
    time.sleep(0.5)  # the server may still be at what came before
    job.server.pace = 0
    before = dict(job.server.received)
    job.run()
    job.check()
    assert len(kept) >= 120
    assert all(job.server.received[uvci] == before[uvci] for uvci in kept)


def quota(limit):
    done = []

    def on_record(r, times):
        if len(done) >= limit[0]:
            return problem(429, "rate", [violation("quota-exceeded", "")])
        done.append(1)
        return None

    return on_record


def test_quota(job):
    job.make(100)
    limit = [40]
    job.server.on_record = quota(limit)
    report = job.report(expect=1)
    answers = job.lines()
    assert len(answers) == 100 and [a.get("status", 200) for a in answers] == \
        [200] * 40 + [429] * 60
    assert report["again"] == 60 and report["sent_again"] == 0
    limit[0] = 1000
    job.run()
    job.check()
    assert job.asked_once()


def test_nothing_gets_through(job):
    job.make(3000)
    job.server.on_record = lambda r, times: problem(503, "unavailable")
    out = job.run("--give-up", "2", expect=2)
    assert b"given up" in out.stderr and job.lines() == []
    job.server.on_record = lambda r, times: None
    job.run()
    job.check()


def test_last_records_keep_what_the_server_says(job):
    job.make(10)
    job.server.on_record = lambda r, times: \
        problem(503, "unavailable") if r["id"] == "r9" else None
    report = job.report("--give-up", "1", "--retries", "1", expect=1)
    assert report["again"] == 1 and job.lines()[9]["status"] == 503


def test_no_server(job):
    job.make(3)
    job.server.stop_listening()
    begin = time.monotonic()
    out = job.run(expect=2)
    assert b" 0 streams broken" in out.stdout
    assert b"signer-issuer: " in out.stderr and time.monotonic() - begin < 60 * SLOW


def test_server_of_another_ca(job, tmp_path):
    job.make(3)
    other = tmp_path / "other"
    other.mkdir()
    FakeServer(other).close()
    arguments = job.command()
    arguments[arguments.index(job.dir / "ca.pem")] = other / "client.pem"
    begin = time.monotonic()
    out = subprocess.run(arguments, capture_output=True, timeout=60)
    assert out.returncode == 2 and b"certificate" in out.stderr.lower(), out
    assert b"CA of the server's certificate with --ca" in out.stderr
    assert time.monotonic() - begin < 5 * SLOW and job.server.streams == 0


def test_client_of_another_ca(job, tmp_path):
    """The server's refusal by TLS is told at once, in plain words."""
    job.make(3)
    other = tmp_path / "other"
    other.mkdir()
    FakeServer(other).close()
    arguments = job.command()
    for name in ("client.pem", "client.key"):
        arguments[arguments.index(job.dir / name)] = other / name
    begin = time.monotonic()
    out = subprocess.run(arguments, capture_output=True, timeout=60)
    assert out.returncode == 2 and b"does not accept the client's certificate" in out.stderr, out
    assert b"Once that is mended" in out.stderr and b" 0 sent again" in out.stdout
    assert time.monotonic() - begin < 5 * SLOW


def test_answer_about_another_record(job):
    job.make(100)
    job.server.on_stream = lambda s: setattr(s, "swap_after", 42)
    out = job.run(expect=2)
    assert b"record 43: " in out.stderr
    assert b"another record (request 0c5k3v9qa.1:43)\n" in out.stderr
    assert count_lines(job.output) == 42
    job.server.on_stream = lambda s: None
    job.run()
    job.check()


def test_one_answer_too_many(job):
    job.make(100)
    job.server.on_stream = lambda s: setattr(s, "extra_after", 99)
    job.run("--give-up", "3", expect=0)
    job.check()
    job.output.unlink()
    job.server.on_stream = lambda s: setattr(s, "extra_after", 50)
    out = job.run(expect=2)
    assert b"another record" in out.stderr


def test_four_connections_keep_the_order(job):
    refused = set(range(0, 3000, 4))
    job.make(3000, refused)
    job.server.on_record = lambda r, times: \
        problem(503, "unavailable") if int(r["id"][1:]) % 97 == 0 and times == 1 else None
    report = job.report("--connections", "4", "--window", "100", expect=1)
    job.check(refused)
    assert job.server.streams >= 4 and report["records"] == 3000 and job.asked_once()


def test_torn_output(job):
    job.make(100)
    job.run()
    whole = job.output.read_bytes()
    lines = whole.splitlines(True)
    for tail in (lines[60][:-1], lines[60][:7], b"\0" * 500):
        job.output.write_bytes(b"".join(lines[:60]) + tail)
        report = job.report()
        assert report["resumed_at"] == 61 and report["replayed"] == 40
        job.check()


@pytest.mark.parametrize("change", ["garbage", "swapped", "shorter input", "other input"])
def test_tampered_output(job, change):
    job.make(100)
    job.run()
    lines = job.output.read_bytes().splitlines(True)
    if change == "garbage":
        lines[30] = b"hello\n"
    elif change == "swapped":
        lines[30], lines[31] = lines[31], lines[30]
    elif change == "shorter input":
        job.input.write_bytes(b"".join(job.input.read_bytes().splitlines(True)[:30]))
    else:
        job.records = []
        job.make(100)
    text = b"".join(lines)
    job.output.write_bytes(text)
    before = job.server.streams
    out = job.run(expect=2)
    at = {"garbage": b"line 31", "swapped": b"line 31", "shorter input": b"line 31",
          "other input": b"line 1:"}[change]
    assert at in out.stderr, out.stderr
    assert job.output.read_bytes() == text and job.server.streams == before


def test_input_grows(job):
    job.make(50)
    job.run()
    job.make(30)
    for i, r in enumerate(job.records):
        r["id"] = f"r{i}"
    with open(job.input, "w") as f:
        for r in job.records:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")
    report = job.report()
    assert report["resumed_at"] == 51
    job.check()


def test_locked(job):
    job.make(5)
    with open(job.output, "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        out = job.run(expect=2)
    assert b"another process" in out.stderr
    assert job.server.streams == 0


def test_output_is_input(job):
    job.make(5)
    text = job.input.read_bytes()
    job.run(files=[job.input, job.input], expect=2)
    assert job.input.read_bytes() == text


def test_stopped_by_signal(job):
    job.make(500)
    job.server.pace = 0.005
    process = job.start("--json")
    wait_for(lambda: count_lines(job.output) >= 20)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2 and b"signal" in err
    assert b"\nThe same command again goes on" in err
    report = json.loads(out)
    assert not report["complete"] and report["records"] == count_lines(job.output)
    assert report["sent_again"] == 0  # many were under way, none was sent twice
    job.server.pace = 0
    table = job.run().stdout.decode()
    assert " answered in earlier runs\n" in table
    assert " replayed), " in table
    job.check()


def test_disk_full(job):
    job.make(5)
    out = job.run(files=[job.input, "/dev/full"], expect=2)
    assert b"/dev/full" in out.stderr


def test_bar_on_a_terminal(job):
    job.make(200)
    job.server.pace = 0.005
    master, slave = pty.openpty()
    process = subprocess.Popen(job.command(), stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    assert process.wait(30) == 0
    assert b"[===" in text and b"%" in text and b"/s" in text and b"left" in text
    job.output.unlink()
    quiet = job.run("--quiet")
    assert quiet.stderr == b""


def test_usage(job):
    job.make(1)
    job.run(files=[job.input], expect=2)
    job.run("--connections", "0", expect=2)
    job.run("--window", "x", expect=2)
    job.run(files=["/nonexistent", job.output], expect=2)
    out = subprocess.run([ISSUER, "bulk", "--server", "https://localhost:1", job.input,
                          job.output], capture_output=True)
    assert out.returncode == 2 and b"--cert" in out.stderr and out.stdout == b""
    assert b"SIGNER_CERT" in out.stderr
    arguments = job.command()
    arguments[arguments.index(job.dir / "client.key")] = job.dir / "server.key"
    out = subprocess.run(arguments, capture_output=True, timeout=60)
    assert out.returncode == 2 and b"that of --cert?" in out.stderr, out
    job.output.unlink()
    assert not job.output.exists()


# -- validate ---------------------------------------------------------------

def cleaning(job):
    """1000 records of two issuers, some wrong."""
    job.make(1000, set(range(0, 1000, 4)))
    for i, r in enumerate(job.records):
        if i % 10 == 0:
            r["dcc"]["v"][0]["is"] = "=Sở Y tế \"Hà Nội\""
    job.input.write_text("".join(
        json.dumps(r, ensure_ascii=i % 2 == 0) + "\n" for i, r in enumerate(job.records)))
    job.server.on_record = lambda r, times: problem(422, "policy", [
        violation("unknown-field", "/dcc/Nguyễn Văn A/0")]) if r["id"] == "r7" else None


def test_cleaning_report(job):
    cleaning(job)
    report = job.report(command="validate", files=[job.input], expect=1)
    assert report["records"] == 1000 and report["accepted"] == 749
    codes = {c["code"]: c for c in report["codes"]}
    assert codes["out-of-range"]["count"] == 250
    assert codes["out-of-range"]["lines"] == [1, 5, 9, 13, 17]
    fields = {f["field"]: f["count"] for f in report["fields"]}
    assert fields == {"/dcc/v/0/dn": 250, "/dcc/v/0/dt": 250, "/dcc/?/0": 1}
    issuers = {i["issuer"]: (i["records"], i["refused"]) for i in report["issuers"]}
    assert issuers == {"Bộ Y tế": (900, 201), "=Sở Y tế \"Hà Nội\"": (100, 50)}
    assert job.server.paths == ["/v1/validations"]


def test_cleaning_report_csv_and_table(job):
    cleaning(job)
    out = job.run("--csv", "--connections", "3", command="validate", files=[job.input],
                  expect=1).stdout
    rows = list(csv.DictReader(io.StringIO(out.decode("utf-8-sig"), newline="")))
    by_key = {(r["section"], r["key"]): r for r in rows}
    assert by_key["total", "records"]["count"] == "1000"
    assert by_key["code", "date-in-future"]["count"] == "250"
    assert by_key["field", "/dcc/v/0/dt"]["lines"] == "1 5 9 13 17"
    # A spreadsheet must not take it for a formula.
    assert by_key["issuer", "'=Sở Y tế \"Hà Nội\""]["refused"] == "50"
    table = job.run(command="validate", files=[job.input], expect=1).stdout.decode()
    assert "749 accepted (74.9 %)" in table and "/dcc/v/0/dt" in table
    assert '"=Sở Y tế "Hà Nội""' in table and "in force for this client" in table
    assert "\n      a field that the schema does not know\n" in table
    for text in (out.decode(), table):
        assert "NGUYEN" not in text and "1984" not in text and "Nguy" not in text


def test_faults_row_by_row(job):
    cleaning(job)
    path = job.dir / "faults.csv"
    with job.input.open("a") as f:
        f.write("=no JSON\n")
    job.run("--faults", path, command="validate", files=[job.input], expect=1)
    text = path.read_bytes()
    assert text.startswith(b"\xef\xbb\xbfline,pointer,code,level,detail\r\n")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    assert len(rows) == 250 * 2 + 2
    assert rows[0] == {"line": "1", "pointer": "/dcc/v/0/dn", "code": "out-of-range",
                       "level": "error", "detail": "so it is"}
    assert {"line": "8", "pointer": "/dcc/?/0", "code": "unknown-field", "level": "error",
            "detail": "so it is"} in rows
    assert rows[-1]["line"] == "1001" and rows[-1]["code"] == "malformed"
    out = job.run("--faults", "/nonexistent/f", command="validate", files=[job.input], expect=2)
    assert b"--faults: /nonexistent/f: No such file" in out.stderr
    out = job.run("--faults", "/dev/full", command="validate", files=[job.input], expect=2)
    assert b"--faults: cannot write" in out.stderr


def test_wrong_kind_of_file(job):
    """What is expected instead is named."""
    job.make(2)
    out = job.run(command="issue", files=[job.input], expect=2)
    assert b"signer-issuer bulk" in out.stderr
    path = job.dir / "records"
    for text, word in (("[1]", b"but an array"), ("name,date\nx,y\n", b"not JSON")):
        path.write_text(text)
        out = job.run(command="validate", files=[path], expect=2)
        assert word in out.stderr and b'a request {"dcc": ...}' in out.stderr


def test_qr_into_a_pipe():
    out = subprocess.run([ISSUER, "qr", "HC1:6BF"], capture_output=True, check=True).stdout
    assert "█" in out.decode() and b"\x1b" not in out


@pytest.mark.parametrize("name", ["empty", "empty.ndjson"])
def test_no_record(job, name):
    path = job.dir / name
    path.write_bytes(b"")
    out = job.run(command="validate", files=[path], expect=2)
    assert b"holds no record" in out.stderr


@pytest.mark.parametrize("form", ["stdin", "gz", "no name", "csv of one"])
def test_many_or_one(job, form):
    job.make(1 if form == "csv of one" else 20)
    text = job.input.read_bytes()
    options, files, given, name = ["--json"], ["-"], None, job.dir / "records"
    if form == "stdin":
        given = text
    elif form == "gz":
        files = [job.dir / "records.gz"]
        files[0].write_bytes(gzip.compress(text))
    elif form == "no name":
        name.write_bytes(text)
        files = [name]
    else:
        options, given = ["--csv"], text
    out = job.run(*options, command="validate", files=files, input=given).stdout
    if form == "csv of one":
        assert out.startswith(b"\xef\xbb\xbfsection,") and b"total,records,,1,0," in out
    else:
        assert json.loads(out)["accepted"] == 20


def test_validate_survives_breaks(job):
    job.make(300, {5})
    job.server.on_stream = lambda s: setattr(s, "cut_after", 50 if s.number < 3 else None)
    report = job.report(command="validate", files=[job.input], expect=1)
    assert report["records"] == 300 and report["accepted"] == 299 and report["complete"]
