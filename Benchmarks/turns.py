#!/usr/bin/env python3
"""What TLS, a seal or a coding costs an event of `weir serve`, to a fraction of a µs on a machine whose speed wanders.

  python3 Benchmarks/turns.py --weir FOLDER --yardstick FOLDER [--tls] [--seal] [--gzip] [--floor] [--nginx] [--before FOLDER]
      [-n 9900] [--rate 3] [--seconds 0.3] [--turns 150]

FOLDER of --weir and --before holds a built `weir`; that of --yardstick `upstream`, `floor` and `loadgen` (see servers.py). All servers
stand on core 0 at once, each with N open streams from a provider of its own. Events flow to one after the other, for some tenths of a second
each, in an order that is turned round every time. So whatever slows the machine for longer than that meets each server alike. A
round gives one difference to the plain server beside it, and the table their median with an interval that holds it with 95 %
confidence (of the sign test: no shape of the noise is assumed). `/proc/PID/schedstat` says what CPU time a server took from the first
event of its turn until 30 ms after the last, and the provider how many events it sent.

--tls, --seal and --gzip add a `weir` with such clients beside the plain one; --floor and --nginx do the same for these.
"""
import http.client, json, math, os, signal, subprocess, sys, tempfile, time

from servers import SEAL, Certificate, clients, floor, free_port, nginx, options, wait_for, weir


class Contestant:
    """A server with its own provider, N streams open, and what its turns took."""

    def __init__(self, a, make, beside=None):
        self.upstream = free_port()
        self.provider = subprocess.Popen(
            [f"{a.yardstick}/upstream", "--port", str(self.upstream), "--rate", "0", "--tokens", "1000000000", "--cpu", "1"])
        wait_for(self.upstream)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=10)
        self.server, self.beside, self.costs, self.clients = make(self.upstream), beside, [], None
        self.name = self.server.name

    def open(self, a):
        self.server.__enter__()
        server = self.server
        self.clients = subprocess.Popen(
            clients(a, server, self.upstream, "--phases", "-:86400"), stdout=subprocess.PIPE, text=True)
        line = self.clients.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: its clients ended with {self.clients.wait()}")
        opened = json.loads(line)
        if opened["bad_status"] or opened["errors"] or opened["live"] != a.n:
            sys.exit(f"{self.name}: not all streams opened: {opened}")
        self.processes = [p.pid for p in server.processes[:1]] + children(server.processes[0].pid)

    def control(self, query=""):
        self.connection.request("GET", "/ctl" + query)
        return json.loads(self.connection.getresponse().read())

    def cpu(self):
        """Seconds, of all threads."""
        total = 0
        for process in self.processes:
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/schedstat") as f:
                    total += int(f.read().split()[0])
        return total / 1e9

    def take_turn(self, a):
        cpu, sent = self.cpu(), self.control()["emitted"]
        self.control(f"?rate={a.rate}")
        time.sleep(a.seconds)
        self.control("?rate=0")
        time.sleep(0.03)
        cpu, sent = self.cpu() - cpu, self.control()["emitted"] - sent
        if not sent:
            sys.exit(f"{self.name}: its provider sent nothing within {a.seconds:g} s; --rate or --seconds is too small")
        self.costs.append(cpu * 1e6 / sent)

    def close(self):
        if self.clients:
            self.clients.terminate()
            self.clients.wait()
            self.server.__exit__()
        self.provider.send_signal(signal.SIGTERM)
        self.provider.wait()


def children(process):
    with open(f"/proc/{process}/task/{process}/children") as f:
        return [int(child) for child in f.read().split()]


def interval(values):
    """The median, and the pair of order statistics that holds it with 95 % confidence."""
    values = sorted(values)
    count = len(values)
    below, rank = 0.0, 0
    while below + math.comb(count, rank) / 2 ** count <= 0.025:
        below += math.comb(count, rank) / 2 ** count
        rank += 1
    rank = max(rank - 1, 0)
    middle = (values[(count - 1) // 2] + values[count // 2]) / 2
    return middle, values[rank], values[count - 1 - rank]


def contestants(a, certificate):
    plain = Contestant(a, lambda port: weir(a.weir, port))
    found = [plain]

    def add(make, beside):
        found.append(Contestant(a, make, beside))
        return found[-1]
    if a.tls:
        add(lambda port: weir(a.weir, port, certificate=certificate), plain)
    if a.seal:
        add(lambda port: weir(a.weir, port, "weir serve, sealed", seal=SEAL), plain)
    if a.gzip:
        add(lambda port: weir(a.weir, port, "weir serve, gzip", "gzip"), plain)
    if a.before:
        add(lambda port: weir(a.before, port, "weir serve before"), plain)
    if a.floor:
        least = add(lambda port: floor(a.yardstick, port), None)
        if a.tls:
            add(lambda port: floor(a.yardstick, port, certificate), least)
    if a.nginx:
        proxy = add(lambda port: nginx(port), None)
        if a.tls:
            add(lambda port: nginx(port, certificate=certificate), proxy)
        if a.gzip:
            add(lambda port: nginx(port, "nginx, gzip", "gzip"), proxy)
    return found


def main():
    ap = options(__doc__, rate=3, seconds=0.3)
    ap.add_argument("--turns", type=int, default=150)
    ap.add_argument("--floor", action="store_true")
    ap.add_argument("--nginx", action="store_true")
    a = ap.parse_args()
    if a.turns < 6:
        sys.exit("--turns: an interval needs 6 at least")
    with tempfile.TemporaryDirectory() as folder:
        taking_part = contestants(a, Certificate(folder))
        try:
            for contestant in taking_part:
                print(f"opening {a.n} streams of {contestant.name}", file=sys.stderr, flush=True)
                contestant.open(a)
            # Beside the provider and the clients, not the servers.
            os.sched_setaffinity(0, {1})
            for turn in range(a.turns):
                for contestant in taking_part if turn % 2 == 0 else reversed(taking_part):
                    contestant.take_turn(a)
                if any(c.clients.poll() is not None for c in taking_part):
                    sys.exit("the clients of a server ended")
                if (turn + 1) % 20 == 0:
                    costs = ", ".join(f"{c.name} {interval(c.costs)[0]:.2f}" for c in taking_part)
                    print(f"turn {turn + 1} of {a.turns}: medians {costs} µs", file=sys.stderr, flush=True)
        finally:
            for contestant in taking_part:
                contestant.close()
    print(f"{a.n} streams of each, {a.rate:g} events/s on each stream in turns of {a.seconds:g} s, {a.turns} turns\n")
    print("| | CPU, µs per event, median | beyond plain, median | 95 % interval | of a core |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for c in taking_part:
        middle, _, _ = interval(c.costs)
        more = "– | –"
        if c.beside:
            beyond, low, high = interval([own - plain for own, plain in zip(c.costs, c.beside.costs)])
            more = f"{beyond:+.2f} | {low:+.2f} to {high:+.2f}"
        print(f"| {c.name} | {middle:.2f} | {more} | {middle * a.rate * a.n / 1e6:.0%} |")


if __name__ == "__main__":
    main()
