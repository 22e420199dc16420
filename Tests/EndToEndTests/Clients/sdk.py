"""Talks to a gateway through OpenAI's own SDK, and says as JSON what came out of it.

usage: sdk.py BASE_URL KEY < requests

Each line of the input is a request: {"model": ..., "stream": true, ...}; further members are passed to
the SDK, but for "key", another key to use. Each line of the output is the outcome of the request in
the same line: {"text_sha256", "finish", "input", "output", "model"} or {"error", "status", "code",
"message"}, the name of the exception's class first.
"""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

SAY_HELLO = [{"role": "user", "content": "Hello"}]


def text_of(content):
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if part.get("type") == "text")
    return content or ""


class Outcome:
    def __init__(self):
        self.text = ""
        self.finish = None
        self.usage = None
        self.model = None

    def see(self, answer):
        self.model = answer.model or self.model
        self.usage = answer.usage or self.usage
        for choice in answer.choices or []:
            if choice.index != 0:
                continue
            part = choice.delta if hasattr(choice, "delta") else choice.message
            self.text += text_of(part.content if part else None)
            self.finish = choice.finish_reason or self.finish

    def fields(self):
        return {
            "text_sha256": hashlib.sha256(self.text.encode()).hexdigest(),
            "finish": self.finish,
            "input": self.usage.prompt_tokens if self.usage else None,
            "output": self.usage.completion_tokens if self.usage else None,
            "model": self.model,
        }


def ask(base_url, key, request):
    client = openai.OpenAI(
        base_url=base_url, api_key=request.pop("key", key), max_retries=0, timeout=60
    )
    outcome = Outcome()
    error = {}
    request.setdefault("messages", SAY_HELLO)
    try:
        answer = client.chat.completions.create(**request)
        if request.get("stream"):
            for chunk in answer:
                outcome.see(chunk)
        else:
            outcome.see(answer)
    except openai.APIError as failure:
        error = {
            "error": type(failure).__name__,
            "status": getattr(failure, "status_code", None),
            "code": failure.code,
            "message": failure.message,
        }
    return outcome.fields() | error


def main():
    base_url, key = sys.argv[1:3]
    requests = [json.loads(line) for line in sys.stdin if line.strip()]
    with ThreadPoolExecutor(8) as pool:
        for outcome in pool.map(lambda request: ask(base_url, key, request), requests):
            print(json.dumps(outcome), flush=True)


main()
