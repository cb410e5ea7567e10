# SPDX-License-Identifier: Apache-2.0
"""No leak and no memory error over 10,000 requests, all roles under valgrind."""
import os
import re
import subprocess

import pytest

from conftest import BUILD, Demo

pytestmark = pytest.mark.skipif("VALGRIND" not in os.environ,
                                reason="slow: runs where VALGRIND is set")
REQUESTS = 10_000
SUPPRESSIONS = os.path.join(os.path.dirname(__file__), "..", "valgrind.supp")


def test_no_leak_over_ten_thousand_requests():
    demo = Demo()
    try:
        demo.wrapper = ["valgrind", "--trace-children=yes", "--leak-check=full",
                        "--show-leak-kinds=definite,indirect", "--num-callers=20",
                        "--errors-for-leak-kinds=definite,indirect", "--child-silent-after-fork=yes",
                        f"--suppressions={SUPPRESSIONS}", f"--log-file={demo.dir}/run/valgrind.%p"]
        demo.start()
        c = demo.dir / "clients/issuer"
        out = subprocess.run(
            [BUILD / "signer-bench", "serve", "--server", f"https://localhost:{demo.port}",
             "--cert", f"{c}.pem", "--key", f"{c}.key", "--ca", demo.dir / "ca.pem",
             "--concurrency", "8", "--requests", str(REQUESTS), "--json"],
            capture_output=True, text=True, timeout=1200)
        assert out.returncode == 0, out
        assert demo.metric_sum("signer_certificates_issued_total") >= REQUESTS
        assert demo.stop(timeout=120) == 0
        logs = sorted(demo.dir.glob("run/valgrind.*"))
        texts = [p.read_text() for p in logs]
        assert len([t for t in texts if "--role" in t or "signerd" in t]) >= 4
        for text in texts:
            summary = re.findall(r"ERROR SUMMARY: (\d+) errors", text)
            assert summary and summary[-1] == "0", text[-6000:]
    finally:
        demo.remove()
