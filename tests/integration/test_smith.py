# SPDX-License-Identifier: Apache-2.0
"""The smith's process, and a configuration that leaves the keys to officers."""
import os
import re
import signal
import time

from conftest import SLOW, record


def until(what, seconds=30):
    end = time.monotonic() + seconds * SLOW
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def up(demo, role):
    return demo.metric_sum("signer_process_up", f'role="{role}"')


def edit(demo, pattern, text):
    path = demo.dir / "signerd.yaml"
    edited, n = re.subn(pattern, text, path.read_text(), flags=re.S)
    assert n == 1
    path.write_text(edited)


def test_each_hsm_with_a_token_has_a_smith(own):
    own.start()
    own.wait_all_up()
    assert [r for r in own.roles() if r.startswith("smith/")] == ["smith/0", "smith/1"]
    assert up(own, "smith") == 2
    # It waits without the module.
    maps = open(f"/proc/{own.roles()['smith/0']}/maps").read() if os.getuid() == 0 else ""
    assert "softhsm" not in maps
    assert own.issue(record()).status == 200
    assert own.stop() == 0
    assert re.search(r"process-ended process=smith/0 .* status=0", own.log())


def test_a_smith_that_dies_is_replaced_and_nobody_minds(own):
    own.start()
    own.wait_all_up()
    first = own.roles()["smith/0"]
    os.kill(first, signal.SIGKILL)
    assert own.issue(record()).status == 200
    until(lambda: own.roles().get("smith/0", first) != first and up(own, "smith") == 2)
    assert own.issue(record()).status == 200


def test_without_a_token_there_is_no_smith(own):
    edit(own, r"    token: pkcs11:token=demo[^\n]*\n", "")
    edit(own, r"    token: pkcs11:token=ledger[^\n]*\n", "")
    own.start()
    own.wait_all_up()
    assert not [r for r in own.roles() if r.startswith("smith/")]


def test_keys_may_be_left_to_the_officers(own):
    edit(own, r"keys:\n.*?ledger:\n", "ledger:\n")
    own.start(wait=False)
    own.wait_all_up()
    answer = own.ops("/readyz")
    assert answer.status == 503
    assert own.issue(record()).status == 503
    assert own.ops("/livez").status == 200
    log = own.log()
    assert 'hsm-serving hsm="demo" keys=0' in log
    assert "process-never-up" not in log
    assert own.stop() == 0
