"""The servers that the benchmarks compare, on core 0, and the provider and clients that keep them busy, on core 1.

`upstream`, `floor` and `loadgen` are three small C programs that are no part of Weir: a provider of OpenAI chat streaming whose rate is
set while it runs (`GET /ctl?rate=R`), the least that a proxy of this shape can do, and N clients.
"""
import argparse, base64, json, os, shutil, signal, socket, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)
# The client's public key is the base point, which every implementation of X25519 takes.
SEAL = {"mode": "hybrid", "curve": "x25519", "algorithms": ["aes-256-gcm"],
        "nonce": base64.b64encode(bytes(32)).decode(), "publicKey": base64.b64encode(b"\x09" + bytes(31)).decode()}
BODY = '{"model":"bench","stream":true,"messages":[{"role":"user","content":"Hello"}]}'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


class Server:
    """One of the servers that are compared; a context that starts and stops it."""

    def __init__(self, name, start, coding=None, certificate=None, seal=None):
        self.seal, self.is_secure = seal, certificate is not None
        self.name, self.start, self.coding = name + (", TLS" if certificate else ""), start, coding

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.port = free_port()
        self.processes = self.start(self.port, self.folder)
        try:
            wait_for(self.port)
        except SystemExit:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def spawn(core, *command, **more):
    return subprocess.Popen(
        ["taskset", "-c", str(core), *command], stdout=subprocess.DEVNULL, stderr=more.get("log", subprocess.DEVNULL))


class Certificate:
    """An ECDSA certificate that the servers show."""

    def __init__(self, folder):
        self.file, self.key = f"{folder}/certificate.pem", f"{folder}/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.key, "-out", self.file], check=True, stderr=subprocess.DEVNULL)


def floor(tools, upstream, certificate=None):
    more = ["--tls", certificate.file, certificate.key] if certificate else []
    return Server("floor", lambda port, _: [
        spawn(0, f"{tools}/floor", "--port", str(port), "--upstream", str(upstream), *more)], certificate=certificate)


def nginx(upstream, name="nginx, proxy", coding=None, certificate=None):
    tls = f"ssl_certificate {certificate.file}; ssl_certificate_key {certificate.key};" if certificate else ""
    gzip = "gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;" if coding else ""

    def start(port, folder):
        with open(f"{folder}/nginx.conf", "w") as f:
            f.write(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 20000; events {{ worker_connections 19990; }}
http {{ access_log off; {gzip} client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port} {"ssl " if tls else ""}backlog=4096; {tls} location / {{ proxy_pass http://127.0.0.1:{upstream};
proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 600s; }} }} }}""")
        return [spawn(0, shutil.which("nginx") or "/usr/sbin/nginx", "-c", f"{folder}/nginx.conf", "-p", folder)]
    return Server(name, start, coding, certificate)


def weir(binaries, upstream, name="weir serve", coding=None, certificate=None, seal=None):
    tls = f"tls: {{ certificate: {certificate.file}, key: {certificate.key} }}" if certificate else ""

    def start(port, folder):
        redis = spawn(
            1, "redis-server", "--port", "0", "--unixsocket", f"{folder}/redis.sock", "--appendonly", "yes",
            "--appendfsync", "always", "--dir", folder, "--save", "")
        while not os.path.exists(f"{folder}/redis.sock"):
            time.sleep(0.05)
        with open(f"{folder}/weir.yaml", "w") as f:
            f.write(f"""listen: 127.0.0.1:{port}
admin: 127.0.0.1:0
{tls}
access: {{ open: true }}
data: {{ directory: {folder}/data }}
redis: {{ url: "unix://{folder}/redis.sock" }}
prices: {root}/Config/prices.json
providers:
  - {{ name: bench, dialect: openai, baseURL: "http://127.0.0.1:{upstream}/v1" }}
models:
  - {{ name: bench, price: openai/gpt-4, route: [{{ provider: bench, model: bench }}] }}
""")
        return [spawn(0, f"{binaries}/weir", "serve", "--config", f"{folder}/weir.yaml",
                      log=open(f"{folder}/weir.log", "w")), redis]
    return Server(name, start, coding, certificate, seal)


def clients(a, server, upstream, *more):
    """The command of N clients of a server, of which the provider at port `upstream` is told."""
    return ([f"{a.yardstick}/loadgen", "--port", str(server.port), "-n", str(a.n), "--path", "/v1/chat/completions", "--post", BODY,
             "--ctl", str(upstream), "--cpu", "1", "--label", server.name, *more]
            + (["--header", f"Weir-Seal: {json.dumps(server.seal)}"] if server.seal else [])
            # Too busy to code an answer, Weir sends it as it is; and busy it is while all of them open.
            + (["--enc", server.coding, "--header", "Accept-Encoding: identity;q=0"] if server.coding else [])
            + (["--tls"] if server.is_secure else []))


def options(description, rate, seconds):
    """The options that every comparison has."""
    ap = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weir", required=True)
    ap.add_argument("--yardstick", required=True)
    ap.add_argument("-n", type=int, default=9900)
    ap.add_argument("--rate", type=float, default=rate)
    ap.add_argument("--seconds", type=float, default=seconds)
    ap.add_argument("--gzip", action="store_true")
    ap.add_argument("--seal", action="store_true")
    ap.add_argument("--tls", action="store_true")
    ap.add_argument("--before")
    return ap
