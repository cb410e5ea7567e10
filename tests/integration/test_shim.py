# SPDX-License-Identifier: Apache-2.0
"""The daemon on a network HSM that is slow, full, or broken: tests/shim."""
import concurrent.futures
import math
import os
import re
import signal
import threading
import time

import pytest

from ceremony import Ceremony
from conftest import SLOW, record
from hsms import control


@pytest.fixture
def hsm(demos):
    """Makes demos behind the test module: hsm("latency=5ms"), not started."""
    return lambda shim, alg=None: demos(alg or os.environ.get("DEMO_ALG", "ES256"), shim)


@pytest.fixture
def faulty(hsm):
    """One whose faults are set while it runs, by control()."""
    return hsm("sessions=4,control={dir}/control")


def configure(demo, pattern, text):
    """Of the HSM behind the module, which is the first."""
    path = demo.dir / "signerd.yaml"
    changed, n = re.subn(pattern, text, path.read_text(), count=1, flags=re.M)
    assert n == 1, pattern
    path.write_text(changed)


def starts(demo):
    return demo.metric_sum("signer_process_starts_total", 'role="hsm"')


def errors(demo):
    return demo.metric_sum("signer_hsm_errors_total")


def bucket(demo, name, bound):
    """How many of histogram NAME were at most BOUND, but for the ledger's HSM,
    whose process comes last and is not behind the module."""
    processes = re.search(r"^    processes: (\d+)", (demo.dir / "signerd.yaml").read_text(), re.M)[1]
    ledger = f'role="hsm",slot="{processes}"'
    return sum(v for n, l, v in demo.metrics()
               if n == name + "_bucket" and f'le="{bound}"' in l and ledger not in l)


def wait_until(what, seconds=10, why=""):
    end = time.monotonic() + seconds * SLOW
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.02)


def begin(demo):
    """Start it, with all of its hsm processes: SoftHSM2 may fail a process that
    logs in again while another one starts."""
    demo.start()
    wait_until(lambda: demo.log().count(" hsm-serving ") == 3)
    return demo


def all_up(demo):
    return {v for n, l, v in demo.metrics()
            if n == "signer_process_up" and 'role="hsm"' in l} == {1}


def finish(demo):
    """Stop it, when no hsm process is on its way up: a sanitizer would have
    something to say about one that ends there."""
    wait_until(lambda: all_up(demo), 30)
    assert demo.stop() == 0


def issue_together(demo, n):
    """N requests at the same moment, on connections that are there before."""
    barrier = threading.Barrier(n)

    def one(dcc):
        c = demo.connect(timeout=30)
        c.connect()
        barrier.wait(60 * SLOW)
        try:
            return dcc, demo.issue(dcc, connection=c)
        finally:
            c.close()
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, [record() for _ in range(n)]))


# -- a slow one ----------------------------------------------------------------

def test_sessions_are_pooled(hsm):
    """64 signatures of 0.6 s by 32 sessions: two rounds, so that none waits for
    more than one other.  With 31 sessions some would wait for two."""
    scale = 2 ** math.ceil(math.log2(SLOW))  # what is slow needs longer rounds
    demo = hsm(f"latency={600 * scale}ms,sessions=32")
    configure(demo, r"^version: 1", "version: 1\nlimits: {request: 120s}")
    configure(demo, r"^    processes:", "    hang: 60s\n    processes:")
    begin(demo)
    assert demo.log().count('hsm-serving hsm="demo" keys=1 sessions=16') == 2
    for dcc, r in issue_together(demo, 64):
        demo.check(r, dcc)
    queue, signing = "signer_sign_queue_seconds", "signer_sign_execution_seconds"
    wait_until(lambda: demo.metric_sum(queue + "_count") >= 64)
    assert demo.metric_sum(queue + "_count") == 64
    assert bucket(demo, queue, f"{1.048576 * scale:.6f}") == 64
    # and none was quicker than the HSM is
    assert demo.metric_sum(signing + "_count") >= 64
    assert bucket(demo, signing, f"{0.524288 * scale:.6f}") == 0
    assert demo.stop() == 0


def test_software_signatures_are_genuine(hsm):
    demo = begin(hsm("sign=software,sessions=8,rate=5000"))
    for dcc, r in issue_together(demo, 16):
        demo.check(r, dcc)
    assert demo.metric_sum("signer_signatures_wrong_total") == 0
    assert errors(demo) == 0
    assert demo.stop() == 0


