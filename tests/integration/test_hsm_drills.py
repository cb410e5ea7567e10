# SPDX-License-Identifier: Apache-2.0
"""HSMs that fail, in each way that PKCS #11 knows, with one HSM and with two.

With one: no wrong signature, no request beyond its deadline, and service again
within 3 s of the fault's end.  With two, one of them sound: no client sees an
error at all.  Every certificate verifies by the key that its kid names."""
import concurrent.futures
import json
import os
import re
import signal
import threading
import time

import pytest

from conftest import SLOW, making, record
from hsms import OneHsm
from streams import H1, good, text

BACK = 3  # seconds after a fault's end
DEADLINE = 10  # limits.request


@pytest.fixture
def one_hsm():
    yield from making(OneHsm)


@pytest.fixture(params=["one", "two"])
def demo(request, one_hsm, two_hsms):
    d = one_hsm() if request.param == "one" else two_hsms()
    d.two = request.param == "two"
    return d


def begin(demo):
    if SLOW > 1:
        with open(demo.dir / "signerd.yaml", "a") as f:
            f.write(f"limits: {{request: {min(59, DEADLINE * SLOW):.0f}s}}\n")
    demo.start()
    demo.wait_all_up()
    return demo


def finish(demo):
    """Stop it, when no hsm process is on its way up."""
    def up():
        all_of = [v for n, l, v in demo.metrics() if n == "signer_process_up" and 'role="hsm"' in l]
        return all_of != [] and min(all_of) == 1
    wait_until(up, 30, "the hsm processes")
    assert demo.stop() == 0


def wait_until(what, seconds, why):
    end = time.monotonic() + seconds * SLOW
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.02)


class Load:
    """Clients that ask now and then, until they are told to end."""

    def __init__(self, demo, clients=6):
        self.demo = demo
        self.answers = []  # (begun, ended, dcc, response)
        self.faults = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join(60 * SLOW)
            assert not t.is_alive()

    def _run(self):
        try:
            c = self.demo.connect(timeout=30)
            while not self.ending.is_set():
                dcc, began = record(), time.monotonic()
                r = self.demo.issue(dcc, connection=c)
                self.answers.append((began, time.monotonic(), dcc, r))
                # Not as long as Retry-After says.
                time.sleep(0.015 if r.status == 200 else 0.05)
            c.close()
        except Exception as e:  # for the test to tell
            self.faults.append(e)

    def check(self):
        """All is as it should be.  By which key how many were signed."""
        assert not self.faults, self.faults
        by = {}
        for began, ended, dcc, r in self.answers:
            assert ended - began < DEADLINE * SLOW + 1, "beyond its deadline"
            if r.status == 200:
                label = self.demo.check(r, dcc)
                by[label] = by.get(label, 0) + 1
                continue
            assert not self.demo.two, r
            assert r.status in (503, 504), r
            assert r.status == 504 or "retry-after" in r.headers
        return by

    def back_after(self, moment):
        """Seconds from MOMENT to the first certificate asked for after it."""
        ended = [e for b, e, _, r in self.answers if r.status == 200 and b >= moment]
        assert ended, "it never came back"
        return min(ended) - moment


def served_again(demo, since, connection=None):
    """Asks until a certificate comes; within BACK of SINCE."""
    while True:
        dcc = record()
        r = demo.issue(dcc, connection=connection)
        if r.status == 200:
            demo.check(r, dcc)
            assert time.monotonic() - since < BACK * SLOW, "it took too long"
            return
        assert not demo.two, r
        assert r.status in (503, 504), r
        assert time.monotonic() - since < BACK * SLOW, r
        time.sleep(0.02)


# -- under bulk load -----------------------------------------------------------

def bulk(demo, n):
    requests = good(n)
    s = H1(demo)
    s.send(text(requests))
    s.end()
    answers = s.rest(120)
    s.close()
    assert [a.get("id") for a in answers] == [label for label, _ in requests]
    by = {}
    for a, (_, dcc) in zip(answers, requests):
        assert "hcert" in a, a
        label, _ = demo.verify(a["hcert"], dcc)
        by[label] = by.get(label, 0) + 1
    return by


