"""Opens pages in Chromium and says as JSON what they saw.

usage: browser.py GATEWAY_URL KEY SECONDS < pages

The pages come from a server of this program, on another port than the gateway. Each line of the
input is a page: {"name": ..., "model": ..., "closes": true, "cut": false, "direct": false}.
"direct" asks with a plain GET and no key, otherwise a token is made with the key first. With "cut" its event
stream goes through a relay that breaks the connection in the middle of the answer, once. The pages
stay open for so many seconds; then each line of the output is the last that a page has told:
{"name", "what", "text_sha256", ...}, with the "history" of everything it told.
"""

import hashlib
import http.server
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

PAGE = pathlib.Path(__file__).with_name("page.html").read_bytes()
CUT_AFTER_BYTES = 3_000


class Pages(http.server.BaseHTTPRequestHandler):
    """Serves the pages and takes what they tell."""

    frames = b""
    told = {}

    def do_GET(self):
        path = self.path.split("?")[0]
        body = {"/": self.frames, "/page.html": PAGE}.get(path)
        self.answer(404 if body is None else 200, body or b"")

    def do_POST(self):
        seen = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        seen["text_sha256"] = hashlib.sha256(seen.pop("text").encode()).hexdigest()
        history = self.told.get(seen["name"], {}).get("history", [])
        self.told[seen["name"]] = seen | {"history": history + [seen["what"]]}
        self.answer(204, b"")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Relay:
    """Passes connections on to the gateway, and breaks the first one in the middle."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.gateway)
            threading.Thread(target=self.pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self.pass_back, args=(server, client), daemon=True).start()

    def pass_on(self, client, server):
        try:
            while data := client.recv(65_536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def pass_back(self, server, client):
        count = 0
        try:
            while data := server.recv(65_536):
                client.sendall(data)
                count += len(data)
                if self.cuts == 0 and count > CUT_AFTER_BYTES:
                    self.cuts = 1
                    break
        except OSError:
            pass
        for end in (server, client):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def frame(page, gateway, relay, key):
    query = urllib.parse.urlencode({
        "name": page["name"], "model": page["model"], "tokens": gateway,
        "key": "" if page.get("direct") else key,
        "closes": "yes" if page.get("closes") else "no",
        "gateway": relay.url if page.get("cut") else gateway,
    })
    return f'<iframe src="/page.html?{query}"></iframe>'


def chromium(profile, url):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("there is no chromium: Config/setup test installs it")
    options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-extensions", "--disable-sync", "--disable-component-update",
        "--disable-background-networking", "--disable-default-apps", "--no-proxy-server",
        f"--user-data-dir={profile}",
    ]
    return subprocess.Popen([program, *options, url], stdout=sys.stderr, start_new_session=True)


def main():
    gateway, key, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    pages = [json.loads(line) for line in sys.stdin if line.strip()]
    address = urllib.parse.urlsplit(gateway)
    relay = Relay((address.hostname, address.port))
    Pages.frames = "".join(frame(page, gateway, relay, key) for page in pages).encode()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = chromium(profile, f"http://localhost:{server.server_port}/")
        try:
            limit = time.monotonic() + 60
            while len(Pages.told) < len(pages) and time.monotonic() < limit:
                time.sleep(0.1)
            time.sleep(seconds)
        finally:
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
    for page in pages:
        told = Pages.told.get(page["name"], {"name": page["name"], "what": "nothing"})
        print(json.dumps(told | {"cuts": relay.cuts}), flush=True)


main()
