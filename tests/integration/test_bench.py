# SPDX-License-Identifier: Apache-2.0
"""signer-bench against the real daemon: that it tells the truth, not how fast it is."""
import datetime
import http.server
import io
import json
import ssl
import subprocess
import threading
import xml.etree.ElementTree

import cbor2
import pytest

from conftest import BUILD, SLOW

BENCH = BUILD / "signer-bench"


def bench(*args, text=True):
    return subprocess.run([BENCH, *map(str, args)], capture_output=True, text=text,
                          timeout=300 * SLOW)


def server_options(demo, client="issuer"):
    return ["--server", f"https://localhost:{demo.port}", "--ca", demo.dir / "ca.pem",
            "--cert", demo.dir / f"clients/{client}.pem",
            "--key", demo.dir / f"clients/{client}.key",
            "--metrics", f"http://127.0.0.1:{demo.port + 1000}/metrics"]


def bulk(demo, *args, client="issuer"):
    out = bench("bulk", *server_options(demo, client), "--json", "--quiet", *args)
    assert out.stdout, out.stderr
    return out.returncode, json.loads(out.stdout)


# --- generate -----------------------------------------------------------------

def generate(*args):
    out = bench("generate", *args, text=False)
    assert out.returncode == 0, out.stderr
    return out.stdout


def test_generate_is_deterministic():
    assert generate(50, "--faults", "0.5") == generate(50, "--faults", "0.5")
    assert generate(50) != generate(50, "--seed", 2)
    assert generate(50).count(b"\n") == 50
    uvcis = set()
    for seed in (1, 2):
        for line in generate(300, "--seed", seed).splitlines():
            dcc = json.loads(line)["dcc"]
            uvcis.add(next(dcc[k][0]["ci"] for k in "vtr" if k in dcc))
    assert len(uvcis) == 600


def test_generate_forms_agree():
    args = (200, "--faults", "0.5")
    lines = [json.loads(line) for line in generate(*args).splitlines()]
    sequence = io.BytesIO(generate(*args, "--form", "cbor-seq"))
    assert [cbor2.load(sequence) for _ in lines] == lines
    assert not sequence.read()


def stream(demo, body, path="/v1/validations"):
    r = demo.request("POST", path, body, {"Content-Type": "application/x-ndjson"})
    assert r.status == 200, r
    return [json.loads(line) for line in r.body.splitlines()]


def test_good_records_are_accepted(demo):
    answers = stream(demo, generate(240, "--seed", 7))
    assert len(answers) == 240
    assert {a.get("verdict") for a in answers} == {"accept"}, \
        next(a for a in answers if "verdict" not in a)


@pytest.mark.parametrize("which", ["plain", "all"])
def test_faults_are_refused_with_their_codes(demo, which):
    listed = [line.split() for line in bench("generate", "--list-faults").stdout.splitlines()[1:]]
    codes = {code for _, code, _, sort in listed if which == "all" or sort == "plain"}
    answers = stream(demo, generate(1200, "--faults", 1, "--fault-set", which))
    seen = set()
    for a in answers:
        assert a["status"] == 422, a
        seen |= {v["code"] for v in a["violations"]}
    assert codes <= seen, codes - seen


def test_the_cleaning_report_names_each_planted_fault(demo, tmp_path):
    listed = [line.split() for line in bench("generate", "--list-faults").stdout.splitlines()[1:]]
    records = tmp_path / "records.ndjson"
    records.write_bytes(generate(3000, "--faults", "0.5", "--date", datetime.date.today()))
    out = subprocess.run([BUILD / "signer-issuer", "validate", *server_options(demo)[:8], records],
                         capture_output=True, text=True, timeout=120 * SLOW)
    assert out.returncode == 1, out.stderr
    assert out.stdout.startswith("3,000 records: 1,500 accepted (50.0 %), 1,500 refused"), out.stdout
    told = {line.split()[0] for line in out.stdout.splitlines() if line.startswith("  ")}
    assert {code for _, code, _, _ in listed} <= told


