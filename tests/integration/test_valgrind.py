# SPDX-License-Identifier: Apache-2.0
"""No leak and no memory error over many requests, all roles under valgrind.

VALGRIND_REQUESTS   how many (default 10,000)
"""
import os
import re
import subprocess

import pytest

from conftest import BUILD, ROOT, Demo

pytestmark = pytest.mark.skipif("VALGRIND" not in os.environ,
                                reason="slow: runs where VALGRIND is set")
REQUESTS = int(os.environ.get("VALGRIND_REQUESTS", "10000"))


def role_of(report):
    """Whose REPORT it is, by the command that valgrind names at its top."""
    command = re.search(r"Command: (.*)", report)[1]
    role = re.search(r"--role (\S+) --slot (\S+)", command)
    return f"{role[1]}/{role[2]}" if role else "supervisor"


def test_no_leak_over_many_requests():
    demo = Demo()
    try:
        demo.wrapper = ["valgrind", "--trace-children=yes", "--leak-check=full",
                        "--show-leak-kinds=definite,indirect", "--num-callers=20",
                        "--errors-for-leak-kinds=definite,indirect", "--child-silent-after-fork=yes",
                        f"--suppressions={ROOT}/tests/valgrind.supp",
                        f"--log-file={demo.dir}/run/valgrind.%p"]
        # It compiles what it runs, and writes its report.
        everything = "[system-calls, files, memory]"
        with open(demo.dir / "signerd.yaml", "a") as config:
            config.write("sandbox:\n  off:\n" + "".join(
                f"    {role}: {everything}\n"
                for role in ("supervisor", "front", "core", "hsm", "witness")))
        demo.start()
        roles = {"supervisor", *demo.roles()}
        assert {r.split("/")[0] for r in roles} == {"supervisor", "front", "core", "hsm", "smith"}
        c = demo.dir / "clients/issuer"
        out = subprocess.run(
            [BUILD / "signer-bench", "serve", "--server", f"https://localhost:{demo.port}",
             "--cert", f"{c}.pem", "--key", f"{c}.key", "--ca", demo.dir / "ca.pem",
             "--concurrency", "8", "--requests", str(REQUESTS), "--json"],
            capture_output=True, text=True, timeout=1200)
        assert out.returncode == 0, out
        assert demo.metric_sum("signer_certificates_issued_total") >= REQUESTS
        assert demo.stop(timeout=120) == 0
        texts = [p.read_text() for p in sorted(demo.dir.glob("run/valgrind.*"))]
        assert roles <= {role_of(t) for t in texts}
        for text in texts:
            summary = re.findall(r"ERROR SUMMARY: (\d+) errors", text)
            assert summary and summary[-1] == "0", text[-6000:]
    finally:
        demo.remove()
