# SPDX-License-Identifier: Apache-2.0
"""Quotas, rates, alarms and the archive of policies with the real daemon: what
is counted is exact, whoever asks at whichever front, and whatever is killed."""
import concurrent.futures
import datetime
import hashlib
import json
import os
import re
import signal
import threading
import time

import pytest

from conftest import SLOW, record
from ledger import Log
from streams import H1
from test_bulk import Files

ISSUED, REFUSED = 1, 3


def set_policy(demo, issuer="", top=""):
    """The demo's policy with other limits for the issuer; TOP for all."""
    path = demo.dir / "policy.yaml"
    text = path.read_text()
    text = re.sub(r"^time_zone: .*\n|^alarm: .*\n", "", text, flags=re.M)
    head, body = text.split("  - name: issuer ", 1)
    mine, rest = body.split("  - name: ", 1)
    mine = re.sub(r"^    (quota|rate|alarm): .*\n", "", mine, flags=re.M)
    if "time_zone" not in top:
        top += 'time_zone: "+00:00"\n'
    head = head.replace("version: 1\n", "version: 1\n" + top, 1)
    path.write_text(head + "  - name: issuer " + mine +
                    "".join(f"    {line}\n" for line in issuer.splitlines()) +
                    "  - name: " + rest)


@pytest.fixture(autouse=True)
def steady():
    """Not over the end of an hour, which ends a day, too."""
    left = 3600 - time.time() % 3600
    if left < 60 * SLOW:
        time.sleep(left)


def set_fronts(demo, n):
    path = demo.dir / "signerd.yaml"
    path.write_text(path.read_text().replace("fronts: 1", f"fronts: {n}"))


def code_of(response):
    assert response.status == 429, response
    problem = response.json
    assert problem["type"] == "/problems/rate" and problem["status"] == 429
    (violation,) = problem["violations"]
    assert violation["pointer"] == "" and violation["level"] == "error"
    assert int(response.headers["retry-after"]) >= 1
    return violation["code"]


def entries(demo):
    """What is on record, once the daemon has stopped."""
    return Log(demo.dir / "state/ledger").check()


def issued(demo):
    return sum(e[1] == ISSUED for e in entries(demo))


def refused(demo, code):
    return sum(e[16].get(code, 0) for e in entries(demo) if e[1] == REFUSED)


def ask_many(demo, records, connections=8):
    """Single requests, over several connections at once."""
    def some(mine):
        c = demo.connect(timeout=60)
        try:
            return [demo.issue(r, connection=c) for r in mine]
        finally:
            c.close()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        parts = pool.map(some, [records[i::connections] for i in range(connections)])
    return [r for part in parts for r in part]


def stream(demo, records, client="issuer", seconds=120):
    s = H1(demo, client=client)
    try:
        for i, r in enumerate(records):
            s.send(json.dumps(dict(dcc=r, id=str(i))).encode() + b"\n")
        s.end()
        answers = s.rest(seconds)
    finally:
        s.close()
    assert [a["id"] for a in answers] == [str(i) for i in range(len(records))]
    return answers


def test_quota_is_exact(own):
    set_policy(own, "quota: {per_day: 50}")
    set_fronts(own, 2)
    own.start()
    own.wait_all_up()
    policy = own.request("GET", "/v1/policy").json
    assert policy["quota"]["per_day"] == policy["quota"]["left"] == 50
    assert 0 < policy["quota"]["ends"] - time.time() <= 86400
    assert policy["quota"]["ends"] % 86400 == 0
    records = [record() for _ in range(120)]
    answers = ask_many(own, records)
    good = [a for a in answers if a.status == 200]
    assert len(good) == 50
    assert {code_of(a) for a in answers if a.status != 200} == {"quota-exceeded"}
    # What is on record is free, and what signs nothing.
    again = ask_many(own, records)
    assert sum(a.status == 200 and a.json.get("replayed") for a in again) == 50
    assert own.request("POST", "/v1/validations", dict(dcc=record())).status == 200
    assert own.request("GET", "/v1/policy").json["quota"]["left"] == 0
    assert own.issue(record(), client="any-country").status == 200
    # A stream is refused as quickly as it is sent.
    lines = stream(own, [record() for _ in range(2000)])
    assert {a["status"] for a in lines} == {429}
    assert own.metric_sum("signer_requests_limited_total", 'limit="quota"') == 70 + 70 + 2000
    assert own.stop() == 0
    assert issued(own) == 51
    assert refused(own, "quota-exceeded") == 2140


def other_day():
    """Time zones of two days, now."""
    hour = datetime.datetime.now(datetime.timezone.utc).hour
    return ("+00:00", "+14:00") if hour >= 10 else ("+00:00", "-14:00")