def test_decide(demo):
    policy = demo.dir / "policy.yaml"
    out = json.loads(bench("decide", policy, "--json", "--faults", "0.3").stdout)
    assert (out["records"], out["accepted"], out["refused"]) == (1000, 700, 300)
    us = out["decision_us"]
    assert 0 < us["least"] <= us["median"] <= us["most"]
    text = bench("decide", policy, "--client", "any-country", "--kinds", "t").stdout
    assert text.startswith("1000 records: 1000 accepted, 0 refused\na decision: ")
    for args in ((), (policy, "--client", "nobody"), (policy, "--kinds", "x"),
                 (policy, "--faults", "2"), ("/nonexistent",), (__file__,)):
        out = bench("decide", *args)
        assert out.returncode == 2 and not out.stdout and out.stderr, args


def test_no_such_command():
    out = bench("nope")
    assert out.returncode == 2 and 'no command and no directory "nope"' in out.stderr
    assert bench("generate", "--list-faults").stdout.split()[:3] == ["fault", "code", "kinds"]


def test_generate_usage():
    for args in ((), ("x",), (0,), (5, "--faults", "1.5"), (5, "--kinds", "x"),
                 (5, "--date", "soon"), (5, "--form", "xml")):
        out = bench("generate", *args)
        assert out.returncode == 2 and not out.stdout, args


# --- bulk ---------------------------------------------------------------------

@pytest.mark.parametrize("protocol", ["h1", "h2"])
@pytest.mark.parametrize("form", ["json", "cbor"])
def test_bulk(demo, protocol, form):
    before = demo.metric_sum("signer_certificates_issued_total")
    status, r = bulk(demo, "--records", 1200, "--protocol", protocol, "--form", form,
                     "--share-of-faults", "0.25", "--connections", 2, "--window", 100,
                     "--verify", 20)
    assert status == 0, r
    assert r["sent"] == r["answered"] == 1200
    assert r["missing"] == r["unexpected"] == r["broken"] == 0
    # how many of them are faulty depends on how the two streams share the work
    issued, refused = r["status"]["200"], r["status"]["422"]
    assert issued + refused == 1200 and 200 < refused < 400
    assert r["verify_failed"] == 0 and r["verified"] > 20
    assert r["cpu_us_per_record"]["client"] > 0
    ledger = r["ledger"]
    assert 300 < ledger["journal_bytes"] < 500 and 150 < ledger["tile_bytes"] < 350, ledger
    assert min(ledger["loop_us"], ledger["journal_us"], ledger["scribe_us"]) > 0, ledger
    assert demo.metric_sum("signer_certificates_issued_total") == before + issued


def test_bulk_validations(demo):
    before = demo.metric_sum("signer_certificates_issued_total")
    status, r = bulk(demo, "--records", 1000, "--path", "validations")
    assert status == 0 and r["status"] == {"200": 1000}, r
    assert demo.metric_sum("signer_certificates_issued_total") == before


def test_bulk_tells_what_is_wrong(demo):
    # every record of the stranger is refused, and none deserves it
    out = bench("bulk", *server_options(demo, "stranger"), "--records", 20, "--verify", 0)
    assert out.returncode in (1, 2), out
    out = bench("bulk", "--server", "https://localhost:1", *server_options(demo)[2:], "--records", 20)
    assert out.returncode == 2 and "refused" in out.stderr


def test_single_requests_beside(demo):
    status, r = bulk(demo, "--seconds", 2, "--single-probe", 20)
    assert status == 0, r
    single = r["single"]
    assert single["requests"] > 20 and single["status"] == {"200": single["requests"]}
    assert 0 < single["p50_us"] <= single["p99_us"] <= single["max_us"]


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_reader_that_stops(demo, protocol):
    status, r = bulk(demo, "--seconds", 2, "--stop-reading", 3, "--protocol", protocol)
    assert status == 0, r
    stopped = r["stop_reading"]
    assert not stopped["broken"]
    # what it had sent was answered after all
    assert stopped["answers"] >= stopped["sent"] > 0
    for part in ("before", "during", "after"):
        assert stopped[part]["others_rate"] > 0
        assert stopped[part]["memory"]["front"]["samples"] > 0


