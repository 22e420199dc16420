"""What the ledger says, read with the databases' own programs, and whether it is what others counted."""
import collections, functools, json, os, sqlite3, subprocess

import stack as stacks
from stack import Failure

COLUMNS = [
    "number", "record_id", "connection_id", "segment", "bytes_out", "input_tokens", "output_tokens", "user",
    "gateway", "epoch", "seq", "end", "estimated",
]


class Ledger:
    """The records booked so far."""

    def __init__(self, stack):
        self.stack = stack

    def _rows(self, query):
        if self.stack.postgresql:
            run = subprocess.run(
                ["psql", self.stack.ledger_url, "-qAt", "-c", f"SELECT json_agg(t) FROM ({query}) AS t"],
                capture_output=True, text=True,
            )
            if run.returncode:
                raise Failure(f"psql: {run.stderr}")
            return json.loads(run.stdout.strip() or "null") or []
        database = sqlite3.connect(f"file:{self.stack.ledger_path}?mode=ro", uri=True, timeout=20)
        try:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]
        finally:
            database.close()

    def after(self, number):
        """Records with a higher number; each says whether it has its charge."""
        names = ", ".join(f'records."{name}" AS "{name}"' for name in COLUMNS)
        return self._rows(
            f"SELECT {names}, charges.number IS NOT NULL AS charged FROM records "
            f"LEFT JOIN charges ON charges.number = records.number "
            f"WHERE records.number > {number} ORDER BY records.number"
        )


@functools.cache
def provider_usage(model):
    """Input and output tokens that a recorded body reports, and its size; None where it reports none."""
    path = os.path.join(stacks.BODIES, model + ".sse")
    usage = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.startswith("data: {"):
                continue
            data = json.loads(line[6:])
            for place in (data, data.get("message") or {}, data.get("x_groq") or {}):
                usage.update({k: v for k, v in (place.get("usage") or {}).items() if v is not None})
    size = os.path.getsize(path)
    if "prompt_tokens" in usage:
        return (usage["prompt_tokens"], usage["completion_tokens"]), size
    if "input_tokens" in usage:
        cached = usage.get("cache_read_input_tokens", 0) + usage.get("cache_creation_input_tokens", 0)
        return (usage["input_tokens"] + cached, usage["output_tokens"]), size
    return None, size


class Findings:
    """What is not as it must be, by kind."""

    def __init__(self):
        self.lost, self.double, self.wrong = [], [], []

    def all(self):
        return [(kind, text) for kind in ("lost", "double", "wrong") for text in getattr(self, kind)]


