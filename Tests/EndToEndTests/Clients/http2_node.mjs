// Asks through node's own HTTP/2.
//
// usage: node http2_node.mjs URL KEY AUTHORITY_FILE < body
//
// Prints {"version", "status", "text_sha256", "done"} of the streamed answer.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:http2";

const [url, key, authority] = process.argv.slice(2);
const target = new URL(url);
const session = connect(target.origin, { ca: readFileSync(authority) });
session.on("error", (error) => { console.error(error); process.exit(1); });
const request = session.request({
  ":method": "POST", ":path": target.pathname, authorization: `Bearer ${key}`,
  "content-type": "application/json",
});
let status = 0;
let body = "";
request.on("response", (headers) => { status = headers[":status"]; });
request.setEncoding("utf8");
request.on("data", (part) => { body += part; });
request.on("error", (error) => { console.error(error); process.exit(1); });
request.on("end", () => {
  const events = body.split("\n").filter((l) => l.startsWith("data: ")).map((l) => l.slice(6));
  const text = events.filter((event) => event !== "[DONE]")
    .flatMap((event) => JSON.parse(event).choices ?? [])
    .map((choice) => choice.delta.content ?? "").join("");
  console.log(JSON.stringify({
    version: session.alpnProtocol, status, done: events.at(-1) === "[DONE]",
    text_sha256: createHash("sha256").update(text).digest("hex"),
  }));
  session.close();
});
request.end(readFileSync(0));
