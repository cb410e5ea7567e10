# SPDX-License-Identifier: Apache-2.0
"""Any number of requests through one HTTP/1.1 request, with Python's own
modules (http.client sends all before it reads: it is good for 2,000):

    python3 stream.py https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson

Exit status: 0 if all were signed, 1 if a line is a problem, 2 if it did not
come to an end.
"""
import asyncio
import ssl
import sys
import urllib.parse

HEAD = ("POST /v1/certificates HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-ndjson\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")


async def send(writer, host):
    writer.write(HEAD.format(host).encode())
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.run_in_executor(None, sys.stdin.buffer.read1, 65536):
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()  # as fast as the server takes it
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    except ConnectionError:
        pass  # the answer says why


class Lines:
    """Passes the answers on, and counts the problems among them."""

    def __init__(self, out):
        self.out, self.rest, self.problems = out, b"", 0

    def write(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        # In a text its quotes would be escaped: only problems have this.
        self.problems += sum(b'"status":' in line for line in lines)
        self.out.write(data)


async def receive(reader, lines):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if "transfer-encoding: chunked" in head:
        while n := int(await reader.readline(), 16):
            lines.write((await reader.readexactly(n + 2))[:n])
    else:  # refused as a whole
        lines.write(await reader.read())
    lines.out.flush()
    return head.split()[1]


async def main(server, ca, certificate, key):
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    url = urllib.parse.urlsplit(server)
    reader, writer = await asyncio.open_connection(
        url.hostname, url.port or 443, ssl=context, limit=1 << 20)
    sending = asyncio.create_task(send(writer, url.netloc))
    lines = Lines(sys.stdout.buffer)
    status = await receive(reader, lines)
    sending.cancel()
    writer.close()
    if status != "200":
        sys.exit(f"HTTP status {status}")  # and 1
    return 1 if lines.problems else 0


if len(sys.argv) != 5:
    print("usage: stream.py SERVER CA CERTIFICATE KEY", file=sys.stderr)
    sys.exit(2)
try:
    sys.exit(asyncio.run(main(*sys.argv[1:])))
except (OSError, EOFError, ValueError) as e:  # such as a refusal by TLS
    print(f"stream.py: {e}", file=sys.stderr)
    sys.exit(2)