class Checker:
    """Compares the ledger's records of a round with what clients and provider counted."""

    def __init__(self):
        self.last = 0
        self.numbers = collections.defaultdict(set)
        self.missing = set()
        self.dead = {}
        # Tokens of bodies that report none, as they were first counted.
        self.counted = {}

    def check(self, rows, clients, answers, in_flight, fault):
        findings = Findings()
        by_user = collections.defaultdict(list)
        for row in rows:
            by_user[row["user"]].append(row)
            self.last = max(self.last, row["number"])
            self._check_number(row, findings)
            if not row["charged"]:
                findings.lost.append(f"{row['record_id']} has no charge")
        self._check_gaps(findings)
        for client in clients:
            self._check_client(client, by_user.pop(client.user, []), answers, in_flight, fault, findings)
        if not fault.cuts and not any(client.end == "whole" for client in clients):
            findings.wrong.append("no stream ended normally")
        for user, rows in by_user.items():
            findings.double.append(f"{user}: {len(rows)} records of nobody, or of a round before")
        return findings

    def check_dead(self, entries, findings):
        """Takes what billing has set aside, each entry by its id."""
        for number, entry in entries.items():
            if number not in self.dead:
                findings.lost.append(f"set aside: {entry}")
        self.dead.update(entries)

    def _check_number(self, row, findings):
        numbers = self.numbers[row["gateway"], row["epoch"]]
        if row["seq"] in numbers:
            findings.double.append(f"{row['gateway']}:{row['epoch']}:{row['seq']} stands there twice")
        numbers.add(row["seq"])

    def _check_gaps(self, findings):
        for run, numbers in self.numbers.items():
            missing = {(*run, number) for number in range(1, max(numbers) + 1)} - {(*run, number) for number in numbers}
            for gap in sorted(missing - self.missing):
                findings.lost.append(f"{gap}: no record has this number")
            self.missing |= missing

    def _check_client(self, client, rows, answers, in_flight, fault, findings):
        who = f"{client.user} ({client.form} {client.model}, {client.end}, {client.received} bytes)"
        as_expected = {
            "whole": True, "left": True, "cut": fault.cuts, "refused": client.status == 503 and fault.refuses,
        }
        if not as_expected.get(client.end):
            findings.wrong.append(f"{who}: status {client.status}, the client saw it end so")
        if not rows:
            if client.stream and client.status == 200:
                findings.lost.append(f"{who}: no record")
            return
        if client.end == "refused":
            findings.wrong.append(f"{who}: a refused stream has {len(rows)} records")
        streams = {row["connection_id"] for row in rows}
        if len(streams) > 1 or client.stream and client.stream not in streams:
            findings.wrong.append(f"{who}: stream {client.stream} has records of {streams}")
        rows = sorted(rows, key=lambda row: row["segment"])
        segments = [row["segment"] for row in rows]
        if len(set(segments)) < len(segments):
            findings.double.append(f"{who}: segments {segments}")
        elif segments != list(range(len(segments))):
            findings.lost.append(f"{who}: segments {segments}")
        ends = [row["end"] for row in rows]
        if any(end not in ("interval", "period") for end in ends[:-1]) or ends[-1] in ("interval", "period"):
            findings.wrong.append(f"{who}: ends {ends}")
        self._check_amounts(client, who, rows, answers, in_flight, findings)

    def _check_amounts(self, client, who, rows, answers, in_flight, findings):
        count = sum(row["bytes_out"] for row in rows)
        last = rows[-1]
        interrupted = last["end"] == "interrupted"
        most = count + (in_flight.get(last["record_id"], 0) if interrupted else 0)
        if client.end == "left":
            if client.received > most:
                findings.lost.append(f"{who}: {count} bytes, at most {most}, in the ledger")
            return
        if client.received > most:
            findings.lost.append(f"{who}: {count} bytes, at most {most}, in the ledger")
        if client.received < count:
            findings.double.append(f"{who}: {count} bytes in the ledger")
        if client.end == "whole" and not interrupted:
            self._check_whole(client, who, rows, answers, findings)
        elif interrupted and client.end == "whole":
            # The kernel had everything, and the process ended before it knew.
            pass
        elif client.end == "cut" and not interrupted and last["end"] != "complete":
            findings.wrong.append(f"{who}: ended as {last['end']}")

    def _check_whole(self, client, who, rows, answers, findings):
        last = rows[-1]
        if last["end"] != "complete":
            findings.wrong.append(f"{who}: ended as {last['end']}")
        tokens = tuple(sum(row[name] for row in rows) for name in ("input_tokens", "output_tokens"))
        reported, size = provider_usage(client.model)
        if client.form == "whole" and not json.loads(client.body).get("usage"):
            # Some providers report usage in streams only.
            reported = None
        expected = reported or self.counted.setdefault((client.model, client.form == "whole"), tokens)
        if tokens != expected:
            kind = findings.lost if tokens < expected else findings.double
            kind.append(f"{who}: tokens {tokens}, the provider counted {expected}")
        if bool(last["estimated"]) != (reported is None):
            findings.wrong.append(f"{who}: estimated={last['estimated']}")
        answer = answers.get(client.user)
        if not answer or answer["end"] != "finished":
            findings.wrong.append(f"{who}: the provider says {answer}")
        elif client.form != "whole" and answer["bytes"] != size:
            findings.wrong.append(f"{who}: the provider sent {answer['bytes']} of {size} bytes")


def tamper(kind, rows, clients):
    """Changes what was read of the ledger, to show that the check notices."""
    whole = {client.user for client in clients if client.end == "whole"}
    victim = next((row for row in rows if row["user"] in whole and row["end"] == "complete"), None)
    if not victim:
        return False
    if kind == "lose":
        rows.remove(victim)
    elif kind == "double":
        rows.append({**victim, "record_id": victim["record_id"] + "x", "seq": victim["seq"] + 100000})
    elif kind == "bytes":
        victim["bytes_out"] += 1
    elif kind == "tokens":
        victim["output_tokens"] -= 1
    return True
