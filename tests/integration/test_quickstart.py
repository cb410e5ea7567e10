# SPDX-License-Identifier: Apache-2.0
"""The README's first command, as a newcomer runs it."""
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

import hcert
from conftest import ROOT, free_port

pytestmark = pytest.mark.skipif("QUICKSTART" not in os.environ,
                                reason="builds release: runs where QUICKSTART is set")
NAMES = ["issuer", "attested", "any-country", "officer-1", "officer-2", "officer-3",
         "auditor", "stranger"]


def quickstart(directory, port, *more):
    return subprocess.run([ROOT / "tools/quickstart", "--dir", directory, "--port", str(port), *more],
                          capture_output=True, text=True, timeout=900)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_once(tmp_path, alg):
    directory, port = tmp_path / "demo", free_port()
    out = quickstart(directory, port, "--once", "--alg", alg)
    assert out.returncode == 0, out.stdout[-3000:] + out.stderr[-3000:]
    for name in NAMES:
        assert (directory / f"clients/{name}.pem").is_file()
        assert (directory / f"clients/{name}.key").stat().st_mode & 0o077 == 0
    for name in ("ca.pem", "csca.pem", "signerd.yaml", "policy.yaml", "softhsm2.conf", "state"):
        assert (directory / name).exists(), name
    assert not (directory / "run/signerd.pid").exists(), "still running"
    assert "curl" in out.stdout
    # the QR on the screen scans
    picture = terminal_to_png(out.stdout, tmp_path / "qr.png")
    text = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True,
                          check=True, text=True).stdout.strip()
    (dsc,) = (directory / "dsc").glob("*.pem")
    hcert.verify(hcert.unwrap(text), hcert.load_certificate(dsc))
    # a second run starts what is there
    ca = (directory / "ca.pem").read_bytes()
    assert quickstart(directory, port, "--once", "--no-install").returncode == 0
    assert (directory / "ca.pem").read_bytes() == ca


def terminal_to_png(text, path):
    """Draw the half blocks of a terminal's QR code as pixels."""
    import re
    from PIL import Image
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", l) for l in text.splitlines()]
    rows = [l for l in lines if l and len(l) > 20 and set(l) <= set(" ▀▄█")]
    assert len(rows) > 15, "no QR code on the screen"
    colours = any("\x1b[" in l for l in text.splitlines() if "▀" in l or "▄" in l)
    width = max(map(len, rows))
    image = Image.new("L", (width + 8, len(rows) * 2 + 8), 255)
    for y, row in enumerate(rows):
        for x, c in enumerate(row.ljust(width)):
            top, bottom = c in "▀█", c in "▄█"
            image.putpixel((x + 4, y * 2 + 4), 0 if top else 255)
            image.putpixel((x + 4, y * 2 + 5), 0 if bottom else 255)
    if not colours:  # into a pipe: the light modules were drawn
        image = image.point(lambda p: 255 - p)
    image.resize((image.width * 6, image.height * 6), Image.NEAREST).save(path)
    return path


def test_ceremony(tmp_path):
    """Two rotations, one a run, each by commands that can be repeated."""
    directory, port = tmp_path / "demo", free_port()
    for label in ("dsc-2", "dsc-3"):
        out = quickstart(directory, port, "--once", "--no-install", "--ceremony")
        assert out.returncode == 0, out.stdout[-3000:] + out.stderr[-3000:]
        assert "signer-officer propose activate --socket run/officer.sock --proposer officer-1 " \
               f"--sign officers/officer-1.key --out ceremony/{label}-5-activate.op --key {label}" \
               in out.stdout
        rows = [line.split() for line in out.stdout.splitlines() if line.startswith("dsc-")]
        assert [r[0] for r in rows if r[2] == "active"] == [label], rows
        dsc = hcert.load_certificate(directory / f"dsc/{label}.pem")
        text = (directory / "ceremony/new.hc1").read_text().strip()
        hcert.verify(hcert.unwrap(text), dsc)
    assert "propose genesis" not in out.stdout  # the officers were there already


def test_detach(tmp_path):
    directory, port = tmp_path / "demo", free_port()
    out = quickstart(directory, port, "--detach", "--no-install")
    assert out.returncode == 0, out.stdout[-3000:] + out.stderr[-3000:]
    pid = int((directory / "run/signerd.pid").read_text())
    try:
        again = quickstart(directory, port, "--detach", "--no-install")
        assert again.returncode == 0
        assert int((directory / "run/signerd.pid").read_text()) == pid
    finally:
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 20
        while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.1)
    assert not (directory / "run/signerd.pid").exists()


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_shim(tmp_path, alg):
    directory, port = tmp_path / "demo", free_port()
    spec = "latency=5ms,rate=20000,sessions=128"
    out = quickstart(directory, port, "--once", "--no-install", "--alg", alg, "--shim", spec)
    assert out.returncode == 0, out.stdout[-3000:] + out.stderr[-3000:]
    text = (directory / "signerd.yaml").read_text()
    assert "libpkcs11-shim.so" in text and "sign=software" in text
    assert "processes: 2\n    sessions: 64\n" in text
    assert (directory / "run/signerd.log").read_text().count('hsm-serving hsm="demo" keys=1 sessions=64') == 2
    assert (directory / "shim.key").stat().st_mode & 0o077 == 0
    # as it was made, and no other way
    assert quickstart(directory, port, "--once", "--no-install").returncode == 0
    other = quickstart(directory, port, "--once", "--no-install", "--shim", "latency=6ms")
    assert other.returncode == 2 and spec in other.stderr


@pytest.mark.parametrize("spec,word", [
    ("latency=fast", "latency=fast"), ("speed=5", "unknown key"), ("sessions=0", "sessions"),
    ("state=/tmp/x", "state"), ("latency=5ms;rm", "KEY=VALUE")])
def test_shim_usage(tmp_path, spec, word):
    directory = tmp_path / "demo"
    out = quickstart(directory, free_port(), "--prepare", "--no-install", "--shim", spec)
    assert out.returncode == 2 and word in out.stderr
    assert not (directory / "signerd.yaml").exists()


@pytest.mark.parametrize("n,processes,sessions", [(1, 1, 1), (7, 1, 7), (96, 2, 48), (4096, 16, 256),
                                                  (1021, 4, 255)])
def test_shim_sessions(tmp_path, n, processes, sessions):
    """All that the HSM has, where processes of equal size can use them."""
    out = quickstart(tmp_path / "demo", free_port(), "--prepare", "--no-install", "--shim", f"sessions={n}")
    assert out.returncode == 0
    text = (tmp_path / "demo/signerd.yaml").read_text()
    assert f"processes: {processes}\n    sessions: {sessions}\n" in text


@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("listens", [True, False])
def test_port_in_use(tmp_path, offset, listens):
    directory, port = tmp_path / "demo", free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + offset))
        if listens:
            other.listen()
        out = quickstart(directory, port, "--once", "--no-install")
    assert out.returncode == 1 and f"port {port}" in out.stderr.replace(
        f"port {port + 1000} is", f"port {port} is") and "in use" in out.stderr
    assert "signerd is ready" not in out.stdout


def test_usage(tmp_path):
    assert quickstart(tmp_path / "x", 99999, "--no-install").returncode == 2
    assert quickstart(tmp_path / "x", 8443, "--nonsense").returncode == 2
    assert quickstart(tmp_path / "x", 8443, "--alg", "RS256", "--no-install").returncode == 2
