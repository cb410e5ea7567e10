# SPDX-License-Identifier: Apache-2.0
"""The ledger read by Go's golang.org/x/mod/sumdb (tests/ledger/verify.go).

LEDGER_ENTRIES   entries of the large one (default 300000)
"""
import os
import random
import shutil
import subprocess

import pytest

import ledger
from conftest import BUILD, ROOT, record
from test_ledger import some, state

ENTRIES = int(os.environ.get("LEDGER_ENTRIES", "300000"))


@pytest.fixture(scope="module")
def go_verify(tmp_path_factory):
    out = tmp_path_factory.mktemp("go")
    env = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="",
               GOCACHE=str(out / "cache"), HOME=str(out))
    subprocess.run(["go", "build", "-o", out / "verify", ROOT / "tests/ledger/verify.go"],
                   check=True, env=env)
    return lambda directory, *vkey: subprocess.run(
        [out / "verify", directory, *vkey], capture_output=True, text=True)


def test_what_the_daemon_wrote(own, go_verify):
    some(own, 300)
    log = ledger.Log(state(own))
    r = go_verify(state(own), log.vkey)
    assert r.returncode == 0, r.stderr
    assert r.stdout == f"{log.size} entries verified\n"


def test_a_large_one_and_a_flipped_byte_anywhere_in_it(tmp_path, go_verify):
    directory = tmp_path / "log"
    subprocess.run([BUILD / "make_log", directory, str(ENTRIES)], check=True,
                   stdout=subprocess.DEVNULL)
    log = ledger.Log(directory)
    assert log.size == ENTRIES
    r = go_verify(directory, log.vkey)
    assert r.returncode == 0 and r.stdout == f"{ENTRIES} entries verified\n", r.stderr
    rng = random.Random(4)
    # A file of each sort and place, and a byte of each.
    files = [directory / "checkpoint"]
    for level in ("entries", "0", "1", "2"):
        tiles = sorted(p for p in (directory / "tile" / level).rglob("*") if p.is_file())
        if not tiles:
            continue  # a small log has no such level
        files += [tiles[0], tiles[-1], rng.choice(tiles)]
    for path in files:
        data = path.read_bytes()
        broken = bytearray(data)
        at = rng.randrange(len(data))
        broken[at] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        r = go_verify(directory, log.vkey)
        path.write_bytes(data)
        assert r.returncode == 1 and r.stderr, (path, at)
    assert go_verify(directory, log.vkey).returncode == 0
    shutil.rmtree(directory)
