"""A provider and clients that take turns: an event is sent when the one before it was read.

usage: lockstep.py provide
       lockstep.py read KEY PROVIDER < cases

`provide` prints the address of a provider of OpenAI's dialect. The last message of a request names a
stream; each of its events waits until the provider was told that the one before it was read, and an
event that stays unread for ten seconds ends the stream in the middle.

`read` reads one case from each line, {"client", "path", "coding", "version", "url", "authority",
"isSealed"}, lets that client ask the gateway with that Accept-Encoding, and tells the provider of every
event as soon as the client has it decoded, and opened where it is sealed. Each line of its output is
what came of a case: {"coding", "version", "isWhole", "ended", "events"}, coding and version as the
client saw them.
"""

import http.server
import json
import sys
import threading
import urllib.request

from transports import TRANSPORTS
from unsealed import Opener, fields_of

COUNT = 60
# Short and long, letters of several widths, and nothing that the text before foretells.
TEXTS = [
    f"<{number}>" + word * (1 + number % 7)
    for number, word in zip(range(COUNT), ["Weir ", "Wehr é ", "堰 ", "🌊", "x", "\n\n", '"\\'] * COUNT)
]


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    turns = {}
    lock = threading.Lock()

    def turn(self, stream):
        with self.lock:
            return self.turns.setdefault(stream, threading.Semaphore(0))

    def do_GET(self):
        self.turn(self.path.strip("/")).release()
        self.send_response(204)
        self.end_headers()

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        turn = self.turn(request["messages"][-1]["content"])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for text in TEXTS:
            self.send({"content": text}, None)
            if not turn.acquire(timeout=10):
                self.close_connection = True
                return
        self.send({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def send(self, delta, finish):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Reading:
    """What one client has of one stream."""

    def __init__(self, provider, stream):
        self.provider, self.stream = provider, stream
        self.texts, self.ended = [], False

    def note(self, data):
        if data == "[DONE]" or '"finish":"stop"' in data:
            self.ended = True
            return
        value = json.loads(data) if data else {}
        choices = value.get("choices") or [{}]
        text = value.get("text") or choices[0].get("delta", {}).get("content")
        if text:
            self.texts.append(text)
            urllib.request.urlopen(f"http://{self.provider}/{self.stream}", timeout=20).close()


def run(case, key, provider, stream):
    reading, outcome = Reading(provider, stream), {"coding": None, "version": None}
    opener = Opener(case["path"], case["isSealed"])
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": stream}]}
    request = {
        "url": case["url"] + case["path"],
        "fields": fields_of(key, case["coding"]) | opener.fields,
        "body": json.dumps(body | opener.members),
    }
    try:
        transport = TRANSPORTS[case["client"]]
        for part in transport([request], case["version"], case["authority"] or None):
            if isinstance(part, dict):
                outcome |= part
            for data in opener.take(part) if isinstance(part, str) else []:
                reading.note(data)
    except Exception as error:
        outcome["error"] = repr(error)
    outcome["events"] = len(reading.texts)
    outcome["isWhole"] = "".join(reading.texts) == "".join(TEXTS)
    outcome["ended"] = reading.ended
    return outcome


def read(key, provider):
    for number, line in enumerate(sys.stdin):
        print(json.dumps(run(json.loads(line), key, provider, f"stream-{number}")), flush=True)


if sys.argv[1] == "provide":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    print(f"127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
else:
    read(*sys.argv[2:])
