# SPDX-License-Identifier: Apache-2.0
"""tools/openapi.yaml and the server say the same.  That nothing is answered that
the file does not state is contract.py's, in all tests.  Here each operation,
status and media type of the file is brought about, by daemons of its own.

What no client can bring about is signerd_contract's (tests/contract/faults.c):
  500                         the server's own fault, so a bug; but for files of
                              the ledger that cannot be read
  504 of applyOperation       an HSM that makes a key for a minute
  500 of metrics              more series than an answer has room for
"""
import concurrent.futures
import contextlib
import datetime
import http.client
import json
import os
import re
import signal
import time

import cbor2
import pytest

import contract
import pki
from ceremony import ALGS, Ceremony, x501
from conftest import SLOW, Demo, answer_of, free_port, record
from streams import CBOR_SEQ, H1, H2, NDJSON, items

PROBLEM, CBOR, JSON = "application/problem+json", "application/cbor", "application/json"
COSE = "application/cose"
# What is sent to have a problem in that form; what is in order has its own.
ACCEPTS = {PROBLEM: {}, CBOR: {"Accept": "application/cbor, text/plain;q=0.5, "
                                         "application/octet-stream;q=0.5"}}
POSTS = {"issueCertificate": "/v1/certificates", "validateRequest": "/v1/validations",
         "renewCertificate": "/v1/renewals"}
LEDGER = "/v1/ledger/"
# What answers GET and HEAD, and to whom.
GETS = {"/v1/keys": "issuer", "/v1/policy": "issuer", "/v1/operations": "officer-1",
        LEDGER + "checkpoint": "issuer", LEDGER + "checkpoint.cosigned": "issuer",
        LEDGER + "vkey": "issuer", LEDGER + "tile/0/000.p/1": "issuer",
        LEDGER + "tile/entries/000.p/1": "auditor", LEDGER + "proof?index=0": "issuer"}
FILES = [p for p in GETS if p.startswith(LEDGER)]
TEXT_OF = {CBOR: cbor2.dumps, JSON: lambda v: json.dumps(v).encode()}


# -- the daemons -----------------------------------------------------------------

class Shared:
    """A daemon for all of it, with short limits, a public listener and an HSM
    whose faults are set while it runs."""

    def __init__(self):
        self.demo = None

    def __call__(self):
        if self.demo is None:
            self.demo = demo = Demo(os.environ.get("DEMO_ALG", "ES256"))
            self.public = free_port()
            edit(demo, "signerd.yaml", "^ledger:$", f"ledger:\n  public: 127.0.0.1:{self.public}")
            # Long enough for what is in order, under a sanitizer too.
            edit(demo, "signerd.yaml", "^version: 1",
                 f"version: 1\nlimits: {{request: {2 * SLOW:.0f}s, body: {SLOW:.0f}s, "
                 f"header: {SLOW:.0f}s, body_bytes: 65536}}")
            edit(demo, "policy.yaml", "^  - name: any-country$",
                 "  - name: hurried\n    identities: [\"uri:urn:signerd:demo:hurried\"]\n"
                 "    operations: [issue, renew]\n    kinds: [v]\n    countries: [VN]\n"
                 "    issuers: [\"*\"]\n    profile: schema\n    validity: {v: 30d}\n"
                 "    renewal_window: 30d\n    quota: {per_day: 1}\n"
                 "  - name: any-country\n    renewal_window: 365d # what it has is due at once")
            for name in ("hurried", "contract:internal", "contract:deadline"):
                pki.client(demo, pki.load_ca(demo), name.partition(":")[2] or name,
                           "urn:signerd:demo:" + name)
        if self.demo.process is None:
            self.demo.start()
            self.demo.wait_all_up()
        return self.demo

    def end(self):
        demo, self.demo = self.demo, None
        if demo is None:
            return
        try:
            demo.stop()
            assert "Sanitizer" not in demo.log(), demo.log()[-4000:]
        finally:
            demo.remove()


SHARED = Shared()


