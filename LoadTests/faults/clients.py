"""Clients that ask for an answer over HTTP/1.1 and count what reaches them, with no code of Weir's."""
import asyncio, json


class Client:
    """One answer: `end` is whole, failed, cut, left or refused; `received` counts bytes of the body."""

    def __init__(self, user, model, form, leave_after=None):
        self.user, self.model, self.form, self.leave_after = user, model, form, leave_after
        self.stream = self.end = None
        self.status = self.received = 0
        self.body = bytearray()

    async def run(self, address, key):
        try:
            await asyncio.wait_for(self._ask(address, key), 90)
        except asyncio.TimeoutError:
            self.end = "never"
        except (OSError, EOFError, asyncio.IncompleteReadError):
            self.end = self.end or "cut"
        return self

    async def _ask(self, address, key):
        reader, writer = await asyncio.open_connection(*address)
        try:
            writer.write(self._request(key))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            self.status = int(head[0].split()[1])
            fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            self.stream = fields.get("weir-stream")
            if "chunked" in fields.get("transfer-encoding", ""):
                await self._read_chunks(reader)
            else:
                await self._read(reader, int(fields.get("content-length", 0)))
            if not self.end:
                self.end = self._verdict()
        finally:
            # A client that leaves has read nothing of what it has not counted.
            writer.transport.abort()

    def _request(self, key):
        path = "/api/stream" if self.form == "events" else "/v1/chat/completions"
        body = json.dumps({
            "model": self.model, "stream": self.form != "whole", "user": self.user,
            "messages": [{"role": "user", "content": "Hello"}],
        })
        return (
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def _read_chunks(self, reader):
        while not self.end:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            await self._read(reader, size)
            if not self.end:
                await reader.readexactly(2)
            if size == 0:
                return

    async def _read(self, reader, count):
        while count > 0 and not self.end:
            part = await reader.read(min(count, 65536))
            if not part:
                raise EOFError
            count -= len(part)
            self.received += len(part)
            self.body += part
            if self.leave_after is not None and self.received >= self.leave_after:
                self.end = "left"

    def _verdict(self):
        if self.status != 200:
            return "refused"
        if self.form == "whole":
            return "whole"
        mark = b"\nevent: complete\n" if self.form == "events" else b"data: [DONE]\n"
        return "whole" if mark in self.body[-4096:] else "failed"
