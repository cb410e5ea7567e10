# SPDX-License-Identifier: Apache-2.0
"""Keys rotate under bulk load: signer-bench applies what officers have signed,
and every certificate verifies by the key that its kid names."""
import os
import threading
import time

import pytest

from ceremony import Ceremony
from conftest import SLOW, Demo
from hcert import kid_of, load_certificate
from ledger import Log
from test_bench import bench, bulk, server_options
from test_ceremony import until
from test_ledger import state, wait_covered


@pytest.fixture
def court():
    """A daemon whose HSM is slow enough for a short run to have few records."""
    demo = Demo(os.environ.get("DEMO_ALG", "ES256"), f"sign=forward,rate={int(2000 / SLOW)}")
    demo.start().wait_all_up()
    c = Ceremony(demo)
    c.found()
    yield c
    demo.remove()


def kid(demo, label):
    return kid_of(load_certificate(demo.dir / f"dsc/{label}.pem")).hex()


def rotation(court, label, *names):
    """A file with the operation that has LABEL take over, signed, not brought."""
    operation = court.operation("activate", key=label, override=True)
    path = court.dir / f"{label}-{len(names)}-{time.monotonic_ns()}.op"
    path.write_bytes(court.signed(operation, *names))
    return path


def prepared(court, labels):
    for label in labels:
        court.new_key(label, alg=court.demo.alg)
        until(lambda: court.key(label)["good"] > 0)
    return [rotation(court, label, "anh", "binh", "chi") for label in labels]


def drill(court, *args):
    return bulk(court.demo, "--socket", court.socket, "--connections", 2, *args)


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_rotations_in_a_row(court, form):
    demo, labels = court.demo, ["dsc-2", "dsc-3", "dsc-4"]
    files = prepared(court, labels)
    status, r = drill(court, "--every", 1, "--form", form, *files)
    assert status == 0, r
    assert r["missing"] == r["unexpected"] == r["broken"] == 0
    assert r["verify_failed"] == r["repeated"] == 0 and list(r["status"]) == ["200"], r
    # all of them were verified, each by its own key, and none was signed twice
    assert r["verified"] == r["sent"] == r["issued"] == sum(r["kids"].values()) > 1000 / SLOW
    assert set(r["kids"]) == {kid(demo, label) for label in ["dsc-1", *labels]}
    assert [o["file"] for o in r["operations"]] == [str(f) for f in files]
    times = [o["at"] for o in r["operations"]]
    assert all(o["done"] for o in r["operations"]) and times == sorted(times) and times[0] >= 1
    seconds = r["by_seconds"]
    assert len(seconds["answers"]) >= 4 and sum(seconds["answers"]) <= r["sent"]
    assert min(seconds["answers"]) == seconds["least"] <= seconds["median"]
    # and the ledger says the same
    log = wait_covered(demo, Log(state(demo)).size - 1)
    entries = log.check()
    assert [e[19] for e in entries if e[1] == 4 and e[20] == "active"] == labels
    signed = [e[4].hex() for e in entries if e[1] == 1]
    for k, n in r["kids"].items():
        assert signed.count(k) == n
    assert [court.key(label)["state"] for label in ["dsc-1", *labels]] == [*["retired"] * 3, "active"]


def test_operations_that_are_refused(court):
    demo = court.demo
    first, second = prepared(court, ["dsc-2", "dsc-3"])
    alone = rotation(court, "dsc-3", "anh", "binh")
    late = rotation(court, "dsc-3", "anh", "binh", "chi")
    status, r = drill(court, "--every", 1, "--seconds", 4, alone, first, second, late)
    assert status == 1, r
    assert [o["done"] for o in r["operations"]] == [False, True, True, False]
    assert "1 of the 2 approvals" in r["operations"][0]["reason"]
    # whichever came first
    assert any(why in r["operations"][3]["reason"] for why in ("over before its turn", "it is active already"))
    assert r["verified"] == r["sent"] and len(r["kids"]) == 3
    text = bench("bulk", *server_options(demo), "--quiet", "--socket", court.socket,
                 "--every", 1, "--seconds", 2, late)
    assert text.returncode == 1, text
    assert f"{late}: not done: " in text.stdout and f"kid {kid(demo, 'dsc-3')}: " in text.stdout


def test_a_key_that_came_meanwhile(court):
    """It was not in /v1/keys when the run began."""
    result = {}

    def run():
        result["status"], result["r"] = bulk(court.demo, "--seconds", int(8 * SLOW), "--verify", 5)

    t = threading.Thread(target=run)
    t.start()
    try:
        time.sleep(1)
        court.rotate("dsc-2", alg=court.demo.alg)
    finally:
        t.join()
    r = result["r"]
    assert result["status"] == 0 and r["verify_failed"] == 0, r
    assert set(r["kids"]) == {kid(court.demo, "dsc-1"), kid(court.demo, "dsc-2")}


def test_usage(demo, tmp_path):
    op = tmp_path / "x.op"
    op.write_bytes(b"x")
    large = tmp_path / "large.op"
    large.write_bytes(bytes(40000))
    socket = demo.dir / "run/officer.sock"
    for args, why in (((op,), "--socket"), (("--socket", socket), "--socket"),
                      (("--socket", tmp_path / "none", op), "none"),
                      (("--socket", socket, tmp_path / "none.op"), "none.op"),
                      (("--socket", socket, large), "so long"),
                      (("--socket", socket, "--every", 0, op), "--every")):
        out = bench("bulk", *server_options(demo), "--seconds", 1, *args)
        assert out.returncode == 2 and not out.stdout and why in out.stderr, (args, out)
