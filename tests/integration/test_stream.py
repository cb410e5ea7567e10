# SPDX-License-Identifier: Apache-2.0
"""Streams of requests: each record one answer, in order, whatever happens.

SLOW_TESTS=1   also what takes minutes
"""
import json
import os
import pathlib
import signal
import socket
import ssl
import time

import cbor2
import pytest

import pki
import streams
from conftest import SLOW, record
from streams import CBOR_SEQ, H1, H2, NDJSON, curl, good, line, text

URI = "urn:signerd:demo:issuer"
MIB = 1 << 20
slow = pytest.mark.skipif(not os.environ.get("SLOW_TESTS"), reason="SLOW_TESTS is not set")


def opened(demo, how, **more):
    """A stream over a connection of its own, by the version HOW."""
    if how == "h1":
        return H1(demo, **more)
    return H2(demo, more.pop("client", "issuer")).open(**more)


both = pytest.mark.parametrize("how", ["h1", "h2"])


# -- what comes and what goes -----------------------------------------------

def mixed(n):
    """Lines of which every 50th is bad, each in its own way: [(line, label,
    status, dcc)]."""
    bad = [(b'{"id":"no json"\n', None, 400), (b"\n", None, 400),
           (b'{"id":"a","id":"b"}\n', None, 400), (b"[1]\n", None, 400),
           (b'{"id":"\xff"}\n', None, 400), (b" " * 70000 + b"\n", None, 413),
           (line(record(entry={"dn": 0}), "refused"), "refused", 422),
           (line(record(), "blank").replace(b'"dcc"', b'"dbb"'), "blank", 422)]
    out = []
    for i, (label, dcc) in enumerate(good(n)):
        out.append((line(dcc, label), label, 200, dcc))
        if i % 50 == 49:
            out.append((*bad[i // 50 % len(bad)], None))
    return out


def check_mixed(demo, answers, sent):
    assert len(answers) == len(sent)
    dsc = demo.dsc
    for i, (a, (_, label, status, dcc)) in enumerate(zip(answers, sent)):
        assert a.get("id") == label, (i, a)
        if status == 200 and i % 20 == 0:
            streams.check(demo, dsc, a, label, dcc)
        elif status == 200:
            assert "hcert" in a, (i, a)
        else:
            assert a["status"] == status and a["type"].startswith("/problems/"), (i, a)
            assert status != 422 or a["violations"]


@pytest.mark.parametrize("way", ["chunked", "length", "h2"])
def test_thousands(demo, way, tmp_path):
    """Each line has one answer, in order, and the bad ones stop nothing."""
    sent = mixed(3000)
    sent.append((line(record(), "last").rstrip(b"\n"), "last", 200, sent[0][3]))
    sent[-1] = (*sent[-1][:3], json.loads(sent[-1][0])["dcc"])
    data = b"".join(s[0] for s in sent)
    path = tmp_path / "in.ndjson"
    path.write_bytes(data)
    before = demo.metric_sum("signer_stream_records_total")
    status, body = {
        "chunked": lambda: curl(demo, "--http1.1", "-T", "-", data=data),
        "length": lambda: curl(demo, "--http1.1", "-H", "Expect:", "-T", path),
        "h2": lambda: curl(demo, "--http2", "-T", "-", data=data),
    }[way]()
    assert status == 200 and body.endswith(b"\n")
    check_mixed(demo, [json.loads(l) for l in body.splitlines()], sent)
    assert demo.metric_sum("signer_stream_records_total") == before + len(sent)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_cbor_sequence(demo, version):
    """A bad item is one problem, and the sequence goes on."""
    requests = good(1000)
    sent = [cbor2.dumps(dict(id=label, dcc=dcc)) for label, dcc in requests]
    sent[500:500] = [b"\x07", b"\xa2\x62id\x61a\x62id\x61b", b"\x62\xff\xfe", b"\x81\xf6",
                     b"\x9f\x01\xff", b"\x5a\x00\x01\x11\x70" + b"x" * 70000]
    status, body = curl(demo, version, "-T", "-", data=b"".join(sent), media=CBOR_SEQ)
    answers = streams.items(body)
    assert status == 200 and len(answers) == len(sent)
    assert [a["status"] for a in answers[500:506]] == [400, 400, 400, 400, 400, 413]
    del answers[500:506]
    assert [a["id"] for a in answers] == [label for label, _ in requests]
    for a, (_, dcc) in list(zip(answers, requests))[::20]:
        _, claims = streams.hcert.verify(a["cose"], demo.dsc)
        assert claims[-260][1] == dcc


def test_closed_behind_the_request(demo):
    """Who has sent all may say close_notify at once, and still is answered."""
    requests = good(1000)
    data = text(requests)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = demo.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", demo.port), 20 * SLOW) as raw:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        tls.write(b"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\n"
                  b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"
                  % len(data) + data)
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()
        raw.sendall(outgoing.read())
        received = 0
        while piece := raw.recv(65536):
            received += len(piece)
    assert received > 500 * len(requests)


def test_cbor_sequence_is_lost(demo):
    """Nobody can say what follows an item that is not well-formed."""
    one, two = (cbor2.dumps(dict(id=label, dcc=dcc)) for label, dcc in good(2))
    for how in ("h1", "h2"):  # curl 7.88 may wait for more over HTTP/2
        s = opened(demo, how, media=CBOR_SEQ)
        s.send(one + b"\xff" + two * 500)
        s.rest_of()
        s.end()
        answers = streams.items(s.body)
        assert s.status == 200 and len(answers) == 2
        assert "cose" in answers[0] and answers[1]["status"] == 400
        assert "sequence" in answers[1]["detail"]
        (s if how == "h1" else s.connection).close()
    # One that is cut off is a record that is malformed.
    status, body = curl(demo, "-T", "-", data=one[:-3], media=CBOR_SEQ)
    assert [a["status"] for a in streams.items(body)] == [400]


@both
def test_answers_flow_while_the_request_flows(demo, how):
    s, dsc = opened(demo, how), demo.dsc
    for label, dcc in good(40):
        whole = line(dcc, label)
        s.send(whole[:100])
        s.send(whole[100:])
        (a,) = s.answers(1)
        streams.check(demo, dsc, a, label, dcc)
    assert not s.complete
    s.end()
    assert s.rest() == []


def test_empty_stream(demo):
    assert curl(demo, "-T", "-", data=b"") == (200, b"")


def test_validations_sign_nothing(demo):
    issued = demo.metric_sum("signer_certificates_issued_total")
    signed = demo.metric_sum("signer_hsm_signatures_total")
    requests = good(2000)
    data = text(requests) + line(record(entry={"dn": 0}), "bad")
    status, body = curl(demo, "--http2", "-T", "-", data=data, path="/v1/validations")
    answers = [json.loads(l) for l in body.splitlines()]
    assert status == 200
    assert answers[:-1] == [dict(id=label, verdict="accept") for label, _ in requests]
    assert answers[-1]["status"] == 422 and answers[-1]["id"] == "bad"
    assert demo.metric_sum("signer_certificates_issued_total") == issued
    # The test signatures of readiness go on.
    assert demo.metric_sum("signer_hsm_signatures_total") < signed + 100


def test_a_client_without_rights(demo):
    status, body = curl(demo, "-T", "-", data=text(good(3)), client="auditor")
    assert status == 200 and [json.loads(l)["status"] for l in body.splitlines()] == [403] * 3


@both
def test_what_is_refused_by_the_head(demo, how):
    for headers, status, name in [
            ([("accept", "image/png")], 406, "not-acceptable"),
            ([("accept", "application/json")], 406, "not-acceptable"),
            ([("content-encoding", "gzip")], 415, "unsupported-media-type")]:
        if how == "h1":
            headers = [f"{k}: {v}" for k, v in headers]
        s = opened(demo, how, headers=headers)
        s.until(lambda: s.complete)
        assert s.status == status, (headers, s.status)
        assert json.loads(s.body)["type"] == f"/problems/{name}"
    accept = [("accept", "text/html, application/x-ndjson;q=0.5")]
    s = opened(demo, how, headers=accept if how == "h2" else ["Accept: " + accept[0][1]])
    s.end()
    assert s.rest() == [] and s.status == 200 and s.headers["content-type"] == NDJSON


def test_expect_continue(demo):
    s = H1(demo, headers=["Expect: 100-continue"])
    s.reading = False
    s.step()
    s.sock.settimeout(10 * SLOW)
    assert s.sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    s.sock.setblocking(False)
    s.reading = True
    requests = good(2)
    s.send(text(requests))
    s.end()
    streams.check_all(demo, s.rest(), requests)


def test_a_connection_goes_on_after_a_stream(demo):
    """Streams of a known length and in chunks, with trailers, and a single
    request behind them, all sent at once."""
    head = b"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\n" \
           b"Content-Type: application/x-ndjson\r\n"
    body = text(good(50))
    known = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    pieces = (body[i:i + 7] for i in range(0, len(body), 7))
    chunks = head + b"Transfer-Encoding: chunked\r\n\r\n" + \
        b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + \
        b"0\r\nX-Trailer: x\r\n\r\n"
    last = b"GET /v1/policy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    sock, out = demo.tls(), b""
    sock.sendall(known + chunks + known + last)
    while part := sock.recv(65536):
        out += part
    sock.close()
    assert out.count(b"HTTP/1.1 200 ") == 4 and out.count(b'"hcert"') == 150


@both
def test_bad_framing_ends_the_stream(demo, how):
    """With a problem where it can be told, and the rest goes on."""
    s = opened(demo, how)
    s.send(text(good(1)))
    assert len(s.answers(1)) == 1
    if how == "h1":
        s.out += b"zz\r\n"
        (a,) = s.rest()
        assert a["status"] == 400 and "id" not in a
    else:
        s.connection.out += b"\0\0\4\0\0\0\0\0\0zzzz"  # DATA on stream 0
        s.until(s.over)
        assert s.broken
    demo.check(demo.issue(record()))


@both
def test_client_that_goes_in_the_middle(demo, how):
    s = opened(demo, how)
    s.send(text(good(800)))
    s.step(0.01)
    (s if how == "h1" else s.connection).close()
    end = time.monotonic() + 10 * SLOW
    while demo.metric_sum("signer_streams") > 0:
        assert time.monotonic() < end
        time.sleep(0.05)
    # What it left behind is still being signed, and counts as its own.
    while (r := demo.issue(record())).status == 503:
        assert time.monotonic() < end
        time.sleep(0.05)
    demo.check(r)


def test_streams_and_single_requests_share_a_connection(demo):
    connection = H2(demo)
    work = [(connection.open(), good(300, f"s{i}")) for i in range(5)]
    singles = [(connection.open(media="application/json"), *good(1)[0]) for _ in range(20)]
    for s, requests in work:
        s.send(text(requests))
    for s, label, dcc in singles:
        s.send(line(dcc, label))
        s.end()
    connection.until(lambda: all(s.complete for s, _, _ in singles))
    for s, label, dcc in singles:
        assert s.status == 200
        streams.check(demo, demo.dsc, json.loads(s.body), label, dcc)
    for s, requests in work:
        s.end()
        streams.check_all(demo, s.rest(), requests, every=30)


# -- clients that do not read -------------------------------------------------

def send_then_read(demo, requests):
    """As http.client does it: all is sent before the first byte is read."""
    c = demo.connect(timeout=200)
    c.request("POST", "/v1/certificates", body=text(requests), headers={"Content-Type": NDJSON})
    r = c.getresponse()
    assert r.status == 200
    answers = [json.loads(l) for l in r.read().splitlines()]
    c.close()
    return answers


def test_2000_records_before_the_first_answer_is_read(demo):
    requests = good(2000)
    answers = send_then_read(demo, requests)
    streams.check_all(demo, answers, requests, every=50)
    assert len(json.dumps(answers[0])) > 600  # as large as they really are


@slow
def test_too_many_records_before_the_first_answer_is_read(demo):
    """The stall ends with a problem in its place, not with a hang."""
    requests = good(60000)
    begin = time.monotonic()
    answers = send_then_read(demo, requests)
    took = time.monotonic() - begin
    n = len(answers) - 1
    print(f"{n} certificates, then after {took:.0f} s: {answers[-1]}")
    assert 4000 < n < len(requests) and 110 < took < 190 * SLOW
    streams.check_all(demo, answers[:-1], requests[:n], every=500)
    assert answers[-1]["status"] == 408 and "two minutes" in answers[-1]["detail"]


def resident(demo):
    """Bytes of all processes: signer_process_resident_bytes, but now."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
               for pid in demo.roles().values())


@both
def test_back_pressure(own, how):
    """A reader that stops is not read from; nobody else notices."""
    own.start()
    # All that a running server needs is there before it is measured.
    warm = text(good(2000))
    assert curl(own, "-T", "-", data=warm)[0] == 200
    before = resident(own)
    s = opened(own, how)
    s.take(False)
    requests, quiet = [], 0
    end = time.monotonic() + 60 * SLOW
    while quiet < 10:  # until nothing more goes for a second
        assert time.monotonic() < end and len(requests) < 100000
        if s.unsent() < MIB:
            more = good(500, f"b{len(requests)}")
            requests += more
            s.send(text(more))
        before_step = s.unsent()
        s.step(0.1)
        quiet = quiet + 1 if s.unsent() == before_step else 0
    # A sanitizer keeps what is freed.
    assert SLOW > 1 or resident(own) < before + 12 * MIB, (before, resident(own))
    for _ in range(5):
        own.check(own.issue(record()))
    other = good(1000, "other")
    status, body = curl(own, "-T", "-", data=text(other))
    streams.check_all(own, [json.loads(l) for l in body.splitlines()], other, every=100)
    assert not s.complete
    s.take(True)
    s.end()
    streams.check_all(own, s.rest(), requests, every=200)
    assert own.stop() == 0


# -- when something dies --------------------------------------------------------

def flow(demo, how, victim, after=300):
    """Send records in small portions, and kill VICTIM in the middle.
    Returns (stream, requests, answers)."""
    s, answers, requests = opened(demo, how), [], []
    killed = False
    for i in range(60):
        more = good(20, f"k{i}")
        requests += more
        s.send(text(more))
        if len(requests) >= after and not killed:
            killed = True
            for name, pid in demo.roles().items():
                if name.startswith(victim):
                    os.kill(pid, signal.SIGKILL)
                    if victim == "hsm":
                        break  # the others go on
        s.step(0.01)
        answers += s.lines()
        if s.broken:
            break
    if not s.broken:
        s.end()
        answers += s.rest()
    return s, requests, answers


def check_after_death(demo, requests, answers):
    """Each answer is in its place and a certificate, or says: again.  Returns
    how many say so."""
    again = 0
    for a, (label, dcc) in zip(answers, requests):
        assert a.get("id") == label
        if "hcert" in a:
            streams.check(demo, demo.dsc, a, label, dcc)
        else:
            assert a["status"] in (503, 504), a
            again += 1
    return again


def all_roles(demo):
    """Each process of the demo is there, once; the hsms come one by one."""
    end = time.monotonic() + 10 * SLOW
    while demo.roles().keys() != {"front/0", "core/0", "hsm/0", "hsm/1", "hsm/2",
                                   "smith/0", "smith/1"}:
        assert time.monotonic() < end, demo.roles()
        time.sleep(0.05)


@both
@pytest.mark.parametrize("victim", ["hsm", "core", "front"])
def test_kill(own, victim, how):
    own.start()
    all_roles(own)
    s, requests, answers = flow(own, how, victim)
    again = check_after_death(own, requests, answers)
    if victim == "front":
        assert s.broken and len(answers) < len(requests)
    else:
        assert s.complete and len(answers) == len(requests)
        assert "hcert" in answers[-1], answers[-1]
    if victim == "hsm":
        assert again < 300
    own.wait_ready()
    all_roles(own)
    own.check(own.issue(record()))
    assert own.stop() == 0


@both
def test_sigterm(own, how):
    own.start()
    s = opened(own, how)
    requests = good(200)
    s.send(text(requests))
    answers = s.answers(100)
    begin = time.monotonic()
    own.process.send_signal(signal.SIGTERM)
    answers += s.rest(10)
    assert answers[-1]["status"] == 503 and "id" not in answers[-1]
    streams.check_all(own, answers[:-1], requests[:len(answers) - 1], every=10)
    s.end()
    assert own.process.wait(30 * SLOW) == 0
    assert time.monotonic() - begin < 15 * SLOW


@both
def test_revoked_in_the_middle(own, how):
    revoked = pki.client(own, pki.load_ca(own), "revoked", URI)
    own.start()
    s, valid = opened(own, how, client="revoked"), opened(own, how)
    for x in (s, valid):
        x.send(text(good(10)))
        assert len(x.answers(10)) == 10
    pki.write_crl(own, [revoked.serial_number])
    own.reload()
    s.until(lambda: s.broken or s.complete)
    assert s.broken
    requests = good(10)
    valid.send(text(requests))
    valid.end()
    streams.check_all(own, valid.rest(), requests)
