"""Runs scenarios of sealed answers with Weir's own client, in Chromium and, if asked, in node.

usage: sealed_browser.py GATEWAY_URL KEY chromium|node < scenarios

Each line of the input is a scenario as sealed_scenarios.mjs reads it. Its answer goes through a relay
that changes it as `way` says. Each line of the output is what came of it.
"""

import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.request

from chromium import Chromium
from tampering import Relay

SCENARIOS = pathlib.Path(__file__).with_name("sealed_scenarios.mjs")


class Pages(http.server.BaseHTTPRequestHandler):
    """Serves an empty page and the scenarios, from another origin than the gateway's."""

    def do_GET(self):
        is_script = self.path == "/scenarios.mjs"
        body = SCENARIOS.read_bytes() if is_script else b"<!doctype html><title>Empty</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def in_chromium(gateway, key, relay, scenarios):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Chromium() as browser:
        page = browser.open(f"http://localhost:{server.server_port}/")
        return browser.evaluate(page, f"""(async () => {{
            const weir = await import("{gateway}/weir.js");
            const {{ runAll }} = await import("/scenarios.mjs");
            return await runAll(weir, "{relay}", "{key}", {json.dumps(scenarios)});
        }})()""")


def in_node(gateway, key, relay, scenarios):
    with tempfile.TemporaryDirectory() as folder:
        module = pathlib.Path(folder) / "weir.mjs"
        module.write_bytes(urllib.request.urlopen(f"{gateway}/weir.js").read())
        script = f"""
            const weir = await import({json.dumps(module.as_uri())});
            const {{ runAll }} = await import({json.dumps(SCENARIOS.as_uri())});
            const scenarios = {json.dumps(scenarios)};
            console.log(JSON.stringify(await runAll(weir, "{relay}", "{key}", scenarios)));
        """
        run = subprocess.run(["node", "--input-type=module", "--no-warnings"], input=script,
                             capture_output=True, text=True, timeout=120, check=False)
        if run.returncode != 0:
            sys.exit(run.stderr)
        return json.loads(run.stdout)


def main():
    gateway, key, where = sys.argv[1:]
    scenarios = [json.loads(line) for line in sys.stdin if line.strip()]
    run = in_chromium if where == "chromium" else in_node
    for outcome in run(gateway, key, Relay(gateway).url, scenarios):
        print(json.dumps(outcome), flush=True)


main()
