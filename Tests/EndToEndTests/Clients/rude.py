"""A client with manners of its own, and what became of it, as JSON.

usage: rude.py GATEWAY_URL KEY MODEL half-close
       rude.py GATEWAY_URL KEY MODEL vanish PROVIDER_URL

half-close: closes its sending side after the request and reads on: {"status", "text_sha256", "done"}.
vanish: closes the connection after the first event, and watches the counts of the provider, a
weir-replay: {"milliseconds"} until that one has seen its client leave.
"""

import hashlib
import json
import socket
import sys
import time
import urllib.parse
import urllib.request


def connect(gateway, key, model):
    url = urllib.parse.urlsplit(gateway)
    connection = socket.create_connection((url.hostname, url.port), timeout=60)
    body = json.dumps({
        "model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}],
    })
    connection.sendall((
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode())
    return connection


def half_close(connection):
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while part := connection.recv(65_536):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    while head.split()[1].startswith(b"1"):
        # An interim response, which may come at any time before the real one.
        head, _, body = body.partition(b"\r\n\r\n")
    events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
    text = ""
    for event in events:
        if event.strip() != "[DONE]":
            for choice in json.loads(event)["choices"]:
                text += choice["delta"].get("content") or ""
    return {
        "status": int(head.split()[1]),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "done": bool(events) and events[-1].strip() == "[DONE]",
    }


def vanish(connection, provider):
    def abandoned():
        with urllib.request.urlopen(provider + "/counts", timeout=10) as answer:
            return json.load(answer)["abandoned"]

    before = abandoned()
    seen = b""
    while b"data:" not in seen:
        seen += connection.recv(65_536)
    start = time.monotonic()
    connection.close()
    while abandoned() == before and time.monotonic() < start + 30:
        time.sleep(0.01)
    return {"milliseconds": round((time.monotonic() - start) * 1_000)}


def main():
    gateway, key, model, manner = sys.argv[1:5]
    connection = connect(gateway, key, model)
    print(json.dumps(half_close(connection) if manner == "half-close"
                     else vanish(connection, sys.argv[5])))


main()
