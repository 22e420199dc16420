"""Makes and checks the test vectors of sealed streams, with `cryptography` from PyPI.

usage: sealing_vectors.py make FOLDER     writes streams.json and primitives.json
       sealing_vectors.py check FOLDER    derives and opens all that they hold again

`make` seals with a few lines of its own; `check` opens with Examples/sealed_stream.py. Weir's tests
seal and open the same vectors in Swift. The bytes that should be random come from a counter.
"""

import base64
import hashlib
import json
import pathlib
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Examples"))

from cryptography.hazmat.primitives.asymmetric import ec, x25519  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC  # noqa: E402
import sealed_stream as sealed  # noqa: E402

STREAM, MODEL = "s0-vectors0123456789abcdefg", "gpt-4"


def some(name, count):
    """Returns bytes that look random and are the same each time."""
    return hashlib.shake_256(b"weir vectors " + name.encode()).digest(count)


def b64(data):
    return base64.b64encode(data).decode()


def x25519_key(name):
    return x25519.X25519PrivateKey.from_private_bytes(some(name, 32))


def p256_key(name):
    number = int.from_bytes(some(name, 32), "big") % (2**255)
    return ec.derive_private_key(number, ec.SECP256R1())


def agreement_of(case):
    """Returns the client's agreement of a case."""
    if case["mode"] == "hybrid":
        private = bytes.fromhex(case["clientPrivateKey"])
        if case["curve"] == "x25519":
            key = x25519.X25519PrivateKey.from_private_bytes(private)
        else:
            key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
        return sealed.Hybrid(case["curve"], key)
    if case["mode"] == "shared":
        return sealed.Shared(case["keyId"], bytes.fromhex(case["sharedKey"]))
    return sealed.Password(case["password"])


def unsealer_of(case):
    return sealed.Unsealer(
        agreement_of(case), case["algorithms"], case["compress"], case["pad"],
        bytes.fromhex(case["nonce"]),
    )


def seal_member(case, attachment, salt):
    """The gateway's parameters, and its side of the agreement."""
    member = {
        "version": 1, "algorithm": case["algorithms"][0], "attachment": attachment,
        "salt": b64(salt), "mode": case["mode"],
    }
    if case["mode"] == "hybrid":
        private = bytes.fromhex(case["gatewayPrivateKey"])
        if case["curve"] == "x25519":
            key = x25519.X25519PrivateKey.from_private_bytes(private)
        else:
            key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
        public = sealed.Hybrid(case["curve"], key).public
        return member | {"curve": case["curve"], "publicKey": b64(public)}
    if case["mode"] == "shared":
        return member | {"keyId": case["keyId"]}
    return member | {"rounds": 600_000, "passwordSalt": b64(bytes.fromhex(case["passwordSalt"]))}


def seal(unsealer, record, pad):
    """Seals as a gateway does; the unsealer has the keys."""
    if record["epoch"] == unsealer.epoch + 1:
        unsealer.keys = sealed.hkdf(unsealer.keys[32:], b"", sealed.LABEL + b" next epoch", 64)
        unsealer.epoch += 1
    number, epoch = record["sequence"].to_bytes(8, "big"), record["epoch"].to_bytes(4, "big")
    text = bytes.fromhex(record["deflated"]) if "deflated" in record else record["content"].encode()
    text += b"\2" if "deflated" in record else b"\1"
    if pad:
        text += bytes(-len(text) % pad)
    associated = sealed.lp(unsealer.stream) + number + epoch + record["name"].encode()
    cipher = unsealer.cipher(unsealer.keys[:32])
    record["payload"] = b64(epoch + cipher.encrypt(bytes(4) + number, text, associated))


def deflated(text):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(text.encode()) + compressor.flush()).hex()


def record(name, sequence, epoch, content, compress=False):
    made = {"name": name, "sequence": sequence, "epoch": epoch, "content": content}
    return made | ({"deflated": deflated(content)} if compress else {})


def answers(case):
    """Two attachments: the answer from its start, and its rest after a loss."""
    compress = case["compress"]
    first = [
        record("chunk", 2, 0, '{"text":"Hello"}'),
        record("chunk", 3, 0, '{"reasoning":"a thought"}'),
        record("chunk", 4, 1, '{"text":"' + "long " * 60 + '"}', compress),
        record("chunk", 5, 1, '{"text":"\u00e9\u4e16\U0001f30d"}'),
        record("chunk", 6, 2, '{"text":""}'),
    ]
    end = '{"finish":"stop","provider":"p","usage":{"input":1,"output":2},"durationMs":3}'
    second = [
        record("gap", 9, 0, '{"lost":3}'),
        record("chunk", 10, 0, '{"tool":{"index":0,"arguments":"{}"}}'),
        record("complete", 11, 1, end),
    ]
    return [first, second]


def make_stream(case):
    unsealer = unsealer_of(case)
    case["attachments"] = []
    for number, records in enumerate(answers(case)):
        salt = some(f"{case['name']} salt {number}", 32)
        data = {"stream": STREAM, "model": MODEL, "seal": seal_member(case, number, salt)}
        parameters = json.dumps(data, separators=(",", ":"))
        unsealer.begin(parameters, 1 if number == 0 else None)
        for item in records:
            seal(unsealer, item, case["pad"])
        case["attachments"].append({
            "salt": salt.hex(), "parameters": parameters, "records": records,
        })
    case["offer"] = json.dumps(unsealer.offer, separators=(",", ":"))
    case["secret"] = unsealer.secret.hex()
    return case


