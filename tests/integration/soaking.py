# SPDX-License-Identifier: Apache-2.0
"""The clients of tests/soak, good ones and bad ones, and the book in which they
keep all that they have asked for and all that they have got."""
import http.client
import io
import json
import os
import socket
import ssl
import threading
import time
import traceback

import cbor2
import h2.exceptions

import hcert
from conftest import SLOW, record
from ledger import sha
from streams import CBOR_SEQ, H1, H2, NDJSON

BROKEN = (OSError, http.client.HTTPException, h2.exceptions.ProtocolError)
# What a server that is being killed may answer to a good request.
EXCUSED = (503, 504)
CERTIFICATES, VALIDATIONS, RENEWALS = "/v1/certificates", "/v1/validations", "/v1/renewals"
SOON = 3600  # such certificates may be renewed at once


class Book:
    """What was asked, and what came of it.  All threads write into it."""

    def __init__(self, dsc):
        """DSC(KID) is the signer's certificate."""
        self.dsc, self.lock = dsc, threading.Lock()
        self.lost = {}      # (path, UVCI or certificate) -> body: no answer yet
        self.by_index = {}  # entry of the ledger -> the two hashes that it holds
        self.short = []     # (certificate that may be renewed, payload)
        self.repeat = []    # requests with an answer, to be asked again
        self.wrong = []     # what must not be
        self.seen = {}      # outcome -> times

    def count(self, what, n=1):
        with self.lock:
            self.seen[what] = self.seen.get(what, 0) + n

    def fault(self, who, what):
        with self.lock:
            self.wrong.append(f"{who}: {what}")

    def ask(self, path, key, body):
        with self.lock:
            self.lost[path, key] = body

    def certificate(self, answer, path, key, dcc, renewable=False):
        """ANSWER, of JSON or CBOR, is the certificate for the request KEY."""
        cose = answer["cose"] if "cose" in answer else hcert.unwrap(answer["hcert"])
        _, claims = hcert.verify(cose, self.dsc(hcert.kid(cose)))
        assert claims[-260][1] == dcc, "another payload"
        protected, _, payload, signature = cbor2.loads(cose).value
        structure = cbor2.dumps(["Signature1", protected, b"", payload])
        index = answer["ledger"]["index"]
        hashes = (sha(signature, structure), sha(signature, answer["uvci"].encode()))
        with self.lock:
            body = self.lost.pop((path, key), None)
            if self.by_index.setdefault(index, hashes) != hashes:
                self.wrong.append(f"two certificates for entry {index}")
            what = "replayed" if answer.get("replayed") else "issued"
            self.seen[what] = self.seen.get(what, 0) + 1
            if body is not None and path == CERTIFICATES and len(self.repeat) < 5000:
                self.repeat.append((body, key, dcc))
            if renewable and "hcert" in answer and len(self.short) < 5000:
                self.short.append((answer["hcert"], dcc))


# -- records --------------------------------------------------------------------

def fault_of(rng, dcc):
    """DCC, a good vaccination, gets a fault that the demo's policy refuses."""
    v = dcc["v"][0]
    which = rng.randrange(12)
    if which == 0:
        v["dn"] = 0
    elif which == 1:
        v["dt"] = "2021-02-30"
    elif which == 2:
        v["dt"] = "2199-01-01"
    elif which == 3:
        del v["mp"]
    elif which == 4:
        v["co"] = "XX"
    elif which == 5:
        v["is"] = "Somebody else"
    elif which == 6:
        dcc["nam"]["fn"] = "Nguy\u0007n"
    elif which == 7:
        dcc["nam"]["fnt"] = "TRAN"
    elif which == 8:
        v["mp"] = "EU/1/20/9999"
    elif which == 9:
        dcc["x"] = 1
    elif which == 10:
        dcc["ver"] = 7
    else:
        v["tg"] = "0"
    return dcc


MALFORMED = [b"{", b"null", b"[]", b'{"dcc":1}', b'{"dcc":{}}', b'{"dcc":{"ver":1,"ver":2}}',
             b"\xff\xfe", b'{"id":"x"', b"[" * 500]


