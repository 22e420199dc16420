"""Asks a question on the page that the gateway serves, in Chromium, and says what it showed.

usage: page.py GATEWAY_URL KEY < questions

Each line of the input is a question: {"name", "model", "seal", "keyId", "key", "password", "cut"}.
The key is in the address, as `weir up` prints it. Each line of the output is what the page showed in
the end, and whether anything ran, loaded or failed that should not have.
"""

import json
import sys

from chromium import Chromium

SHOWN = """(async () => {
    const element = (name) => document.getElementById(name);
    const until = (look) => new Promise((done, failed) => {
        const limit = Date.now() + 30_000;
        const step = () => look() ? done()
            : Date.now() > limit ? failed(new Error(`waited for ${look}`)) : setTimeout(step, 10);
        step();
    });
    const question = QUESTION;
    await until(() => !element("model").disabled);
    element("model").value = question.model;
    element("seal").value = question.seal ?? "";
    element("seal").dispatchEvent(new Event("change"));
    element("keyId").value = question.keyId ?? "";
    element("sharedKey").value = question.key ?? "";
    element("passwordText").value = question.password ?? "";
    const states = [];
    new MutationObserver(() => states.push(element("state").textContent))
        .observe(element("state"), { childList: true });
    element("ask").click();
    if (question.cut) {
        await until(() => element("answer").textContent.length > 10);
        element("cut").click();
    }
    await until(() => ["ended", "failed"].includes(element("state").textContent));
    const figures = [...element("figures").children].map((row) =>
        [row.children[0].textContent, row.children[1].textContent]);
    return {
        name: question.name, states, answer: element("answer").textContent,
        elements: element("answer").childElementCount,
        figures: Object.fromEntries(figures), problem: element("problem").textContent,
        hash: location.hash, ran: Boolean(window.ran), title: document.title,
        unlabelled: [...document.querySelectorAll("input, select, textarea")]
            .filter((field) => field.labels.length === 0).length,
    };
})()"""


def main():
    gateway, key = sys.argv[1:]
    with Chromium() as browser:
        for line in filter(str.strip, sys.stdin):
            page = browser.open(f"{gateway}/#key={key}")
            shown = browser.evaluate(page, SHOWN.replace("QUESTION", line))
            print(json.dumps(shown | {"complaints": browser.complaints()}), flush=True)


main()