def make_streams():
    aes, chacha = "aes-256-gcm", "chacha20-poly1305"
    plain = {"compress": False, "pad": 0}
    p256 = [p256_key(f"{side} p-256").private_numbers().private_value.to_bytes(32, "big").hex()
            for side in ("client", "gateway")]
    cases = [
        {"name": "x25519", "mode": "hybrid", "curve": "x25519", "algorithms": [aes]} | plain | {
            "clientPrivateKey": some("client x25519", 32).hex(),
            "gatewayPrivateKey": some("gateway x25519", 32).hex()},
        {"name": "p-256", "mode": "hybrid", "curve": "p-256", "algorithms": [chacha, aes]} | plain
        | {"clientPrivateKey": p256[0], "gatewayPrivateKey": p256[1]},
        {"name": "shared", "mode": "shared", "keyId": "k1", "algorithms": [aes], "compress": False,
         "pad": 64, "sharedKey": some("shared", 32).hex()},
        {"name": "compressed", "mode": "shared", "keyId": "k2", "algorithms": [aes, chacha],
         "compress": True, "pad": 0, "sharedKey": some("shared too", 48).hex()},
        {"name": "password", "mode": "password", "algorithms": [aes]} | plain | {
            "password": "correct horse battery st\u00e4ple",
            "passwordSalt": some("password", 16).hex()},
    ]
    for case in cases:
        case["nonce"] = some(f"{case['name']} nonce", 32).hex()
    return {"stream": STREAM, "model": MODEL, "cases": [make_stream(case) for case in cases]}


def check_stream(case):
    unsealer = unsealer_of(case)
    assert unsealer.offer == json.loads(case["offer"])
    for number, attachment in enumerate(case["attachments"]):
        unsealer.begin(attachment["parameters"], 1 if number == 0 else None)
        assert unsealer.secret.hex() == case["secret"]
        for item in attachment["records"]:
            data = json.dumps({"sealed": item["payload"]})
            opened = unsealer.open(data, item["name"], item["sequence"])
            assert opened == item["content"], (case["name"], item)
    return sum(len(attachment["records"]) for attachment in case["attachments"])


def make_ciphers():
    cases = []
    for name, cipher in sealed.ALGORITHMS.items():
        for count in (0, 1, 15, 16, 17, 31, 32, 63, 64, 65, 127, 128, 255, 256, 1_000, 4_096):
            for associated in (0, 1, 16, 53) if count < 1_000 else (53,):
                label = f"{name} {count} {associated}"
                key, nonce = some(f"{label} key", 32), some(f"{label} nonce", 12)
                if count == 16:  # counters that wrap, and keys that are all ones
                    key, nonce = b"\xff" * 32, b"\xff" * 12
                if count == 17:
                    key, nonce = bytes(32), bytes(12)
                text, extra = some(f"{label} text", count), some(f"{label} extra", associated)
                cases.append({
                    "algorithm": name, "key": key.hex(), "nonce": nonce.hex(),
                    "associated": extra.hex(), "text": text.hex(),
                    "sealed": cipher(key).encrypt(nonce, text, extra).hex(),
                })
    return cases


def make_derivations():
    cases = []
    for secret in (1, 22, 32, 64, 80, 200):
        for salt in (0, 13, 32, 80):
            for count in (1, 32, 33, 64, 82, 200):
                label = f"hkdf {secret} {salt} {count}"
                parts = [some(f"{label} {part}", size)
                         for part, size in (("secret", secret), ("salt", salt), ("info", count // 2))]
                cases.append({
                    "secret": parts[0].hex(), "salt": parts[1].hex(), "info": parts[2].hex(),
                    "key": sealed.hkdf(*parts, count).hex(),
                })
    return cases


def make_passwords():
    cases = []
    for rounds, password in ((1, ""), (1, "password"), (2, "p\u00e4ss"), (4_096, "x" * 100)):
        salt = some(f"salt {rounds} {password}", 16)
        key = PBKDF2HMAC(hashes.SHA256(), 32, salt, rounds).derive(password.encode())
        cases.append({
            "password": password, "salt": salt.hex(), "rounds": rounds, "key": key.hex(),
        })
    return cases


def make_agreements():
    cases = []
    for number in range(8):
        for curve, make in (("x25519", x25519_key), ("p-256", p256_key)):
            own, other = (sealed.Hybrid(curve, make(f"{side} {number}")) for side in "ab")
            secret, _ = own.agree({"curve": curve, "publicKey": b64(other.public)})
            private = own.private
            raw = (private.private_bytes_raw() if curve == "x25519" else
                   private.private_numbers().private_value.to_bytes(32, "big"))
            cases.append({
                "curve": curve, "privateKey": raw.hex(), "publicKey": own.public.hex(),
                "peer": other.public.hex(), "secret": secret.hex(),
            })
    return cases


def make_primitives():
    return {
        "ciphers": make_ciphers(), "derivations": make_derivations(),
        "passwords": make_passwords(), "agreements": make_agreements(),
    }


def main():
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if what == "make":
        for name, made in (("streams", make_streams()), ("primitives", make_primitives())):
            text = json.dumps(made, indent=1, ensure_ascii=True)
            (folder / f"{name}.json").write_text(text + "\n")
        return
    streams = json.loads((folder / "streams.json").read_text())
    for case in streams["cases"]:
        print(json.dumps({"name": case["name"], "opened": check_stream(case)}))
    same = json.loads((folder / "primitives.json").read_text()) == make_primitives()
    print(json.dumps({"name": "primitives", "same": same}))


main()
