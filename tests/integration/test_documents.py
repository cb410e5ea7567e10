# SPDX-License-Identifier: Apache-2.0
"""What is written for operators, against what there is: metrics, alerts, the
dashboard, manual pages, the threat model.

promtool and prometheus are Debian's, unpacked by tests/run below
build/prometheus: the package would start a service.
"""
import functools
import http.client
import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
import yaml

from conftest import BUILD, ROOT, SLOW, free_port, record

MONITORING = ROOT / "tools/monitoring"
MAN = ROOT / "tools/man"
METRIC = re.compile(r"\bsigner_[a-z0-9_]+")


def program(name):
    path = shutil.which(name) or ROOT / "build/prometheus/usr/bin" / name
    if not os.access(path, os.X_OK):
        pytest.skip(f"no {name}: tools/packages/unpack build/prometheus prometheus")
    return path


def promtool(*arguments):
    r = subprocess.run([program("promtool"), *arguments], cwd=MONITORING, capture_output=True, text=True,
                       timeout=120 * SLOW)
    assert r.returncode == 0, r.stdout + r.stderr


# -- metrics -------------------------------------------------------------------
def documented():
    """{name: type} of tools/docs/metrics.md."""
    rows = re.findall(r"^\| `(signer_\w+)` \| (\w+) \| [a-z, ]+ \| \S", (ROOT / "tools/docs/metrics.md").read_text(), re.M)
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_each_metric_is_explained(demo):
    text = demo.ops("/metrics").body.decode()
    assert documented() == dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def expressions_of_alerts():
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return [(rule["alert"], rule["expr"]) for group in groups for rule in group["rules"]]


def expressions_of_dashboard():
    board = json.loads((MONITORING / "grafana.json").read_text())
    return [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]


def plain(expression):
    """Without Grafana's variables."""
    return expression.replace("$__rate_interval", "5m").replace("$instance", ".*")


def test_expressions_use_metrics_that_exist():
    known = documented()
    for where, expression in expressions_of_alerts() + expressions_of_dashboard():
        for name in METRIC.findall(expression):
            series = re.sub(r"_(bucket|sum|count)$", "", name)
            kind = known.get(series if known.get(series) == "histogram" else name)
            assert kind is not None and (kind == "histogram") == (series != name), (where, name)
            # A rate of a gauge, or a counter by itself, is a mistake.
            rated = re.search(r"(rate|increase)\(" + name + r"\b", expression) is not None
            assert rated == (kind != "gauge"), (where, name)


# -- alerts --------------------------------------------------------------------
def test_alerts():
    promtool("check", "rules", "alerts.yaml")
    promtool("check", "config", "prometheus.yaml")
    promtool("test", "rules", "alerts_test.yaml")


def test_each_alert_is_tested_both_ways_and_explained():
    tests = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
    seen = {(t["alertname"], bool(t["exp_alerts"])) for test in tests for t in test["alert_rule_test"]}
    alarms = (ROOT / "tools/docs/alarms.md").read_text()
    alerts = expressions_of_alerts()
    assert re.findall(r"^## (\w+)$", alarms, re.M) == [name for name, _ in alerts]
    for name, expression in alerts:
        assert {(name, True), (name, False)} <= seen, name
        assert f"`{expression}`" in alarms.split(f"## {name}\n", 1)[1].split("\n## ")[0], name


