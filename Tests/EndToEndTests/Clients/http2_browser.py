"""Opens many EventSources of one page in Chromium over TLS, and says as JSON what came of them.

usage: http2_browser.py GATEWAY_URL MODEL COUNT

HTTP/1.1 would let six of them run at once. Prints {"most": the most that ran at once, "texts": the
SHA-256 of each stream's text, "errors"}.
"""

import hashlib
import json
import sys

from chromium import Chromium, empty_page, with_constants

SCRIPT = """new Promise((done) => {
    const texts = [], running = new Set();
    let most = 0, ended = 0, errors = 0;
    function end(number, source) {
        source.close();
        running.delete(number);
        ended += 1;
        if (ended === COUNT) done({ most, texts, errors });
    }
    for (let number = 0; number < COUNT; number++) {
        const question = new URLSearchParams({ model: MODEL, prompt: "Hello" });
        const source = new EventSource(`${URL}/api/stream?${question}`);
        texts[number] = "";
        source.addEventListener("chunk", (event) => {
            running.add(number);
            most = Math.max(most, running.size);
            texts[number] += JSON.parse(event.data).text ?? "";
        });
        source.addEventListener("complete", () => end(number, source));
        source.addEventListener("error", () => { errors += 1; end(number, source); });
    }
})"""


def main():
    gateway, model, count = sys.argv[1:]
    constants = {"URL": gateway, "MODEL": model, "COUNT": int(count)}
    # The certificate is of the test's own making.
    with Chromium("--ignore-certificate-errors") as browser:
        told = browser.evaluate(browser.open(empty_page()), with_constants(SCRIPT, constants))
    told["texts"] = [hashlib.sha256(text.encode()).hexdigest() for text in told["texts"]]
    print(json.dumps(told))


main()