class Client(threading.Thread):
    """Does turn() again and again, on a connection of its own, until it is told
    to stop; rests while GATE is shut."""
    name_of_class = "client"

    def __init__(self, soak, number, rng):
        super().__init__(daemon=True)
        self.soak, self.demo, self.book, self.rng = soak, soak.demo, soak.book, rng
        self.number, self.made = number, 0
        self.resting = threading.Event()
        self.connection = None
        self.turns = 0

    def run(self):
        while not self.soak.over:
            if not self.soak.gate.is_set():
                self.hang_up()
                self.resting.set()
                self.soak.gate.wait(0.2)
                continue
            self.resting.clear()
            calm = self.soak.calm
            try:
                self.turn()
                self.turns += 1
            except BROKEN as e:
                self.hang_up()
                self.book.count("broken")
                if calm and self.soak.calm:
                    self.fault(f"a connection broke while nothing was killed: {e!r}")
                time.sleep(0.05)
            except Exception:
                self.hang_up()
                self.fault(traceback.format_exc(limit=6))
                time.sleep(0.5)
        self.hang_up()
        self.resting.set()

    def turn(self):
        raise NotImplementedError

    def fault(self, what):
        self.book.fault(type(self).__name__, what)

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def excused(self, status, body):
        """A good request has got STATUS, which is no success."""
        self.book.count(f"status {status}")
        if status not in EXCUSED or self.soak.calm:
            self.fault(f"{status} for a good request: {body!r:.300}")

    # -- records of its own ---------------------------------------------------
    def uvci(self):
        self.made += 1
        return f"URN:UVCI:01:VN:S{self.soak.seed:X}C{self.number}N{self.made}"

    def fresh(self, kind=None):
        return record(kind or self.rng.choice("vtr"), entry=dict(ci=self.uvci()))

    def good(self):
        """(body, key, payload): new, of a short life, or known already."""
        which, book = self.rng.random(), self.book
        if which < 0.1 and book.repeat:
            return self.rng.choice(book.repeat)
        dcc = self.fresh()
        (kind,) = {"v", "t", "r"} & set(dcc)
        body, key = dict(dcc=dcc), dcc[kind][0]["ci"]
        if which > 0.9:
            body["exp"] = int(time.time()) + SOON
        book.ask(CERTIFICATES, key, body)
        return body, key, dcc

    def bad(self):
        return dict(dcc=fault_of(self.rng, self.fresh("v")))

    # -- one request ------------------------------------------------------------
    def ask(self, method, path, body=None, headers=None, client="issuer"):
        self.connection = self.connection or self.demo.connect(client, timeout=15)
        return self.demo.request(method, path, body, headers, client, self.connection)

    def keep(self, answer, request, path=CERTIFICATES):
        """An answer, or a line of a stream, to REQUEST of good()."""
        body, key, dcc = request
        if "ledger" in answer:
            self.book.certificate(answer, path, key, dcc, "exp" in body and
                                  path == CERTIFICATES)
        else:
            self.excused(answer.get("status"), answer)


class Single(Client):
    """One good request after the other over HTTP/1.1."""

    def turn(self):
        request = self.good()
        r = self.ask("POST", CERTIFICATES, request[0])
        if r.status == 200:
            self.keep(r.json, request)
        else:
            self.excused(r.status, r.body)
        time.sleep(self.rng.random() * 0.02)


class Bad(Client):
    """Records and bodies that are to be refused."""

    def turn(self):
        if self.rng.random() < 0.3:
            body = self.rng.choice(MALFORMED)
        else:
            body = json.dumps(self.bad(), ensure_ascii=self.rng.random() < 0.5).encode()
        path = self.rng.choice([CERTIFICATES, VALIDATIONS])
        r = self.ask("POST", path, body)
        if r.status in EXCUSED:
            self.excused(r.status, r.body)
        elif path == VALIDATIONS and r.status == 200 and b'"violations"' in r.body:
            self.book.count("refused by a validation")
        elif r.status in (400, 422):
            self.book.count("refused")
        else:
            self.fault(f"{r.status} for {body[:300]!r}: {r.body[:300]!r}")
        time.sleep(self.rng.random() * 0.05)


class Renewer(Client):
    """Renews what it may, sometimes twice; and what it may not."""

    def turn(self):
        time.sleep(self.rng.random() * 0.2)
        if not self.book.short:
            return
        hc1, dcc = self.rng.choice(self.book.short)
        path, body = RENEWALS, dict(hcert=hc1)
        self.book.ask(path, hc1, body)
        r = self.ask("POST", path, body)
        if r.status == 200:
            self.keep(r.json, (body, hc1, dcc), path)
            self.book.count("renewals")
        else:
            self.excused(r.status, r.body)


class Stranger(Client):
    """A certificate that the policy does not know, one of nobody's, and none."""

    def turn(self):
        who = self.rng.choice(["stranger", "auditor", None])
        self.hang_up()
        try:
            r = self.ask("POST", CERTIFICATES, dict(dcc=self.fresh()), client=who)
        except ssl.SSLError:
            if who is not None and self.soak.calm:
                raise
            self.book.count("no handshake without a certificate")
            return
        except ConnectionError:
            if who is None:
                return
            raise
        if r.status != 403:
            (self.excused if r.status in EXCUSED else lambda *x: self.fault(x))(r.status, r.body)
        self.book.count("forbidden")
        time.sleep(0.2)