def test_one_in_a_hundred_fails(demo):
    """Of the calls, by one reason or another.  Not one record of a stream."""
    begin(demo)
    demo.control("fail=C_Sign:*151:CKR_DEVICE_ERROR\nfail=C_Sign:*397:CKR_GENERAL_ERROR\n"
                 "fail=C_Sign:*499:CKR_FUNCTION_FAILED\nfail=C_SignInit:*283:CKR_SESSION_CLOSED\n"
                 "fail=C_SignInit:*401:CKR_DATA_LEN_RANGE\nfail=C_OpenSession:*7:CKR_DEVICE_MEMORY\n")
    by = bulk(demo, 6000)
    assert sum(by.values()) == 6000
    assert by.get("dsc-1", 0) > 500, by
    assert demo.metric_sum("signer_hsm_errors_total") >= by["dsc-1"] / 200
    assert log_lines_a_second(demo) < 100
    assert demo.metric_sum("signer_signatures_wrong_total") == 0
    finish(demo)


# -- every value ------------------------------------------------------------------

# PKCS #11 v2.40 base, section 5.1.
CKR = """0001 0002 0003 0005 0006 0007 0008 0009 000A 0010 0011 0012 0013 001B 0020 0021 0030
0031 0032 0040 0041 0050 0051 0054 0060 0062 0063 0064 0065 0066 0067 0068 0069 006A 0070 0071
0082 0090 0091 00A0 00A1 00A2 00A3 00A4 00B0 00B1 00B3 00B4 00B5 00B6 00B7 00B8 00C0 00C1 00D0
00D1 00E0 00E1 00E2 00F0 00F1 00F2 0100 0101 0102 0103 0104 0105 0110 0112 0113 0114 0115 0120
0121 0130 0140 0141 0150 0160 0170 0180 0190 0191 01A0 01A1 01B0 01B1 01B5 01B6 01B7 01B8 01B9
0200""".split()

# How C_Sign has to fail for the function to be called at all.
CAUSE = {"C_Sign": "", "C_SignInit": "",
         "C_OpenSession": "fail=C_Sign:1:CKR_SESSION_HANDLE_INVALID\n",
         "C_Login": "fail=C_Sign:1:CKR_USER_NOT_LOGGED_IN\n"}


class Faults:
    """What the log has to say of a fault."""

    def __init__(self, demo):
        self.demo = demo
        self.file = open(demo.dir / "run/signerd.log", errors="replace")
        self.new()

    def new(self):
        self.text, self.refusals = "", 0

    def met(self, function):
        """Has it been met?  Where a PIN has been refused, nobody logs in before
        somebody has said that it is right after all."""
        self.text += self.file.read()
        refusals = self.text.count(" pin-refused ")
        if refusals > self.refusals:
            self.refusals = refusals
            self.demo.reload()
        return f"pkcs11-shim: fault at {function}\n" in self.text


@pytest.mark.parametrize("function", CAUSE)
def test_every_value(demo, function):
    """Each once."""
    demo.configure("^    processes: .*", "    processes: 4")
    begin(demo)
    faults = Faults(demo)
    c = demo.connect(timeout=30)
    for value in CKR:
        faults.new()
        demo.control(f"{CAUSE[function]}fail={function}:1:0x0000{value.lower()}\n")
        since = time.monotonic()
        while not faults.met(function):
            assert time.monotonic() - since < 20 * SLOW, f"{value} was never met: {demo.log()[-6000:]}"
            dcc = record()
            r = demo.issue(dcc, connection=c)
            if r.status == 200:
                demo.check(r, dcc)
            else:
                assert not demo.two, (value, r)
                assert r.status in (503, 504), (value, r)
        served_again(demo, time.monotonic(), c)
    c.close()
    assert demo.metric_sum("signer_signatures_wrong_total") == 0
    finish(demo)


# -- what lasts -------------------------------------------------------------------

