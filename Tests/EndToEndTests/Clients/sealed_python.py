"""Runs scenarios of sealed answers with Examples/sealed_stream.py.

usage: sealed_python.py GATEWAY_URL KEY < scenarios

As sealed_browser.py, with `algorithm` besides.
"""

import concurrent.futures
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Examples"))

import sealed_stream as sealed  # noqa: E402
from tampering import Relay  # noqa: E402


def agreement(scenario):
    seal = scenario["seal"]
    if seal["mode"] == "shared":
        return sealed.Shared(seal["keyId"], sealed.decode64(seal["key"]))
    if seal["mode"] == "password":
        return sealed.Password(seal["password"])
    return sealed.Hybrid(scenario.get("curve", "x25519"))


def read(scenario, relay, key, outcome):
    seal = scenario["seal"]
    algorithms = [scenario.get("algorithm", "aes-256-gcm")]
    unsealer = sealed.Unsealer(
        agreement(scenario), algorithms, seal.get("compress", False), seal.get("pad", 0)
    )
    client = sealed.Client(f"{relay}/{scenario.get('way', 'as-is')}", key, unsealer)
    messages = [{"role": "user", "content": "Hello"}]
    if scenario.get("openAI"):
        return chat(client, {"model": scenario["model"], "messages": messages}, outcome)
    for name, data in client.run({"model": scenario["model"], "messages": messages}):
        if name == "chunk":
            outcome["text"] += data.get("text", "")
        if name == "complete":
            outcome["finish"] = data["finish"]


def chat(client, body, outcome):
    for data in client.chat(body):
        if data == "[DONE]":
            outcome["finish"] = "stop"
            return
        for choice in json.loads(data)["choices"]:
            outcome["text"] += choice["delta"].get("content") or ""


def run(scenario, relay, key):
    outcome = {"name": scenario["name"], "text": "", "code": None}
    try:
        if scenario.get("asksTwice"):
            read(scenario, relay, key, {"text": ""})
        read(scenario, relay, key, outcome)
    except sealed.SealError as error:
        outcome |= {"code": "tampered", "message": str(error)}
    except sealed.StreamEnded as error:
        outcome |= {"code": "stream_gone", "message": str(error)}
    return outcome


def main():
    gateway, key = sys.argv[1:]
    relay = Relay(gateway).url
    scenarios = [json.loads(line) for line in filter(str.strip, sys.stdin)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for outcome in pool.map(lambda scenario: run(scenario, relay, key), scenarios):
            print(json.dumps(outcome), flush=True)


main()
