# SPDX-License-Identifier: Apache-2.0
"""A server of NDJSON streams that breaks in every way a test asks for.

It speaks HTTP/1.1 over mutual TLS and signs nothing: what it hands out only
looks like a certificate.  It is for what the real server does too seldom: ends
in the middle of a line, silence, answers to the wrong record.
"""
import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import pki


def _write(path, certificate, key):
    path.with_suffix(".pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))


def _leaf(directory, ca, label):
    key = ec.generate_private_key(ec.SECP256R1())
    now = pki.now()
    certificate = (x509.CertificateBuilder().subject_name(pki.name(label))
                   .issuer_name(ca[0].subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - pki.HOUR)
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.SubjectAlternativeName(
                       [x509.DNSName("localhost"),
                        x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                   .sign(ca[1], hashes.SHA256()))
    _write(directory / label, certificate, key)


def problem(status, name, violations=(), **more):
    return dict(type=f"/problems/{name}", title="A problem", status=status,
                **({"violations": list(violations)} if violations else {}), **more)


def violation(code, pointer, level="error"):
    return dict(pointer=pointer, code=code, level=level, detail="so it is")


class Stream:
    """One request.  A test's `on_stream` may set what goes wrong in it."""

    def __init__(self, number, path):
        self.number, self.path = number, path
        self.refuse = None         # (status, Retry-After or None)
        self.cut_after = None      # answers; then the connection is reset
        self.tear_after = None     # answers; half of the next line, then the end
        self.end_after = None      # answers; then the response ends in good form
        self.stall_after = None    # answers; then silence
        self.garbage_after = None  # answers; then a line that is no JSON
        self.swap_after = None     # answers; then one about another record
        self.extra_after = None    # answers; then one too many
        self.answered = 0


class FakeServer:
    def __init__(self, directory):
        self.dir = directory
        ca = pki.new_ca()
        _write(directory / "ca", *ca)
        _leaf(directory, ca, "server")
        _leaf(directory, ca, "client")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / "server.pem", directory / "server.key")
        self.context.load_verify_locations(directory / "ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.set_alpn_protocols(["http/1.1"])
        self.lock = threading.Lock()
        self.pace = 0              # seconds for each answer
        self.on_stream = lambda stream: None
        self.on_record = lambda record, times: None  # an answer, or None
        self.received = {}         # UVCI -> how often it came
        self.answered = {}         # UVCI -> how often it was answered for good
        self.signed = set()
        self.streams = 0
        self.headers = []
        self.paths = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.open = False
        self.socket.close()

    def stop_listening(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def listen_again(self):
        self.socket = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def arguments(self):
        return ["--server", f"https://localhost:{self.port}", "--ca", self.dir / "ca.pem",
                "--cert", self.dir / "client.pem", "--key", self.dir / "client.key"]

    def _accept(self):
        listener = self.socket
        while self.open:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        keep = raw.dup()
        try:
            with self.context.wrap_socket(raw, server_side=True) as s, \
                    s.makefile("rb") as f:
                keep.close()
                while self._request(s, f):
                    pass
        except ssl.SSLError:
            # Read on as signerd does, or the alert is lost to a reset.
            with contextlib.suppress(OSError):
                keep.settimeout(2)
                while keep.recv(65536):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            keep.close()
            raw.close()

    def _request(self, s, f):
        first = f.readline()
        if not first:
            return False
        headers = {}
        while (line := f.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        with self.lock:
            stream = Stream(self.streams, first.split()[1].decode())
            self.streams += 1
            self.headers.append(headers)
            self.paths.append(stream.path)
        self.on_stream(stream)
        if stream.refuse:
            status, after = stream.refuse
            body = json.dumps(problem(status, "unavailable", detail="not just now")).encode()
            more = f"Signer-Request: 0c5k3v9qa.{stream.number + 1}\r\n"
            if after is not None:
                more += f"Retry-After: {after}\r\n"
            s.sendall(f"HTTP/1.1 {status} No\r\nContent-Type: application/problem+json\r\n"
                      f"{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                      .encode() + body)
            # What is sent meanwhile is read, or the answer would be lost to a reset.
            s.settimeout(0.2)
            try:
                while s.recv(65536):
                    pass
            except OSError:
                pass
            return False
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                  b"Signer-Request: 0c5k3v9qa.%d\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n" % (stream.number + 1))
        rest = b""
        while True:
            size = int(f.readline(), 16)
            data = f.read(size)
            f.readline()
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            out = []
            for line in lines:
                if not self._answer(s, stream, line, out):
                    return False
            self._send(s, out)
            if size == 0:
                s.sendall(b"0\r\n\r\n")
                return True

    @staticmethod
    def _send(s, out):
        data = b"".join(out)
        out.clear()
        if data:
            s.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def _answer(self, s, stream, line, out):
        """Append the answer to LINE to OUT.  False: the stream has ended."""
        at = stream.answered
        if at == stream.cut_after:
            self._send(s, out)
            return False
        if at == stream.end_after:
            self._send(s, out)
            s.sendall(b"0\r\n\r\n")
            return False
        if at == stream.stall_after:
            self._send(s, out)
            time.sleep(60)
            return False
        answer = self._judge(stream, line)
        text = json.dumps(answer, ensure_ascii=False).encode() + b"\n"
        if at == stream.tear_after:
            out.append(text[:len(text) // 2])
            self._send(s, out)
            s.sendall(b"0\r\n\r\n")
            return False
        if at == stream.garbage_after:
            text = b"<html>502 Bad Gateway</html>\n"
        if at == stream.swap_after:
            text = json.dumps(dict(answer, uvci="URN:UVCI:01:VN:SOMEONE/ELSE", id="other")
                              ).encode() + b"\n"
        if at == stream.extra_after:
            text += text
        out.append(text)
        stream.answered += 1
        if self.pace:
            self._send(s, out)
            time.sleep(self.pace)
        return True

    def _judge(self, stream, line):
        try:
            request = json.loads(line)
            kind = next(k for k in "vtr" if k in request["dcc"])
            entry = request["dcc"][kind][0]
        except (ValueError, KeyError, StopIteration, TypeError):
            return problem(400, "malformed")
        uvci = entry["ci"]
        mark = {"id": request["id"]} if "id" in request else {}
        with self.lock:
            times = self.received[uvci] = self.received.get(uvci, 0) + 1
        answer = self.on_record(request, times)
        if answer is None and entry.get("dn") == 0:
            answer = problem(422, "policy", [
                violation("out-of-range", f"/dcc/{kind}/0/dn"),
                violation("date-in-future", f"/dcc/{kind}/0/dt")])
        if answer is not None:
            if answer["status"] not in (429, 503, 504):
                with self.lock:
                    self.answered[uvci] = self.answered.get(uvci, 0) + 1
            return dict(answer, **mark)
        with self.lock:
            self.answered[uvci] = self.answered.get(uvci, 0) + 1
            known = uvci in self.signed
            self.signed.add(uvci)
        if stream.path == "/v1/validations":
            return dict(mark, verdict="accept")
        again = {"replayed": True} if known else {}
        return dict(mark, hcert="HC1:" + "6BF" * 120, uvci=uvci, kid="AAECAwQFBgc=",
                    alg="ES256", iat=1637000000, exp=1668536000, **again)
