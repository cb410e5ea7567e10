# SPDX-License-Identifier: Apache-2.0
"""signer-auditor against a log that a plain file server gives out: whole,
slowly, with failures in between, rolled back, rewritten."""
import base64
import http.server
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import threading
import time
import zlib

import pytest

import fakeserver
import pki
from conftest import BUILD, SLOW
from fakewitness import Cosigner

TOOL = BUILD / "signer-auditor"


class LogServer:
    """Serves DIR below /log/, or, over mutual TLS, as a signing server does,
    whose names and keys are in the directory PKI_DIR."""

    def __init__(self, directory, pki_dir=None):
        self.dir = directory
        self.checkpoint = "checkpoint"  # the file that stands in for it
        self.fail_every = 0  # each Nth request gets a 503
        self.delay = 0.0
        self.gone = set()  # paths that are 404
        self.secret = False  # entries are 403
        self.not_yet = 0  # so many proofs are 503
        base = "/v1/ledger/" if pki_dir else "/log/"
        self.requests = 0
        lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with lock:
                    outer.requests += 1
                    fail = outer.fail_every and \
                        outer.requests % outer.fail_every == 0
                time.sleep(outer.delay)
                name = self.path.removeprefix(base)
                if name.startswith("proof?"):
                    name = name.replace("?index=", ".")
                    with lock:
                        outer.not_yet -= 1
                        fail = fail or outer.not_yet >= 0
                path = outer.dir / (outer.checkpoint if name == "checkpoint" else name)
                body = b""
                status = 503 if fail else 404
                if not fail and name not in outer.gone and path.is_file():
                    status, body = 200, path.read_bytes()
                if outer.secret and name.startswith("tile/entries/"):
                    status, body = 403, b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/log"
        if pki_dir:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki_dir / "server.pem", pki_dir / "server.key")
            context.load_verify_locations(pki_dir / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
            self.url = f"https://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def make_log(directory, entries, checkpoints=1):
    subprocess.run([BUILD / "make_log", directory, str(entries), str(checkpoints)],
                   check=True, timeout=300)


def run(*args, status=0):
    done = subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True,
                          timeout=120 * SLOW)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def run_json(*args, status=0):
    return json.loads(run(*args, "--json", "--quiet", status=status).stdout)


def codes(result):
    return {f["code"] for f in result["findings"]}


def flip(path, at, mask=1):
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(data)


@pytest.fixture
def log(tmp_path):
    """A log of 3,000 entries with checkpoints at 1,000, 2,000 and 3,000."""
    make_log(tmp_path / "log", 3000, 3)
    server = LogServer(tmp_path / "log")
    server.key = (tmp_path / "log/vkey").read_text().strip()
    server.copy = tmp_path / "copy"
    yield server
    server.close()


def test_verify_by_http(log):
    result = run_json("verify", log.url, "--vkey", log.key)
    assert result["ok"] and result["entries"] == 3000
    assert result["checkpoint"]["size"] == 3000
    done = run("verify", log.url + "/")
    assert "agrees with ITSELF" in done.stderr
    flip(log.dir / "tile/entries/007", 60)
    result = run_json("verify", log.url, "--vkey", log.key, status=1)
    assert [(f["code"], f["entry"]) for f in result["findings"]] == [("entry-altered", 1792)]


def test_server_that_fails_in_between(log):
    log.fail_every = 4
    assert run_json("verify", log.url, "--vkey", log.key)["ok"]
    assert run_json("mirror", log.url, log.copy, "--vkey", log.key)["ok"]
    log.fail_every = 1
    run("verify", log.url, "--vkey", log.key, status=2)


def test_partial_tile_that_is_full_by_now(log):
    """The partial tile of the checkpoint is gone: the full one is cut."""
    log.checkpoint = "checkpoint.1000"
    log.gone = {"tile/0/003.p/232", "tile/entries/003.p/232"}
    result = run_json("verify", log.url, "--vkey", log.key)
    assert result["ok"] and result["entries"] == 1000


def test_missing_at_the_server(log):
    log.gone = {"tile/entries/004"}
    result = run_json("verify", log.url, "--vkey", log.key, status=1)
    assert [(f["code"], f["tile"]) for f in result["findings"]] == \
        [("bundle-missing", "tile/entries/004")]