def drill(demo, fault, seconds, after=4):
    """Under load: FAULT from one second on, for SECONDS; then AFTER seconds
    more.  What was asked."""
    begin(demo)
    with Load(demo) as load:
        time.sleep(1)
        demo.control(fault)
        time.sleep(seconds)
        demo.control("")
        ended = time.monotonic()
        time.sleep(after * SLOW)
    by = load.check()
    assert load.back_after(ended) < BACK * SLOW
    assert by.get("dsc-1", 0) > 0
    assert log_lines_a_second(demo) < 100
    return load


@pytest.fixture
def both(one_hsm, two_hsms):
    """The same drill on one and on two, side by side: it takes its time."""
    demos = one_hsm(), two_hsms()
    for d, two in zip(demos, (False, True)):
        d.two = two

    def run(*arguments):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = [pool.submit(drill, d, *arguments) for d in demos]
        return demos, [d.result() for d in done]
    return run


def log_lines_a_second(demo):
    """The busiest second of the daemon's log, but for the module's own lines."""
    seconds = re.findall(r"^(\S{19})\S* (?!info)", demo.log(), flags=re.M)
    return max(seconds.count(s) for s in set(seconds)) if seconds else 0


def test_a_hang(both):
    """Of 30 s, in every call; then the HSM is there again."""
    demos, _ = both("hang=C_Sign:1-\n", 30)
    for demo in demos:
        assert 'hsm-hung hsm="demo" call="signing"' in demo.log()
        finish(demo)


def test_crashes(demo):
    drill(demo, "crash=C_Sign:1\ncrash=C_Sign:50\ncrash=C_Sign:100\ncrash=C_SignInit:200\n", 3)
    assert re.search(r"process-ended process=hsm/\d .*signal=6", demo.log())
    finish(demo)


