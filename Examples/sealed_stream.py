"""Opens a sealed stream of Weir and unseals it: all of the format, in Python.

    pip install cryptography
    python3 Examples/sealed_stream.py http://127.0.0.1:8080 --key weir_… --model demo "Hello"
    python3 Examples/sealed_stream.py http://127.0.0.1:8080 --key weir_… --model demo \
        --shared k1 --secret BASE64 "Hello"
    WEIR_PASSWORD=… python3 Examples/sealed_stream.py http://127.0.0.1:8080 --key weir_… \
        --model demo --password "Hello"

The format is specified in Sources/Sealing/Sealing.docc/SealedStreams.md; the names here are those
of that page. HTTP and Server-Sent Events are the standard library's and a dozen lines.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import sys
import time
import urllib.parse
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

LABEL = b"weir sealed stream 1"
ALGORITHMS = {"aes-256-gcm": AESGCM, "chacha20-poly1305": ChaCha20Poly1305}
ROUNDS = range(600_000, 10_000_001)
ATTACHMENTS = range(65_536)
CONTENT_LIMIT = 16_777_216


class SealError(Exception):
    """The stream was changed on its way, or is not what was asked for: nothing of it may be used."""


class StreamEnded(Exception):
    """The stream ended before its answer did, and does not go on."""


def lp(data):
    data = data.encode() if isinstance(data, str) else data
    return len(data).to_bytes(4, "big") + data


def hkdf(secret, salt, info, count):
    return HKDF(hashes.SHA256(), count, salt or None, info).derive(secret)


def decode64(text):
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise SealError("what should be base64 is not") from None


class Hybrid:
    """Each side sends a public key that serves once."""

    def __init__(self, curve="x25519", private=None):
        self.curve = curve
        if curve == "x25519":
            self.private = private or x25519.X25519PrivateKey.generate()
        else:
            self.private = private or ec.generate_private_key(ec.SECP256R1())
        self.public = self.encoded(self.private.public_key())
        self.fields = {
            "mode": "hybrid", "curve": curve, "publicKey": base64.b64encode(self.public).decode(),
        }

    def encoded(self, key):
        raw = self.curve == "x25519"
        form = serialization.PublicFormat
        return key.public_bytes(
            serialization.Encoding.Raw if raw else serialization.Encoding.X962,
            form.Raw if raw else form.UncompressedPoint,
        )

    def agree(self, seal):
        """Returns the agreed secret and the gateway's contribution."""
        contribution = decode64(seal.get("publicKey"))
        if seal.get("curve") != self.curve:
            raise SealError("the gateway answered with another curve")
        try:
            if self.curve == "x25519":
                peer = x25519.X25519PublicKey.from_public_bytes(contribution)
                return self.private.exchange(peer), contribution
            peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), contribution)
            return self.private.exchange(ec.ECDH(), peer), contribution
        except ValueError:
            raise SealError("the gateway's public key is none") from None


class Shared:
    """Both sides know a key."""

    def __init__(self, key_id, key):
        self.key = key
        self.fields = {"mode": "shared", "keyId": key_id}

    def agree(self, seal):
        if seal.get("keyId") != self.fields["keyId"]:
            raise SealError("the gateway took another key")
        return self.key, b""


class Password:
    """Both sides know the account's password."""

    fields = {"mode": "password"}

    def __init__(self, password):
        self.password = password

    def agree(self, seal):
        salt, rounds = decode64(seal.get("passwordSalt")), seal.get("rounds")
        if not isinstance(rounds, int) or rounds not in ROUNDS:
            raise SealError("the gateway's number of rounds is not allowed")
        return PBKDF2HMAC(hashes.SHA256(), 32, salt, rounds).derive(self.password.encode()), salt


