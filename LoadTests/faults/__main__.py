#!/usr/bin/env python3
"""Puts faults into a running Weir and compares the ledger, record by record, with what clients and provider counted.

  python3 LoadTests/faults --binaries FOLDER [--seed N] [--faults N] [--streams N] [--ledger sqlite|postgresql]
                           [--only TEXT] [--tamper lose|double|bytes|tokens]

FOLDER holds the built `weir` and `weir-replay`. Each round starts streams of every form (some of whose clients leave),
harms one part while they run, lets everything recover, waits until the gateway holds no record any more, and checks:
- no record and no segment twice, no number of a gateway's run missing, a charge for each record, nothing rejected;
- streams that ended normally: bytes as their client counted, tokens as the provider reported, every body sent whole;
- streams of a killed gateway: ledger <= received <= ledger + in_flight; clients that left: received <= ledger.
At the end `weir ledger verify` recomputes the books. Exit status 1 when anything is lost, double or otherwise wrong.
Small disks need root, clocks clang: kinds that are not possible here are named. --tamper changes what was read of
the ledger before one check: the run must then fail.
"""
import argparse, asyncio, collections, os, random, shutil, signal, sys, tempfile, time

import books, kinds
from clients import Client
from stack import ACCOUNTS, Failure, MODELS, Stack, key_of, tail, wait_for

FORMS = ["chat", "chat", "events", "whole"]


class Runner:
    def __init__(self, options, stack):
        self.options, self.stack = options, stack
        self.random = random.Random(options.seed)
        self.checker, self.ledger = books.Checker(), books.Ledger(stack)
        self.round = 0
        self.table = collections.defaultdict(collections.Counter)
        self.slowest = collections.defaultdict(float)
        self.tampering = options.tamper
        self.findings = []

    def new_clients(self, count):
        self.round += 1
        for number in range(count):
            form, model = self.random.choice(FORMS), self.random.choice(MODELS)[0]
            leaves = self.random.randrange(200, 3000) if self.random.random() < 0.15 and form != "whole" else None
            yield Client(f"r{self.round}.{number}", model, form, leaves)

    async def play(self, fault):
        """One round; returns how many faults it was."""
        clients = list(self.new_clients(self.options.streams * fault.crowd))
        await asyncio.to_thread(fault.before, self.stack)
        tasks = [asyncio.create_task(self.ask(client, self.random.uniform(0, 0.5))) for client in clients]
        harm = asyncio.create_task(asyncio.to_thread(fault.harm, self.stack, random.Random(self.random.random())))
        await asyncio.wait([harm])
        # A full disk or store stays so until the streams are over.
        await asyncio.gather(*tasks)
        await asyncio.to_thread(fault.after, self.stack)
        count = harm.result()
        start = time.monotonic()
        await asyncio.to_thread(wait_for, "every record to be released", self.is_settled)
        self.slowest[fault.name] = max(self.slowest[fault.name], time.monotonic() - start)
        self.check(fault, clients, count)
        return count

    async def ask(self, client, delay):
        await asyncio.sleep(delay)
        await client.run(self.stack.address, key_of(self.random.choice(ACCOUNTS)))

    def is_settled(self):
        for biller in self.stack.billers:
            if biller.process.poll() is not None:
                raise Failure(f"{biller.name} ended: {tail(biller.errors)}")
        figures = self.stack.metrics()
        return figures["weir_meter_slots_used"] == 0 and figures["weir_spool_records"] == 0

    def check(self, fault, clients, count):
        rows = self.ledger.after(self.checker.last)
        if self.tampering and books.tamper(self.tampering, rows, clients):
            self.tampering = None
        flights = {}
        if fault.cuts:
            for entry in self.stack.redis.records():
                flights[entry["record_id"]] = int(entry.get("in_flight", 0))
        findings = self.checker.check(rows, clients, self.stack.answers(), flights, fault)
        self.checker.check_dead(self.stack.redis.rejected(), findings)
        self.note(fault, clients, rows, findings, count)

    def note(self, fault, clients, rows, findings, count):
        line = self.table[fault.name]
        line.update({
            "faults": count, "streams": len({row["user"] for row in rows}), "records": len(rows),
            "interrupted": sum(row["end"] == "interrupted" for row in rows),
            "lost": len(findings.lost), "double": len(findings.double), "wrong": len(findings.wrong),
        })
        line.update(f"client {client.end}" for client in clients)
        for kind, text in findings.all():
            self.findings.append(f"round {self.round}, {fault.name}: {kind}: {text}")
            print(self.findings[-1], flush=True)

    async def run(self):
        possible = [kind for kind in kinds.ALL if kind.is_possible(self.stack)]
        for kind in kinds.ALL:
            if kind not in possible:
                print(f"not possible here: {kind.name}", flush=True)
        chosen = [kind for kind in possible if self.options.only in kind.name]
        count = 0
        while count < self.options.faults:
            turn = chosen[:]
            self.random.shuffle(turn)
            for fault in turn:
                if count >= self.options.faults:
                    break
                count += await self.play(fault)
                print(f"{count} faults: {fault.name}", file=sys.stderr, flush=True)
        return count


COLUMNS = [
    ("faults", "faults"), ("streams", "streams"), ("whole", "client whole"), ("left", "client left"),
    ("cut", "client cut"), ("refused", "client refused"), ("records", "records"), ("interrupted", "interrupted"),
    ("lost", "lost"), ("double", "double"), ("wrong", "wrong"),
]


def print_table(runner):
    total = collections.Counter()
    print("| fault | " + " | ".join(title for title, _ in COLUMNS) + " | settled within |")
    print("| --- |" + " ---: |" * (len(COLUMNS) + 1))
    for name, line in sorted(runner.table.items()):
        total.update(line)
        cells = " | ".join(str(line[key]) for _, key in COLUMNS)
        print(f"| {name} | {cells} | {runner.slowest[name]:.1f} s |")
    cells = " | ".join(str(total[key]) for _, key in COLUMNS)
    print(f"| all | {cells} | {max(runner.slowest.values(), default=0):.1f} s |")


def run(options, folder):
    stack = None
    try:
        stack = Stack(os.path.abspath(options.binaries), folder, options.ledger)
        runner = Runner(options, stack)
        start = time.monotonic()
        try:
            count = asyncio.run(runner.run())
        finally:
            print_table(runner)
        print(f"weir ledger verify: {stack.verify()}")
        print(f"seed {options.seed}, {options.ledger}: {count} faults in {time.monotonic() - start:.0f} s, "
              f"{len(runner.findings)} findings")
        return 1 if runner.findings else 0
    except Failure as failure:
        print(f"faults: {failure}")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".err"):
                print(f"--- {name}\n{tail(os.path.join(folder, name), 1500)}")
        return 1
    finally:
        if stack:
            stack.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=220)
    parser.add_argument("--streams", type=int, default=12)
    parser.add_argument("--ledger", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--only", default="")
    parser.add_argument("--tamper", choices=["lose", "double", "bytes", "tokens"])
    options = parser.parse_args()
    # Children inherit what is blocked; whoever started this may block what ends them.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    # Short: the path of a Unix socket has 107 bytes at most.
    folder = tempfile.mkdtemp(prefix="wf-", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        return run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