def test_since(log, tmp_path):
    log.checkpoint = "checkpoint.1000"
    kept = tmp_path / "kept"
    run("verify", log.url, "--vkey", log.key, "--keep", kept)
    log.checkpoint = "checkpoint"
    result = run_json("verify", log.url, "--vkey", log.key, "--since", kept, "--keep", kept)
    assert result["entries"] == 3000 - 768
    assert kept.read_bytes() == (log.dir / "checkpoint").read_bytes()
    log.checkpoint = "checkpoint.2000"
    result = run_json("verify", log.url, "--vkey", log.key, "--since", kept, "--keep", kept,
                      status=1)
    assert codes(result) == {"rolled-back"}
    assert kept.read_bytes() == (log.dir / "checkpoint").read_bytes()


# -- what witnesses have cosigned --------------------------------------------

def test_cosigned_state_of_a_log_that_grows(log):
    """Its checkpoint of this second has no cosignature yet: an older state has."""
    w = Cosigner()
    args = (log.url, "--vkey", log.key, "--witness", w.vkey)
    cosigned = log.dir / "checkpoint.cosigned"
    old = (log.dir / "checkpoint.2000").read_bytes()
    now = int(time.time())
    assert codes(run_json("verify", *args, status=1)) == {"witness-missing"}

    cosigned.write_bytes(w.cosign(old, now))
    result = run_json("verify", *args)
    assert result["checkpoint"]["size"] == 3000 and result["cosigned"] == 1
    assert result["cosigned_checkpoint"]["size"] == 2000
    assert result["cosigned_checkpoint"]["time"] == now
    assert [(w["code"], w["detail"]) for w in result["warnings"]] == [("unwitnessed", "2000 to 2999")]
    assert "1 of 1 cosigned the first 2,000 entries, at 20" in run("verify", *args).stdout
    assert "unwitnessed" in run("list", *args, "--quiet").stderr
    # One that has not is not there for that.
    other = Cosigner("w.example/two")
    keys = log.dir.parent / "keys"
    keys.write_text(f"{w.vkey}\n{other.vkey}\n")
    both = (log.url, "--vkey", log.key, "--witness", keys)
    missing = run_json("verify", *both, status=1)
    assert codes(missing) == {"witness-missing"}
    assert "1 a checkpoint.cosigned lately" in missing["findings"][0]["detail"]
    assert run_json("verify", *both, "--quorum", 1)["ok"]

    # The copy has it, and is good for as long as it is kept.
    assert run_json("mirror", args[0], log.copy, *args[1:])["ok"]
    assert (log.copy / "checkpoint.cosigned").read_bytes() == cosigned.read_bytes()
    assert run_json("verify", log.copy, *args[1:])["ok"]

    # A log that is served has witnesses that are there.
    cosigned.write_bytes(w.cosign(old, now - 4000))
    assert codes(run_json("verify", *args, status=1)) == {"witness-missing"}
    assert run_json("verify", *args, "--cosigned-within", 5000)["ok"]
    run("verify", *args, "--cosigned-within", "soon", status=2)
    assert run_json("verify", log.dir, *args[1:])["ok"]


