# SPDX-License-Identifier: Apache-2.0
"""Bad input: a clear problem each time, and a server that lives on."""
import json
import socket
import ssl
import time

import pytest

from conftest import SLOW, record

JSON = {"Content-Type": "application/json"}
CBOR = {"Content-Type": "application/cbor"}


@pytest.fixture(autouse=True)
def lives(demo):
    """After each test the same processes answer as before."""
    pids = demo.roles()
    yield
    assert demo.roles() == pids
    demo.check(demo.issue(record()))


def post(demo, body, headers=JSON):
    return demo.request("POST", "/v1/certificates", body, headers)


def problem(r, status, name):
    assert r.status == status, r
    assert r.headers["content-type"] == "application/problem+json"
    p = r.json
    assert p["type"] == f"/problems/{name}" and p["status"] == status and p["title"], p
    return p


GOOD = json.dumps(dict(dcc=record()), ensure_ascii=False).encode()


# By name: the bytes of some hold the number of the process that made them.
MALFORMED = {
    "nothing": b"", "blank": b" ", "null": b"null", "array": b"[]", "string": b'"x"',
    "brace": b"{", "no-value": b'{"dcc":', "cut": GOOD[:-1], "more": GOOD + b"x",
    "twice": GOOD + GOOD, "not-utf8": GOOD.replace(b"Duy", b"D\xffy"),
    "surrogate": GOOD.replace(b"Duy", b"D\xed\xa0\x80"),
    "lone-escape": GOOD.replace(b"Duy", b"\\ud800"), "quotes": b"{'dcc':1}",
    "bom": b"\xef\xbb\xbf" + GOOD, "deep-array": b"[" * 1000 + b"]" * 1000,
    "deep-object": b'{"dcc":' + b'{"a":' * 1000 + b"1" + b"}" * 1001,
    "zeros": b"\x00" * 100, "nan": b'{"dcc":NaN}', "octal": b'{"dcc":01}'}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_json(demo, name):
    assert problem(post(demo, MALFORMED[name]), 400, "malformed")["detail"]


def test_truncated_at_every_byte(demo):
    c = demo.connect()
    for n in range(0, len(GOOD), 7):
        r = demo.request("POST", "/v1/certificates", GOOD[:n], JSON, connection=c)
        problem(r, 400, "malformed")


def test_duplicate_keys(demo):
    for body in (GOOD.replace(b'"ver"', b'"ver":"1.3.0","ver"'), b'{"dcc":1,"dcc":2}'):
        p = problem(post(demo, body), 400, "malformed")
        assert [(v["pointer"], v["code"]) for v in p["violations"]] == [("", "duplicate-key")]


def test_oversized(demo):
    big = b'{"dcc":"' + b"a" * 200_000 + b'"}'
    problem(post(demo, big), 413, "too-large")
    problem(post(demo, b"[" * 1_000_000), 413, "too-large")


def test_oversized_that_no_buffer_holds(demo):
    """The answer comes before the body's end; a reset must not overtake it."""
    with demo.tls() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        s.sendall(b"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\n"
                  b"Content-Type: application/json\r\nContent-Length: 1500000\r\n\r\n")
        for _ in range(100):
            s.sendall(b"[" * 15_000)
        assert s.recv(100).startswith(b"HTTP/1.1 413 ")


def test_oversized_without_length(demo):
    def chunks():
        for _ in range(200):
            yield b"a" * 1000
    c = demo.connect()
    try:
        c.request("POST", "/v1/certificates", chunks(), JSON, encode_chunked=True)
        problem_response(c.getresponse(), 413)
    except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
        pytest.fail("the answer was lost behind the request")


def problem_response(r, status):
    assert r.status == status
    assert json.loads(r.read())["status"] == status


@pytest.mark.parametrize("head", [
    b"\x9b\x10\x00\x00\x00\x00\x00\x00\x00", b"\xbb\x10\x00\x00\x00\x00\x00\x00\x00",
    b"\x5b\x10\x00\x00\x00\x00\x00\x00\x00", b"\x7b\x10\x00\x00\x00\x00\x00\x00\x00",
    b"\xa1\x63dcc\x9b\x10\x00\x00\x00\x00\x00\x00\x00", b"\x9b" + b"\xff" * 8,
    b"\x81" * 1000 + b"\x00", b"\xa1\x00" * 500 + b"\x00", b"\xd9\x01", b"\xff", b"\x1c",
    b"\xa1\x63dcc\x62\xc3\x28", b"\xa0\x00", b"\x9f" * 2000, b"\xa1\x63dcc\xc1\x00"[:-1]])
def test_hostile_cbor(demo, head):
    r = post(demo, head, dict(CBOR, Accept="application/json"))
    problem(r, 400, "malformed")


def test_duplicate_keys_in_cbor(demo):
    r = post(demo, b"\xa2\x63dcc\x01\x63dcc\x01", dict(CBOR, Accept="application/json"))
    assert problem(r, 400, "malformed")["violations"][0]["code"] == "duplicate-key"


@pytest.mark.parametrize("body,pointer,code", [
    (b"{}", "/dcc", "missing-field"), (b'{"dcc":1}', "/dcc", "wrong-type"),
    (b'{"dcc":null}', "/dcc", "wrong-type"), (b'{"dcc":{},"exp":"x"}', "/exp", "wrong-type"),
    (b'{"dcc":{},"id":5}', "/id", "wrong-type"), (b'{"dcc":{},"foo":5}', "/foo", "unknown-field"),
    (b'{"dcc":{},"exp":2.5}', "/exp", "wrong-type"),
    (b'{"dcc":{"v":[{"a/b~c":null}]}}', "/dcc/v/0/a~1b~0c", "wrong-type"),
    (b'{"dcc":{},"id":"' + b"x" * 129 + b'"}', "/id", "too-long")])
