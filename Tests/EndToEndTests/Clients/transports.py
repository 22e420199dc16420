"""Three HTTP clients that share no code: curl, node and httpx, each with its own decoders.

`TRANSPORTS[name](requests, version, authority)` sends requests, {"url", "fields", "body"}, one after the
other, and yields for each what comes as it comes: a dict {"coding", "version", "status"}, at the end of
the answer with curl and at its begin with the others, each piece of text as a `str` as soon as it is
decoded, and None at the end. `version` is "1.1" or "2", which plain connections speak by prior
knowledge. `authority` is the file of a certificate to trust, or None.
"""

import codecs
import json
import os
import pathlib
import ssl
import subprocess

NODE = pathlib.Path(__file__).with_name("transports.mjs")
# A control character, which JSON has to escape, ends each answer.
MARK = "\x1e"


def started(command, text, environment=None):
    program = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | (environment or {}),
    )
    program.stdin.write(text.encode())
    program.stdin.close()
    return program


def ended(program, name):
    errors = program.stderr.read().decode()
    if program.wait() != 0:
        raise RuntimeError(f"{name}: {errors}")


def with_curl(requests, version, authority):
    secure = requests[0]["url"].startswith("https")
    if version == "2" and not secure and len(requests) > 1:
        # curl 7.88 cannot use a connection of prior knowledge twice: "Error in the HTTP2 framing layer".
        for request in requests:
            yield from with_curl([request], version, authority)
        return
    options = ["--no-progress-meter", "--no-buffer", "--max-time", "60", "--config", "-"]
    lines = []
    for request in requests:
        if lines:
            lines.append("next")
        known = {"1.1": "http1.1", "2": "http2" if secure else "http2-prior-knowledge"}[version]
        lines += ["compressed", known, f"url = {json.dumps(request['url'])}"]
        if authority:
            lines.append(f"cacert = {json.dumps(authority)}")
        for name, value in request["fields"].items():
            lines.append(f"header = {json.dumps(f'{name}: {value}')}")
        lines.append(f"data-raw = {json.dumps(request['body'], ensure_ascii=False)}")
        told = "%{http_version} %{response_code} %header{content-encoding}"
        lines.append(f'write-out = "{MARK}{told}{MARK}"')
    program = started(["curl", *options], "\n".join(lines))
    decoder, rest, is_told = codecs.getincrementaldecoder("utf-8")(), "", False
    while data := program.stdout.read1(65_536):
        *parts, rest = (rest + decoder.decode(data)).split(MARK)
        for part in parts:
            yield head_of_curl(part) if is_told else part
            if is_told:
                yield None
            is_told = not is_told
        if not is_told and rest:
            yield rest
            rest = ""
    ended(program, "curl")


def head_of_curl(told):
    version, status, coding = (told + " ").split(" ", 2)
    return {"coding": coding.strip() or "identity", "version": version, "status": int(status)}


def with_node(requests, version, authority):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    trust = {"NODE_EXTRA_CA_CERTS": authority} if authority else {}
    command = ["node", str(NODE), version] + ([authority] if authority else [])
    program = started(command, lines, trust)
    for line in program.stdout:
        yield json.loads(line)
    ended(program, "node")


def with_httpx(requests, version, authority):
    import httpx

    trust = ssl.create_default_context(cafile=authority) if authority else True
    versions = {"http1": version == "1.1", "http2": version == "2"}
    with httpx.Client(verify=trust, timeout=60, trust_env=False, **versions) as client:
        for request in requests:
            with client.stream("POST", request["url"], headers=request["fields"],
                               content=request["body"].encode()) as response:
                yield {
                    "coding": response.headers.get("content-encoding", "identity"),
                    "version": response.http_version.removeprefix("HTTP/"),
                    "status": response.status_code,
                }
                yield from response.iter_text()
            yield None


TRANSPORTS = {"curl": with_curl, "node": with_node, "httpx": with_httpx}
