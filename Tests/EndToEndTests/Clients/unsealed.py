"""Reads a body of Server-Sent Events, sealed or not, with the example in Python as the opener."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Examples"))

import sealed_stream as sealed  # noqa: E402


def fields_of(key, coding):
    # With its weight, a gateway under load may not fall back to it.
    accepted = coding if coding == "identity" else f"{coding}, identity;q=0"
    return {
        "content-type": "application/json", "authorization": f"Bearer {key}",
        "accept-encoding": accepted,
    }


class Opener:
    """One answer: from pieces of its text to the data of its events."""

    def __init__(self, path, is_sealed):
        self.is_own = path == "/api/stream"
        self.unsealer = sealed.Unsealer(sealed.Hybrid()) if is_sealed else None
        self.rest = ""
        offer = self.unsealer.offer if is_sealed else None
        self.fields, self.members = {}, {}
        if is_sealed and self.is_own:
            self.members = {"seal": offer}
        elif is_sealed:
            self.fields = {"weir-seal": sealed.json.dumps(offer)}

    def take(self, text):
        """Yields the data of each event that `text` completes, opened."""
        *events, self.rest = (self.rest + text).split("\n\n")
        for event in events:
            name, identifier, data = next(sealed.events(Lines(event)), ("", "", ""))
            if self.unsealer is None:
                yield data
            elif self.is_own:
                yield from self.opened_own(name, identifier, data)
            elif data:
                yield from self.opened(data)

    def opened(self, data):
        if self.unsealer.stream is None:
            self.unsealer.begin(data)
        else:
            yield self.unsealer.open(data, "data", sealed.json.loads(data).get("n"))

    def opened_own(self, name, identifier, data):
        if name == "start":
            self.unsealer.begin(data, 1)
        elif name and name != "heartbeat":
            yield self.unsealer.open(data, name, int(identifier.rpartition(".")[2]))


class Lines:
    """One event, as a file that is read line by line."""

    def __init__(self, event):
        self.lines = iter([*event.encode().split(b"\n"), b""])

    def readline(self):
        line = next(self.lines, None)
        return b"" if line is None else line + b"\n"
