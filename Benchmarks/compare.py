#!/usr/bin/env python3
"""CPU per event and memory per stream of `weir serve`, beside nginx and beside the least that a proxy of this shape costs.

  python3 Benchmarks/compare.py --weir FOLDER --yardstick FOLDER [-n 9900] [--rate 5] [--seconds 10] [--blocks 2] [--gzip | --seal | --tls]
      [--before FOLDER] [--only floor,weir]

FOLDER of --weir holds the built `weir`; that of --yardstick three programs: `upstream` (a provider of OpenAI chat streaming
whose rate is set while it runs), `floor` (epoll, one read and one write per event, nothing looked at) and `loadgen` (N streams;
a JSON line per phase with the server's CPU per event). The server runs on core 0, provider, clients and Redis on core 1. The
servers take turns, A B C A B C, so that a drift of the machine meets all of them; compare within one run only.

--gzip puts each of weir and nginx beside itself with clients that accept gzip: what a coded stream costs over a plain one.
--seal puts weir beside itself with clients that ask for sealed events (X25519, AES-256-GCM).
--before FOLDER holds an earlier build of `weir` that takes part.
--tls runs each server again with TLS 1.3 towards its clients; a second table says what that costs beyond plain.
"""
import json, os, signal, subprocess, sys, tempfile

from servers import SEAL, Certificate, clients, floor, free_port, nginx, options, wait_for, weir


def measure(a, server, upstream):
    run = subprocess.run(
        clients(a, server, upstream, "--pids", str(server.processes[0].pid), "--phases", f"{a.rate}:{a.seconds}"),
        stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    opened = next(line for line in lines if line["mode"] == "open")
    phase = next((line for line in lines if line["mode"] == "phase"), None)
    if not phase or opened["bad_status"] or opened["errors"] or phase["closed"]:
        print(f"{server.name}: the run is not clean and does not count: {opened} {phase}", file=sys.stderr)
        return None
    return opened, phase


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def print_pairs(a, results):
    """Each server's coded or sealed streams beside its plain ones; memory is read after the events, when histories are filled."""
    def of(name, key):
        return median([phase[key] for _, phase in results[name]])
    print(f"{a.n} streams, {a.rate:g} events/s on each for {a.seconds:g} s, median of {a.blocks} blocks\n")
    print("| | CPU, µs per event | over plain | bytes per event | memory per stream over plain, B | p50 / p99, ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for plain, coded in zip(list(results)[::2], list(results)[1::2]):
        for name in (plain, coded):
            cpu, memory = of(name, "server_cpu_us_per_event"), of(name, "pss_kb") * 1024 / a.n
            more = median([c["server_cpu_us_per_event"] - p["server_cpu_us_per_event"]
                           for (_, p), (_, c) in zip(results[plain], results[coded])])
            extra = memory - of(plain, "pss_kb") * 1024 / a.n
            p50, p99 = (median([p["latency_us"][q] / 1000 for _, p in results[name]]) for q in ("p50", "p99"))
            print(f"| {name} | {cpu:.2f} | {'–' if name == plain else f'{more:+.2f}'} | {of(name, 'wire_bytes_per_event'):.0f} | "
                  f"{'–' if name == plain else f'{extra:+.0f}'} | {p50:.2f} / {p99:.2f} |")


def print_cost_of_tls(results):
    """What TLS costs beyond plain, block by block, of which the median counts."""
    print("\n| TLS beyond plain | CPU, µs per event | KiB per stream | CPU per connect, µs |")
    print("| --- | ---: | ---: | ---: |")
    for name in [name for name in results if not name.endswith(", TLS")]:
        pairs = list(zip(results[name], results.get(name + ", TLS", [])))
        if not pairs:
            continue
        cpu = median([s["server_cpu_us_per_event"] - p["server_cpu_us_per_event"] for (_, p), (_, s) in pairs])
        kib = median([(s["pss_per_conn_b"] - p["pss_per_conn_b"]) / 1024 for (p, _), (s, _) in pairs])
        connect = median([s["server_cpu_us_per_conn"] - p["server_cpu_us_per_conn"] for (p, _), (s, _) in pairs])
        print(f"| {name} | {cpu:+.2f} | {kib:+.1f} | {connect:+.0f} |")


def main():
    ap = options(__doc__, rate=5, seconds=10)
    ap.add_argument("--blocks", type=int, default=2)
    ap.add_argument("--only", help="parts of the names of the servers that take part, such as floor,weir")
    a = ap.parse_args()
    port = free_port()
    provider = subprocess.Popen(
        [f"{a.yardstick}/upstream", "--port", str(port), "--rate", "0", "--tokens", "1000000000", "--cpu", "1"])
    try:
        wait_for(port)
        servers = [floor(a.yardstick, port), weir(a.weir, port)]
        if a.gzip:
            servers = [weir(a.weir, port), weir(a.weir, port, "weir serve, gzip", "gzip")]
        if a.seal:
            servers = [weir(a.weir, port), weir(a.weir, port, "weir serve, sealed", seal=SEAL)]
        elif a.before:
            servers.append(weir(a.before, port, "weir serve before"))
        if os.path.exists("/usr/sbin/nginx") and not a.seal:
            servers.append(nginx(port))
            if a.gzip:
                servers.append(nginx(port, "nginx, gzip", "gzip"))
        folder = tempfile.TemporaryDirectory()
        if a.tls:
            certificate = Certificate(folder.name)
            servers += [floor(a.yardstick, port, certificate), weir(a.weir, port, certificate=certificate)]
            if os.path.exists("/usr/sbin/nginx"):
                servers.append(nginx(port, certificate=certificate))
        if a.only:
            servers = [server for server in servers if any(name in server.name for name in a.only.split(","))]
        results = {server.name: [] for server in servers}
        for block in range(a.blocks):
            for server in servers:
                with server:
                    result = measure(a, server, port)
                if not result:
                    continue
                results[server.name].append(result)
                _, phase = result
                print(f"block {block + 1}: {server.name}: {phase['server_cpu_us_per_event']:.2f} µs per event, "
                      f"p99 {phase['latency_us']['p99']:.0f} µs", file=sys.stderr, flush=True)
        if a.gzip or a.seal:
            return print_pairs(a, results)
        floors = results.get("floor") or []
        base = median([p["server_cpu_us_per_event"] for _, p in floors]) if floors else float("nan")
        print(f"{a.n} streams, {a.rate:g} events/s on each for {a.seconds:g} s, median of {a.blocks} blocks\n")
        print("| | CPU, µs per event | × floor | user / system | KiB per stream | p50 / p99, ms | CPU per connect, µs |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name, runs in [(name, runs) for name, runs in results.items() if runs]:
            cpu = median([p["server_cpu_us_per_event"] for _, p in runs])
            user = median([p["server_user_s"] / max(p["events"], 1) * 1e6 for _, p in runs])
            kib = median([o["pss_per_conn_b"] / 1024 for o, _ in runs])
            p50 = median([p["latency_us"]["p50"] / 1000 for _, p in runs])
            p99 = median([p["latency_us"]["p99"] / 1000 for _, p in runs])
            connect = median([o["server_cpu_us_per_conn"] for o, _ in runs])
            print(f"| {name} | {cpu:.2f} | {cpu / base:.2f} | {user:.2f} / {cpu - user:.2f} | {kib:.1f} | {p50:.2f} / {p99:.2f} | {connect:.0f} |")
        if a.tls:
            print_cost_of_tls(results)
    finally:
        provider.send_signal(signal.SIGTERM)
        provider.wait()


main()