class Garbage(Client):
    """Bytes that are no TLS, no HTTP and no HTTP/2."""

    def turn(self):
        time.sleep(self.rng.random() * 0.3)
        how, noise = self.rng.randrange(4), self.rng.randbytes(self.rng.randrange(1, 3000))
        try:
            if how == 0:
                with socket.create_connection(("127.0.0.1", self.demo.port), 5) as s:
                    s.sendall(self.rng.choice([noise, b"\x16\x03\x01\x02\x00\x01" + noise]))
                    s.settimeout(1)
                    s.recv(1000)
            elif how == 1:
                with self.demo.tls(timeout=5) as s:
                    s.sendall(self.rng.choice([noise, b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 99,
                                               b"POST /v1/certificates HTTP/1.1\r\nHost: x\r\n"
                                               b"Content-Length: -1\r\n\r\n" + noise]))
                    s.recv(1000)
            else:
                with self.demo.tls(timeout=5, alpn=["h2"]) as s:
                    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + (
                        noise if how == 2 else b"\0\0\0\4\0\0\0\0\0" +
                        len(noise).to_bytes(3, "big") + noise))
                    s.recv(1000)
        except OSError:
            pass
        self.book.count("garbage")


# -- streams --------------------------------------------------------------------

class Stream(Client):
    """Streams of good and bad records, over both versions, in both forms."""
    size = (20, 200)

    def open(self, path, media):
        if self.rng.random() < 0.5:
            self.connection = H1(self.demo, path, media)
            return self.connection
        self.connection = H2(self.demo)
        return self.connection.open(path, media)

    def lines(self, media):
        """[(bytes, request or None)]; None: it is to be refused."""
        out = []
        for _ in range(self.rng.randrange(*self.size)):
            which = self.rng.random()
            if media == NDJSON and which < 0.03:
                out.append((self.rng.choice(MALFORMED) + b"\n", None))
                continue
            request = None if which < 0.2 else self.good()
            body = self.bad() if request is None else request[0]
            out.append((cbor2.dumps(body) if media == CBOR_SEQ else
                        json.dumps(body).encode() + b"\n", request))
        return out

    def pass_over(self, s, lines):
        for data, _ in lines:
            s.send(data)
            if self.rng.random() < 0.2:
                s.step(0)
        s.end()

    def turn(self):
        media = self.rng.choice([NDJSON, CBOR_SEQ])
        s, lines = self.open(CERTIFICATES, media), self.lines(media)
        self.pass_over(s, lines)
        self.take(s, lines, media)
        self.hang_up()

    def take(self, s, lines, media):
        s.until(s.over, 60, "end")
        if s.status not in (None, 200):
            self.excused(s.status, bytes(s.body))
            return
        if media == NDJSON:
            answers = s.lines() if s.status else []
        else:
            answers = whole_items(bytes(s.body))
        if not s.complete:
            self.book.count("streams that broke off")
            if self.soak.calm:
                raise ConnectionError("the stream broke off")
        for (_, request), a in zip(lines, answers):
            if request is not None:
                self.keep(a, request)
            elif a.get("status") in (400, 422):
                self.book.count("refused")
            else:
                self.excused(a.get("status"), a)
        if s.complete and len(answers) < len(lines) and self.soak.calm:
            self.fault(f"{len(answers)} answers to {len(lines)} records")
        self.book.count("streams")


def whole_items(data):
    """The items of a CBOR sequence that may be cut off."""
    f, out = io.BytesIO(data), []
    while f.tell() < len(data):
        try:
            out.append(cbor2.load(f))
        except (cbor2.CBORDecodeError, EOFError):
            break
    return out


class SlowReader(Stream):
    """Sends all, and reads late."""
    size = (100, 300)

    def pass_over(self, s, lines):
        s.take(False)
        super().pass_over(s, lines)
        end = time.monotonic() + self.rng.uniform(1, 4)
        while time.monotonic() < end and self.soak.gate.is_set():
            s.step(0.1)
        s.take(True)


class SlowSender(Stream):
    """A few bytes at a time."""
    size = (3, 8)

    def pass_over(self, s, lines):
        for data, _ in lines:
            at = 0
            while at < len(data):
                n = self.rng.randrange(20, 200)
                s.send(data[at:at + n])
                at += n
                s.step(0.01)
        s.end()


