"""A relay that changes sealed answers on their way, in the way that the path names.

`Relay(gateway)` listens; `http://…/<way>/api/stream` is the gateway's `/api/stream`, with its events
changed as the function below says. It is what a proxy that ends TLS could do.
"""

import base64
import http.client
import http.server
import json
import threading
import urllib.parse


def changed(event, /, **fields):
    """The same event with other fields: id, event, or data as an object."""
    lines = []
    for line in event.split("\n"):
        name = line.partition(": ")[0]
        value = fields.get(name)
        if value is not None:
            line = f"{name}: {value if isinstance(value, str) else json.dumps(value)}"
        lines.append(line)
    return "\n".join(lines)


def field(event, name):
    return next((line[len(name) + 2:] for line in event.split("\n")
                 if line.startswith(name + ": ")), "")


def payload(event, change):
    """The event with its payload changed."""
    data = json.loads(field(event, "data"))
    raw = bytearray(base64.b64decode(data["sealed"]))
    change(raw)
    return changed(event, data=data | {"sealed": base64.b64encode(raw).decode()})


def flip(raw):
    raw[10] ^= 1


def parameters(event, /, **members):
    data = json.loads(field(event, "data"))
    data["seal"] |= members
    return changed(event, data=json.dumps(data, separators=(",", ":")))


class Way:
    """One way of changing an answer: a generator that is fed the events of one response."""

    def __init__(self, name, memory):
        self.name = name
        self.memory = memory

    def events(self, source, attempt):
        return getattr(self, self.name.replace("-", "_"), self.as_is)(source, attempt)

    def as_is(self, source, attempt):
        yield from source

    def at(self, source, place, change):
        """Replaces the sealed event `place` by the list that `change` gives."""
        count = 0
        for event in source:
            count += '"sealed"' in event
            yield from change(event) if count == place and '"sealed"' in event else [event]

    def flipped(self, source, attempt):
        yield from self.at(source, 4, lambda event: [payload(event, flip)])

    def shortened(self, source, attempt):
        yield from self.at(source, 4, lambda event: [payload(event, lambda raw: raw.pop())])

    def dropped(self, source, attempt):
        yield from self.at(source, 4, lambda event: [])

    def repeated(self, source, attempt):
        yield from self.at(source, 4, lambda event: [event, event])

    def repeated_under_the_next_number(self, source, attempt):
        def again(event):
            stream, _, number = field(event, "id").rpartition(".")
            return [event, changed(event, id=f"{stream}.{int(number) + 1}")]
        yield from self.at(source, 4, again)

    def reordered(self, source, attempt):
        held = []
        def swap(event):
            held.append(event)
            return []
        for event in self.at(source, 4, swap):
            yield event
            if held and '"sealed"' in event:
                yield held.pop()

    def renumbered(self, source, attempt):
        """One is dropped, and those that follow take its number and the next."""
        missing = 0
        for place, event in enumerate(source):
            if place == 4:
                missing = 1
                continue
            stream, _, number = field(event, "id").rpartition(".")
            yield changed(event, id=f"{stream}.{int(number) - missing}") if number else event

    def in_a_later_epoch(self, source, attempt):
        def later(raw):
            raw[3] += 5
        yield from self.at(source, 2, lambda event: [payload(event, later)])

    def in_the_next_epoch(self, source, attempt):
        def later(raw):
            raw[3] += 1
        yield from self.at(source, 2, lambda event: [payload(event, later)])

    def in_an_earlier_epoch(self, source, attempt):
        def earlier(raw):
            raw[3] = 0
        yield from self.at(source, 20, lambda event: [payload(event, earlier)])

    def renamed(self, source, attempt):
        yield from self.at(source, 4, lambda event: [changed(event, event="complete")])

    def gap_claimed(self, source, attempt):
        def gap(event):
            return [changed(event, event="gap")]
        yield from self.at(source, 4, gap)

    def end_in_clear(self, source, attempt):
        end = {"finish": "stop", "provider": "p", "usage": {"input": 1, "output": 1}}
        yield from self.at(source, 4, lambda event: [changed(event, event="complete", data=end)])

    def chunk_in_clear(self, source, attempt):
        forged = {"text": "forged"}
        yield from self.at(source, 4, lambda event: [changed(event, data=forged)])

    def never_sealed(self, source, attempt):
        for place, event in enumerate(source):
            data = json.loads(field(event, "data") or "{}")
            data.pop("seal", None)
            yield changed(event, data=data) if place == 0 else changed(event, data={"text": "x"})

    def other_salt(self, source, attempt):
        for place, event in enumerate(source):
            salt = base64.b64encode(bytes(32)).decode()
            yield parameters(event, salt=salt) if place == 0 else event

    def other_cipher(self, source, attempt):
        for place, event in enumerate(source):
            yield parameters(event, algorithm="rot13") if place == 0 else event

    def other_attachment(self, source, attempt):
        for place, event in enumerate(source):
            yield parameters(event, attachment=3) if place == 0 else event

    def other_model(self, source, attempt):
        for place, event in enumerate(source):
            yield event.replace('"model":"', '"model":"not-') if place == 0 else event

    def other_public_key(self, source, attempt):
        for place, event in enumerate(source):
            key = base64.b64encode(bytes([9]) + bytes(31)).decode()
            yield parameters(event, publicKey=key) if place == 0 else event

    def few_rounds(self, source, attempt):
        for place, event in enumerate(source):
            yield parameters(event, rounds=1) if place == 0 else event

    def cut(self, source, attempt):
        """Breaks in the middle, once: the client comes back and misses nothing."""
        for place, event in enumerate(source):
            if place == 5 and attempt == 0:
                return
            yield event

    def cut_three_times(self, source, attempt):
        for place, event in enumerate(source):
            if place == 5 and attempt < 3:
                return
            yield event

    def cut_for_good(self, source, attempt):
        """Ends early, and says of the rest that it is not there."""
        if attempt > 0:
            gone = json.dumps({"code": "stream_gone", "message": "gone", "retryable": False})
            yield f"id: gone\nevent: error\ndata: {gone}"
            return
        yield from self.cut(source, attempt)

    def told_again(self, source, attempt):
        """Tells a client that comes back the same beginning again, word for word."""
        if attempt == 0:
            self.memory[self.name] = list(self.cut(source, attempt))
        yield from self.memory[self.name]

    def old_answer(self, source, attempt):
        """Gives the answer to the first question to everybody who asks."""
        if self.name not in self.memory:
            self.memory[self.name] = list(source)
        yield from self.memory[self.name]