def test_the_token_goes(both):
    """For 20 s, with all sessions and logins."""
    demos, loads = both("lose=C_Sign:1:3600s\n", 20, 6)
    # All down: at once, but for those that were on their way.
    late = sorted(e - b for b, e, _, r in loads[0].answers if r.status == 503)
    assert len(late) > 20 and late[len(late) // 2] < 0.5 * SLOW, late
    for demo in demos:
        finish(demo)


@pytest.mark.parametrize("fault", ["lose=C_Sign:1:3600s\n", "crash=C_Sign:1-\n"])
def test_an_absence_is_told_once(one_hsm, fault):
    """And not by each process that starts, finds nothing, and ends."""
    demo = begin(one_hsm())
    demo.two = False

    def up(hsm):
        return demo.metric_sum("signer_hsm_up", f'hsm="{hsm}"')
    assert up("demo") == 1 and up("ledger") == 1
    with Load(demo):
        demo.control(fault)
        wait_until(lambda: " hsm-down " in demo.log(), 10, "it is gone")
        time.sleep(20)
        assert up("demo") == 0 and up("ledger") == 1
        demo.control("")
        wait_until(lambda: " hsm-up " in demo.log(), 20, "it is back")
    assert up("demo") == 1
    log = demo.log()
    assert log.count(" hsm-down ") == log.count(" hsm-up ") == 1
    down, back = (re.search(f" {e} .*", log) for e in ("hsm-down", "hsm-up"))
    assert re.search(r'hsm="demo" rv=\w+ processes=2', down[0]), down[0]
    away, starts = map(int, re.search(r'hsm="demo" away_ms=(\d+) starts=(\d+)', back[0]).groups())
    assert away >= 20000 and starts > 10, back[0]
    # What the first ones had to say of it, and that they are back.
    lines = re.findall(r"^\S+ \w+ [\w/]+ .*", log[down.end():back.start()], flags=re.M)
    assert sum(" request-failed " in line for line in lines) <= 20, lines  # ten a minute
    lines = [line for line in lines if " request-failed " not in line]
    assert len(lines) < (20 if "lose" in fault else 100), lines
    assert demo.metric_sum("signer_hsm_outages_total") == 1
    finish(demo)


def test_wrong_signatures(demo):
    """Each third one: thrown away, and signed again."""
    demo.configure("^ledger:$", "verify: {ecdsa: all}\nledger:")
    drill(demo, "forge=C_Sign:*3\n", 5)
    assert demo.metric_sum("signer_signatures_wrong_total") > 0
    finish(demo)


def test_a_crash_loop(demo):
    """Of each process of one HSM, as soon as it signs."""
    drill(demo, "crash=C_Sign:1-\n", 8)
    finish(demo)


# -- two of them --------------------------------------------------------------------

def test_load_is_shared(two_hsms):
    """A slow HSM beside a quick one holds up nobody."""
    demo = two_hsms("latency=50ms,sessions=4,control={dir}/control", "")
    begin(demo)
    bulk(demo, 200)
    by = bulk(demo, 4000)
    assert by["dsc-2"] > (3000 if SLOW == 1 else 2000), by
    finish(demo)


def test_one_hsm_is_gone(two_hsms):
    """Ready all the same, and /v1/keys has both."""
    demo = two_hsms()
    begin(demo)
    demo.control("lose=C_Sign:1:3600s\n")
    for _ in range(20):
        demo.check(demo.issue(record()))
    assert demo.ops("/readyz").status == 200
    wait_until(lambda: demo.metric_sum("signer_keys_down") == 1, 10, "the key counts as down")
    assert demo.metric_sum("signer_process_up", 'hsm="second"') == 2
    assert demo.metric_sum("signer_hsm_signatures_total", 'hsm="second"') >= 20
    keys = demo.request("GET", "/v1/keys").json
    assert len(json.dumps(keys)) > 0 and len(keys["keys"]) == 2, keys
    demo.control("")
    wait_until(lambda: demo.check(demo.issue(record())) == "dsc-1", 10, "the first is back")
    wait_until(lambda: demo.metric_sum("signer_keys_down") == 0, 10, "no key is down")
    finish(demo)


def test_a_second_dsc_that_ends_soon(two_hsms):
    """It signs nothing that would outlive it; what is shorter, it does."""
    demo = two_hsms(days=100)
    begin(demo)
    assert bulk(demo, 300) == {"dsc-1": 300}
    demo.control("lose=C_Sign:1:3600s\n")
    statuses = {demo.issue(record()).status for _ in range(4)}
    assert statuses == {503}
    exp = int(time.time()) + 50 * 86400
    assert demo.check(demo.issue(record(), exp=exp)) == "dsc-2"
    demo.control("")
    wait_until(lambda: demo.issue(record()).status == 200, 10, "the first is back")
    finish(demo)


def test_killed_processes(two_hsms):
    """All of one HSM's, again and again: no error."""
    demo = begin(two_hsms())
    with Load(demo) as load:
        for _ in range(4):
            time.sleep(1)
            for role, pid in demo.roles().items():
                if role in ("hsm/0", "hsm/1"):
                    os.kill(pid, signal.SIGKILL)
            wait_until(lambda: demo.log().count('hsm-serving hsm="demo"') >= 2, 10, "up")
    load.check()
    finish(demo)


def test_the_ledgers_hsm_is_lost(own):
    """Ready for as long as it signs, with a remark; not any more when it stops."""
    def ready():
        r = own.ops("/readyz")
        return r.status, r.body.decode()

    def until(status, words):
        wait_until(lambda: ready()[0] == status and words in ready()[1], 60, words)

    config = own.dir / "signerd.yaml"
    config.write_text(config.read_text().replace("  hsm: ledger\n  uri:",
                                                 "  hsm: ledger\n  stale: 3s\n  uri:"))
    own.start().wait_all_up()
    assert ready() == (200, "ready\n")
    (token,) = [p.parent for p in own.dir.glob("**/token.object") if b"ledger" in p.read_bytes()]
    away = own.dir / "away"
    token.rename(away)
    os.kill(own.roles()["hsm/2"], signal.SIGKILL)
    until(200, "ready, but: key ledger: no HSM signs with it")
    assert own.metric_sum("signer_ready") == 1
    assert own.issue(record()).status == 200
    # which waits for a checkpoint now
    until(503, "not ready: key ledger: no HSM signs with it")
    r = own.issue(record())
    assert r.status == 503 and "retry-after" in r.headers, r
    away.rename(token)
    own.wait_ready(60)
    assert own.issue(record()).status == 200
    until(200, "ready\n")