class Aborter(Stream):
    """Goes away in the middle: while it sends, or before it has read."""
    size = (5, 60)

    def turn(self):
        media = self.rng.choice([NDJSON, CBOR_SEQ])
        s, lines = self.open(CERTIFICATES, media), self.lines(media)
        cut = self.rng.randrange(len(lines))
        for data, _ in lines[:cut]:
            s.send(data)
        s.send(lines[cut][0][:self.rng.randrange(1, 40)])
        for _ in range(self.rng.randrange(6)):
            s.step(0.02)
        # Half of the time by a reset.
        if self.rng.random() < 0.5:
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                            b"\1\0\0\0\0\0\0\0")
        self.hang_up()
        self.book.count("aborted streams")
        time.sleep(self.rng.random() * 0.3)


class Validator(Stream):
    """Judges, and has nothing signed."""

    def turn(self):
        s = self.open(VALIDATIONS, NDJSON)
        n = self.rng.randrange(5, 60)
        for _ in range(n):
            body = self.bad() if self.rng.random() < 0.5 else dict(dcc=self.fresh())
            s.send(json.dumps(body).encode() + b"\n")
        s.end()
        s.until(s.over, 60, "end")
        if s.status not in (None, 200):
            self.excused(s.status, bytes(s.body))
        for a in s.lines() if s.status == 200 else []:
            if "hcert" in a or "ledger" in a:
                self.fault("a validation was signed")
            self.book.count("validated")
        self.hang_up()
        time.sleep(self.rng.random() * 0.2)


# -- those who look ---------------------------------------------------------------

class Auditor(Client):
    """Reads the ledger over HTTP: it only ever grows."""
    size = 0

    def turn(self):
        time.sleep(0.3)
        r = self.ask("GET", "/v1/ledger/checkpoint", client="auditor")
        if r.status != 200:
            return self.excused(r.status, r.body)
        size = int(r.body.split(b"\n")[1])
        if size < self.size:
            self.fault(f"the checkpoint went back from {self.size} to {size}")
        self.size = size
        for path in ("tile/0/000", "tile/entries/000"):
            r = self.ask("GET", f"/v1/ledger/{path}", client="auditor")
            if r.status not in (200, 404, *EXCUSED):
                self.fault(f"{path}: {r.status}")
        self.book.count("checkpoints read")


class Watcher(Client):
    """Reads metrics and readiness, and what the policy and the keys are."""

    def turn(self):
        time.sleep(0.5)
        r = self.demo.ops(self.rng.choice(["/metrics", "/readyz", "/livez"]))
        if self.soak.calm and r.status != 200:
            self.fault(f"{r.status} of the operations' listener")
        r = self.ask("GET", self.rng.choice(["/v1/keys", "/v1/policy"]))
        if r.status != 200:
            self.excused(r.status, r.body)
        self.book.count("looked at")


CROWD = [Single, Single, Single, Bad, Renewer, Stranger, Garbage, Stream, Stream, SlowReader,
         SlowSender, Aborter, Validator, Auditor, Watcher]


# -- at the end ---------------------------------------------------------------------

def ask_again(soak):
    """What never got an answer gets one now."""
    book, pace = soak.book, 500
    end = time.monotonic() + 120 * SLOW
    while book.lost:
        assert time.monotonic() < end, f"{len(book.lost)} requests have no answer"
        for path in sorted({p for p, _ in book.lost}):
            batch = [(k, b) for (p, k), b in book.lost.items() if p == path][:pace]
            c = soak.demo.connect(timeout=30)
            c.request("POST", path, b"".join(json.dumps(b).encode() + b"\n" for _, b in batch),
                      {"Content-Type": NDJSON})
            r = c.getresponse()
            for key, body in batch:
                a = json.loads(r.readline())
                if "ledger" in a:
                    dcc = body.get("dcc") or hcert.payload_of(hcert.unwrap(body["hcert"]))
                    book.certificate(a, path, key, dcc)
                elif a.get("status") not in EXCUSED:
                    book.lost.pop((path, key))
                    book.fault("asked again", a)
                else:
                    book.count("asked again, and not answered yet")
            r.read()
            c.close()


def descriptors(pid):
    """(sockets, pipes and the like; files) that are open."""
    other, files = 0, 0
    if os.geteuid() != 0:
        return 0, 0  # the daemon's processes hide them
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            to = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if to.startswith("/") and not to.startswith("/dev"):
            files += 1
        else:
            other += 1
    return other, files


def resident(pid):
    """KiB of memory that the process has for itself."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0