@pytest.fixture(scope="module", autouse=True)
def ends():
    contract.SEEN.clear()
    yield
    SHARED.end()


def edit(demo, name, pattern, text):
    path = demo.dir / name
    changed, n = re.subn(pattern, lambda m: text, path.read_text(), count=1, flags=re.M)
    assert n == 1, pattern
    path.write_text(changed)


@contextlib.contextmanager
def other(program="signerd", **edits):
    """The shared daemon, started anew as PROGRAM, or with another signerd.yaml;
    then it is as before."""
    demo = SHARED()
    config = demo.dir / "signerd.yaml"
    before = config.read_text()
    demo.stop()
    try:
        for pattern, text in edits.values():
            edit(demo, "signerd.yaml", pattern, text)
        demo.program = program
        demo.start()
        yield demo
    finally:
        demo.stop()
        demo.program = "signerd"
        config.write_text(before)


def body_of(path, dcc=None, **more):
    return dict(dcc=dcc or record(), **more)


def gets(demo, status, forms=(PROBLEM, CBOR), paths=GETS, client=None, headers=None,
         methods=("GET", "HEAD")):
    """METHODS of PATHS are answered by STATUS, in each of FORMS."""
    for path in paths:
        for method in methods:
            for form in forms:
                r = demo.request(method, path, None, {**ACCEPTS[form], **(headers or {})},
                                 client or GETS.get(path, "issuer"))
                assert r.status == status, (method, path, r)
                assert r.headers["content-type"] == form, (method, path, r)


def posts(demo, status, make=body_of, paths=POSTS.values(), client="issuer", headers=None):
    """POST of what MAKE(path) gives, in JSON and CBOR, is answered by STATUS."""
    for path in paths:
        for sent, form in ((JSON, PROBLEM), (CBOR, CBOR)):
            r = demo.request("POST", path, TEXT_OF[sent](make(path)),
                             {"Content-Type": sent, **(headers or {})}, client)
            assert r.status == status, (path, r)
            assert r.headers["content-type"] == form, (path, r)


def operates(demo, status, body=b"\xd8\x62\x80", client="officer-1", forms=(PROBLEM, CBOR),
             **headers):
    for form in forms:
        r = demo.request("POST", "/v1/operations", body,
                         {"Content-Type": COSE, **ACCEPTS[form], **headers}, client)
        assert r.status == status and r.headers["content-type"] == form, r


PROVOCATIONS = []
DONE = set()


def provokes(f):
    PROVOCATIONS.append(f)
    return f


# -- what is in order --------------------------------------------------------------

@provokes
def certificates():
    demo = SHARED()
    for accept in (JSON, CBOR, COSE, "text/plain", "image/svg+xml", "image/png"):
        dcc = record()
        for path in ("/v1/certificates", "/v1/renewals"):
            r = demo.request("POST", path, body_of(path, dcc), {"Accept": accept}, "any-country")
            assert r.status == 200 and r.headers["content-type"].startswith(accept), r
            bare = accept not in (JSON, CBOR)
            for name in ("signer-kid", "signer-expires", "signer-ledger-index"):
                assert (name in r.headers) == bare, (path, r.headers)
    for accept in (JSON, CBOR):
        assert demo.request("POST", "/v1/validations", body_of(None),
                            {"Accept": accept}).status == 200


@provokes
def streams():
    demo = SHARED()
    for path in POSTS.values():
        for media in (NDJSON, CBOR_SEQ):
            s = H1(demo, path, media, "any-country")
            for dcc in (record(), record(entry={"dn": 0})):
                value = body_of(path, dcc)
                s.send(TEXT_OF[JSON](value) + b"\n" if media == NDJSON else cbor2.dumps(value))
            s.end()
            s.rest_of()
            assert s.status == 200
            s.close()


