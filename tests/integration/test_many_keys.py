# SPDX-License-Identifier: Apache-2.0
"""More keys in the course of time than fit at once: what was destroyed makes room."""
from ceremony import Ceremony
from conftest import record

MANY = 66


def test_one_after_the_other(own):
    own.start().wait_all_up()
    court = Ceremony(own)
    court.found()
    for i in range(MANY):
        court.new_key(f"key-{i}")
        court.decide("destroy", key=f"key-{i}")
    # each process has forgotten the keys that are no more
    assert "keys-full" in own.log()
    court.rotate("last")
    labels = [k["label"] for k in court.document()["keys"]]
    assert "last" in labels and "dsc-1" in labels and "key-0" not in labels
    assert len(labels) <= 64
    assert own.issue(record()).status == 200
    assert own.stop() == 0
    own.start().wait_all_up()
    assert [k["label"] for k in court.document()["keys"]] == labels
    assert own.issue(record()).status == 200