class Unsealer:
    """The client's side of one sealed stream, over any number of attachments."""

    def __init__(self, agreement, algorithms=tuple(ALGORITHMS), compress=False, pad=0, nonce=None):
        self.agreement = agreement
        self.offer = agreement.fields | {
            "nonce": base64.b64encode(nonce or os.urandom(32)).decode(),
            "algorithms": list(algorithms),
        }
        if compress:
            self.offer["compress"] = True
        if pad:
            self.offer["pad"] = pad
        self.secret = None  # of the first attachment
        self.stream = None
        self.last = 0  # the sequence of the last event
        self.keys = None

    def transcript(self, contribution):
        offer = self.offer
        parts = [
            LABEL, offer["mode"], decode64(offer["nonce"]), ",".join(offer["algorithms"]),
            offer.get("curve") or offer.get("keyId") or "", decode64(offer.get("publicKey", "")),
            "deflate" if offer.get("compress") else "", str(offer.get("pad", 0)), contribution,
        ]
        return hashlib.sha256(b"".join(map(lp, parts))).digest()

    def begin(self, data, sequence=None):
        """Takes the data of a `start` event, with its sequence, or of a `seal` event."""
        told = json.loads(data)
        seal = told.get("seal")
        if not isinstance(seal, dict) or seal.get("version") != 1:
            raise SealError("the answer is not sealed as asked")
        if seal.get("mode") != self.offer["mode"]:
            raise SealError("the gateway took another agreement")
        if seal.get("algorithm") not in self.offer["algorithms"]:
            raise SealError("the gateway took an algorithm that was not offered")
        if self.stream not in (None, told["stream"]) or seal.get("attachment") not in ATTACHMENTS:
            raise SealError("the gateway answered with another stream")
        if sequence is not None:
            if sequence != 1 or self.last > 1:
                raise SealError(f"event {sequence} came where {self.last + 1} was due")
            self.last = 1
        self.stream = told["stream"]
        if self.secret is None:
            agreed, contribution = self.agreement.agree(seal)
            self.secret = hkdf(agreed, self.transcript(contribution), LABEL + b" secret", 32)
        secret = self.secret
        for _ in range(seal["attachment"]):
            secret = hkdf(secret, b"", LABEL + b" next attachment", 32)
        self.cipher = ALGORITHMS[seal["algorithm"]]
        parameters = hashlib.sha256(data.encode()).digest()
        info = lp(LABEL) + lp(self.stream) + lp(seal["algorithm"]) + lp(parameters)
        self.keys = hkdf(secret, decode64(seal.get("salt")), info, 64)
        self.epoch = 0

    def open(self, data, name, sequence):
        """Returns the data that an event would have had without sealing."""
        sealed = json.loads(data).get("sealed")
        if self.keys is None or not isinstance(sealed, str):
            raise SealError("an event came that is not sealed")
        step = sequence - self.last if isinstance(sequence, int) else 0
        if step != 1 and not (name == "gap" and step > 0):
            raise SealError(f"event {sequence} came where {self.last + 1} was due")
        payload = decode64(sealed)
        epoch, keys = int.from_bytes(payload[:4], "big"), self.keys
        if epoch == self.epoch + 1:
            keys = hkdf(keys[32:], b"", LABEL + b" next epoch", 64)
        elif epoch != self.epoch:
            raise SealError(f"an event of epoch {epoch} came in epoch {self.epoch}")
        number = sequence.to_bytes(8, "big")
        associated = lp(self.stream) + number + payload[:4] + name.encode()
        try:
            text = self.cipher(keys[:32]).decrypt(bytes(4) + number, payload[4:], associated)
        except (InvalidTag, ValueError):
            raise SealError("an event was changed, or the keys are others") from None
        content = self.content(text.rstrip(b"\0"))
        if name == "gap" and json.loads(content).get("lost") != sequence - self.last:
            raise SealError("a gap is not as wide as its number says")
        self.keys, self.epoch, self.last = keys, epoch, sequence
        return content

    @staticmethod
    def content(text):
        if text[-1:] == b"\1":
            return text[:-1].decode()
        if text[-1:] != b"\2":
            raise SealError("an event's content is of an unknown type")
        inflater = zlib.decompressobj(-15)
        content = inflater.decompress(text[:-1], CONTENT_LIMIT)
        if inflater.unconsumed_tail:
            raise SealError("an event's content is too long")
        return content.decode()


def events(response):
    """Yields (name, id, data) of a `text/event-stream`, as the WHATWG says, LF ends alone."""
    name, identifier, data = "message", "", []
    while line := response.readline():
        line = line.decode().rstrip("\n")
        if not line:
            if data:
                yield name, identifier, "\n".join(data)
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            identifier = value
        elif field == "data":
            data.append(value)


