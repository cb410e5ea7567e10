# SPDX-License-Identifier: Apache-2.0
"""Any number of requests through one HTTP/1.1 request, with Python's own
modules (http.client sends all before it reads: it is good for 2,000):

    python3 stream.py https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson
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


async def receive(reader, out):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if "transfer-encoding: chunked" in head:
        while n := int(await reader.readline(), 16):
            out.write((await reader.readexactly(n + 2))[:n])
    else:  # refused as a whole
        out.write(await reader.read())
    out.flush()
    return head.split()[1] == "200"


async def main(server, ca, certificate, key):
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    url = urllib.parse.urlsplit(server)
    reader, writer = await asyncio.open_connection(
        url.hostname, url.port or 443, ssl=context, limit=1 << 20)
    sending = asyncio.create_task(send(writer, url.netloc))
    done = await receive(reader, sys.stdout.buffer)
    sending.cancel()
    writer.close()
    return 0 if done else 1


sys.exit(asyncio.run(main(*sys.argv[1:])))