def test_another_time_zone(own):
    """Who moves the beginning of the day gets no second quota by it."""
    here, there = other_day()
    set_policy(own, "quota: {per_day: 2}", f'time_zone: "{here}"\n')
    own.start()
    assert [own.issue(record()).status for _ in range(3)] == [200, 200, 429]
    for zone in (there, here):
        set_policy(own, "quota: {per_day: 2}", f'time_zone: "{zone}"\n')
        own.reload()
        quota = own.request("GET", "/v1/policy").json["quota"]
        assert quota["left"] == 0 and quota["ends"] > time.time()
        assert code_of(own.issue(record())) == "quota-exceeded"
    set_policy(own, "quota: {per_day: 3}", f'time_zone: "{there}"\n')
    assert own.stop() == 0
    own.start()  # counted anew, as it was
    assert own.request("GET", "/v1/policy").json["quota"]["left"] == 1
    assert [own.issue(record()).status for _ in range(2)] == [200, 429]



def wait_core(demo, times):
    """The core has become ready so often, and has counted before."""
    end = time.monotonic() + 30 * SLOW
    while len(re.findall(r"quota-counted (?:.*\n)*?.* core\S* ready ", demo.log())) < times:
        assert time.monotonic() < end, demo.log()[-3000:]
        time.sleep(0.01)


def test_recounted_after_a_crash(own, tmp_path):
    """The core is killed in the middle of a job, twice."""
    n, quota = int(6000 / SLOW), int(4000 / SLOW)
    set_policy(own, f"quota: {{per_day: {quota}}}")
    set_fronts(own, 2)
    files = Files(own, tmp_path)
    files.make(n)
    own.start()
    process = files.start("--connections", "2")
    for kills, share in enumerate((0.1, 0.4), 1):
        files.wait(int(n * share), process)
        os.kill(own.roles()["core/0"], signal.SIGKILL)
        wait_core(own, kills + 1)
    out, err = process.communicate(timeout=120 * SLOW)
    assert process.returncode == 1, (out, err)
    answers = [json.loads(line) for line in files.output.read_text().splitlines()]
    good = sum("hcert" in a for a in answers)
    assert good == quota  # what was signed and not answered was sent again
    assert sum(a.get("status") == 429 for a in answers) == n - good
    assert own.request("GET", "/v1/policy").json["quota"]["left"] == 0
    assert own.stop() == 0
    assert issued(own) == quota
    # The whole daemon anew: still used up, and then there is more.
    own.start()
    assert code_of(own.issue(record())) == "quota-exceeded"
    set_policy(own, f"quota: {{per_day: {n}}}")
    own.reload()
    files.run(expect=0)
    files.check()
    assert code_of(own.issue(record())) == "quota-exceeded"
    assert own.stop() == 0
    assert issued(own) == n


def test_single_requests_beyond_the_burst(own):
    """Ten thousand beyond the bucket: refused, counted, and none signed."""
    n = int(10000 / SLOW)
    set_policy(own, "rate: {per_second: 1, burst: 5}")
    set_fronts(own, 2)
    own.start()
    own.wait_all_up()
    assert own.request("GET", "/v1/policy").json["rate"] == {"burst": 5, "per_second": 1}
    began = time.monotonic()
    records = [record() for _ in range(n)]
    answers = ask_many(own, records)
    took = time.monotonic() - began
    good = sum(a.status == 200 for a in answers)
    assert 5 <= good <= 5 + took + 1
    bad = [a for a in answers if a.status != 200]
    assert {code_of(a) for a in bad} == {"rate-exceeded"}
    assert own.metric_sum("signer_requests_limited_total", 'limit="rate"') == len(bad)
    assert own.metric_sum("signer_certificates_issued_total") == good
    assert own.stop() == 0
    assert issued(own) == good
    assert refused(own, "rate-exceeded") == len(bad) == n - good


def test_a_stream_is_slowed_down(own):
    """To its rate, at two fronts together, while others keep their speed."""
    rate, burst, n = 200, 100, 700
    set_policy(own, f"rate: {{per_second: {rate}, burst: {burst}}}")
    set_fronts(own, 2)
    own.start()
    own.wait_all_up()
    times = {}

    def run(name, records, client):
        began = time.monotonic()
        answers = stream(own, records, client)
        times[name] = time.monotonic() - began
        assert all("hcert" in a for a in answers)

    slow = [threading.Thread(target=run, args=(f"slow{i}", [record() for _ in range(n)],
                                               "issuer")) for i in range(2)]
    for t in slow:
        t.start()
    time.sleep(1)
    # The other client: a stream, then single requests.
    run("quick", [record() for _ in range(1000)], "any-country")
    waits = []
    c = own.connect("any-country")
    for _ in range(50):
        began = time.monotonic()
        assert own.issue(record(), connection=c).status == 200
        waits.append(time.monotonic() - began)
    c.close()
    for t in slow:
        t.join()
    least = (2 * n - burst) / rate
    longest = max(times["slow0"], times["slow1"])
    assert least - 0.1 <= longest <= least * 1.5 + 2 * SLOW, times
    assert times["quick"] < 2 * SLOW, times
    assert sorted(waits)[25] < 0.05 * SLOW, sorted(waits)
    assert own.metric_sum("signer_requests_delayed_total") > 0
    assert own.metric_sum("signer_requests_limited_total") == 0


