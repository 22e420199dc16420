"""Asks for many answers at once, reads each to its end, and says as JSON what they add up to.

usage: many.py GATEWAY_URL CONCURRENCY < answers

Each line of the input is an answer to ask for: {"model": ..., "text_sha256": ...}; "times" repeats
it. The output is one object: the number of answers, the sums of their bytes, events and tokens as
the answers themselves report them, the most that were open at the same time, how many different
bodies each model has (where the provider's own chunks are passed on: one), and what went wrong.
"""

import asyncio
import collections
import hashlib
import json
import resource
import sys
import urllib.parse


class Sums:
    def __init__(self):
        self.counts = collections.Counter()
        self.bodies = collections.defaultdict(set)
        self.wrong = []
        self.open = 0

    def add(self, answer, status, body):
        self.counts["answers"] += 1
        self.counts["bytes"] += len(body)
        events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
        self.counts["events"] += len(events)
        text, usage = "", {}
        if status != 200 or not events or events[-1] != "[DONE]":
            return self.wrong.append(f"{answer['model']}: status {status}, {body[-200:]!r}")
        for event in events[:-1]:
            chunk = json.loads(event)
            usage = chunk.get("usage") or usage
            for choice in chunk["choices"]:
                text += choice["delta"].get("content") or ""
        self.counts["input_tokens"] += usage.get("prompt_tokens", 0)
        self.counts["output_tokens"] += usage.get("completion_tokens", 0)
        self.bodies[answer["model"]].add(hashlib.sha256(body).hexdigest())
        if hashlib.sha256(text.encode()).hexdigest() != answer["text_sha256"]:
            self.wrong.append(f"{answer['model']}: another text: {text[:200]}")

    def fields(self):
        bodies = {model: len(bodies) for model, bodies in self.bodies.items()}
        return dict(self.counts) | {"bodies": bodies, "wrong": self.wrong}


async def read_chunked(reader):
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return bytes(body)


async def ask(address, answer, sums):
    reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
    body = json.dumps({
        "model": answer["model"], "stream": True, "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "Hello"}],
    }).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    status = int((await reader.readline()).split()[1])
    fields = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        fields[name.lower()] = value.strip()
    sums.open += 1
    sums.counts["most_open"] = max(sums.counts["most_open"], sums.open)
    if fields.get("transfer-encoding") == "chunked":
        content = await read_chunked(reader)
        if await reader.read(1):
            sums.wrong.append(f"{answer['model']}: bytes after the end")
    else:
        content = await reader.read()
    sums.open -= 1
    writer.close()
    sums.add(answer, status, content)


async def ask_all(address, concurrency, answers):
    sums = Sums()
    gate = asyncio.Semaphore(concurrency)

    async def one(answer):
        async with gate:
            try:
                await asyncio.wait_for(ask(address, answer, sums), 120)
            except (OSError, ValueError, EOFError, IndexError, TimeoutError) as failure:
                sums.wrong.append(f"{answer['model']}: {failure!r}")

    await asyncio.gather(*(one(answer) for answer in answers))
    return sums.fields()


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    url = urllib.parse.urlsplit(sys.argv[1])
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    most = max(line.get("times", 1) for line in lines)
    # In turn, so that all models run at the same time.
    answers = [line for turn in range(most) for line in lines if turn < line.get("times", 1)]
    result = asyncio.run(ask_all((url.hostname, url.port), int(sys.argv[2]), answers))
    print(json.dumps(result))


main()
