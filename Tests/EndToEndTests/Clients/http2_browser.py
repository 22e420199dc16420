"""Opens many EventSources of one page in Chromium over TLS, and says as JSON what came of them.

usage: http2_browser.py GATEWAY_URL MODEL COUNT

The page comes from a server of this program. HTTP/1.1 would let six of them run at once. Prints
{"most": the most that ran at once, "texts": the SHA-256 of each stream's text, "errors"}.
"""

import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading

PAGE = """<!doctype html><script>
const parameters = new URLSearchParams(location.search);
const texts = [], running = new Set();
let most = 0, ended = 0, errors = 0;
function end(number, source) {
  source.close();
  running.delete(number);
  ended += 1;
  if (ended === Number(parameters.get("count"))) {
    fetch("/", { method: "POST", body: JSON.stringify({ most, texts, errors }) });
  }
}
for (let number = 0; number < Number(parameters.get("count")); number++) {
  const question = new URLSearchParams({ model: parameters.get("model"), prompt: "Hello" });
  const source = new EventSource(`${parameters.get("gateway")}/api/stream?${question}`);
  texts[number] = "";
  source.addEventListener("chunk", (event) => {
    running.add(number);
    most = Math.max(most, running.size);
    texts[number] += JSON.parse(event.data).text ?? "";
  });
  source.addEventListener("complete", () => end(number, source));
  source.addEventListener("error", () => { errors += 1; end(number, source); });
}
</script>"""


class Pages(http.server.BaseHTTPRequestHandler):
    told, is_told = {}, threading.Event()

    def do_GET(self):
        self.answer(200 if self.path.startswith("/page") else 404, PAGE.encode())

    def do_POST(self):
        Pages.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(204, b"")
        Pages.is_told.set()

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    gateway, model, count = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("there is no chromium: Config/setup test installs it")
    options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-extensions", "--disable-sync", "--disable-component-update",
        "--disable-background-networking", "--disable-default-apps", "--no-proxy-server",
        # The certificate is of the test's own making.
        "--ignore-certificate-errors",
    ]
    url = (f"http://localhost:{server.server_port}/page?gateway={gateway}&model={model}"
           f"&count={count}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, *options, f"--user-data-dir={profile}", url], stdout=sys.stderr,
            start_new_session=True)
        try:
            Pages.is_told.wait(90)
        finally:
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
    told = Pages.told or {"most": 0, "texts": [], "errors": -1}
    told["texts"] = [hashlib.sha256(text.encode()).hexdigest() for text in told["texts"]]
    print(json.dumps(told))


main()
