"""Asks through httpx over HTTP/2.

usage: http2_httpx.py URL KEY AUTHORITY_FILE < body

Prints {"version", "status", "text_sha256", "done"} of the streamed answer.
"""

import hashlib
import json
import ssl
import sys

import httpx


def main():
    url, key, authority = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    text, last = "", ""
    with httpx.Client(http2=True, verify=context, timeout=60) as client:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        with client.stream("POST", url, headers=headers, content=sys.stdin.buffer.read()) as answer:
            for line in answer.iter_lines():
                if not line.startswith("data: "):
                    continue
                last = line[6:]
                if last != "[DONE]":
                    for choice in json.loads(last).get("choices", []):
                        text += choice["delta"].get("content") or ""
            print(json.dumps({
                "version": answer.http_version, "status": answer.status_code,
                "text_sha256": hashlib.sha256(text.encode()).hexdigest(), "done": last == "[DONE]",
            }))


main()
