"""Asks for recorded answers from pages in Chromium, and says what came.

usage: matrix_browser.py KEY < cells

A cell is {"url", "coding", "version": "1.1" or "2", "models"}; gateways over TLS are believed. Each line
of the output is {"ways": the different [HTTP version, content coding] of its answers, as the browser's
network log has them, "bodies": as matrix.py has them, "sealed": the SHA-256 of each answer's text,
opened by Weir's own client}.
"""

import json
import sys

from chromium import Chromium, empty_page, with_constants

SCRIPT = """(async () => {
    const { WeirStream } = await import(URL + "/weir.js");
    const hex = async (text) => Array.from(
        new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
        (byte) => byte.toString(16).padStart(2, "0")).join("");
    const anew = /"id":"chatcmpl-s\\d+-\\w+"|"created":\\d+|req-\\w+/g;
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
    const messages = [{ role: "user", content: "Hello" }];
    const bodies = [], sealed = [];
    for (const model of MODELS) {
        const body = JSON.stringify({ model, stream: true, messages });
        const answer = await fetch(URL + "/v1/chat/completions", { method: "POST", headers, body });
        bodies.push(await hex((await answer.text()).replace(anew, "")));
        let text = "";
        const request = { model, messages }, seal = { mode: "hybrid" };
        try {
            for await (const { type, data } of new WeirStream({ url: URL, key: KEY, request, seal })) {
                if (type === "chunk") text += data.text ?? "";
            }
        } catch (error) {
            // Some recorded answers end in an error.
            if (error.code === "tampered") text = error.message;
        }
        sealed.push(await hex(text));
    }
    return { bodies, sealed };
})()"""


def run(browser, page_url, cell, key):
    page = browser.open(page_url)
    browser.call("Network.enable", page)
    constants = {"URL": cell["url"], "KEY": key, "MODELS": cell["models"]}
    outcome = browser.evaluate(page, with_constants(SCRIPT, constants))
    ways = set()
    for message in browser.told:
        response = message.get("params", {}).get("response", {})
        is_answer = message["method"] == "Network.responseReceived" and message["sessionId"] == page
        if is_answer and response["mimeType"] == "text/event-stream":
            headers = {name.lower(): value for name, value in response["headers"].items()}
            version = {"http/1.1": "1.1", "h2": "2"}.get(response["protocol"])
            ways.add((version, headers.get("content-encoding", "identity")))
    return outcome | {"ways": sorted(ways)}


def main():
    page_url = empty_page()
    cells = [json.loads(line) for line in sys.stdin]
    # The certificate is of the test's own making.
    for version, options in ("2", []), ("1.1", ["--disable-http2"]):
        with Chromium("--ignore-certificate-errors", *options) as browser:
            for cell in cells:
                if cell["version"] == version:
                    cell["outcome"] = run(browser, page_url, cell, sys.argv[1])
    for cell in cells:
        print(json.dumps(cell["outcome"]))


main()
