"""The processes that faults are put into: Redis, a replaying provider, gateway, billers, a database."""
import glob, hashlib, json, os, re, shutil, signal, socket, struct, subprocess, threading, time, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BODIES = os.path.join(ROOT, "Tests", "Fixtures", "streams")
# Name, dialect, events in a second. With usage and without, short and longer than the interval.
MODELS = [
    ("openai/chat-two-choices-usage", "openai", "openai/gpt-4"),
    ("openai/chat-long-text-no-usage", "openai", "openai/gpt-4"),
    ("groq/chat-xgroq-usage", "openai", "openai/gpt-3.5-turbo"),
    ("anthropic/text-emoji", "anthropic", "anthropic/claude-3-sonnet"),
    ("anthropic/thinking", "anthropic", "anthropic/claude-3-sonnet"),
]
ACCOUNTS = ["ann", "bob", "cid"]
PARTITIONS = range(2)


class Failure(Exception):
    """Something that must not happen, in words."""


def wait_for(what, probe, seconds=60):
    """Returns what `probe` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s in vain for {what}")
        time.sleep(0.03)


class Program:
    """A process whose output goes to files; dead is what a `kill -9` leaves."""

    def __init__(self, name, arguments, folder, environment=None, user=None):
        self.name, self.output = name, os.path.join(folder, name + ".out")
        self.errors = os.path.join(folder, name + ".err")
        inherited = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "DATABASE_URL")}
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=open(self.output, "w"), user=user,
            stderr=open(self.errors, "a"), env={**inherited, **(environment or {})}, cwd=ROOT,
        )

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=40):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} did not end within {seconds} s")

    def says(self, pattern):
        def probe():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended: {tail(self.errors)}")
            found = re.search(pattern, open(self.output).read())
            return found and found.group(1)
        return wait_for(f"{self.name} to say {pattern}", probe)


def tail(path, count=800):
    try:
        return open(path, errors="replace").read()[-count:]
    except OSError:
        return ""


class Redis:
    """A server with an append-only file that is synced every second, on a Unix socket."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = os.path.join(folder, "redis.sock")
        self.sizes = []
        self.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def start(self):
        self.program = Program("redis", [
            "redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "",
            "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
        ], self.folder)
        wait_for("redis", lambda: self.command("PING") == "PONG")

    def command(self, *words):
        run = subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True)
        return run.stdout.strip()

    def records(self):
        """The meter records that it has."""
        return [entry for stream in PARTITIONS for entry in self._entries(f"weir:meter:{stream}").values()]

    def rejected(self):
        """What billing has set aside, by stream and id."""
        return {
            f"{stream} {number}": entry
            for stream in PARTITIONS for number, entry in self._entries(f"weir:dead:{stream}").items()
        }

    def _entries(self, stream):
        reply = self.command("--json", "-3", "XRANGE", stream, "-", "+")
        return {number: dict(zip(words[::2], words[1::2])) for number, words in json.loads(reply or "[]")}

    def cut(self, seconds):
        """Cuts off what was written in the last seconds; it must be dead."""
        then = time.monotonic() - seconds
        path, size = self._log()
        before = [known for at, name, known in self.sizes if name == path and at <= then]
        kept = before[-1] if before else 0
        os.truncate(path, kept)
        return size - kept

    def _log(self):
        paths = sorted(glob.glob(os.path.join(self.folder, "appendonlydir", "*.incr.aof")))
        return paths[-1], os.path.getsize(paths[-1])

    def _watch(self):
        while True:
            try:
                self.sizes = self.sizes[-200:] + [(time.monotonic(), *self._log())]
            except (OSError, IndexError):
                pass
            time.sleep(0.05)