def test_witnesses_that_were_left_behind(log, tmp_path):
    """Who has the log's key could show everybody another log behind an old state."""
    w = Cosigner()
    args = ("--vkey", log.key, "--witness", w.vkey)
    cosigned = log.dir / "checkpoint.cosigned"
    old = (log.dir / "checkpoint.1000").read_bytes()
    cosigned.write_bytes(w.cosign(old, int(time.time())))
    log.checkpoint = "checkpoint.2000"
    kept = tmp_path / "kept"
    run("verify", log.url, *args, "--keep", kept)
    assert run_json("mirror", log.url, log.copy, *args)["ok"]
    log.checkpoint = "checkpoint"
    assert run_json("verify", log.url, *args, "--since", kept)["ok"]
    assert (log.copy / "checkpoint.awaited").read_text() == "2000\n"
    for name in (kept, log.copy / "checkpoint.awaited"):
        os.utime(name, (time.time() - 4000,) * 2)
    missing = run_json("verify", log.url, *args, "--since", kept, status=1)
    assert codes(missing) == {"witness-missing"}
    assert "they have cosigned 1000 entries, of the 2000" in missing["findings"][0]["detail"]
    assert codes(run_json("mirror", log.url, log.copy, *args, status=1)) == {"witness-missing"}
    assert run_json("mirror", log.url, log.copy, *args, "--cosigned-within", 5000)["ok"]
    assert (log.copy / "checkpoint.awaited").read_text() == "2000\n"
    # It is not enough that they go on: they must come to what was copied.
    newer = w.cosign((log.dir / "checkpoint.2000").read_bytes(), int(time.time()))
    cosigned.write_bytes(newer)
    (log.copy / "checkpoint.awaited").write_text("2500\n")
    assert run_json("mirror", log.url, log.copy, *args)["ok"]
    os.utime(log.copy / "checkpoint.awaited", (time.time() - 4000,) * 2)
    assert codes(run_json("mirror", log.url, log.copy, *args, status=1)) == {"witness-missing"}
    # and no server takes the copy back
    shutil.rmtree(log.copy)
    assert run_json("mirror", log.url, log.copy, *args)["ok"]
    cosigned.write_bytes(w.cosign(old, int(time.time())))
    assert run_json("mirror", log.url, log.copy, *args)["ok"]
    assert (log.copy / "checkpoint.cosigned").read_bytes() == newer


def test_a_copy_keeps_what_was_witnessed(log):
    """The copy's checkpoint has its cosignatures; the next one has none yet."""
    w = Cosigner()
    args = (log.url, log.copy, "--vkey", log.key, "--witness", w.vkey)
    whole = w.cosign((log.dir / "checkpoint.2000").read_bytes(), int(time.time()))
    (log.dir / "whole").write_bytes(whole)
    log.checkpoint = "whole"
    assert run_json("mirror", *args)["ok"]
    assert not (log.copy / "checkpoint.cosigned").exists()
    log.checkpoint = "checkpoint"
    (log.dir / "checkpoint.cosigned").write_bytes(
        w.cosign((log.dir / "checkpoint.1000").read_bytes(), int(time.time())))
    assert run_json("mirror", *args)["ok"]
    assert (log.copy / "checkpoint.cosigned").read_bytes() == whole
    assert run_json("verify", log.copy, *args[2:])["cosigned_checkpoint"]["size"] == 2000


def test_log_that_contradicts_what_witnesses_have_cosigned(log):
    w = Cosigner()
    args = (log.url, "--vkey", log.key, "--witness", w.vkey)
    cosigned = log.dir / "checkpoint.cosigned"
    now = int(time.time())
    newest = (log.dir / "checkpoint").read_bytes()
    cosigned.write_bytes(w.cosign(newest, now))
    log.checkpoint = "checkpoint.2000"
    done = run("verify", *args, status=1)
    assert "rolled-back" in done.stdout
    assert "What witnesses have cosigned" in done.stderr and w.name in done.stderr
    assert codes(run_json("mirror", args[0], log.copy, *args[1:], status=1)) == {"rolled-back"}
    run("list", *args, "--quiet", status=1)
    # another past under the same name
    lines = (log.dir / "checkpoint.1000").read_bytes().split(b"\n")
    lines[2] = base64.b64encode(bytes(32))
    cosigned.write_bytes(w.cosign(b"\n".join(lines), now))
    done = run_json("verify", *args, status=1)  # the witness's word alone
    assert codes(done) == {"witness-missing"} and "its key has not" in done["findings"][0]["detail"]
    # of another log; and a wrong signature
    text = b"\n".join([b"log.test/other", *lines[1:]])
    cosigned.write_bytes(w.cosign(text, now))
    assert codes(run_json("verify", *args, status=1)) == {"witness-missing"}
    cosigned.write_bytes((log.dir / "checkpoint.1000").read_bytes() + w.line(b"another\n", now))
    assert codes(run_json("verify", *args, status=1)) == {"witness-missing", "witness-forged"}
    for wrong in (b"", b"nonsense", bytes(100000)):
        cosigned.write_bytes(wrong)
        assert codes(run_json("verify", *args, status=1)) == {"witness-missing"}


