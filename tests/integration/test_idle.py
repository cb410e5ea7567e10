# SPDX-License-Identifier: Apache-2.0
"""Idle connections: one front holds many, each at a bounded cost in memory."""
import json
import subprocess

import pytest

from conftest import BUILD

CONNECTIONS = 2000
KIB_EACH_MAX = 60


@pytest.mark.skipif(BUILD.name in ("asan", "tsan"), reason="a sanitizer's memory is its own")
@pytest.mark.parametrize("protocol", ["h2", "h1"])
def test_idle_connections_cost_little(own, protocol):
    own.start()
    c = own.dir / "clients/issuer"
    out = subprocess.run(
        [BUILD / "signer-bench", "serve", "--server", f"https://localhost:{own.port}",
         "--cert", f"{c}.pem", "--key", f"{c}.key", "--ca", own.dir / "ca.pem",
         "--metrics", f"http://127.0.0.1:{own.port + 1000}/metrics",
         "--protocol", protocol, "--idle", str(CONNECTIONS), "--json"],
        capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out
    answer = json.loads(out.stdout)
    assert answer["connections"] == CONNECTIONS
    assert 0 < answer["kib_per_connection"] <= KIB_EACH_MAX, answer