@pytest.mark.parametrize("shim,refused", [
    ("sign=software,sessions=6,rate=5000", False), ("sign=forward,sessions=6", False),
    ("copy=refuse,sessions=6", True)])
def test_session_copies(hsm, shim, refused):
    """A copy is the key, and where there can be none the key signs."""
    demo = hsm(shim)
    configure(demo, "session_copies: false", "session_copies: true")
    configure(demo, "^    sessions: 3", "    sessions: 2")  # and one that has the copy
    begin(demo)
    for dcc, r in issue_together(demo, 16):
        demo.check(r, dcc)
    assert demo.log().count("sessions=2") >= 2
    assert ("session-copy-refused" in demo.log()) == refused
    assert errors(demo) == 0
    assert demo.stop() == 0


# -- a full one ----------------------------------------------------------------

def test_fewer_sessions_than_configured(hsm):
    demo = hsm("sessions=16")
    configure(demo, r"SIGNER_SHIM=sessions=16", "SIGNER_SHIM=sessions=11")
    begin(demo)
    log = demo.log()
    assert "sessions-short wanted=8 got=3" in log and "CKR_SESSION_COUNT" in log
    assert 'keys=1 sessions=8' in log and 'keys=1 sessions=3' in log
    for dcc, r in issue_together(demo, 24):
        demo.check(r, dcc)
    assert demo.stop() == 0


def test_one_process_has_all_sessions(hsm):
    """The other one finds none, and the first one serves."""
    demo = hsm("sessions=8")
    configure(demo, r"^    sessions: 4", "    sessions: 8")
    demo.start()
    wait_until(lambda: "no-session" in demo.log())
    for dcc, r in issue_together(demo, 16):
        demo.check(r, dcc)
    assert demo.stop() == 0


# -- a broken one --------------------------------------------------------------

@pytest.mark.parametrize("ckr", [
    "CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_DEVICE_REMOVED",
    "CKR_TOKEN_NOT_PRESENT", "CKR_USER_NOT_LOGGED_IN", "CKR_DEVICE_ERROR",
    "CKR_KEY_HANDLE_INVALID", "CKR_FUNCTION_FAILED"])
@pytest.mark.parametrize("function", ["C_Sign", "C_SignInit"])
def test_one_failure_fails_no_request(faulty, function, ckr):
    begin(faulty)
    faulty.check(faulty.issue(record()))
    before = starts(faulty)
    control(faulty, f"fail={function}:1:{ckr}")
    for _ in range(6):
        faulty.check(faulty.issue(record()))
    assert errors(faulty) == 1
    assert ckr in faulty.log()
    assert starts(faulty) == before, "a session would have done"
    finish(faulty)


@pytest.mark.parametrize("ckr", ["CKR_DEVICE_REMOVED", "CKR_USER_NOT_LOGGED_IN"])
def test_a_lasting_failure_replaces_the_process(faulty, ckr):
    """Twice in a row is what a new session did not mend."""
    begin(faulty)
    before = starts(faulty)
    control(faulty, f"fail=C_Sign:1-2:{ckr}")
    for _ in range(6):
        faulty.check(faulty.issue(record()))
    wait_until(lambda: starts(faulty) == before + 1)
    finish(faulty)


@pytest.mark.parametrize("copies", ["false", "true"])
def test_lost_sessions_and_login_are_mended(faulty, copies):
    """All of them at once, while the token is there: each session fails once,
    is opened anew, and the first one of a process logs in again."""
    configure(faulty, "session_copies: false", f"session_copies: {copies}")
    configure(faulty, "SIGNER_SHIM=sessions=4", "SIGNER_SHIM=sessions=6")
    begin(faulty)
    before = starts(faulty)
    control(faulty, "lose=C_Sign:1:1us")
    for _ in range(16):
        faulty.check(faulty.issue(record()))
    assert 1 <= errors(faulty) <= 4
    assert "session-renewed" in faulty.log()
    assert starts(faulty) == before
    finish(faulty)


def test_many_failures_under_load(faulty):
    """Each 20th signature fails, for another reason each: no request does."""
    begin(faulty)
    control(faulty, "fail=C_Sign:*20:CKR_SESSION_HANDLE_INVALID\n"
                    "fail=C_SignInit:*33:CKR_USER_NOT_LOGGED_IN\n"
                    "fail=C_OpenSession:*5:CKR_GENERAL_ERROR\n")
    for _ in range(10):
        for dcc, r in issue_together(faulty, 20):
            faulty.check(r, dcc)
    assert errors(faulty) >= 10
    finish(faulty)