# -- dashboard -----------------------------------------------------------------
def test_dashboard_parses(tmp_path):
    board = json.loads((MONITORING / "grafana.json").read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) and board["schemaVersion"] >= 30
    rules = [{"record": f"panel:{i}", "expr": plain(e)} for i, (_, e) in enumerate(expressions_of_dashboard())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yaml")
    for panel in board["panels"]:  # none lies on another, none beyond the edge
        g = panel["gridPos"]
        assert g["x"] + g["w"] <= 24, panel["title"]
        for other in board["panels"]:
            o = other["gridPos"]
            assert other is panel or o["x"] >= g["x"] + g["w"] or g["x"] >= o["x"] + o["w"] or \
                o["y"] >= g["y"] + g["h"] or g["y"] >= o["y"] + o["h"], (panel["title"], other["title"])


def ask(port, path, **query):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20 * SLOW)
    try:
        c.request("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))
        return json.loads(c.getresponse().read())
    finally:
        c.close()


def test_prometheus_loads_it_all(demo, tmp_path):
    """The real program takes the rules, reads the daemon, and answers each panel."""
    config = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(MONITORING / "alerts.yaml")]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{demo.port + 1000}"]}]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    port = free_port()
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen(
            [program("prometheus"), f"--config.file={tmp_path}/prometheus.yaml", f"--storage.tsdb.path={tmp_path}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, cwd=tmp_path)
    try:
        end = time.monotonic() + 60 * SLOW
        while True:
            assert server.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()[-3000:]
            try:
                assert demo.issue(record()).status == 200
                ready = ask(port, "/api/v1/query", query="signer_ready and on(role) increase(signer_certificates_issued_total[1m]) > 0")
                rules = ask(port, "/api/v1/rules")["data"]["groups"]
                if ready["data"]["result"] and rules and all(r["health"] == "ok" for g in rules for r in g["rules"]):
                    break
            except (OSError, ValueError):
                pass
            time.sleep(0.2)
        assert [r["name"] for g in rules for r in g["rules"]] == [name for name, _ in expressions_of_alerts()]
        empty = []
        for title, expression in expressions_of_dashboard():
            answer = ask(port, "/api/v1/query", query=plain(expression))
            assert answer["status"] == "success", (title, expression, answer)
            if not answer["data"]["result"]:
                empty.append(title)
        # No key of the demo has an end that is set.
        assert set(empty) <= {"First key ends in"}, empty
    finally:
        server.terminate()
        server.wait(30 * SLOW)


# -- manual pages --------------------------------------------------------------
PROGRAMS = ["signerd", "signer-issuer", "signer-auditor", "signer-officer", "signer-bench"]
SECTION = {"signerd": 8}


@functools.lru_cache(None)
def help_of(*command):
    r = subprocess.run([BUILD / command[0], *command[1:], "--help"], capture_output=True, text=True, timeout=30 * SLOW)
    assert r.returncode == 0, r.stderr
    return r.stdout


def page(name):
    return (MAN / name).read_text()


def options_of_page(text):
    """What is offered in the synopsis and explained in lists."""
    lines = [line for line in text.splitlines() if re.match(r"\.(It|Op)\b", line)]
    return set(re.findall(r"Fl (?:Fl |-)([a-z][a-z0-9-]*)", "\n".join(lines)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_page_has_each_option_of_its_command(name):
    top = help_of(name)
    # A list of commands has no options in it; signerd has no commands.
    commands = [] if name == "signerd" else re.findall(r"^  ([a-z]+)  ?\s*\S", top, re.M)
    assert name == "signerd" or len(commands) >= 6
    helps = [top] + [help_of(name, command) for command in commands]
    text = page(f"{name}.{SECTION.get(name, 1)}")
    offered = set(re.findall(r"^ +--([a-z][a-z0-9-]*)", "\n".join(helps), re.M)) | {"help", "version"}
    told = set(re.findall(r"Fl (?:Fl |-)([a-z][a-z0-9-]*)", text)) | {"help", "version"}
    assert offered - told == set(), "options without a word in the page"
    assert options_of_page(text) - offered == set(), "options of the page that there are not"
    for command in commands:
        assert re.search(rf"\bCm .*\b{command}\b|^\.It Cm {command}\b", text, re.M), command


KEYS = re.compile(r'(?:\b[A-Z][A-Z_0-9]*\(|\.key = )\s*"([a-z][a-z_0-9-]*)",')


def keys_of_source(*patterns):
    files = [f for pattern in patterns for f in sorted(ROOT.glob(pattern))]
    assert files
    text = re.sub(r"^#define .*(?:\\\n.*)*", lambda m: m.group() if "_MAP(" in m.group() else "",
                  "\n".join(f.read_text() for f in files), flags=re.M)
    return set(KEYS.findall(text)) | set(re.findall(r"\bLIST\((\w+)\)", text))


MACROS = set("Cm Li Ar Ns Pa Pq No Xr Ev Dv Sx Fl Nm Ic Dq Ta Em Po Pc".split())


def named(text):
    """What a page sets as a word to be written so (Cm, Ic, Li)."""
    out = set()
    for line in text.splitlines():
        macro = ""
        for word in line[1:].split() if line.startswith(".") else []:
            if word in MACROS:
                macro = word
            elif macro in ("Cm", "Ic", "Li"):
                out |= set(word.rstrip("\\&:").split("."))
    return out


@pytest.mark.parametrize("name,sources", [
    ("signerd.yaml.5", ["signer/config_read.c", "signer/config_ledger.c"]),
    ("policy.yaml.5", ["policy/policy_source.c"]),
    ("signerd-operations.5", ["signer/ceremony/operation_members.h"]),
])
def test_page_has_each_key_of_its_file(name, sources):
    read = keys_of_source(*sources)
    assert read - named(page(name)) == set(), "keys without a word in the page"
    assert len(read) > 20, read


def test_pages_are_clean():
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        pytest.skip("no mandoc")
    r = subprocess.run([mandoc, "-Tlint", "-Wstyle", *sorted(MAN.iterdir())], capture_output=True, text=True,
                       timeout=60 * SLOW)
    # What depends on the system's own pages; we begin a line with each sentence,
    # however long; and our pages are no operating system's.
    known = re.compile(r"referenced manual not found|outdated mandoc\.db|longer than 80 bytes|operating system explicitly")
    assert [line for line in (r.stdout + r.stderr).splitlines() if not known.search(line)] == []


def test_each_page_is_installed_and_named():
    rules = (ROOT / "tools/packages/CMakeLists.txt").read_text()
    for path in MAN.iterdir():
        if path.name != "quickstart.1":
            assert f"{{man}}/{path.name}" in rules, path.name
        for name, section in re.findall(r"^\.Xr (\S+) (\d)", path.read_text(), re.M):
            if re.match(r"signer|policy\.yaml|quickstart", name):
                assert (MAN / f"{name}.{section}").exists(), (path.name, name)


# -- the documents -------------------------------------------------------------
DOCUMENTS = ["SECURITY.md", *sorted(
    str(p.relative_to(ROOT)) for top in (".", "signer", "signer/*", "pkcs11", "policy", "tests", "tests/*", "tools", "tools/docs")
    for p in ROOT.glob(f"{top}/*.md") if p.name not in ("CHANGELOG.md", "SECURITY.md"))]


def test_commands_of_the_guide_exist():
    for path in [ROOT / "SECURITY.md", ROOT / "README.md", *(ROOT / "tools/docs").iterdir()]:
        text = path.read_text()
        for code in re.findall(r"`([^`\n]+)`", text) + text.splitlines():
            for name, command, rest in re.findall(r"\b(signer-(?:issuer|officer|auditor|bench)) ([a-z]+)((?: [^|;#`)]*)?)", code):
                known = help_of(name, command)
                for option in re.findall(r"(?<!\S)(--[a-z-]+)", rest):
                    assert re.search(rf"{option}\b", known), (path.name, name, command, option)


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, where = target.partition("#")
        file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert file.exists(), target
        if where:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
            assert where in [anchor(h) for h in headings], target


def test_the_threat_model_names_tests_that_exist():
    """`test_file.py::test_name`, `FOLDER/test_x`, `fuzz_x` in SECURITY.md."""
    text = (ROOT / "SECURITY.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "test" in line]
    assert len(rows) > 10
    for file, test in re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", text):
        path = ROOT / "tests/integration" / file
        assert path.exists(), file
        assert not test or re.search(rf"^def {test}\(", path.read_text(), re.M), (file, test)
    for unit in re.findall(r"`(\w+/test_\w+)`", text):
        assert (ROOT / f"tests/unit/{unit}.c").exists(), unit
    for target in re.findall(r"`(fuzz_\w+)`", text):
        assert list((ROOT / "tests/fuzz").glob(f"*/{target}.c")), target


def test_the_seeds_of_messages_are_of_the_messages_that_there_are(tmp_path):
    """A message that comes into wire.h, or a member, makes the committed ones another message each."""
    targets = ["fuzz_wire", "fuzz_core_link", "fuzz_serve", "fuzz_hsm", "fuzz_desk"]
    subprocess.run(["/usr/bin/python3", ROOT / "tests/fuzz/seeds", tmp_path, *targets], check=True)
    made = sorted(p for p in tmp_path.glob("*/*"))
    assert len(made) > 60
    old = [p.name for p in made if (ROOT / "tests/fuzz/corpus" / p.relative_to(tmp_path)).read_bytes() != p.read_bytes()]
    assert not old, "make them anew: tests/fuzz/seeds"


def test_events_are_explained():
    r = subprocess.run([ROOT / "tests/events"], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 0, r.stdout


def test_events_that_are_asked_for_exist():
    """Whoever follows the journal for a name that no line has waits for ever."""
    there = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "tools/docs/events.md").read_text(), re.M))
    asked = [(page.name, event) for page in sorted((ROOT / "tools/docs").glob("*.md"))
             for event in re.findall(r"SIGNERD_EVENT=([a-z-]+)", page.read_text())]
    assert len(asked) >= 5
    assert not [found for found in asked if found[1] not in there]