@provokes
def http2():
    """The same by HTTP/2."""
    c = H2(SHARED())
    for path in POSTS.values():
        for media, body, status in (
                (JSON, TEXT_OF[JSON](body_of(path, record(entry={"dn": 0}))), 422),
                (CBOR, b"\xff", 400), ("text/xml", b"x", 415),
                (NDJSON, TEXT_OF[JSON](body_of(path)) + b"\n", 200)):
            s = c.open(path, media)
            s.send(body)
            s.end()
            s.rest_of()
            assert s.status == status
            s.lines()
    c.close()


@provokes
def documents():
    demo = SHARED()
    size = wait_covered(demo)
    ledger = demo.dir / "state/ledger"
    (ledger / "checkpoint.cosigned").write_bytes((ledger / "checkpoint").read_bytes())
    forms = {"/v1/keys": [JSON, CBOR, "application/pem-certificate-chain",
                          "application/cose-key-set", "application/jwk-set+json"],
             "/v1/policy": [JSON, CBOR], "/v1/operations": [JSON, CBOR]}
    for path, client in GETS.items():
        path = path.replace("000.p/1", size)
        for accept in forms.get(path, ["*/*"]):
            for method in ("GET", "HEAD"):
                r = demo.request(method, path, None, {"Accept": accept}, client)
                assert r.status == 200, (path, r)
        if path in FILES and "entries" not in path:
            assert public("GET", path) == public("HEAD", path) == 200
    assert public("GET", LEDGER + "tile/entries/" + size) == 404


def wait_covered(demo):
    """Until a checkpoint has an entry, and nobody asks for more; the name of the
    only tile."""
    index = demo.issue(record()).json["ledger"]["index"]
    end = time.monotonic() + 20 * SLOW
    while demo.request("GET", LEDGER + f"proof?index={index}").status != 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    size = int(demo.request("GET", LEDGER + "checkpoint").body.split(b"\n")[1])
    assert index < size < 256
    return f"000.p/{size}"


def public(method, path):
    c = http.client.HTTPConnection("127.0.0.1", SHARED.public, timeout=20 * SLOW)
    try:
        c.request(method, path)
        return answer_of(c, "public", method, path).status
    finally:
        c.close()


@provokes
def operators():
    demo = SHARED()
    for path in ("/livez", "/readyz", "/metrics"):
        for method in ("GET", "HEAD"):
            assert demo.ops(path, method).status == 200
        assert demo.ops(path, "POST").status == 405
    assert demo.ops("/v1/keys").status == 404


@provokes
def officers():
    """All that comes of operations: done, malformed, forbidden, not next."""
    demo = SHARED()
    c = Ceremony(demo)
    operates(demo, 400)
    c.found()
    new = c.operation("generate", key="dsc-9", hsm="demo", alg=ALGS["ES256"], kinds="vtr",
                      country="VN")
    operates(demo, 200, c.signed(new, "anh", "binh", "chi"), forms=[CBOR], Accept=CBOR)
    c.decide("csr", key="dsc-9", subject=x501({"C": "VN", "CN": "dsc-9"}))
    for form in (PROBLEM, CBOR):
        early = c.operation("activate", key="dsc-9")
        operates(demo, 403, c.signed(early, "anh", "binh"), forms=[form])
        operates(demo, 409, c.signed(early, "anh", "binh", "chi"), forms=[form])


# -- what is refused ------------------------------------------------------------

@provokes
def malformed():
    demo = SHARED()
    for path in POSTS.values():
        for sent, body in ((JSON, b"{"), (CBOR, b"\xa1")):
            r = demo.request("POST", path, body, {"Content-Type": sent})
            assert r.status == 400, r
    gets(demo, 400, paths=[LEDGER + "proof?index=x"])
    assert raw(demo, b"GET /v1/keys HTTP/1.1\r\n\r\n", "GET", "/v1/keys").status == 400


def raw(demo, data, method="GET", path="/", sent_type=None, sock=None):
    """The answer to bytes that no library would send."""
    sock = sock or demo.tls()
    try:
        sock.sendall(data)
        return answer_on(sock, method, path, sent_type)
    finally:
        sock.close()


