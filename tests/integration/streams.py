# SPDX-License-Identifier: Apache-2.0
"""Clients for streams of requests that do exactly what a test says: send so
much, read so much, or stop.  One thread; reading and writing do not wait for
each other."""
import io
import json
import select
import ssl
import subprocess
import time

import cbor2
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

import contract
import hcert
from conftest import SLOW, record

NDJSON = "application/x-ndjson"
CBOR_SEQ = "application/cbor-seq"


class Duplex:
    """A TLS connection: what waits in OUT goes when it can."""

    def __init__(self, demo, client, alpn):
        self.sock = demo.tls(client, alpn=alpn)
        self.sock.setblocking(False)
        self.out = bytearray()
        self.ended = False  # the other end has closed, one way or the other
        self.reading = True

    def got(self, data):
        raise NotImplementedError

    def _write(self):
        while self.out:
            try:
                del self.out[:self.sock.send(memoryview(bytes(self.out[:16384])))]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return
            except OSError:
                self.out.clear()
                return

    def _read(self, most):
        while most > 0 and not self.ended:
            try:
                data = self.sock.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                data = b""
            if not data:
                self.ended = True
                return
            most -= len(data)
            self.got(data)

    def step(self, seconds=0.05):
        """Send and read what is possible now, or wait for it that long."""
        self._write()
        if self.reading:
            self._read(1 << 20)
        if self.ended:
            return
        r = [self.sock] if self.reading else []
        w = [self.sock] if self.out else []
        if r or w:
            select.select(r, w, [], seconds)
        else:
            time.sleep(seconds)
        self._write()
        if self.reading:
            self._read(1 << 20)

    def until(self, done, seconds=20, what="answers"):
        end = time.monotonic() + seconds * SLOW
        while not done():
            assert time.monotonic() < end, f"no {what} in {seconds} s"
            if self.ended:
                return False
            self.step()
        return True

    def close(self):
        self.sock.close()


class Answers:
    """What came of one stream's answer."""

    def __init__(self, path, media):
        self.path, self.media = path, media  # of the request
        self.stated = None  # media type of the answer, and what is stated of it
        self.status = None
        self.headers = {}
        self.body = bytearray()
        self.complete = False  # to its proper end
        self.broken = False    # ended in another way

    def begun(self):
        """The answer's head is there."""
        self.stated = contract.check_head("clients", "POST", self.path, self.media,
                                          self.status, self.headers)

    def finished(self):
        """Its end is there.  Lines are looked at as they are taken."""
        if self.stated[0] != NDJSON:
            contract.check_body(*self.stated, self.status, bytes(self.body))

    def answers(self, n, seconds=20):
        """The next N lines, or fewer if it ends before."""
        self.until(lambda: self.body.count(b"\n") >= n or self.over(), seconds)
        return self.lines()

    def rest(self, seconds=60):
        """All lines up to the end, which has to come properly."""
        self.rest_of(seconds)
        assert not self.body.rpartition(b"\n")[2]
        return self.lines()

    def rest_of(self, seconds=60):
        self.until(self.over, seconds, "end")
        assert self.complete, "the answer broke off"

    def over(self):
        return self.complete or self.broken

    def lines(self):
        """The lines that are complete, each as JSON; they are taken away."""
        end = self.body.rfind(b"\n") + 1
        text = bytes(self.body[:end])
        del self.body[:end]
        out = [json.loads(l) for l in text.splitlines()]
        if out and self.stated[0] == NDJSON:
            for a in out:
                contract.check_item(*self.stated, a)
        return out


class H1(Duplex, Answers):
    """One stream over HTTP/1.1."""

    def __init__(self, demo, path="/v1/certificates", media=NDJSON, client="issuer",
                 length=None, headers=()):
        Duplex.__init__(self, demo, client, None)
        Answers.__init__(self, path, media)
        self.raw = bytearray()
        self.chunked = length is None
        head = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {media}",
                "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {length}",
                *headers, "", ""]
        self.out += "\r\n".join(head).encode()

    def send(self, data):
        if self.chunked:
            self.out += b"%x\r\n%b\r\n" % (len(data), data)
        else:
            self.out += data

    def end(self):
        if self.chunked:
            self.out += b"0\r\n\r\n"

    def got(self, data):
        self.raw += data
        if self.status is None and b"\r\n\r\n" in self.raw:
            head, _, rest = bytes(self.raw).partition(b"\r\n\r\n")
            first, *fields = head.decode().split("\r\n")
            if first.split()[1] == "100":
                self.raw[:] = rest
                return self.got(b"")
            self.status = int(first.split()[1])
            self.headers = {k.lower(): v.strip() for k, _, v in
                            (f.partition(":") for f in fields)}
            self.raw[:] = rest
            self.begun()
        if self.status is not None and not self.complete:
            self._unchunk()
            if self.complete:
                self.finished()

    def _unchunk(self):
        if "content-length" in self.headers:
            self.body += self.raw
            self.raw.clear()
            self.complete = len(self.body) == int(self.headers["content-length"])
            return
        at = 0
        while not self.complete:
            end = self.raw.find(b"\r\n", at)
            if end < 0:
                break
            n = int(self.raw[at:end], 16)
            if len(self.raw) < end + 2 + n + 2:
                break
            assert self.raw[end + 2 + n:end + 4 + n] == b"\r\n"
            self.body += self.raw[end + 2:end + 2 + n]
            self.complete = n == 0
            at = end + 4 + n
        del self.raw[:at]

    def step(self, seconds=0.05):
        Duplex.step(self, seconds)
        self.broken = self.ended and not self.complete

    def take(self, on):
        """Read the answer, or do not."""
        self.reading = on

    def unsent(self):
        return len(self.out)