def test_well_formed_but_wrong(demo, body, pointer, code):
    p = problem(post(demo, body), 422, "policy")
    assert (pointer, code) in [(v["pointer"], v["code"]) for v in p["violations"]], p


@pytest.mark.parametrize("method,path,status,name", [
    ("GET", "/", 404, "not-found"), ("GET", "/v1/nothing", 404, "not-found"),
    ("GET", "/v1/certificates", 405, "method-not-allowed"),
    ("DELETE", "/v1/keys", 405, "method-not-allowed"), ("POST", "/v1/policy", 405, "method-not-allowed"),
    ("GET", "/metrics", 404, "not-found"), ("GET", "/v1/../v1/keys", 404, "not-found")])
def test_paths_and_methods(demo, method, path, status, name):
    r = demo.request(method, path)
    problem(r, status, name)
    if status == 405:
        assert r.headers["allow"]


def test_media_types(demo):
    for ct in ("text/plain", "application/xml", "application/jsonx", ""):
        problem(post(demo, GOOD, {"Content-Type": ct}), 415, "unsupported-media-type")
    problem(post(demo, GOOD, dict(JSON, **{"Content-Encoding": "gzip"})), 415, "unsupported-media-type")
    assert post(demo, GOOD, {"Content-Type": "application/json; charset=utf-8"}).status == 200


def raw(demo, data, seconds=8, shut=False):
    """Send DATA as it stands; return all that comes until the end."""
    sock = demo.tls()
    sock.settimeout(seconds * SLOW)
    out = b""
    try:
        sock.sendall(data)
        if shut:
            sock.unwrap()
        while True:
            part = sock.recv(65536)
            if not part:
                break
            out += part
    except (ssl.SSLError, OSError):
        pass
    sock.close()
    return out


HEAD = b"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("data,status", [
    (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", 400),
    (HEAD + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", 400),
    (HEAD + b"X-Folded: a\r\n\tb\r\nContent-Length: 2\r\n\r\n{}", 400),
    (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    (HEAD + b"Content-Length: 1e3\r\n\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"Bad Header: x\r\n\r\n", 400),
    (HEAD + b"X: a\rb\r\n\r\n", 400),
    (HEAD + b"X: a\x00b\r\n\r\n", 400),
    (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    (b"POST /v1/certificates HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400),
    (b"GARBAGE\r\n\r\n", 400), (b"\x16\x03\x01\x00\x00", 400), (b"GET / HTTP/9.9\r\n\r\n", 400),
    (HEAD + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n", 413),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 413),
])
def test_bad_framing(demo, data, status):
    out = raw(demo, data)
    assert out.startswith(b"HTTP/1.1 %d " % status), out[:200]
    assert b"application/problem+json" in out
    assert b"/problems/" + {400: b"malformed", 413: b"too-large"}[status] in out


def test_truncated_body_then_close(demo):
    out = raw(demo, HEAD + b"Content-Length: 1000\r\n\r\n" + GOOD[:100], shut=True)
    assert out == b"" or out.startswith(b"HTTP/1.1 4")


def test_pipelined(demo):
    one = HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD
    last = b"GET /v1/policy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert raw(demo, one * 3 + last).count(b"HTTP/1.1 200 ") == 4


def test_expect_continue(demo):
    sock = demo.tls()
    sock.sendall(HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(GOOD))
    assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")
    sock.sendall(GOOD)
    assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")
    sock.close()
    sock = demo.tls()
    sock.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
    assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")
    sock.close()


def test_garbage_instead_of_tls(demo):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000, b"\x16\x03\x03\xff\xff" + b"a" * 70000):
        with socket.create_connection(("127.0.0.1", demo.port), 10) as s:
            s.settimeout(15 * SLOW)
            try:
                s.sendall(data)
                while s.recv(4096):
                    pass
            except OSError:
                pass


def test_h2_garbage(demo):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for data in (preface + b"\xff" * 200, b"GET / HTTP/1.1\r\n\r\n",
                 preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\xff\xff\x01\x05\x00\x00\x00\x01" + b"\x80" * 100):
        sock = demo.tls(alpn=["h2"])
        assert sock.selected_alpn_protocol() == "h2"
        sock.settimeout(10 * SLOW)
        try:
            sock.sendall(data)
            while sock.recv(4096):
                pass
        except (ssl.SSLError, OSError):
            pass
        sock.close()


def test_one_byte_a_second(own):
    """A slow sender is told so within the limit, and holds nobody up."""
    text = (own.dir / "signerd.yaml").read_text()
    text += "\nlimits:\n  header: 3s\n  body: 3s\n  handshake: 3s\n" if "limits:" not in text else ""
    (own.dir / "signerd.yaml").write_text(text)
    own.start()
    assert "limits:\n  header: 3s" in text
    for slow in (HEAD, HEAD + b"Content-Length: 100\r\n\r\n" + GOOD[:100]):
        fast, rest = (b"", slow) if slow is HEAD else (slow[:-100], slow[-100:])
        sock = own.tls()
        sock.settimeout(1)
        sock.sendall(fast)
        out, begin = b"", time.monotonic()
        for byte in rest:
            try:
                sock.sendall(bytes([byte]))
                out = sock.recv(1000)
                break
            except TimeoutError:
                assert time.monotonic() - begin < 20 * SLOW
        assert out.startswith(b"HTTP/1.1 408 "), out
        sock.close()
        own.check(own.issue(record()))
    with socket.create_connection(("127.0.0.1", own.port)) as s:  # no TLS at all
        s.settimeout(10 * SLOW)
        assert s.recv(100) == b""