class Sent:
    """A connection, for answer_of()."""

    def __init__(self, sock, method):
        self.sock, self.method = sock, method

    def getresponse(self):
        r = http.client.HTTPResponse(self.sock, method=self.method)
        r.begin()
        return r


def answer_on(sock, method, path, sent_type=None):
    return answer_of(Sent(sock, method), "clients", method, path, sent_type)


def head_of(method, path, media=None, length=0):
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n" +
            (f"Content-Type: {media}\r\nContent-Length: {length}\r\n" if media else "") +
            "\r\n").encode()


@provokes
def unauthenticated():
    """A client certificate that runs out while its connections are open.  One
    that the server had found and closed before is asked for once more."""
    demo = SHARED()
    calls = [("POST", p, JSON) for p in POSTS.values()] + [("POST", "/v1/operations", COSE)] + \
        [(m, p, None) for p in GETS for m in ("GET", "HEAD")] + [("GET", "/v1/nothing", None)]
    for turn in range(5):
        # It looks every five seconds: another time of that in each turn.
        brief = pki.client(demo, pki.load_ca(demo), "brief", "urn:signerd:demo:issuer",
                           end=datetime.timedelta(seconds=(3 + 1.3 * turn) * SLOW))
        end = brief.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
        socks = [demo.tls("brief") for _ in calls]
        for s in socks:  # all are known to be open
            s.sendall(head_of("GET", "/v1/policy"))
        for s in socks:
            assert answer_on(s, "GET", "/v1/policy").status == 200
        time.sleep(max(0, end + 1.01 - time.time()))
        left = []
        for s, (method, path, media) in zip(socks, calls):
            try:
                s.sendall(head_of(method, path, media))
                assert answer_on(s, method, path, media).status == 401
            except (OSError, http.client.HTTPException):
                left.append((method, path, media))
            s.close()
        calls = left
        if not calls:
            return
    raise AssertionError(f"closed before: {calls}")


@provokes
def forbidden():
    demo = SHARED()
    gets(demo, 403, client="stranger")
    posts(demo, 403, client="stranger")
    operates(demo, 403, client="stranger")


@provokes
def not_found():
    demo = SHARED()
    ledger = demo.dir / "state/ledger"
    (ledger / "checkpoint.cosigned").unlink(missing_ok=True)
    for name in ("checkpoint", "vkey"):
        (ledger / name).rename(demo.dir / name)
    gets(demo, 404, paths=[LEDGER + name for name in ("checkpoint", "checkpoint.cosigned", "vkey")])
    for name in ("checkpoint", "vkey"):
        (demo.dir / name).rename(ledger / name)
    gets(demo, 404, paths=[LEDGER + "tile/0/999", LEDGER + "proof?index=999999999"])
    gets(demo, 404, paths=[LEDGER + "tile/entries/999"], client="auditor")
    gets(demo, 404, paths=["/v1/nothing", "/"])


@provokes
def bad_method():
    demo = SHARED()
    for form in (PROBLEM, CBOR):
        for path in (*POSTS.values(), *GETS):
            r = demo.request("DELETE", path, None, ACCEPTS[form])
            assert r.status == 405 and r.headers["allow"], r
    assert public("POST", LEDGER + "vkey") == 405


@provokes
def not_acceptable():
    demo = SHARED()
    gets(demo, 406, [PROBLEM], headers={"Accept": "application/pdf"})
    gets(demo, 406, [CBOR], headers={"Accept": "application/pdf", "Content-Type": CBOR})
    posts(demo, 406, headers={"Accept": "application/pdf"})
    operates(demo, 406, forms=[PROBLEM], Accept="application/pdf")


@provokes
def too_slow():
    demo = SHARED()
    calls = [("POST", p, JSON) for p in POSTS.values()] + [("POST", "/v1/operations", COSE)]
    socks = [demo.tls() for _ in range(len(calls) + 1)]
    for s, (method, path, media) in zip(socks, calls):
        s.sendall(head_of(method, path, media, 10) + b"{")
    assert raw(demo, b"GET /v1/ke", sock=socks[-1]).status == 408
    for s, (method, path, media) in zip(socks, calls):
        assert answer_on(s, method, path, media).status == 408
        s.close()