def test_alarm(own):
    set_policy(own, top="alarm: {factor: 2, minimum: 5, stop: true}\n")
    own.start()
    first = record()
    assert own.issue(first).status == 200
    assert [own.issue(record()).status for _ in range(10)] == [200] * 10
    assert own.metric_sum("signer_client_alarms_total") == 1
    assert own.metric_sum("signer_clients_stopped") == 1
    assert 'client-alarm client="issuer" signed=11 usual=5 factor=2 stopped=1' in own.log()
    assert code_of(own.issue(record())) == "client-stopped"
    assert {a["status"] for a in stream(own, [record() for _ in range(5)])} == {429}
    assert own.issue(first).json["replayed"]
    assert own.issue(record(), client="any-country").status == 200
    own.reload()  # the same policy: nobody has looked
    assert code_of(own.issue(record())) == "client-stopped"
    assert own.stop() == 0
    hours = (own.dir / "state/hours").read_text().splitlines()
    assert hours[0] == "signerd hours 1" and hours[-1] == "end"
    assert sum(int(h.split()[2]) for h in hours if h.startswith("issuer ")) == 11
    own.start()  # it stops again with the next one
    own.issue(record())
    assert code_of(own.issue(record())) == "client-stopped"
    set_policy(own, top="alarm: {factor: 3, minimum: 5, stop: true}\n")
    own.reload()
    assert own.metric_sum("signer_clients_stopped") == 0
    assert own.issue(record()).status == 200


def test_policies_are_kept(own):
    def hashes():
        return {p.name for p in (own.dir / "state/policies").iterdir()}

    def name():
        return hashlib.sha256((own.dir / "policy.yaml").read_bytes()).hexdigest() + ".yaml"

    own.start()
    first = name()
    text = (own.dir / "policy.yaml").read_bytes()
    assert hashes() == {first}
    assert (own.dir / "state/policies" / first).read_bytes() == text
    set_policy(own, "quota: {per_day: 9}")
    own.reload()
    assert hashes() == {first, name()}
    # One that cannot be kept does not come into force.
    kept = own.request("GET", "/v1/policy").json["hash"]
    (own.dir / "state/policies").rename(own.dir / "state/elsewhere")
    (own.dir / "state/policies").write_text("in the way")
    set_policy(own, "quota: {per_day: 10}")
    own.reload()
    assert own.metric_sum("signer_reloads_refused_total", 'role="core"') == 1
    assert own.request("GET", "/v1/policy").json["hash"] == kept
    assert own.issue(record()).status == 200
    (own.dir / "state/policies").unlink()
    own.reload()
    assert own.request("GET", "/v1/policy").json["quota"]["per_day"] == 10
    assert hashes() == {name()}
    assert own.stop() == 0
    # Every entry names a policy of which the text was kept.
    known = {p.name for p in (own.dir / "state/elsewhere").iterdir()} | hashes()
    assert {e[13].hex() + ".yaml" for e in entries(own) if 13 in e} <= known


@pytest.mark.parametrize("limits, fault", [
    ("quota: {per_day: 0}", "quota.per_day: must be an integer from 1"),
    ("rate: {burst: 5}", "rate.per_second: is missing"),
    ("alarm: {factor: 3, stop: perhaps}", "alarm.stop: must be true or false"),
])
def test_faults(demo, tmp_path, limits, fault):
    """signerd --check names each with its line."""
    import subprocess

    from conftest import BUILD
    config = (demo.dir / "signerd.yaml").read_text()
    original = (demo.dir / "policy.yaml").read_text()
    try:
        set_policy(demo, limits)
        text = (demo.dir / "policy.yaml").read_text()
    finally:
        (demo.dir / "policy.yaml").write_text(original)
    other = demo.dir / "faulty.yaml"
    (demo.dir / "faulty-policy.yaml").write_text(text)
    other.write_text(config.replace("policy: policy.yaml", "policy: faulty-policy.yaml"))
    out = subprocess.run([BUILD / "signerd", "--config", other, "--check"],
                         capture_output=True, text=True)
    line = text.splitlines().index("    " + limits) + 1
    assert out.returncode == 2
    assert f"faulty-policy.yaml:{line}: clients[0].{fault}" in out.stdout + out.stderr