class H2Stream(Answers):
    def __init__(self, connection, number, path, media):
        Answers.__init__(self, path, media)
        self.connection, self.id = connection, number
        self.out = bytearray()
        self.ending = self.ended = False
        self.hold = False  # takes nothing: its window stays shut
        self.held = 0

    def send(self, data):
        self.out += data
        self.connection.push()

    def end(self):
        self.ending = True
        self.connection.push()

    def step(self, seconds=0.05):
        self.connection.step(seconds)

    def until(self, *arguments):
        return self.connection.until(*arguments)

    def unsent(self):
        return len(self.out) + len(self.connection.out)

    def take(self, on):
        """Read the answer; or keep its window shut, while other streams of the
        connection are read."""
        self.hold = not on
        if on and self.held:
            self.connection.http.acknowledge_received_data(self.held, self.id)
            self.held = 0
        self.connection.push()


class H2(Duplex):
    """One connection over HTTP/2, for any number of streams."""

    def __init__(self, demo, client="issuer"):
        Duplex.__init__(self, demo, client, ["h2"])
        assert self.sock.selected_alpn_protocol() == "h2"
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8"))
        self.http.initiate_connection()
        self.http.increment_flow_control_window((1 << 24) - 65535)
        self.streams = {}
        self.raw = bytearray()
        self.goaway = False
        self.push()

    def open(self, path="/v1/certificates", media=NDJSON, headers=()):
        number = self.http.get_next_available_stream_id()
        s = self.streams[number] = H2Stream(self, number, path, media)
        self.http.send_headers(number, [
            (":method", "POST"), (":scheme", "https"), (":authority", "localhost"),
            (":path", path), ("content-type", media), *headers])
        self.push()
        return s

    def push(self):
        for s in self.streams.values():
            while s.out and not s.complete and not s.broken:
                n = min(len(s.out), self.http.local_flow_control_window(s.id),
                        self.http.max_outbound_frame_size)
                if n <= 0:
                    break
                self.http.send_data(s.id, bytes(s.out[:n]))
                del s.out[:n]
            if s.ending and not s.ended and not s.out and not s.broken:
                s.ended = True
                self.http.end_stream(s.id)
        self.out += self.http.data_to_send()

    def got(self, data):
        self.raw += data
        # The library takes GOAWAY for the end, which it is not: streams that
        # are open go on (RFC 9113, section 6.8).
        while len(self.raw) >= 9:
            n = 9 + int.from_bytes(self.raw[:3], "big")
            if len(self.raw) < n:
                break
            if self.raw[3] == 7:
                self.goaway = True
            else:
                self.frame(bytes(self.raw[:n]))
            del self.raw[:n]
        self.push()

    def frame(self, data):
        for e in self.http.receive_data(data):
            s = self.streams.get(getattr(e, "stream_id", None))
            if s is None:
                continue
            if isinstance(e, h2.events.ResponseReceived):
                s.headers = dict(e.headers)
                s.status = int(s.headers[":status"])
                s.begun()
            elif isinstance(e, h2.events.DataReceived):
                s.body += e.data
                if s.hold:
                    s.held += e.flow_controlled_length
                elif e.flow_controlled_length:
                    self.http.acknowledge_received_data(e.flow_controlled_length, s.id)
            elif isinstance(e, h2.events.StreamEnded):
                s.complete = True
                s.finished()
            elif isinstance(e, h2.events.StreamReset):
                s.broken = not s.complete

    def step(self, seconds=0.05):
        Duplex.step(self, seconds)
        if self.ended:
            for s in self.streams.values():
                s.broken = not s.complete


# -- records and their answers ----------------------------------------------

def line(dcc, label):
    return json.dumps(dict(dcc=dcc, id=label), ensure_ascii=False).encode() + b"\n"


def good(n, prefix="r"):
    """N requests: [(id, dcc)]."""
    return [(f"{prefix}-{i}", record("vtr"[i % 3])) for i in range(n)]


def text(requests):
    return b"".join(line(dcc, label) for label, dcc in requests)


def check(demo, dsc, answer, label, dcc):
    """ANSWER is the certificate of DCC."""
    assert answer.get("id") == label and "hcert" in answer, answer
    _, claims = hcert.verify(hcert.unwrap(answer["hcert"]), dsc)
    assert claims[-260][1] == dcc


def check_all(demo, answers, requests, every=1):
    """One certificate a request, in order; each EVERYth is verified."""
    dsc = demo.dsc
    assert [a.get("id") for a in answers] == [label for label, _ in requests]
    for i, (a, (label, dcc)) in enumerate(zip(answers, requests)):
        assert "hcert" in a, a
        if i % every == 0:
            check(demo, dsc, a, label, dcc)


def curl(demo, *arguments, data=None, path="/v1/certificates", media=NDJSON,
         client="issuer", seconds=60):
    """(status, body) of a POST by curl; DATA is its standard input."""
    out = subprocess.run(
        ["curl", "-sS", "--cacert", demo.dir / "ca.pem", "--max-time", str(seconds * SLOW),
         "--cert", demo.dir / f"clients/{client}.pem", "--key", demo.dir / f"clients/{client}.key",
         "-X", "POST", "-H", f"Content-Type: {media}", "-w", "%{stderr}%{http_code}",
         *arguments, f"https://localhost:{demo.port}{path}"],
        input=data, capture_output=True, check=True)
    return int(out.stderr), out.stdout


def items(data):
    """The items of a CBOR sequence."""
    f, out = io.BytesIO(data), []
    while f.tell() < len(data):
        out.append(cbor2.load(f))
    return out