@provokes
def conflicts():
    demo = SHARED()
    dcc = record()
    assert demo.issue(dcc).status == 200
    posts(demo, 409, lambda path: body_of(path, dict(dcc, dob="1984-03-03")),
          [POSTS["issueCertificate"], POSTS["validateRequest"]])


@provokes
def too_large():
    demo = SHARED()
    posts(demo, 413, lambda path: body_of(path, id="x" * 70000))
    operates(demo, 413, b"x" * 32769)
    assert raw(demo, b"GET / HTTP/1.1\r\nX: " + b"x" * 70000).status == 413


@provokes
def bad_media_type():
    demo = SHARED()
    for path, good in [(p, JSON) for p in POSTS.values()] + [("/v1/operations", COSE)]:
        for form in (PROBLEM, CBOR):
            r = demo.request("POST", path, b"x", {"Content-Type": "text/xml", **ACCEPTS[form]},
                             "officer-1")
            assert r.status == 415 and r.headers["accept-post"], r
            r = demo.request("POST", path, b"x", {"Content-Type": good, **ACCEPTS[form],
                                                  "Content-Encoding": "gzip"}, "officer-1")
            assert r.status == 415 and r.headers["accept-encoding"] == "identity", r


@provokes
def refused():
    posts(SHARED(), 422, lambda path: body_of(path, record(entry={"dn": 0})))


@provokes
def too_many():
    demo = SHARED()
    dcc = record()
    first = demo.issue(dcc, "hurried")
    assert first.status == 200, first
    posts(demo, 429, paths=[POSTS["issueCertificate"]], client="hurried")
    posts(demo, 429, lambda path: body_of(path, dcc), [POSTS["renewCertificate"]], "hurried")


# -- what fails -----------------------------------------------------------------

@provokes
def stream_ends():
    """The answers without id that end a stream: 400, 408, 503."""
    demo = SHARED()
    lost = H1(demo, media=CBOR_SEQ)
    lost.send(b"\xff")
    lost.rest_of()
    assert [(a["status"], "id" in a) for a in items(bytes(lost.body))] == [(400, False)]
    lost.close()
    with other(idle=("^limits: {", f"limits: {{idle: {2 * SLOW:.0f}s, ")) as hasty:
        # No more than its idle time lies between its only record and its end.
        for status in (408, 503):
            s = H1(hasty)
            s.send(TEXT_OF[JSON](body_of(None, id="a")) + b"\n")
            assert "hcert" in s.answers(1)[0]
            if status == 503:
                hasty.process.send_signal(signal.SIGTERM)
            assert [(a["status"], "id" in a) for a in s.rest()] == [(status, False)]
            s.close()


@provokes
def internal():
    with other("signerd_contract") as demo:
        gets(demo, 500, client="internal")
        posts(demo, 500, client="internal")
        operates(demo, 500, client="internal")
        operates(demo, 504, client="deadline")
        for method in ("GET", "HEAD"):
            for form in (PROBLEM, CBOR):
                assert demo.ops("/metrics", method, ACCEPTS[form]).status == 500
        # This one without: a file that is none.
        (demo.dir / "state/ledger/vkey").rename(demo.dir / "vkey.away")
        (demo.dir / "state/ledger/vkey").mkdir()
        assert public("GET", LEDGER + "vkey") == 500
        (demo.dir / "state/ledger/vkey").rmdir()
        (demo.dir / "vkey.away").rename(demo.dir / "state/ledger/vkey")


