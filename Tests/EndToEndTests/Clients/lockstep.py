"""A provider and clients that take turns: an event is sent when the one before it was read.

usage: lockstep.py provide
       lockstep.py read GATEWAY KEY PROVIDER < cases

`provide` prints the address of a provider of OpenAI's dialect. The last message of a request names a
stream; each of its events waits until the provider was told that the one before it was read, and an
event that stays unread for ten seconds ends the stream in the middle.

`read` reads one case from each line, {"client", "path", "coding"}, lets that client ask the gateway with
that Accept-Encoding, and tells the provider of every event as soon as the client has it decoded.
Each line of its output is what came of a case: {"coding", "text", "events", "ended"}, the coding as
the response named it.
"""

import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading
import urllib.request

COUNT = 60
# Short and long, letters of several widths, and nothing that the text before foretells.
TEXTS = [
    f"<{number}>" + word * (1 + number % 7)
    for number, word in zip(range(COUNT), ["Weir ", "Wehr é ", "堰 ", "🌊", "x", "\n\n", '"\\'] * COUNT)
]
NODE = pathlib.Path(__file__).with_name("lockstep.mjs")


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
        self.buffer, self.told, self.texts, self.ended = "", 0, [], False

    def take(self, text):
        self.buffer += text
        *events, self.buffer = self.buffer.split("\n\n")
        for event in events:
            self.note("".join(re.findall(r"^data: (.*)$", event, re.M)))

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


def with_curl(url, fields, body, reading):
    command = ["curl", "-sSN", "--compressed", "--max-time", "60", "-D", "/dev/stderr", url]
    for name, value in fields.items():
        command += ["-H", f"{name}: {value}"]
    program = subprocess.Popen(
        command + ["-d", body], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    decoder = __import__("codecs").getincrementaldecoder("utf-8")()
    while data := program.stdout.read1(65_536):
        reading.take(decoder.decode(data))
    head = program.stderr.read().decode()
    if program.wait() != 0:
        raise RuntimeError(f"curl: {head}")
    found = re.search(r"^content-encoding: *(\S+)", head, re.M | re.I)
    return found.group(1) if found else "identity"


def with_httpx(url, fields, body, reading):
    import httpx

    with httpx.stream("POST", url, headers=fields, content=body, timeout=60) as response:
        for text in response.iter_text():
            reading.take(text)
        return response.headers.get("content-encoding", "identity")


def with_node(url, fields, body, reading):
    """The script prints the response's coding, and then each piece of text as a line of JSON."""
    request = json.dumps({"url": url, "fields": fields, "body": body})
    program = subprocess.Popen(["node", str(NODE), request], stdout=subprocess.PIPE, text=True)
    coding = json.loads(program.stdout.readline() or "null")
    for line in program.stdout:
        reading.take(json.loads(line))
    if program.wait() != 0:
        raise RuntimeError("node has failed")
    return coding


CLIENTS = {"curl": with_curl, "httpx": with_httpx, "node": with_node}


def read(gateway, key, provider):
    for number, line in enumerate(sys.stdin):
        case = json.loads(line)
        stream = f"stream-{number}"
        reading = Reading(provider, stream)
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": stream}]}
        fields = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
            "Accept-Encoding": case["coding"],
        }
        try:
            coding = CLIENTS[case["client"]](gateway + case["path"], fields, json.dumps(body), reading)
            outcome = {"coding": coding}
        except Exception as error:
            outcome = {"coding": None, "error": repr(error)}
        outcome["events"] = len(reading.texts)
        outcome["isWhole"] = "".join(reading.texts) == "".join(TEXTS)
        outcome["ended"] = reading.ended
        print(json.dumps(outcome), flush=True)


if sys.argv[1] == "provide":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    print(f"127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
else:
    read(*sys.argv[2:])