def test_nobody_takes_cosignatures_from_a_copy(log):
    w, more, nobody = Cosigner(), Cosigner("w.example/two"), Cosigner("x.example/" + "x" * 150)
    args = (log.url, log.copy, "--vkey", log.key)
    now = int(time.time())
    note, copied = log.dir / "checkpoint", log.copy / "checkpoint"
    plain = note.read_bytes()
    good = w.cosign(plain, now)
    note.write_bytes(good)
    assert run_json("mirror", *args)["ok"] and copied.read_bytes() == good
    note.write_bytes(nobody.cosign(plain, now))  # longer, and without what was there
    assert len(note.read_bytes()) > len(good)
    assert run_json("mirror", *args)["ok"] and copied.read_bytes().startswith(good)
    # the same witness later, and one more
    note.write_bytes(more.cosign(w.cosign(plain, now + 60), now))
    assert run_json("mirror", *args)["ok"]
    got = copied.read_bytes()
    assert got.startswith(good) and more.name.encode() in got
    # more lines than anybody reads, and as long as may be
    junk = [b"\xe2\x80\x94 x%d AAAAAAA=\n" % i for i in range(60)]
    note.write_bytes(plain + b"".join(junk) + more.line(b"x", now))
    assert run_json("mirror", *args)["ok"]
    assert copied.read_bytes().startswith(got) and copied.read_bytes().count(b"\xe2\x80\x94") == 20
    keys = log.dir.parent / "keys"
    keys.write_text(f"{w.vkey}\n{more.vkey}\n")
    assert run_json("verify", log.copy, "--vkey", log.key, "--witness", keys)["cosigned"] == 2
    # Who knows the witnesses takes theirs alone, and finds them behind junk.
    third = Cosigner("w.example/three")
    keys.write_text(f"{w.vkey}\n{third.vkey}\n")
    note.write_bytes(plain + third.line(b"x", now))
    run_json("mirror", *args, "--witness", keys, "--quorum", 1, status=1)  # a forged one
    note.write_bytes(third.cosign(w.cosign(plain, now) + b"".join(junk[20:40]), now))
    assert run_json("mirror", *args, "--witness", keys, "--quorum", 1)["ok"]
    assert third.name.encode() in copied.read_bytes()
    assert run_json("verify", log.copy, "--vkey", log.key, "--witness", keys)["cosigned"] == 2


def test_mirror_grows_and_finds_a_rollback(log):
    for name in ("checkpoint.1000", "checkpoint.2000", "checkpoint"):
        log.checkpoint = name
        assert run_json("mirror", log.url, log.copy, "--vkey", log.key)["ok"]
        assert run_json("verify", log.copy, "--vkey", log.key)["ok"]
    before = {p: p.read_bytes() for p in log.copy.rglob("*") if p.is_file()}
    log.checkpoint = "checkpoint.2000"
    done = run("mirror", log.url, log.copy, "--vkey", log.key, "--quiet", status=1)
    assert "rolled-back" in done.stdout and "ROLLED BACK" in done.stderr
    assert {p: p.read_bytes() for p in log.copy.rglob("*") if p.is_file()} == before


def test_mirror_finds_a_fork(log, tmp_path):
    assert run_json("mirror", log.url, log.copy)["ok"]
    other = tmp_path / "other"
    make_log(other, 3000)
    # Another key: the copy's own is the one that counts.
    result = run_json("mirror", other, log.copy, status=1)
    assert "vkey-differs" in codes(result)
    assert run_json("verify", log.copy, "--vkey", log.key)["ok"]