def test_memory_curve(demo):
    status, r = bulk(demo, "--records", 100000, "--path", "validations", "--memory-curve", 5000)
    assert status == 0, r
    assert r["memory"]["core"]["samples"] >= r["memory_settled"]["core"]["samples"] > 0
    curve = r["memory_curve"]
    assert len(curve) >= r["memory"]["core"]["samples"]
    assert [s["records"] for s in curve] == sorted(s["records"] for s in curve)
    for role in ("front", "core", "hsm"):
        assert 0 < r["memory"][role]["least"] <= r["memory"][role]["most"]


# --- a server that does wrong --------------------------------------------------

class Between(http.server.BaseHTTPRequestHandler):
    """Hands a stream to the real daemon, and its answers back spoilt by SPOIL(lines)."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        r = self.server.demo.request("GET", self.path, headers={"Accept": self.headers["Accept"]})
        self.send_response(r.status)
        self.send_header("Content-Type", r.headers["content-type"])
        self.send_header("Content-Length", str(len(r.body)))
        self.end_headers()
        self.wfile.write(r.body)

    def do_POST(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        lines = stream(self.server.demo, body, self.path)
        lines, whole = self.server.spoil([json.dumps(a, separators=(",", ":")) for a in lines])
        text = "".join(line + "\n" for line in lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text) + (b"0\r\n\r\n" if whole else b""))
        self.close_connection = True


def swap(lines):
    lines[10], lines[11] = lines[11], lines[10]
    return lines, True


def drop_last(lines):
    return lines[:-1], True


def break_off(lines):
    return lines[:50], False


def say_refused(lines):
    lines[3] = '{"type":"/problems/policy","title":"no","status":422}'
    return lines, True


@pytest.mark.parametrize("spoil, wrong", [
    (lambda lines: (lines, True), {}),
    (swap, {"verify_failed": 2}),
    (drop_last, {"missing": 1, "broken": 1}),
    (break_off, {"missing": 150, "broken": 1}),
    (say_refused, {"unexpected": 1}),
], ids=["right", "order", "short", "broken", "refused"])
def test_bulk_sees_what_a_server_does_wrong(demo, spoil, wrong):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(demo.dir / "tls/server.pem", demo.dir / "tls/server.key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        server.demo, server.spoil = demo, spoil
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        out = bench("bulk", "--server", f"https://localhost:{server.server_address[1]}",
                    *server_options(demo)[2:], "--protocol", "h1", "--records", 200,
                    "--verify", 1, "--json", "--quiet")
        server.shutdown()
    assert out.returncode == (1 if wrong else 0), out
    r = json.loads(out.stdout)
    seen = {name: r[name] for name in ("verify_failed", "missing", "broken", "unexpected") if r[name]}
    assert seen == wrong


# --- suite --------------------------------------------------------------------

def test_suite(own, tmp_path):
    """It starts the server, measures everything, and stops it."""
    out = bench("--seconds", 1, "--raw-seconds", 1, "--price-per-cpu-hour", "0.05",
                "--json", tmp_path / "r.json", "--plot", tmp_path / "r.svg", own.dir)
    assert out.returncode == 0, out.stdout + out.stderr
    (one,) = json.loads((tmp_path / "r.json").read_text())["algorithms"]
    assert one["alg"] == own.alg and one["raw_before"] > 0 and one["raw_after"] > 0
    for step in ("single", "bulk_json", "bulk_cbor", "validation", "refusal"):
        assert one[step]["good"] and one[step]["rate"] > 0, step
        assert one[step]["hours_for_100_million"] > 0
    assert 0 < one["bulk_json"]["ratio"]
    assert "bulk JSON to HC1" in out.stdout
    svg = xml.etree.ElementTree.parse(tmp_path / "r.svg").getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert not (own.dir / "run/signerd.pid").exists(), "still running"


def test_suite_usage(tmp_path):
    for args in ((), (tmp_path,), ("--plot", "/nonexistent/x.svg", tmp_path)):
        out = bench("suite", *args)
        assert out.returncode == 2 and not out.stdout, args