class Disk:
    """A small file system in memory, which can be filled; a plain folder where mounting is not allowed."""

    def __init__(self, path, size):
        self.path = path
        os.mkdir(path)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], capture_output=True)
        self.is_small = mounted.returncode == 0

    def fill(self):
        with open(os.path.join(self.path, "filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(os.path.join(self.path, "filler"))

    def close(self):
        if self.is_small:
            subprocess.run(["umount", "-l", self.path])


class PostgreSQL:
    """A server of its own; as root it runs as `postgres`, which is what it insists on."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "pg")
        os.mkdir(self.folder)
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        self.binaries = binaries[-1] if binaries else ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", self.folder + "/data", "-A", "trust", "-U", "weir", "--no-sync")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "weir", "weir")
        self.url = f"postgresql://weir@127.0.0.1:{self.port}/weir"

    def _run(self, name, *arguments):
        path = os.path.join(self.binaries, name)
        run = subprocess.run([path, *arguments], capture_output=True, text=True, user=self.user, cwd="/")
        if run.returncode:
            raise Failure(f"{name}: {run.stderr}")

    def start(self):
        self._run("pg_ctl", "-D", self.folder + "/data", "-w", "-l", self.folder + "/log", "-o",
                  f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1", "start")

    def stop(self, mode):
        self._run("pg_ctl", "-D", self.folder + "/data", "-w", "-m", mode, "stop")

    def close(self):
        self.stop("immediate")


class Stack:
    """Everything together, in a folder of its own."""

    def __init__(self, binaries, folder, ledger):
        self.binaries, self.folder, self.number = binaries, folder, 0
        self.gateway = self.redis = self.replay = self.postgresql = None
        self.billers, self.disks = [], []
        try:
            self._start(ledger)
        except BaseException:
            self.close()
            raise

    def _start(self, ledger):
        folder, binaries = self.folder, self.binaries
        self.slots = os.path.join(folder, "slots")
        os.mkdir(self.slots)
        for name, size in (("disk", "24m"), ("books", "96m")):
            self.disks.append(Disk(os.path.join(folder, name), size))
        self.disk, self.ledger_disk = self.disks
        self.clock = os.path.join(folder, "clock")
        self.redis = Redis(folder)
        self.replay = Program("replay", [
            os.path.join(binaries, "weir-replay"), "--listen", "127.0.0.1:0", "--dir", BODIES, "--pace", "150",
        ], folder)
        self.provider = self.replay.says(r"listening on (http://\S+)")
        self.postgresql = PostgreSQL(folder) if ledger == "postgresql" else None
        self.ledger_path = os.path.join(self.ledger_disk.path, "ledger.db")
        self.ledger_url = self.postgresql.url if self.postgresql else "sqlite:" + self.ledger_path
        self.configuration = os.path.join(folder, "weir.yaml")
        with open(self.configuration, "w") as file:
            file.write(self._configuration())
        self.start_gateway()
        self.add_biller()
        self.add_biller()

    def _configuration(self):
        accounts = "".join(
            f"  - {{ id: {name}, country: FR, keys: [{{ id: {name}-1, sha256: {hashlib.sha256(key_of(name).encode()).hexdigest()} }}] }}\n"
            for name in ACCOUNTS
        )
        models = "".join(
            f'  - {{ name: "{name}", price: "{price}", route: [{{ provider: {dialect}, model: "{name}" }}] }}\n'
            for name, dialect, price in MODELS
        )
        return f"""listen: 127.0.0.1:0
admin: 127.0.0.1:0
data: {{ directory: "{self.disk.path}/data" }}
redis: {{ url: "unix://{self.redis.socket}" }}
ledger: {{ url: "{self.ledger_url}" }}
metering: {{ interval: 1s, partitions: {len(PARTITIONS)}, slots: "{self.slots}" }}
billing: {{ takeover: 1s, batch: 20 }}
stream: {{ resumeWindow: 1s }}
prices: "{ROOT}/Config/prices.json"
accounts:
{accounts}providers:
  - {{ name: openai, dialect: openai, baseURL: "{self.provider}/v1" }}
  - {{ name: anthropic, dialect: anthropic, baseURL: "{self.provider}/v1" }}
models:
{models}"""

    def _weir(self, name, *arguments, environment=None):
        path = os.path.join(self.binaries, "weir")
        return Program(name, [path, *arguments, "--config", self.configuration], self.folder, environment)

    def start_gateway(self, clock=None):
        """Starts it, where `clock` is given with a wall clock of its own, which is off by so many seconds."""
        environment = None
        if clock is not None:
            self.set_clock(clock)
            environment = {"LD_PRELOAD": self._clock_library(), "WEIR_CLOCK": self.clock}
        self.gateway = self._weir("gateway", "serve", environment=environment)
        self.address = ("127.0.0.1", int(self.gateway.says(r"listening on http://127.0.0.1:(\d+)")))
        self.admin = self.gateway.says(r"admin and metrics on (\S+)")
        self.gateway.says(r"(running|curl )")

    def set_clock(self, seconds):
        with open(self.clock, "r+b" if os.path.exists(self.clock) else "wb") as file:
            file.write(struct.pack("d", seconds))

    def _clock_library(self):
        library = os.path.join(self.folder, "clock.so")
        if not os.path.exists(library):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c")
            subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        return library

    def add_biller(self):
        self.number += 1
        # A private folder: two of them are two machines.
        biller = self._weir(f"biller{self.number}", "bill", "--data", f"{self.folder}/b{self.number}")
        self.billers.append(biller)
        # One that finds no ledger when it starts ends at once, and says why.
        biller.says("(running)")

    def metrics(self):
        """What the gateway says of itself, by name."""
        text = urllib.request.urlopen(self.admin + "/metrics", timeout=10).read().decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def answers(self):
        """What the provider counted, by user."""
        reply = urllib.request.urlopen(self.provider + "/answers", timeout=10).read()
        return {answer["user"]: answer for answer in json.loads(reply)}

    def verify(self):
        """The books recomputed by `weir ledger verify`."""
        command = [os.path.join(self.binaries, "weir"), "ledger", "verify", "--config", self.configuration]
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        if run.returncode:
            raise Failure(f"weir ledger verify: {run.stdout[-600:]}{run.stderr[-600:]}")
        return run.stdout.strip().splitlines()[-1]

    def close(self):
        for program in [self.gateway, *self.billers, self.replay, self.redis and self.redis.program]:
            if program:
                program.signal(signal.SIGCONT)
                program.kill()
        if self.postgresql:
            self.postgresql.close()
        for disk in self.disks:
            disk.close()


def key_of(account):
    return f"weir-fault-key-of-{account}"
