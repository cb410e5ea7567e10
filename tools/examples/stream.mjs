// SPDX-License-Identifier: Apache-2.0
// Any number of requests through one HTTP/2 stream, with Node's own modules:
//   node stream.mjs https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson
import { connect, constants } from 'node:http2';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

const [server, ca, cert, key] = process.argv.slice(2);
const session = connect(server, {
  ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key),
});
session.on('error', (e) => { console.error(e.message); process.exitCode = 2; });
const stream = session.request({
  ':method': 'POST', ':path': '/v1/certificates', 'content-type': 'application/x-ndjson',
});
stream.on('response', (head) => {
  if (head[':status'] !== 200) {
    console.error(`HTTP status ${head[':status']}`);
    process.exitCode = 1;
  }
});
// Both directions at once, each at the pace of the slower end.  When the
// server ends its answer early, the rest of the input has nowhere to go.
const sending = pipeline(process.stdin, stream).catch((e) => {
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw e;
});
await Promise.all([sending, pipeline(stream, process.stdout, { end: false })]);
session.close();