class Client:
    """Asks for a sealed answer and reads it to its end, over lost connections."""

    def __init__(self, url, key, unsealer, tries=5):
        self.url = urllib.parse.urlsplit(url)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.unsealer = unsealer
        self.tries = tries

    def request(self, method, path, body=None, headers=()):
        secure = self.url.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(self.url.netloc, timeout=60)
        connection.request(method, self.url.path.rstrip("/") + path, body, self.headers | dict(headers))
        response = connection.getresponse()
        if response.status != 200:
            raise StreamEnded(f"status {response.status}: {response.read(2_000).decode()}")
        return response

    def run(self, body):
        """Yields (name, data), opened, of Weir's own events."""
        text = json.dumps(body | {"seal": self.unsealer.offer})
        kind = {"Content-Type": "application/json"}
        response = self.request("POST", "/api/stream", text, kind)
        for attempt in range(self.tries):
            try:
                for name, identifier, data in events(response):
                    event = self.take(name, identifier, data)
                    if event is None:
                        continue
                    yield event
                    if event[0] in ("complete", "error"):
                        return
            except (OSError, http.client.HTTPException):
                pass  # as an end without `complete`: the stream may go on elsewhere
            if self.unsealer.stream is None:
                break
            time.sleep(0.2 * attempt)
            last = {"Last-Event-ID": f"{self.unsealer.stream}.{self.unsealer.last}"}
            response = self.request("GET", f"/api/stream/{self.unsealer.stream}", None, last)
        raise StreamEnded("the stream ended before its answer did")

    def chat(self, body):
        """Yields what a program that speaks OpenAI's format gets after `data:`, `[DONE]` included."""
        headers = {"Content-Type": "application/json", "Weir-Seal": json.dumps(self.unsealer.offer)}
        text = json.dumps(body | {"stream": True})
        for _, _, data in events(self.request("POST", "/v1/chat/completions", text, headers)):
            if self.unsealer.stream is None:
                self.unsealer.begin(data)
                continue
            content = self.unsealer.open(data, "data", json.loads(data).get("n"))
            yield content
            if content == "[DONE]" or "error" in json.loads(content):
                return
        raise StreamEnded("the stream ended before its answer did")

    def take(self, name, identifier, data):
        if name in ("start", "seal"):
            sequence = int(identifier.rpartition(".")[2]) if name == "start" else None
            self.unsealer.begin(data, sequence)
            return (name, json.loads(data)) if name == "start" else None
        if name == "heartbeat":
            return None  # not sealed, and says nothing
        if name == "error" and identifier == "gone":
            raise StreamEnded("the gateway does not know the stream any more")
        stream, _, sequence = identifier.rpartition(".")
        if stream != self.unsealer.stream or not sequence.isdigit():
            raise SealError("an event of another stream came")
        return name, json.loads(self.unsealer.open(data, name, int(sequence)))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("url")
    options.add_argument("prompt")
    options.add_argument("--key", default="")
    options.add_argument("--model", required=True)
    options.add_argument("--curve", choices=["x25519", "p-256"], default="x25519")
    options.add_argument("--shared", metavar="KEY_ID")
    options.add_argument("--secret", help="the shared key, in base64")
    options.add_argument("--password", action="store_true", help="it stands in WEIR_PASSWORD")
    options.add_argument("--algorithm", choices=list(ALGORITHMS), action="append")
    options.add_argument("--compress", action="store_true")
    options.add_argument("--pad", type=int, default=0)
    asked = options.parse_args()
    if asked.shared:
        agreement = Shared(asked.shared, base64.b64decode(asked.secret))
    elif asked.password:
        agreement = Password(os.environ["WEIR_PASSWORD"])
    else:
        agreement = Hybrid(asked.curve)
    unsealer = Unsealer(
        agreement, asked.algorithm or tuple(ALGORITHMS), asked.compress, asked.pad
    )
    messages = [{"role": "user", "content": asked.prompt}]
    client = Client(asked.url, asked.key, unsealer)
    for name, data in client.run({"model": asked.model, "messages": messages}):
        if name == "chunk":
            print(data.get("text", ""), end="", flush=True)
        else:
            print(f"\n{name}: {json.dumps(data)}", file=sys.stderr)


if __name__ == "__main__":
    main()