@provokes
def core_away():
    """A core that hangs, and then is gone; nobody sees to it meanwhile."""
    demo = SHARED()
    core = demo.roles()["core/0"]
    os.kill(demo.process.pid, signal.SIGSTOP)
    try:
        os.kill(core, signal.SIGSTOP)
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            hung = [pool.submit(gets, demo, 504, [form], [path], methods=[method])
                    for path in GETS for form in (PROBLEM, CBOR) for method in ("GET", "HEAD")]
            hung += [pool.submit(posts, demo, 504, paths=[p]) for p in POSTS.values()]
            for job in hung:
                job.result()
        os.kill(core, signal.SIGKILL)
        os.kill(core, signal.SIGCONT)
        end = time.monotonic() + 20 * SLOW
        while demo.ops("/readyz").status == 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert demo.ops("/readyz", "HEAD").status == 503
        gets(demo, 503)
        posts(demo, 503)
        operates(demo, 503)
    finally:
        os.kill(demo.process.pid, signal.SIGCONT)
    demo.wait_ready()


# -- the tests ------------------------------------------------------------------

@pytest.mark.parametrize("provoke", PROVOCATIONS, ids=lambda f: f.__name__)
def test_answers_are_as_stated(provoke):
    provoke()
    DONE.add(provoke)


def test_all_that_is_stated_was_seen():
    for provoke in PROVOCATIONS:  # those that did not run here, or failed
        if provoke not in DONE:
            with contextlib.suppress(Exception):
                provoke()
    missing = contract.FILE.stated() - contract.SEEN
    assert not missing, "\n".join(map(str, sorted(missing)))
    print(len(contract.SEEN), "of operation, status and media type")


def test_the_file_is_sound():
    """OpenAPI 3.1 by its own schema needs more than Debian 12 has: it knows 3.0
    only.  What tools trip over is looked at here."""
    raw_file, used = contract.FILE.raw, contract.FILE.used
    assert raw_file["openapi"].startswith("3.1.")
    whole = contract.resolve(raw_file, raw_file)
    ids = [o.id for o in contract.FILE.operations]
    assert len(ids) == len(set(ids))
    for sort, named in raw_file["components"].items():
        if sort != "securitySchemes":
            unused = {n for n in named if f"#/components/{sort}/{n}" not in used}
            assert not unused, (sort, unused)
    for template, item in whole["paths"].items():
        for method in contract.METHODS:
            if method in item:
                check_operation(template, item[method])
    check_schemas(whole)


def check_operation(template, operation):
    parameters = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
    assert parameters == set(re.findall(r"{(.*?)}", template)), template
    assert operation["summary"] and operation["operationId"]
    for status, response in operation["responses"].items():
        assert re.fullmatch("[1-5][0-9]{2}", status) and response["description"]
        assert all("schema" in m for m in response["content"].values()), (template, status)


def check_schemas(node):
    """Each schema is one, and its examples are as it says."""
    if isinstance(node, list):
        for n in node:
            check_schemas(n)
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "schema":
            contract.jsonschema.Draft202012Validator.check_schema(value)
        check_schemas(value)
    if isinstance(node.get("examples"), list):
        for example in node["examples"]:
            contract.jsonschema.Draft202012Validator(node).validate(example)


def test_what_is_not_stated_is_found():
    """The checker itself: each sort of lie."""
    good = {"content-type": JSON, "vary": "accept, accept-language"}
    body = b'{"client":"x","hash":"' + b"0" * 64 + b'"}'

    def check(method="GET", target="/v1/policy", status=200, headers=good, body=body):
        seen = set(contract.SEEN)
        try:
            contract.check("clients", method, target, None, status, headers, body)
        finally:
            contract.SEEN.clear()
            contract.SEEN.update(seen)
    check()
    for lie in (dict(status=201), dict(status=404), dict(target="/v1/policies"),
                dict(method="POST"), dict(headers={**good, "x-new": "1"}),
                dict(headers={**good, "content-type": "text/html"}),
                dict(headers={**good, "vary": "*"}), dict(body=body[:-1] + b',"new":1}'),
                dict(body=b"{}"), dict(body=b"{"), dict(method="HEAD"),
                dict(status=503, headers={**good, "content-type": PROBLEM})):
        with pytest.raises((contract.Broken, ValueError)):
            check(**lie)
