// Asks as the lines of its input say, one request after the other, and tells what comes as it comes.
//
// usage: node transports.mjs 1.1|2 [AUTHORITY_FILE] < requests
//
// A request is {"url", "fields", "body"}. Each line of the output is the JSON of
// {"coding", "version", "status"}, once the head of an answer is there; of a string, a piece of its
// text as soon as it is decoded; or of null: the end. HTTP/1.1 is spoken by fetch, which decodes by
// itself; HTTP/2 by node:http2, by prior knowledge on plain connections.

import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

const [version, authority] = process.argv.slice(2);
const decoders = {
  gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress,
  identity: () => new PassThrough(),
};
const sessions = new Map();

function tell(value) {
  console.log(JSON.stringify(value));
}

async function tellText(bytes) {
  const decoder = new TextDecoder();
  for await (const part of bytes) tell(decoder.decode(part, { stream: true }));
  tell(null);
}

async function byFetch({ url, fields, body }) {
  const response = await fetch(url, { method: "POST", headers: fields, body });
  const coding = response.headers.get("content-encoding") ?? "identity";
  tell({ coding, version: "1.1", status: response.status });
  await tellText(response.body);
}

function session(origin) {
  if (!sessions.has(origin)) {
    const ca = authority ? readFileSync(authority) : undefined;
    const opened = connect(origin, { ca });
    opened.on("error", (error) => { console.error(error); process.exit(1); });
    sessions.set(origin, opened);
  }
  return sessions.get(origin);
}

async function byHTTP2({ url, fields, body }) {
  const { origin, pathname } = new URL(url);
  const request = session(origin).request({ ...fields, ":method": "POST", ":path": pathname });
  const headers = await new Promise((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
    request.end(body);
  });
  const coding = headers["content-encoding"] ?? "identity";
  tell({ coding, version: "2", status: headers[":status"] });
  await tellText(request.pipe(decoders[coding]()));
}

for await (const line of createInterface({ input: process.stdin })) {
  await (version === "2" ? byHTTP2 : byFetch)(JSON.parse(line));
}
for (const opened of sessions.values()) opened.close();
