#!/usr/bin/env python3
"""Lays out what fuzzers start from: FOLDER/TARGET/seeds, made of the tests' fixtures and the recorded answers.

  python3 Fuzzing/seeds.py FOLDER
"""
import base64, hashlib, json, pathlib, sys, zlib

root = pathlib.Path(__file__).resolve().parent.parent
fixtures = root / "Tests" / "Fixtures"
folder = pathlib.Path(sys.argv[1])
LONGEST = 16_384


def put(target, data, seed=b""):
    """Seed targets that cut their input take its first byte for the seed of the cuts."""
    data = (seed + data)[:LONGEST]
    place = folder / target / "seeds"
    place.mkdir(parents=True, exist_ok=True)
    (place / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def requests():
    for case in json.loads((fixtures / "http" / "cases.json").read_text())["cases"]:
        data = b"".join(base64.b64decode(part.get("b64", "")) * min(part.get("repeat", 1), 50) for part in case["send"])
        for name, value in ((b"@PATH@", b"/"), (b"@POST@", b"/echo"), (b"@HOST@", b"localhost"), (b"@AUTH@", b"")):
            data = data.replace(name, value)
        put("http-request", data, b"\x05")


def responses():
    for head in (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
                 b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n",
                 b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"):
        for seed in (b"\x04", b"\x05"):
            put("http-response", head, seed)


def answers():
    for path in sorted((fixtures / "streams").rglob("*")) + sorted((root / "Sources" / "Replay" / "Bodies").glob("*")):
        if path.suffix not in (".sse", ".json") or path.name == "MANIFEST.json":
            continue
        data = path.read_bytes()
        if path.suffix == ".json":
            put("provider-answer", data)
            put("json", data)
            continue
        put("dialects", data, b"\x07")
        put("event-stream", data, b"\x07")
        for line in data.splitlines()[:40]:
            if line.startswith(b"data: {"):
                put("json", line[6:])
    for case in json.loads((fixtures / "sse" / "cases.json").read_text())["cases"]:
        put("event-stream", base64.b64decode(case["stream"]), b"\x03")
    put("provider-answer", json.dumps({
        "id": "c", "object": "chat.completion", "created": 1, "model": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode())


def chat_requests():
    message = {"role": "user", "content": "Hello"}
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}
    bodies = [
        {"model": "m", "messages": [message], "stream": True, "stream_options": {"include_usage": True}},
        {"model": "m", "messages": [{"role": "system", "content": "S"}, message], "max_tokens": 5, "stop": ["a"],
         "temperature": 0.5, "top_p": 1, "user": "u", "purpose": "p"},
        {"model": "m", "messages": [message, {"role": "assistant", "content": None, "tool_calls": [call]},
                                    {"role": "tool", "tool_call_id": "t", "content": "1"}],
         "tools": [tool], "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False},
        {"model": "m", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "T"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}],
         "reasoning_effort": "low", "seal": {"mode": "shared", "key": "k"}},
    ]
    for body in bodies:
        put("chat-request", json.dumps(body).encode())
        put("json", json.dumps(body).encode())


def configurations():
    text = (root / "Config" / "weir.yaml").read_bytes()
    put("yaml", text)
    bare = b"\n".join(line[1:] if line.startswith(b"#") and not line.startswith(b"# ") else line
                      for line in text.splitlines() if not line.lstrip().startswith(b"# "))
    for target in ("yaml", "configuration"):
        put(target, bare)
        for line in bare.splitlines():
            put(target, line.strip())


def replies():
    for text in (b"+OK\r\n", b"-NOGROUP no group\r\n", b":42\r\n", b"$5\r\nhello\r\n", b"$-1\r\n",
                 b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", b"*-1\r\n",
                 b"*1\r\n*2\r\n$6\r\nstream\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n"):
        put("redis-replies", text, b"\x03")


def identifiers():
    for text in ("s0-0mabcdefgh0123456789abcdefgh.17", "gzip, br;q=0.5, *;q=0", "a=b&model=gpt%2D4&prompt=Hi+there",
                 "http://localhost:3000", "identity;q=0"):
        put("identifiers", text.encode())


def frames():
    def frame(kind, flags, stream, payload=b""):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    settings, ack = frame(4, 0, 0, b"\0\3\0\0\0\x64"), frame(4, 1, 0)
    # :method GET, :scheme http, :path /, :authority localhost; without Huffman coding.
    head = b"\x82\x86\x84\x41\x09localhost"
    post = b"\x83\x86\x84\x41\x09localhost"
    put("http2", settings + ack + frame(1, 5, 1, head), b"\x03")
    put("http2", settings + frame(1, 4, 1, post) + frame(0, 0, 1, b"hello") + frame(0, 1, 1, b" there"), b"\x03")
    put("http2", settings + frame(1, 1, 1, head[:4]) + frame(9, 4, 1, head[4:]), b"\x03")
    put("http2", settings + frame(6, 0, 0, b"12345678") + frame(8, 0, 0, b"\0\0\1\0") + frame(3, 0, 1, b"\0\0\0\x08"), b"\x03")
    put("http2", settings + frame(2, 0, 1, b"\0\0\0\0\x10") + frame(7, 0, 0, b"\0" * 8), b"\x03")


def sealed():
    streams = json.loads((fixtures / "sealing" / "streams.json").read_text())

    def walk(value, name=""):
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, key)
        elif isinstance(value, list):
            for item in value:
                walk(item, name)
        elif isinstance(value, str):
            put("unsealer", value.encode(), b"\0")
            put("unsealer", value.encode(), b"\1")
            put("seal-offer", value.encode())
    walk(streams)
    for place in range(0, 64, 7):
        put("unsealer", b"\0" * place + b"\1", b"\2")
    put("unsealer", b"", b"\2")
    offer = {"nonce": base64.b64encode(b"\1" * 16).decode(), "algorithms": ["aes-256-gcm", "chacha20-poly1305"], "pad": 64}
    put("seal-offer", json.dumps(offer | {"mode": "shared", "keyId": "k1", "compress": True}).encode())
    put("seal-offer", json.dumps(offer | {"mode": "password"}).encode())
    for case in streams["cases"]:
        for attachment in case["attachments"]:
            put("unsealer", attachment["parameters"].encode(), b"\0")


def coded():
    text = b"data: {\"text\":\"Hello\"}\n\n" * 20
    for wbits in (31, 15):
        encoder = zlib.compressobj(6, zlib.DEFLATED, wbits)
        put("coded-body", encoder.compress(text) + encoder.flush(zlib.Z_SYNC_FLUSH) + encoder.flush(), b"\x03")
    put("coded-body", bytes.fromhex("0b058068656c6c6f20776f726c6403"), b"\x03")


for make in (requests, responses, answers, chat_requests, configurations, replies, identifiers, frames, sealed, coded):
    make()
