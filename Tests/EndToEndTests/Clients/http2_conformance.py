"""Checks a server against RFC 9113 and RFC 7541, case by case, with frames made by hand.

usage: http2_conformance.py HOST PORT [AUTHORITY_FILE]

The server answers `GET /` with 200, and `/echo` with the request's body. With an authority file TLS
is spoken. Each case is one connection; its name is the section, and the number in it. One JSON object
for each: {"case", "about", "ok", "seen"}.

The frames are those of hyperframe and the header blocks those of hpack, neither of which shares
anything with the server.
"""

import json
import socket
import ssl
import struct
import sys

import hpack
from hyperframe.frame import Frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20
NO_ERROR, PROTOCOL, INTERNAL, FLOW, TIMEOUT, CLOSED, SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CALM = 11

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")]
POST = [(":method", "POST"), (":scheme", "http"), (":path", "/echo"), (":authority", "localhost")]


class Silence(Exception):
    pass


class Connection:
    def __init__(self, host, port, authority):
        self.socket = socket.create_connection((host, port), timeout=10)
        if authority:
            context = ssl.create_default_context(cafile=authority)
            context.check_hostname = False
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.buffer = b""
        self.seen = []
        self.ended = False
        self.settings = {}

    def raw(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # What the server said before it closed is still to be read.

    def send(self, kind, flags=0, stream=0, payload=b"", length=None):
        length = len(payload) if length is None else length
        self.raw(struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload)

    def block(self, fields):
        return self.encoder.encode(fields)

    def headers(self, stream, fields=None, flags=END_STREAM | END_HEADERS):
        self.send(HEADERS, flags, stream, self.block(GET if fields is None else fields))

    def open(self, settings=()):
        self.raw(PREFACE)
        self.send(SETTINGS, payload=b"".join(struct.pack(">HI", *entry) for entry in settings))
        # The server's own settings come first, and ours are acknowledged.
        self.until(lambda f: f[0] == SETTINGS and not f[1] & ACK)
        self.send(SETTINGS, ACK)
        self.until(lambda f: f[0] == SETTINGS and f[1] & ACK)

    def read(self):
        """The next frame: (type, flags, stream, payload); None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + self.length():
            try:
                part = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                part = b""
            except (socket.timeout, TimeoutError):
                raise Silence
            if not part:
                self.ended = True
                return None
            self.buffer += part
        header, rest = self.buffer[:9], self.length()
        payload, self.buffer = self.buffer[9:9 + rest], self.buffer[9 + rest:]
        frame, _ = Frame.parse_frame_header(memoryview(header))
        frame.parse_body(memoryview(payload))  # hyperframe, too, has to make sense of it
        kind, flags, stream = header[3], header[4], struct.unpack(">I", header[5:])[0]
        self.seen.append(self.name(kind, flags, stream, payload))
        if kind == SETTINGS and not flags & ACK:
            for offset in range(0, len(payload), 6):
                key, value = struct.unpack(">HI", payload[offset:offset + 6])
                self.settings[key] = value
        return kind, flags, stream, payload

    def length(self):
        return int.from_bytes(self.buffer[:3], "big")

    @staticmethod
    def name(kind, flags, stream, payload):
        names = ["DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PUSH", "PING", "GOAWAY",
                 "WINDOW", "CONTINUATION"]
        text = f"{names[kind] if kind < 10 else kind}({stream})"
        if kind == RST:
            text += f"={int.from_bytes(payload[:4], 'big')}"
        if kind == GOAWAY:
            text += f"={int.from_bytes(payload[4:8], 'big')}"
        return text

    def until(self, accept):
        """Reads up to a frame that is accepted; None if the connection ends before."""
        while True:
            frame = self.read()
            if frame is None or accept(frame):
                return frame

    # What a case may demand.

    def connection_error(self, *codes):
        frame = self.until(lambda f: f[0] == GOAWAY and f[3][4:8] != b"\0\0\0\0")
        if frame is None or int.from_bytes(frame[3][4:8], "big") not in codes:
            return False
        self.until(lambda f: False)
        return self.ended

    def stream_error(self, stream, *codes):
        frame = self.until(lambda f: (f[0] == RST and f[2] == stream) or f[0] == GOAWAY)
        if frame is None:
            return False
        code = frame[3][:4] if frame[0] == RST else frame[3][4:8]
        return int.from_bytes(code, "big") in codes

    def answered(self, stream, status="200"):
        frame = self.until(lambda f: f[0] in (HEADERS, RST) and f[2] == stream or f[0] == GOAWAY)
        if frame is None or frame[0] != HEADERS:
            return False
        fields = dict(self.decoder.decode(frame[3]))
        return fields[":status"] == status

    def whole(self, stream, status="200"):
        if not self.answered(stream, status):
            return None
        body = b""
        while True:
            frame = self.until(lambda f: f[2] == stream)
            if frame is None or frame[0] != DATA:
                return None
            body += frame[3]
            if frame[1] & END_STREAM:
                return body

    def alive(self):
        self.send(PING, payload=b"are here")
        frame = self.until(lambda f: f[0] == PING and f[3] == b"are here" or f[0] == GOAWAY)
        return frame is not None and frame[0] == PING and frame[1] & ACK

    def ends_well(self):
        """Whether it goes on, or ends without an error."""
        self.send(PING, payload=b"are here")
        frame = self.until(lambda f: f[0] == PING or f[0] == GOAWAY)
        return frame is None or frame[0] == PING or frame[3][4:8] == bytes(4)


CASES = []


def case(name, about, settings=(), opened=True):
    def register(function):
        CASES.append((name, about, settings, opened, function))
        return function
    return register


def simple(name, about, *steps, settings=()):
    """A case of one line: what is sent, and what must follow."""
    CASES.append((name, about, settings, True, lambda c: [step(c) for step in steps][-1]))


def send(*arguments, **named):
    return lambda c: c.send(*arguments, **named)


def headers(*arguments, **named):
    return lambda c: c.headers(*arguments, **named)


def conn(*codes):
    return lambda c: c.connection_error(*codes)


def strm(stream, *codes):
    return lambda c: c.stream_error(stream, *codes)


def alive(c):
    return c.alive()


def answered(stream, status="200"):
    return lambda c: c.answered(stream, status)


def window(stream, increment):
    return send(WINDOW, 0, stream, struct.pack(">I", increment))


def setting(*entries):
    return send(SETTINGS, payload=b"".join(struct.pack(">HI", *entry) for entry in entries))


DEPENDENCY = struct.pack(">IB", 0, 15)
RESET = struct.pack(">I", CANCEL)

# --- generic: what every server takes -----------------------------------------------------------


@case("generic/1/1", "a preface is answered with settings", opened=False)
def _(c):
    c.raw(PREFACE)
    c.send(SETTINGS)
    frame = c.read()
    return frame is not None and frame[0] == SETTINGS and not frame[1] & ACK


simple("generic/2/1", "PRIORITY on an idle stream, then its HEADERS",
       send(PRIORITY, 0, 1, DEPENDENCY), headers(1), answered(1))
simple("generic/2/2", "WINDOW_UPDATE on a half-closed stream",
       headers(1), window(1, 100), answered(1))
simple("generic/2/3", "PRIORITY on a half-closed stream",
       headers(1), send(PRIORITY, 0, 1, DEPENDENCY), answered(1))
simple("generic/2/4", "RST_STREAM on a half-closed stream",
       headers(1), send(RST, 0, 1, RESET), alive)
simple("generic/2/5", "PRIORITY on a closed stream",
       headers(1), answered(1), send(PRIORITY, 0, 1, DEPENDENCY), alive)


@case("generic/3.1/1", "DATA")
def _(c):
    c.headers(1, POST, END_HEADERS)
    c.send(DATA, END_STREAM, 1, b"test")
    return c.whole(1) == b"test"


@case("generic/3.1/2", "several DATA")
def _(c):
    c.headers(1, POST, END_HEADERS)
    c.send(DATA, 0, 1, b"te")
    c.send(DATA, END_STREAM, 1, b"st")
    return c.whole(1) == b"test"


@case("generic/3.1/3", "DATA with padding")
def _(c):
    c.headers(1, POST, END_HEADERS)
    c.send(DATA, END_STREAM | PADDED, 1, b"\x06test" + bytes(6))
    return c.whole(1) == b"test"


simple("generic/3.2/1", "HEADERS", headers(1), answered(1))
simple("generic/3.2/2", "HEADERS with padding",
       lambda c: c.send(HEADERS, END_STREAM | END_HEADERS | PADDED, 1,
                        b"\x06" + c.block(GET) + bytes(6)), answered(1))
simple("generic/3.2/3", "HEADERS with priority",
       lambda c: c.send(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 1,
                        DEPENDENCY + c.block(GET)), answered(1))
for number, (about, payload) in enumerate([
        ("priority 1", struct.pack(">IB", 0, 0)), ("priority 256", struct.pack(">IB", 0, 255)),
        ("a dependency", struct.pack(">IB", 1, 15)),
        ("an exclusive dependency", struct.pack(">IB", 1 | 1 << 31, 15))], 1):
    simple(f"generic/3.3/{number}", f"PRIORITY with {about}",
           headers(1), answered(1), send(PRIORITY, 0, 3, payload), headers(3), answered(3))
simple("generic/3.3/5", "PRIORITY on an idle stream, HEADERS on a lower one",
       send(PRIORITY, 0, 5, DEPENDENCY), headers(1), answered(1))
simple("generic/3.4/1", "RST_STREAM", headers(1, POST, END_HEADERS), send(RST, 0, 1, RESET), alive)


@case("generic/3.5/1", "SETTINGS is acknowledged")
def _(c):
    c.send(SETTINGS)
    frame = c.until(lambda f: f[0] == SETTINGS)
    return frame is not None and frame[1] & ACK


simple("generic/3.7/1", "PING is acknowledged with its bytes", alive)
simple("generic/3.8/1", "after GOAWAY what was asked is still answered",
       headers(1), send(GOAWAY, payload=struct.pack(">II", 0, NO_ERROR)), answered(1))
simple("generic/3.9/1", "WINDOW_UPDATE on the connection", window(0, 100), headers(1), answered(1))
simple("generic/3.9/2", "WINDOW_UPDATE on a stream",
       headers(1, POST, END_HEADERS), window(1, 100), send(DATA, END_STREAM, 1, b"x"), answered(1))


@case("generic/3.10/1", "CONTINUATION")
def _(c):
    block = c.block(GET)
    c.send(HEADERS, END_STREAM, 1, block[:1])
    c.send(CONTINUATION, END_HEADERS, 1, block[1:])
    return c.answered(1)


@case("generic/3.10/2", "several CONTINUATION")
def _(c):
    block = c.block(GET)
    c.send(HEADERS, END_STREAM, 1, block[:1])
    c.send(CONTINUATION, 0, 1, block[1:2])
    c.send(CONTINUATION, 0, 1, b"")
    c.send(CONTINUATION, END_HEADERS, 1, block[2:])
    return c.answered(1)


@case("generic/4/1", "GET")
def _(c):
    c.headers(1)
    return c.whole(1)


@case("generic/4/2", "HEAD has no body")
def _(c):
    c.headers(1, [(":method", "HEAD")] + GET[1:])
    frame = c.until(lambda f: f[0] == HEADERS)
    return frame is not None and frame[1] & END_STREAM


@case("generic/4/3", "POST")
def _(c):
    c.headers(1, POST + [("content-length", "4")], END_HEADERS)
    c.send(DATA, END_STREAM, 1, b"test")
    return c.whole(1) == b"test"


@case("generic/4/4", "POST with trailers")
def _(c):
    c.headers(1, POST + [("trailer", "x-test")], END_HEADERS)
    c.send(DATA, 0, 1, b"test")
    c.headers(1, [("x-test", "ok")])
    return c.whole(1) == b"test"


@case("generic/4/5", "Expect is met before the body")
def _(c):
    c.headers(1, POST + [("expect", "100-continue")], END_HEADERS)
    if not c.answered(1, "100"):
        return False
    c.send(DATA, END_STREAM, 1, b"test")
    return c.whole(1) == b"test"


def literal(prefix, name, value, huffman=False):
    def text(data):
        if huffman:
            coded = hpack.huffman.HuffmanEncoder(
                hpack.huffman_constants.REQUEST_CODES,
                hpack.huffman_constants.REQUEST_CODES_LENGTH).encode(data)
            return bytes([0x80 | len(coded)]) + coded
        return bytes([len(data)]) + data
    head = bytes([prefix]) if isinstance(name, int) else bytes([prefix]) + text(name)
    return head + text(value)


PLAIN = b"\x82\x86\x84" + literal(0x41, 1, b"localhost")
for number, (about, block) in enumerate([
        ("an indexed field", PLAIN),
        ("a literal field with indexing and an indexed name", PLAIN + literal(0x7A, 1, b"x")),
        ("the same with Huffman codes", PLAIN + literal(0x7A, 1, b"weir", True)),
        ("a literal field with indexing and a new name", PLAIN + literal(0x40, b"x-a", b"b")),
        ("the same with Huffman codes", PLAIN + literal(0x40, b"x-a", b"b", True)),
        ("a literal field without indexing and an indexed name", PLAIN + literal(0x01, 1, b"")),
        ("a literal field without indexing and a new name", PLAIN + literal(0x00, b"x-a", b"b")),
        ("the same with Huffman codes", PLAIN + literal(0x00, b"x-a", b"b", True)),
        ("a field never indexed and a new name", PLAIN + literal(0x10, b"x-a", b"b")),
        ("the same with Huffman codes", PLAIN + literal(0x10, b"x-a", b"b", True)),
        ("a table size update", b"\x20" + PLAIN),
        ("two table size updates", b"\x20\x3F\xE1\x1F" + PLAIN)], 1):
    if number == 6:
        # An empty authority is one that is not there.
        block = b"\x82\x86\x84" + literal(0x01, 1, b"localhost")
    simple(f"generic/5/{number}", about,
           send(HEADERS, END_STREAM | END_HEADERS, 1, block), answered(1))

# --- http2/3, 4 ----------------------------------------------------------------------------------


@case("http2/3.4/1", "a wrong preface ends the connection", opened=False)
def _(c):
    c.raw(PREFACE[:-4] + b"XX\r\n\r\n")
    while c.read() is not None:
        pass
    return c.ended


@case("http2/3.4/2", "something else than SETTINGS first", opened=False)
def _(c):
    c.raw(PREFACE)
    c.send(PING, payload=bytes(8))
    return c.connection_error(PROTOCOL)


simple("http2/4.1/1", "a frame of an unknown type", send(0xEF, 0, 0, bytes(8)), alive)
simple("http2/4.1/2", "flags that mean nothing", send(PING, 0xFE, 0, bytes(8)), alive)
simple("http2/4.1/3", "the reserved bit", send(PING, 0, 1 << 31, bytes(8)), alive)


@case("http2/4.2/1", "DATA of 16,384 bytes")
def _(c):
    c.headers(1, POST, END_HEADERS)
    c.send(DATA, END_STREAM, 1, b"x" * 16384)
    return c.whole(1) == b"x" * 16384


@case("http2/4.2/2", "DATA that is too long")
def _(c):
    c.headers(1, POST, END_HEADERS)
    c.send(DATA, END_STREAM, 1, b"x" * 16385)
    return c.stream_error(1, SIZE)


simple("http2/4.2/3", "HEADERS that are too long",
       lambda c: c.send(HEADERS, END_STREAM | END_HEADERS, 1,
                        c.block(GET + [("x-long", "x" * 20000)])), conn(SIZE))
simple("http2/4.3/1", "a header block that cannot be decoded",
       send(HEADERS, END_STREAM | END_HEADERS, 1, b"\xFF\xFF\xFF\xFF\xFF\xFF"), conn(COMPRESSION))
simple("http2/4.3/2", "PRIORITY within a header block",
       lambda c: c.send(HEADERS, END_STREAM, 1, c.block(GET)), send(PRIORITY, 0, 1, DEPENDENCY),
       conn(PROTOCOL))
simple("http2/4.3/3", "HEADERS of another stream within a header block",
       lambda c: c.send(HEADERS, END_STREAM, 1, c.block(GET)), headers(3), conn(PROTOCOL))

# --- http2/5 -------------------------------------------------------------------------------------

simple("http2/5.1/1", "idle: DATA", send(DATA, END_STREAM, 1, b"x"), conn(PROTOCOL))
simple("http2/5.1/2", "idle: RST_STREAM", send(RST, 0, 1, RESET), conn(PROTOCOL))
simple("http2/5.1/3", "idle: WINDOW_UPDATE", window(1, 100), conn(PROTOCOL))
simple("http2/5.1/4", "idle: CONTINUATION",
       lambda c: c.send(CONTINUATION, END_HEADERS, 1, c.block(GET)), conn(PROTOCOL))
HALF = [(":method", "GET"), (":scheme", "http"), (":path", "/sse?count=2&interval=60000"),
        (":authority", "localhost")]
simple("http2/5.1/5", "half-closed: DATA",
       headers(1, HALF), send(DATA, END_STREAM, 1, b"x"), strm(1, CLOSED))
simple("http2/5.1/6", "half-closed: HEADERS", headers(1, HALF), headers(1, HALF), strm(1, CLOSED))
simple("http2/5.1/7", "half-closed: CONTINUATION",
       headers(1, HALF), lambda c: c.send(CONTINUATION, END_HEADERS, 1, c.block(GET)),
       strm(1, CLOSED, PROTOCOL))
OPEN = headers(1, POST, END_HEADERS)
RESETTING = send(RST, 0, 1, RESET)
simple("http2/5.1/8", "reset: DATA", OPEN, RESETTING, send(DATA, END_STREAM, 1, b"x"),
       strm(1, CLOSED))
simple("http2/5.1/9", "reset: HEADERS", OPEN, RESETTING, headers(1), strm(1, CLOSED))
simple("http2/5.1/10", "reset: CONTINUATION", OPEN, RESETTING,
       lambda c: c.send(CONTINUATION, END_HEADERS, 1, c.block(GET)), strm(1, CLOSED, PROTOCOL))


def closed(*steps):
    return (headers(1), lambda c: c.whole(1)) + steps


simple("http2/5.1/11", "closed: DATA", *closed(send(DATA, END_STREAM, 1, b"x"), strm(1, CLOSED)))
simple("http2/5.1/12", "closed: HEADERS", *closed(headers(1), strm(1, CLOSED)))
simple("http2/5.1/13", "closed: CONTINUATION", *closed(
    lambda c: c.send(CONTINUATION, END_HEADERS, 1, c.block(GET)), conn(CLOSED, PROTOCOL)))
simple("http2/5.1.1/1", "a stream of even number", headers(2), conn(PROTOCOL))
simple("http2/5.1.1/2", "a stream of a lower number",
       headers(5), answered(5), headers(3), conn(PROTOCOL, CLOSED))


@case("http2/5.1.2/1", "more streams than are allowed")
def _(c):
    limit = c.settings[3]
    for number in range(limit + 1):
        c.headers(2 * number + 1, HALF)
    return c.stream_error(2 * limit + 1, PROTOCOL, REFUSED)


simple("http2/5.3.1/1", "HEADERS that depend on themselves",
       lambda c: c.send(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 1,
                        struct.pack(">IB", 1, 15) + c.block(GET)), strm(1, PROTOCOL))
simple("http2/5.4.1/1", "a connection error ends the connection", send(PING, 0, 0, bytes(6)),
       conn(SIZE))


@case("http2/5.4.1/2", "GOAWAY names the last stream")
def _(c):
    c.headers(1)
    c.whole(1)
    c.send(PING, 0, 3, bytes(8))
    frame = c.until(lambda f: f[0] == GOAWAY)
    return frame is not None and struct.unpack(">I", frame[3][:4])[0] == 1


simple("http2/5.5/1", "an unknown extension", send(0x16, 0, 0, bytes(8)), alive)
simple("http2/5.5/2", "an unknown extension within a header block",
       lambda c: c.send(HEADERS, END_STREAM, 1, c.block(GET)), send(0x16, 0, 0, bytes(8)),
       conn(PROTOCOL))

# --- http2/6 -------------------------------------------------------------------------------------

simple("http2/6.1/1", "DATA on stream 0", send(DATA, END_STREAM, 0, b"x"), conn(PROTOCOL))
simple("http2/6.1/2", "DATA on a stream that is not open", headers(1, HALF),
       send(DATA, END_STREAM, 1, b"x"), strm(1, CLOSED))
simple("http2/6.1/3", "DATA with more padding than payload", OPEN,
       send(DATA, END_STREAM | PADDED, 1, b"\x06test"), conn(PROTOCOL))
simple("http2/6.2/1", "HEADERS without their end, then PRIORITY",
       lambda c: c.send(HEADERS, END_STREAM, 1, c.block(GET)), send(PRIORITY, 0, 1, DEPENDENCY),
       conn(PROTOCOL))
simple("http2/6.2/2", "HEADERS without their end, then HEADERS of another",
       lambda c: c.send(HEADERS, END_STREAM, 1, c.block(GET)), headers(3), conn(PROTOCOL))
simple("http2/6.2/3", "HEADERS on stream 0", headers(0), conn(PROTOCOL))
simple("http2/6.2/4", "HEADERS with more padding than payload",
       lambda c: c.send(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\xFF" + c.block(GET)),
       conn(PROTOCOL))
simple("http2/6.3/1", "PRIORITY on stream 0", send(PRIORITY, 0, 0, DEPENDENCY), conn(PROTOCOL))
simple("http2/6.3/2", "PRIORITY of another length", headers(1, HALF),
       send(PRIORITY, 0, 1, DEPENDENCY[:4]), strm(1, SIZE))
simple("http2/6.4/1", "RST_STREAM on stream 0", send(RST, 0, 0, RESET), conn(PROTOCOL))
simple("http2/6.4/2", "RST_STREAM on an idle stream", send(RST, 0, 1, RESET), conn(PROTOCOL))
simple("http2/6.4/3", "RST_STREAM of another length", OPEN, send(RST, 0, 1, RESET[:3]), conn(SIZE))
simple("http2/6.5/1", "an acknowledgement with a payload",
       send(SETTINGS, ACK, 0, struct.pack(">HI", 3, 1)), conn(SIZE))
simple("http2/6.5/2", "SETTINGS on a stream", send(SETTINGS, 0, 1), conn(PROTOCOL))
simple("http2/6.5/3", "SETTINGS of another length", send(SETTINGS, 0, 0, bytes(3)), conn(SIZE))
simple("http2/6.5.2/1", "ENABLE_PUSH of 2", setting((2, 2)), conn(PROTOCOL))
simple("http2/6.5.2/2", "INITIAL_WINDOW_SIZE beyond the largest", setting((4, 1 << 31)), conn(FLOW))
simple("http2/6.5.2/3", "MAX_FRAME_SIZE below the least", setting((5, 16383)), conn(PROTOCOL))
simple("http2/6.5.2/4", "MAX_FRAME_SIZE beyond the largest", setting((5, 1 << 24)), conn(PROTOCOL))
simple("http2/6.5.2/5", "a setting that is not known", setting((0xFF, 1)), alive)


@case("http2/6.5.3/1", "of two values the last one counts")
def _(c):
    c.send(SETTINGS, payload=struct.pack(">HIHI", 4, 100, 4, 1))
    c.headers(1)
    frame = c.until(lambda f: f[0] == DATA)
    return frame is not None and len(frame[3]) == 1


@case("http2/6.5.3/2", "SETTINGS are acknowledged in order")
def _(c):
    c.send(SETTINGS, payload=struct.pack(">HI", 4, 100))
    c.send(PING, payload=bytes(8))
    kinds = [c.until(lambda f: f[0] in (SETTINGS, PING) and f[1] & ACK)[0] for _ in range(2)]
    return sorted(kinds) == [SETTINGS, PING]


simple("http2/6.6/1", "PUSH_PROMISE from a client", headers(1, HALF),
       lambda c: c.send(PUSH, END_HEADERS, 1, struct.pack(">I", 2) + c.block(GET)), conn(PROTOCOL))
simple("http2/6.7/1", "PING", alive)
simple("http2/6.7/2", "an acknowledgement that nobody waits for", send(PING, ACK, 0, b"not mine"),
       alive)
simple("http2/6.7/3", "PING on a stream", send(PING, 0, 1, bytes(8)), conn(PROTOCOL))
simple("http2/6.7/4", "PING of another length", send(PING, 0, 0, bytes(6)), conn(SIZE))
simple("http2/6.8/1", "GOAWAY on a stream",
       send(GOAWAY, 0, 1, struct.pack(">II", 0, NO_ERROR)), conn(PROTOCOL))
simple("http2/6.9/1", "WINDOW_UPDATE of nothing", window(0, 0), conn(PROTOCOL))
simple("http2/6.9/2", "WINDOW_UPDATE of nothing on a stream", headers(1, HALF), window(1, 0),
       strm(1, PROTOCOL))
simple("http2/6.9/3", "WINDOW_UPDATE of another length", send(WINDOW, 0, 0, bytes(3)), conn(SIZE))


@case("http2/6.9.1/1", "no more is sent than the window holds", settings=[(4, 1)])
def _(c):
    c.headers(1)
    frame = c.until(lambda f: f[0] == DATA)
    if frame is None or len(frame[3]) != 1:
        return False
    c.send(PING, payload=bytes(8))
    between = c.until(lambda f: f[0] in (DATA, PING))
    return between[0] == PING


simple("http2/6.9.1/2", "the connection's window grows too large", window(0, 0x7FFFFFFF),
       window(0, 0x7FFFFFFF), conn(FLOW))
simple("http2/6.9.1/3", "a stream's window grows too large", headers(1, HALF),
       window(1, 0x7FFFFFFF), window(1, 0x7FFFFFFF), strm(1, FLOW))


@case("http2/6.9.2/1", "a larger initial window reaches open streams", settings=[(4, 0)])
def _(c):
    c.headers(1)
    if not c.answered(1):
        return False
    c.send(SETTINGS, payload=struct.pack(">HI", 4, 1))
    frame = c.until(lambda f: f[0] == DATA)
    return frame is not None and len(frame[3]) == 1


@case("http2/6.9.2/2", "a window may become negative", settings=[(4, 3)])
def _(c):
    c.headers(1)
    frame = c.until(lambda f: f[0] == DATA)
    if frame is None or len(frame[3]) != 3:
        return False
    c.send(SETTINGS, payload=struct.pack(">HI", 4, 2))
    c.send(WINDOW, 0, 1, struct.pack(">I", 2))
    frame = c.until(lambda f: f[0] == DATA)
    return frame is not None and len(frame[3]) == 1


simple("http2/6.9.2/3", "an initial window that makes one too large", headers(1, HALF),
       window(1, 0x7FFF0000), setting((4, 0x7FFFFFFF)), conn(FLOW))


@case("http2/6.10/1", "CONTINUATION without its end, then HEADERS of another")
def _(c):
    block = c.block(GET)
    c.send(HEADERS, END_STREAM, 1, block[:1])
    c.send(CONTINUATION, 0, 1, block[1:2])
    c.headers(3)
    return c.connection_error(PROTOCOL)


@case("http2/6.10/2", "CONTINUATION, then DATA")
def _(c):
    block = c.block(GET)
    c.send(HEADERS, 0, 1, block[:1])
    c.send(CONTINUATION, 0, 1, block[1:2])
    c.send(DATA, END_STREAM, 1, b"x")
    return c.connection_error(PROTOCOL)


simple("http2/6.10/3", "CONTINUATION on stream 0",
       lambda c: c.send(HEADERS, END_STREAM, 1, c.block(GET)[:1]),
       send(CONTINUATION, END_HEADERS, 0, b"\x86"), conn(PROTOCOL))
simple("http2/6.10/4", "CONTINUATION behind the end of HEADERS", headers(1, HALF),
       send(CONTINUATION, END_HEADERS, 1, b"\x86"), conn(PROTOCOL))


@case("http2/6.10/5", "CONTINUATION behind the end of CONTINUATION")
def _(c):
    block = c.block(POST)
    c.send(HEADERS, 0, 1, block[:1])
    c.send(CONTINUATION, END_HEADERS, 1, block[1:])
    c.send(CONTINUATION, END_HEADERS, 1, b"\x86")
    return c.connection_error(PROTOCOL)


simple("http2/6.10/6", "CONTINUATION behind DATA", OPEN, send(DATA, 0, 1, b"x"),
       send(CONTINUATION, END_HEADERS, 1, b"\x86"), conn(PROTOCOL))

# --- http2/7, 8 ----------------------------------------------------------------------------------

simple("http2/7/1", "GOAWAY with an unknown code",
       send(GOAWAY, payload=struct.pack(">II", 0, 0xFF)), lambda c: c.ends_well())
simple("http2/7/2", "RST_STREAM with an unknown code", OPEN,
       send(RST, 0, 1, struct.pack(">I", 0xFF)), alive)
simple("http2/8.1/1", "trailers without the end of the stream", OPEN,
       headers(1, [("x-test", "ok")], END_HEADERS), strm(1, PROTOCOL))

MALFORMED = [
    ("8.2.1", "a name in upper case", GET + [("X-TEST", "ok")]),
    ("8.2.1", "a name with a space", GET + [("x test", "ok")]),
    ("8.2.1", "a name with a colon within", GET + [("x:test", "ok")]),
    ("8.2.1", "an empty name", GET + [("", "ok")]),
    ("8.2.1", "a value with a line feed", GET + [("x-test", "a\nb: c")]),
    ("8.2.1", "a value with a NUL", GET + [("x-test", "a\0b")]),
    ("8.2.1", "a value that begins with a space", GET + [("x-test", " ok")]),
    ("8.2.2", "connection", GET + [("connection", "keep-alive")]),
    ("8.2.2", "keep-alive", GET + [("keep-alive", "5")]),
    ("8.2.2", "proxy-connection", GET + [("proxy-connection", "close")]),
    ("8.2.2", "transfer-encoding", GET + [("transfer-encoding", "chunked")]),
    ("8.2.2", "upgrade", GET + [("upgrade", "h2c")]),
    ("8.2.2", "te other than trailers", GET + [("te", "trailers, deflate")]),
    ("8.3", "a pseudo-header field that is not known", GET + [(":test", "ok")]),
    ("8.3", "one of responses", GET + [(":status", "200")]),
    ("8.3", "one behind a regular field", GET[:3] + [("x-test", "ok")] + GET[3:]),
    ("8.3.1", "an empty path", GET[:2] + [(":path", "")] + GET[3:]),
    ("8.3.1", "a path that does not begin with a slash", GET[:2] + [(":path", "x")] + GET[3:]),
    ("8.3.1", "no method", GET[1:]),
    ("8.3.1", "no scheme", GET[:1] + GET[2:]),
    ("8.3.1", "no path", GET[:2] + GET[3:]),
    ("8.3.1", "two methods", GET[:1] + GET),
    ("8.3.1", "two schemes", GET[:2] + GET[1:]),
    ("8.3.1", "two paths", GET[:3] + GET[2:]),
    ("8.3.1", "two authorities", GET + GET[3:]),
]
for number, (section, about, fields) in enumerate(MALFORMED, 1):
    # Names that hpack would refuse or change go out as they are.
    def malformed(c, fields=fields):
        block = b"".join(literal(0x00, n.encode(), v.encode()) for n, v in fields)
        c.send(HEADERS, END_STREAM | END_HEADERS, 1, block)
        return c.stream_error(1, PROTOCOL) and c.alive()
    CASES.append((f"http2/{section}/{number}", about, (), True, malformed))

simple("http2/8.2.2/te", "te: trailers", headers(1, GET + [("te", "trailers")]), answered(1))
simple("http2/8.3.1/host", "Host and another :authority",
       headers(1, GET + [("host", "elsewhere")]), answered(1, "400"))
simple("http2/8.3.1/none", "neither Host nor :authority", headers(1, GET[:3]), strm(1, PROTOCOL))
simple("http2/8.3.1/user", "an authority with a user",
       headers(1, GET[:3] + [(":authority", "me@localhost")]), answered(1, "400"))
simple("http2/8.5/1", "CONNECT is not served",
       headers(1, [(":method", "CONNECT"), (":authority", "localhost:80")], END_HEADERS),
       answered(1, "501"))
simple("http2/8.1/2", "pseudo-header fields in trailers", OPEN, send(DATA, 0, 1, b"x"),
       headers(1, [(":method", "GET")]), strm(1, PROTOCOL))


@case("http2/8.1.1/1", "a body that is not as long as announced")
def _(c):
    c.headers(1, POST + [("content-length", "1")], END_HEADERS)
    c.send(DATA, END_STREAM, 1, b"test")
    return c.stream_error(1, PROTOCOL)


@case("http2/8.1.1/2", "a body in parts that is not as long as announced")
def _(c):
    c.headers(1, POST + [("content-length", "5")], END_HEADERS)
    c.send(DATA, 0, 1, b"te")
    c.send(DATA, END_STREAM, 1, b"st")
    return c.stream_error(1, PROTOCOL)


simple("http2/8.1.1/3", "no body where one is announced",
       headers(1, POST + [("content-length", "5")]), strm(1, PROTOCOL))
simple("http2/8.1.1/4", "two lengths",
       headers(1, POST + [("content-length", "1"), ("content-length", "2")]), strm(1, PROTOCOL))

# --- hpack ---------------------------------------------------------------------------------------

for name, about, block in [
        ("2.3.3/1", "an index beyond the tables", PLAIN + b"\xC6"),
        ("2.3.3/2", "a name's index beyond the tables", PLAIN + b"\x7F\x07\x01x"),
        ("4.2/1", "a table size update behind fields", PLAIN + b"\x20"),
        ("5.2/1", "padding of more than seven bits", PLAIN + b"\x00\x82\x1F\xFF\x01b"),
        ("5.2/2", "padding of zeros", PLAIN + b"\x00\x81\x18\x01b"),
        ("5.2/3", "the end of string in a string", PLAIN + b"\x00\x84\xFF\xFF\xFF\xFF\x01b"),
        ("6.1/1", "index 0", PLAIN + b"\x80"),
        ("6.3/1", "a table larger than allowed", b"\x3F\xE1\xFF\x03" + PLAIN)]:
    simple(f"hpack/{name}", about, send(HEADERS, END_STREAM | END_HEADERS, 1, block),
           conn(COMPRESSION))


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    authority = sys.argv[3] if len(sys.argv) > 3 else None
    wanted = sys.argv[4:]
    for name, about, settings, opened, function in CASES:
        if wanted and name not in wanted:
            continue
        connection = Connection(host, port, authority)
        try:
            if opened:
                connection.open(settings)
            outcome = bool(function(connection))
        except Silence:
            connection.seen.append("silence")
            outcome = False
        finally:
            connection.socket.close()
        print(json.dumps({
            "case": name, "about": about, "ok": outcome, "seen": " ".join(connection.seen),
        }), flush=True)


main()
