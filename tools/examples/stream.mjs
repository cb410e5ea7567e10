// SPDX-License-Identifier: Apache-2.0
// Any number of requests through one HTTP/2 stream, with Node's own modules:
//   node stream.mjs https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson
// Exit status: 0 if all were signed, 1 if a line is a problem, 2 if it did not
// come to an end.
import { connect, constants } from 'node:http2';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

if (process.argv.length !== 6) {
  console.error('usage: stream.mjs SERVER CA CERTIFICATE KEY');
  process.exit(2);
}
const fail = (e) => {
  console.error(`stream.mjs: ${e.message}`);
  process.exit(2);
};
process.on('uncaughtException', fail);
const [server, ca, cert, key] = process.argv.slice(2);
const session = connect(server, {
  ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key),
});
session.on('error', fail); // such as a refusal by TLS
const stream = session.request({
  ':method': 'POST', ':path': '/v1/certificates', 'content-type': 'application/x-ndjson',
});
stream.on('response', (head) => {
  if (head[':status'] !== 200) {
    console.error(`HTTP status ${head[':status']}`);
    process.exitCode = 1;
  }
});
// Passes the answers on, and looks for problems among them.
async function* watched(source) {
  let rest = '';
  for await (const data of source) {
    const lines = (rest + data.toString('latin1')).split('\n');
    rest = lines.pop();
    // In a text its quotes would be escaped: only problems have this.
    if (lines.some((line) => line.includes('"status":'))) process.exitCode = 1;
    yield data;
  }
}
// Both directions at once, each at the pace of the slower end.  When the
// server ends its answer early, the rest of the input has nowhere to go.
const sending = pipeline(process.stdin, stream).catch((e) => {
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw e;
});
await Promise.all([sending, pipeline(stream, watched, process.stdout, { end: false })]);
session.close();
