"""Asks for recorded answers by every way that a client may choose, and says what came.

usage: matrix.py KEY < cells

A cell is {"client", "version", "url", "authority", "coding", "isSealed", "models"}. Each line of the
output is {"heads": the different heads, as transports.py has them, "bodies": the SHA-256 of each
model's body, after decoding; where it was sealed: of the events as they are without sealing}. What the
gateway makes anew for each answer of another dialect, its name and time, counts as the same.
"""

import hashlib
import json
import re
import sys

from transports import TRANSPORTS
from unsealed import Opener, fields_of

PATH = "/v1/chat/completions"
ANEW = re.compile(r'"id":"chatcmpl-s\d+-\w+"|"created":\d+|req-\w+')


def run(cell, key):
    openers, requests = [], []
    for model in cell["models"]:
        opener = Opener(PATH, cell["isSealed"])
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        requests.append({
            "url": cell["url"] + PATH, "fields": fields_of(key, cell["coding"]) | opener.fields,
            "body": json.dumps(body | opener.members),
        })
        openers.append(opener)
    heads, bodies, text = [], [], ""
    parts = TRANSPORTS[cell["client"]](requests, cell["version"], cell["authority"] or None)
    for part in parts:
        if isinstance(part, dict):
            if part not in heads:
                heads.append(part)
        elif part is not None:
            text += part
        else:
            if cell["isSealed"]:
                text = "".join(f"data: {data}\n\n" for data in openers[len(bodies)].take(text))
            bodies.append(hashlib.sha256(ANEW.sub("", text).encode()).hexdigest())
            text = ""
    return {"heads": heads, "bodies": bodies}


def main():
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), sys.argv[1])), flush=True)


main()