def test_a_crash_is_outlived(faulty):
    begin(faulty)
    before = starts(faulty)
    control(faulty, "crash=C_Sign:1")
    for dcc, r in issue_together(faulty, 16):
        faulty.check(r, dcc)
    wait_until(lambda: starts(faulty) == before + 1)
    assert re.search(r"process-ended process=hsm/\d .*signal=6", faulty.log())
    wait_until(lambda: faulty.log().count(" hsm-serving ") == 4)
    faulty.check(faulty.issue(record()))
    finish(faulty)


def test_a_hung_call_is_outlived(faulty):
    configure(faulty, r"^    pin: file:pin", "    pin: file:pin\n    hang: 1s")
    begin(faulty)
    before = starts(faulty)
    control(faulty, "hang=C_Sign:1")
    for dcc, r in issue_together(faulty, 16):
        faulty.check(r, dcc)
    wait_until(lambda: starts(faulty) == before + 1)
    assert re.search(r'hsm-hung hsm="demo" call="signing"', faulty.log())
    faulty.check(faulty.issue(record()))
    finish(faulty)


@pytest.mark.parametrize("function", ["C_Login", "C_OpenSession", "C_FindObjects"])
def test_a_start_that_fails_is_tried_again(faulty, function):
    control(faulty, f"fail={function}:1:CKR_DEVICE_ERROR")
    faulty.start()
    faulty.check(faulty.issue(record()))
    wait_until(lambda: faulty.log().count(" hsm-serving ") == 3, 20)
    finish(faulty)


@pytest.mark.skipif(not os.environ.get("SLOW_TESTS"), reason="SLOW_TESTS is not set")
def test_one_that_kept_ending_is_said_to_be_up(faulty):
    """Not each time, but once it has stayed for a minute."""
    begin(faulty)
    wait_until(lambda: all_up(faulty))
    for n in range(4):
        before = starts(faulty)
        os.kill(faulty.roles()["hsm/1"], signal.SIGKILL)
        wait_until(lambda: starts(faulty) == before + 1 and all_up(faulty))
    told = faulty.log().count(" process-up process=hsm/1 ")
    assert told == 4
    wait_until(lambda: faulty.log().count(" process-up process=hsm/1 ") == told + 1, 70)
    finish(faulty)


def test_a_lost_token_comes_back(faulty):
    begin(faulty)
    faulty.check(faulty.issue(record()))
    control(faulty, "lose=C_SignInit:1:3600s")
    # What is in flight when it goes waits for it, for a while.
    r = faulty.issue(record())
    assert r.status == 503 and "retry-after" in r.headers, r
    wait_until(lambda: faulty.ops("/readyz").status == 503)
    asked = time.monotonic()
    r = faulty.issue(record())
    assert r.status == 503 and "retry-after" in r.headers, r
    assert time.monotonic() - asked < 5 * SLOW, "refused, not kept waiting"
    assert faulty.ops("/livez").status == 200
    control(faulty, "")
    faulty.wait_ready(30)
    for dcc, r in issue_together(faulty, 8):
        faulty.check(r, dcc)
    finish(faulty)


def test_a_blink_of_the_token(faulty):
    """Lost and back within the time that requests wait: nobody notices."""
    begin(faulty)
    control(faulty, "lose=C_Sign:5:300ms")
    for dcc, r in issue_together(faulty, 16):
        faulty.check(r, dcc)
    assert errors(faulty) >= 1
    finish(faulty)


def test_a_smith_needs_a_session(hsm):
    """Beside those that sign; without one officers are told so."""
    demo = begin(hsm("sessions=4"))
    court = Ceremony(demo)
    court.found()
    generate = dict(key="dsc-2", hsm="demo", alg=-7, kinds="vtr", country="VN")
    operation = court.operation("generate", **generate)
    r = court.bring(court.signed(operation, "anh", "binh", "chi"))
    assert r.status == 503 and b"no free session on HSM demo" in r.body, r
    assert demo.log().count(" no-session ") == 6  # it was patient
    demo.check(demo.issue(record()))
    finish(demo)
    configure(demo, "sessions: 2", "sessions: 1")
    before = demo.log().count(" hsm-serving ")
    demo.start()
    wait_until(lambda: demo.log().count(" hsm-serving ") == before + 3)
    court.decide("generate", **generate)
    finish(demo)
