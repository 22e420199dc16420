"""Drives Chromium through its own protocol, over two pipes: no port, no driver."""

import http.server
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading


class Chromium:
    """A browser without a window; use it in a `with` statement. It takes further options."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            sys.exit("there is no chromium: Config/setup test installs it")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-extensions", "--disable-sync",
            "--disable-component-update", "--disable-background-networking",
            "--disable-default-apps", "--no-proxy-server", "--remote-debugging-pipe",
            "--hide-scrollbars", f"--user-data-dir={self.profile.name}",
            *self.options,
        ]
        # The browser reads commands from its descriptor 3 and answers on 4.
        command_read, self.command_write = os.pipe()
        self.answer_read, answer_write = os.pipe()
        shell = f'exec 3<&{command_read} 4>&{answer_write}; exec "$0" "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, program, *options], pass_fds=(command_read, answer_write),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        os.close(command_read)
        os.close(answer_write)
        self.numbers = itertools.count(1)
        self.answers = {}
        self.told = []
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.profile.cleanup()

    def listen(self):
        rest = b""
        while data := os.read(self.answer_read, 65_536):
            *messages, rest = (rest + data).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.answers[message["id"]].put(message)
                else:
                    self.told.append(message)

    def call(self, method, session=None, **parameters):
        number = next(self.numbers)
        self.answers[number] = queue.Queue()
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.command_write, json.dumps(message).encode() + b"\0")
        answer = self.answers[number].get(timeout=140)
        del self.answers[number]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, url, width=1000, height=900, dark=False):
        """Opens a page in a tab of its own; returns its session."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable", session)
        self.call("Emulation.setDeviceMetricsOverride", session, width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", session, features=[scheme])
        self.call("Page.navigate", session, url=url)
        self.evaluate(session, """new Promise((done) => {
            const look = () => document.readyState === "complete" && location.href !== "about:blank"
                ? done() : setTimeout(look, 20);
            look();
        })""")
        return session

    def evaluate(self, session, expression):
        """Returns what a JavaScript expression, or its promise, comes to."""
        answer = self.call("Runtime.evaluate", session, expression=expression,
                           awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2_000])
        return answer["result"].get("value")

    def complaints(self):
        """What pages wrote to their consoles as errors, and exceptions that nobody caught."""
        found = []
        for message in self.told:
            parameters = message.get("params", {})
            if message["method"] == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"].get("text", ""))
            if message["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(parameters["entry"]["text"])
        return found


class EmptyPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Empty</title>")

    def log_message(self, *_):
        pass


def empty_page():
    """The address of an empty page, of another origin than any gateway's, served until the end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}/"


def with_constants(expression, constants):
    """A JavaScript expression, a promise, in which names stand for values."""
    declared = "".join(f"const {name} = {json.dumps(value)}; " for name, value in constants.items())
    return f"(() => {{ {declared} return {expression}; }})()"
