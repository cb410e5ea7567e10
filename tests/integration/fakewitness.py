# SPDX-License-Identifier: Apache-2.0
"""A witness (C2SP tlog-witness) on loopback, which verifies what it cosigns by
itself; and one that is slow, silent, away, or knows of another past."""
import base64
import http.server
import socket
import ssl
import sys
import threading
import time
import traceback

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import ledger


class Refused(Exception):
    def __init__(self, status, body=b"", kind="text/plain"):
        super().__init__(status)
        self.status, self.body, self.kind = status, body, kind


class Cosigner:
    """The key of a witness, which cosigns what it is given, at any time."""

    def __init__(self, name="w.example/one"):
        self.name = name
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(
            Encoding.Raw, PublicFormat.Raw)
        self.id = ledger.sha(name.encode(), b"\n\x04", self.public)[:4]

    @property
    def vkey(self):
        return f"{self.name}+{self.id.hex()}+" + \
            base64.b64encode(b"\x04" + self.public).decode()

    def line(self, text, when):
        signature = self.private.sign(b"cosignature/v1\ntime %d\n" % when + text)
        blob = base64.b64encode(self.id + when.to_bytes(8, "big") + signature)
        return f"— {self.name} {blob.decode()}\n".encode()

    def cosign(self, note, when):
        return note + self.line(note[:note.index(b"\n\n") + 1], when)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        witness = self.server.witness
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            if self.path != "/w/add-checkpoint" or \
                    self.headers["Content-Type"] != "text/plain":
                raise Refused(400)
            answer, status, kind = witness.answer(body), 200, "text/plain"
        except Refused as e:
            answer, status, kind = e.body, e.status, e.kind
        except ledger.Broken:
            answer, status, kind = b"", 422, "text/plain"
        witness.answered.append(status)
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            pass  # nobody waits any more

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    connections = 0

    def process_request(self, request, address):
        self.connections += 1
        self.open.append(request)
        super().process_request(request, address)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a reset by who gave up
            traceback.print_exc()


class Witness(Cosigner):
    def __init__(self, demo, name="witness.example/w", tls=False):
        self.tls = demo.dir / "tls" if tls else None
        super().__init__(name)
        self.vkey_file = demo.dir / "state/ledger/vkey"
        self.lock = threading.Lock()
        self.size, self.root = 0, None
        self.delay = 0       # seconds before it answers
        self.status = None   # it answers so, whatever it is asked
        self.answered = []   # its statuses
        self.asked = []      # (old, size) of what it was asked
        self.server = None
        self.port = 0
        self.up()

    @property
    def yaml(self):
        where = "https://localhost" if self.tls else "http://127.0.0.1"
        return f"    - key: {self.vkey}\n      url: {where}:{self.port}/w\n"

    def up(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls / "server.pem", self.tls / "server.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.witness, self.server.open = self, []
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.server.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed

    # -- judging ------------------------------------------------------------
    def answer(self, body):
        time.sleep(self.delay)
        if self.status is not None:
            raise Refused(self.status)
        head, _, note = body.partition(b"\n\n")
        lines = head.decode().split("\n")
        word, old = lines[0].split(" ")
        if word != "old" or str(int(old)) != old or len(lines) > 64:
            raise Refused(400)
        proof = [base64.b64decode(h, validate=True) for h in lines[1:]]
        try:
            text = ledger.open_note(note, self.vkey_file.read_text())
        except ledger.Broken:
            raise Refused(403)
        _, size, root = ledger.parse_checkpoint(text)
        with self.lock:
            self.asked.append((int(old), size))
            self.judge(int(old), size, root, proof)
            self.size, self.root = size, root
        return self.lines(text)

    def judge(self, old, size, root, proof):
        if old > size:
            raise Refused(400)
        if old != self.size:
            raise Refused(409, b"%d\n" % self.size, "text/x.tlog.size")
        if old == 0:
            if proof:
                raise Refused(422)
        elif old == size and root != self.root:
            raise Refused(409, b"%d\n" % self.size, "text/x.tlog.size")
        else:
            ledger.check_consistency(proof, old, self.root, size, root)

    def lines(self, text):
        # with one of somebody else, which is none of ours
        other = base64.b64encode(bytes(76))
        return f"— other.example/x {other.decode()}\n".encode() + \
            self.line(text, int(time.time()))