def test_mirror_keeps_watching(log):
    log.checkpoint = "checkpoint.1000"
    watch = subprocess.Popen([TOOL, "mirror", log.url, log.copy, "--vkey", log.key,
                              "--every", "1", "--quiet"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for name in ("checkpoint.1000", "checkpoint.2000", "checkpoint"):
            log.checkpoint = name
            wanted = (log.dir / name).read_bytes()
            end = time.monotonic() + 30 * SLOW
            kept = log.copy / "checkpoint"
            while not kept.exists() or kept.read_bytes() != wanted:
                assert time.monotonic() < end and watch.poll() is None
                time.sleep(0.05)
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(30 * SLOW) == 0
    finally:
        if watch.poll() is None:
            watch.kill()
        watch.communicate()
    assert run_json("verify", log.copy, "--vkey", log.key)["ok"]


def test_watch_ends_at_a_rollback(log):
    watch = subprocess.Popen([TOOL, "mirror", log.url, log.copy, "--vkey", log.key,
                              "--every", "1", "--quiet"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 30 * SLOW
        while not (log.copy / "checkpoint").exists():
            assert time.monotonic() < end and watch.poll() is None
            time.sleep(0.05)
        log.checkpoint = "checkpoint.1000"
        assert watch.wait(30 * SLOW) == 1
        assert "rolled-back" in watch.stdout.read()
    finally:
        if watch.poll() is None:
            watch.kill()
        watch.communicate()


def test_mirror_goes_on_after_a_kill(tmp_path):
    make_log(tmp_path / "log", 60000)
    server = LogServer(tmp_path / "log")
    copy = tmp_path / "copy"
    server.delay = 0.01
    try:
        first = subprocess.Popen([TOOL, "mirror", server.url, copy, "--quiet"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60 * SLOW
        while not (copy / "tile/entries/100").exists():
            assert time.monotonic() < end and first.poll() is None
            time.sleep(0.01)
        first.kill()
        first.wait()
        assert not (copy / "checkpoint").exists()
        server.delay = 0
        result = run_json("mirror", server.url, copy)
        assert result["ok"] and 50 < result["reused"] < 234
        assert run_json("verify", copy)["ok"]
    finally:
        server.close()


def test_one_mirror_at_a_time(log):
    log.delay = 0.05
    first = subprocess.Popen([TOOL, "mirror", log.url, log.copy, "--quiet"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30 * SLOW
        while not log.copy.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.05)
        done = run("mirror", log.url, log.copy, status=2)
        assert "another mirror" in done.stderr
    finally:
        first.wait(60 * SLOW)
    assert first.returncode == 0


def test_proof_by_http(log, tmp_path):
    proof = tmp_path / "x.tlog-proof"
    run("prove", log.url, "--vkey", log.key, "--index", 1234, "--out", proof)
    lines = proof.read_text().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ") and lines[2] == "index 1234"
    assert proof.read_text().endswith((log.dir / "checkpoint").read_text())
    run("prove", log.url, "--vkey", log.key, "--index", 3000, status=1)


@pytest.mark.parametrize("args", [
    ("verify",), ("verify", "/nonexistent"), ("verify", ".", "."), ("mirror", "."),
    ("prove", "."), ("prove", ".", "--index", "x"), ("receipt", "HC1:X"),
    ("verify", "https://127.0.0.1:1"), ("verify", ".", "--jobs", "0"), ("nothing",), (),
])
def test_usage(args):
    run(*args, status=2)


def test_help():
    assert "verify" in run("--help").stdout
    for command in ("verify", "mirror", "prove", "receipt"):
        assert "--vkey" in run(command, "--help").stdout


# --- a signing server -------------------------------------------------------

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def hc1(uvci):
    """Something that reads as a certificate, and that nobody has signed."""
    def text(t):
        return bytes([0x60 + len(t)]) + t.encode() if len(t) < 24 \
            else bytes([0x78, len(t)]) + t.encode()

    dcc = b"\xa2" + text("v") + b"\x81\xa1" + text("ci") + text(uvci) \
        + text("ver") + text("1.3.3")
    cwt = b"\xa3\x04\x1a\x7f\x00\x00\x00\x06\x1a\x6f\x00\x00\x00\x39\x01\x03\xa1\x01" + dcc
    cose = b"\xd2\x84\x43\xa1\x01\x26\xa0\x58" + bytes([len(cwt)]) + cwt \
        + b"\x58\x40" + bytes(64)
    packed = zlib.compress(cose)
    out = "HC1:"
    for i in range(0, len(packed) - 1, 2):
        rest, low = divmod(packed[i] * 256 + packed[i + 1], 45)
        out += BASE45[low] + BASE45[rest % 45] + BASE45[rest // 45]
    if len(packed) % 2:
        out += BASE45[packed[-1] % 45] + BASE45[packed[-1] // 45]
    return out


@pytest.fixture
def signing(tmp_path):
    ca = pki.new_ca()
    fakeserver._write(tmp_path / "ca", *ca)
    for label in ("server", "client"):
        fakeserver._leaf(tmp_path, ca, label)
    make_log(tmp_path / "log", 3000)
    server = LogServer(tmp_path / "log", tmp_path)
    server.key = (tmp_path / "log/vkey").read_text().strip()
    server.who = ["--cert", tmp_path / "client.pem", "--key", tmp_path / "client.key",
                  "--ca", tmp_path / "ca.pem"]
    run("prove", server.dir, "--vkey", server.key, "--index", 77,
        "--out", server.dir / "proof.77")
    yield server
    server.close()


def issuer(*args, status=0):
    done = subprocess.run([BUILD / "signer-issuer", *map(str, args)], text=True,
                          capture_output=True, timeout=60 * SLOW)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def test_signing_server(signing, tmp_path):
    result = run_json("verify", signing.url, *signing.who, "--vkey", signing.key)
    assert result["ok"] and result["entries"] == 3000
    run("mirror", signing.url, tmp_path / "copy", *signing.who, "--quiet")
    run("prove", signing.url, "--index", 5, *signing.who)
    # Without a certificate there is no connection.
    done = run("verify", signing.url, status=2)
    assert "--cert" in done.stderr
    # Who is no auditor is told so, and is not told that the log is damaged.
    signing.secret = True
    done = run("verify", signing.url, *signing.who, status=2)
    assert "does not give it to this client" in done.stderr
    # A proof needs no entries.
    run("prove", signing.url, "--index", 5, *signing.who)


def test_receipt_of_a_server(signing, tmp_path):
    """The proof holds, its entry is another's: only the last step fails."""
    text = hc1("URN:UVCI:01:VN:X")
    online = ["--server", signing.url, *signing.who]
    signing.not_yet = 2
    for vkey in ([], ["--vkey", signing.key]):
        done = issuer("receipt", text, "--index", 77, *online, *vkey, "--json", status=1)
        assert json.loads(done.stdout)["failed"] == "match"
        assert ("no --vkey" in done.stderr) == (not vkey)
    result = json.loads(run("receipt", text, signing.url, "--index", 77, *signing.who,
                            "--vkey", signing.key, "--json", status=1).stdout)
    assert result["failed"] == "match" and result["index"] == 77
    # Kept, it says the same offline.
    done = issuer("receipt", text, "--vkey", signing.key, "--proof",
                  signing.dir / "proof.77", "--json", status=1)
    assert json.loads(done.stdout)["failed"] == "match"
    # Another key, an entry that is not there, a proof of another entry.
    make_log(tmp_path / "other", 10)
    done = issuer("receipt", text, "--index", 77, *online, "--vkey",
                  tmp_path / "other/vkey", "--json", status=1)
    assert json.loads(done.stdout)["failed"] == "checkpoint"
    issuer("receipt", text, "--index", 78, *online, status=1)
    shutil.copy(signing.dir / "proof.77", signing.dir / "proof.78")
    done = issuer("receipt", text, "--index", 78, *online, "--json", status=1)
    assert json.loads(done.stdout)["failed"] == "proof"
    # Not from the client that had it signed: no entry comes along.
    lines = (signing.dir / "proof.77").read_text().split("\n")
    (signing.dir / "proof.77").write_text("\n".join(lines[:1] + lines[2:]))
    done = issuer("receipt", text, "--index", 77, *online, "--json", status=1)
    assert json.loads(done.stdout)["failed"] == "entry"
    issuer("receipt", text, *online, status=2)


def test_unreadable_copy(log, tmp_path):
    """What was damaged in the copy is not built on, and not made worse."""
    log.checkpoint = "checkpoint.1000"
    run("mirror", log.url, log.copy, "--quiet")
    flip(log.copy / "tile/1/000.p/3", 5)
    log.checkpoint = "checkpoint"
    done = run("mirror", log.url, log.copy, "--quiet", status=2)
    assert "damaged" in done.stderr
    shutil.rmtree(log.copy)
    run("mirror", log.url, log.copy, "--quiet")
    assert pathlib.Path(log.copy / "checkpoint").exists()