class Relay:
    def __init__(self, gateway):
        memory, attempts, lock = {}, {}, threading.Lock()
        address = urllib.parse.urlsplit(gateway).netloc

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.pass_on()

            do_POST = do_OPTIONS = do_DELETE = do_GET

            def pass_on(self):
                _, way, path = self.path.split("/", 2)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fields = {name: value for name, value in self.headers.items()
                          if name.lower() not in ("host", "accept-encoding", "connection")}
                connection = http.client.HTTPConnection(address, timeout=60)
                connection.request(self.command, "/" + path, body, fields)
                self.give_back(connection.getresponse(), way)

            def give_back(self, response, way):
                self.send_response(response.status)
                stream = response.getheader("Weir-Stream")
                hidden = ["transfer-encoding", "content-length", "connection"]
                hidden += ["weir-stream"] if way == "old-answer" else []
                for name, value in response.getheaders():
                    if name.lower() not in hidden:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                if stream is None:
                    self.wfile.write(response.read())
                    return
                with lock:
                    attempt = attempts.get((way, stream), 0)
                    attempts[way, stream] = attempt + 1
                for event in Way(way, memory).events(blocks(response), attempt):
                    self.wfile.write(event.encode() + b"\n\n")
                    self.wfile.flush()

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (OSError, http.client.HTTPException):
                    self.close_connection = True  # one of the ends has gone

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def blocks(response):
    """Yields the events of a response, without comments."""
    lines = []
    for line in response:
        text = line.decode().rstrip("\n")
        if text:
            lines.append(text)
        elif lines:
            if any(not line.startswith(":") for line in lines):
                yield "\n".join(lines)
            lines = []
