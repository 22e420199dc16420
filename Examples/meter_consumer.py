"""Reads meter records from Weir's Redis streams, for those who bill elsewhere.

    pip install redis
    python3 Examples/meter_consumer.py --redis redis://127.0.0.1:6379/0 --partitions 1 \
        --group elsewhere --store records.db

Name the group in `metering.groups`, so that nothing is trimmed that it has not acknowledged. Where it
takes the place of `weir bill`, set `metering.acknowledge: committed` and add --in-place-of-weir: then
it tells in `weir:committed` what gateways may forget, and puts into `weir:dead:<p>` what it refuses.

A record may be delivered more than once: after a crash between storing and acknowledging, and when
Redis lost something and gateways send again. So storing is idempotent by `record_id`, everything of a
batch is one transaction, and only what is stored for good is acknowledged. The form of a record is in
Examples/meter_record.schema.json.

Ends with SIGTERM or SIGINT after the batch in hand, and with --until-idle when nothing more comes; its
last line on standard output is what it did, as JSON.
"""

import argparse
import json
import re
import signal
import sqlite3
import sys
import time

import redis

IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
IDENTIFIERS = ("record_id", "account_id", "connection_id", "gateway")
NUMBERS = (
    "segment", "ended_at_ms", "duration_ms", "bytes_out", "input_tokens", "output_tokens",
    "downtime_ms", "busy_ms", "epoch", "seq",
)

TABLES = """
    CREATE TABLE IF NOT EXISTS records (
        record_id TEXT PRIMARY KEY, account_id TEXT NOT NULL, model TEXT NOT NULL,
        ended_at_ms INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
        bytes_out INTEGER NOT NULL, received_at_ms INTEGER NOT NULL, fields TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS refused (
        entry TEXT PRIMARY KEY, reason TEXT NOT NULL, fields TEXT NOT NULL);
    -- Which numbers of a gateway's run are done, beyond those up to `through`.
    CREATE TABLE IF NOT EXISTS done (
        run TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, through INTEGER NOT NULL);
"""


def refusal(fields):
    """Says why a record cannot be taken; None when it can."""
    # In place of a record that was damaged before it could be sent; records have a `lost` too.
    if "lost" in fields and fields.keys().isdisjoint(("record_id", "end")):
        return "lost: " + fields["lost"]
    if fields.get("v") != "1":
        return "unknown_version: v"
    for name in IDENTIFIERS:
        if not IDENTIFIER.fullmatch(fields.get(name, "")):
            return "malformed: " + name
    for name in NUMBERS:
        if not NUMBER.fullmatch(fields.get(name, "")) or int(fields[name]) >= 1 << 63:
            return "malformed: " + name
    if not fields.get("model"):
        return "malformed: model"
    return None


def origin(fields):
    """The run of a gateway and the number in it; None where the record does not say so properly."""
    if not all(IDENTIFIER.fullmatch(fields.get(name, "")) for name in ("gateway", "epoch")):
        return None
    if not NUMBER.fullmatch(fields.get("seq", "")) or not 0 < int(fields["seq"]) < 1 << 63:
        return None
    return f"{fields['gateway']}:{fields['epoch']}", int(fields["seq"])


# What passes by itself: Redis is away, loads its file, has no memory, or is no master just now.
WAITING = (
    redis.ConnectionError, redis.TimeoutError, redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
)


class Store:
    """What was read, on disk: a commit returns when it is there for good."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.executescript(TABLES)

    def take(self, stream, entries):
        """Stores a batch in one transaction.

        Returns how many were new, how many were known, those that are refused with their reasons, and
        the runs that got on with the number up to which each is done without a gap.
        """
        new, known, refused, runs = 0, 0, [], set()
        self.database.execute("BEGIN IMMEDIATE")
        try:
            for entry, fields in entries:
                reason = refusal(fields)
                if reason is None:
                    is_new, reason = self._add(entry, fields)
                    new += is_new
                    known += not is_new and reason is None
                if reason is not None:
                    refused.append((entry, fields, reason))
                    self.database.execute(
                        "INSERT OR IGNORE INTO refused VALUES (?, ?, ?)",
                        (f"{stream} {entry}", reason, json.dumps(fields, sort_keys=True)),
                    )
                if (place := origin(fields)) is not None:
                    runs.add(place[0])
                    self._mark(*place)
            committed = {run: self._advance(run) for run in runs}
            self.database.execute("COMMIT")
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        return new, known, refused, {run: through for run, through in committed.items() if through}

    def _add(self, entry, fields):
        text = json.dumps(fields, sort_keys=True)
        added = self.database.execute(
            "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fields["record_id"], fields["account_id"], fields["model"],
                int(fields["ended_at_ms"]), int(fields["input_tokens"]),
                int(fields["output_tokens"]), int(fields["bytes_out"]),
                int(entry.split("-")[0]), text,
            ),
        ).rowcount
        if added == 1:
            return True, None
        query = "SELECT fields FROM records WHERE record_id = ?"
        stored = self.database.execute(query, (fields["record_id"],)).fetchone()[0]
        return False, None if stored == text else "duplicate_conflict: record_id"

    def _through(self, run):
        row = self.database.execute("SELECT through FROM runs WHERE run = ?", (run,)).fetchone()
        return row[0] if row else 0

    def _mark(self, run, number):
        if number > self._through(run):
            self.database.execute("INSERT OR IGNORE INTO done VALUES (?, ?)", (run, number))

    def _advance(self, run):
        through = start = self._through(run)
        rows = self.database.execute("SELECT seq FROM done WHERE run = ? ORDER BY seq", (run,))
        for (number,) in rows:
            if number != through + 1:
                break
            through = number
        if through > start:
            self.database.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (run, through))
            self.database.execute("DELETE FROM done WHERE run = ? AND seq <= ?", (run, through))
        return through


class Consumer:
    def __init__(self, options):
        self.options = options
        self.redis = redis.Redis.from_url(
            options.redis, decode_responses=True, socket_timeout=30, health_check_interval=10
        )
        self.store = Store(options.store)
        self.streams = [f"weir:meter:{number}" for number in range(options.partitions)]
        self.done = {"stored": 0, "duplicates": 0, "refused": 0, "taken_over": 0, "deleted": 0}
        self.stopping = False
        self.claim_at = 0.0

    def stop(self, *_):
        self.stopping = True

    def run(self):
        idle_since, wait = time.monotonic(), 0.1
        is_fresh = True
        while not self.stopping:
            try:
                if is_fresh:
                    self._join()
                    self._read_own()
                    is_fresh = False
                count = self._take_over() + self._read_new()
                wait = 0.1
            except WAITING as error:
                print(f"waiting for Redis: {error}", file=sys.stderr)
                time.sleep(wait)
                wait = min(wait * 2, 5.0)
                # What was in hand is pending, and is read again.
                is_fresh, count = True, 1
            except redis.ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                # Somebody removed the group, or Redis lost it: reading twice is cheap.
                is_fresh, count = True, 1
            if count:
                idle_since = time.monotonic()
            limit = self.options.until_idle
            if limit is not None and time.monotonic() - idle_since >= limit:
                break
        return self.done

    def _join(self):
        for stream in self.streams:
            try:
                self.redis.xgroup_create(stream, self.options.group, id="0", mkstream=True)
            except redis.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def _read(self, streams, **further):
        return self.redis.xreadgroup(
            self.options.group, self.options.consumer, streams, count=self.options.batch, **further
        )

    def _read_own(self):
        """Takes what this consumer was given before and never acknowledged."""
        for stream in self.streams:
            place = "0"
            while not self.stopping:
                entries = [entry for _, part in self._read({stream: place}) for entry in part]
                if not entries:
                    break
                place = entries[-1][0]
                self._settle(stream, entries)

    def _take_over(self):
        """Takes what another consumer left for longer than --take-over seconds."""
        now = time.monotonic()
        if now < self.claim_at:
            return 0
        idle, count = int(self.options.take_over * 1000), 0
        for stream in self.streams:
            start = "0-0"
            while not self.stopping:
                start, entries, deleted = self.redis.xautoclaim(
                    stream, self.options.group, self.options.consumer, idle,
                    start_id=start, count=self.options.batch,
                )
                self._note_deleted(stream, deleted)
                self.done["taken_over"] += len(entries)
                count += len(entries)
                self._settle(stream, entries)
                if start == "0-0":
                    break
        # Where everything is young, the next look may wait.
        self.claim_at = now + self.options.take_over / 2
        return count

    def _read_new(self):
        count = 0
        for stream, entries in self._read(dict.fromkeys(self.streams, ">"), block=500):
            count += len(entries)
            self._settle(stream, entries)
        return count

    def _settle(self, stream, entries):
        """Stores, then says so, then acknowledges: in this order a crash loses nothing."""
        if not entries:
            return
        # An entry that was removed while it was pending comes without fields.
        self._note_deleted(stream, [entry for entry, fields in entries if not fields])
        present = [(entry, fields) for entry, fields in entries if fields]
        new, known, refused, committed = self.store.take(stream, present)
        self.done["stored"] += new
        self.done["duplicates"] += known
        self.done["refused"] += len(refused)
        if self.options.in_place_of_weir:
            self._tell(stream, refused, committed)
        self.redis.xack(stream, self.options.group, *[entry for entry, _ in entries])

    def _note_deleted(self, stream, entries):
        if entries:
            self.done["deleted"] += len(entries)
            print(f"{stream}: removed before they were read: {entries}", file=sys.stderr)

    def _tell(self, stream, refused, committed):
        with self.redis.pipeline(transaction=False) as commands:
            for entry, fields, reason in refused:
                words = {"reason": reason, "entry_id": entry}
                for name, value in fields.items():
                    words[f"record.{name}" if name in words else name] = value
                commands.xadd(stream.replace(":meter:", ":dead:"), words)
            if committed:
                commands.hset("weir:committed", mapping=committed)
            commands.execute()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--redis", required=True, help="redis://, rediss:// or unix://")
    parser.add_argument("--partitions", type=int, default=1, help="metering.partitions")
    parser.add_argument("--group", default="elsewhere")
    parser.add_argument("--consumer", default="consumer-1", help="one name for each process")
    parser.add_argument("--store", required=True, help="a SQLite file")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--take-over", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--until-idle", type=float, metavar="SECONDS")
    parser.add_argument("--in-place-of-weir", action="store_true")
    consumer = Consumer(parser.parse_args())
    signal.signal(signal.SIGTERM, consumer.stop)
    signal.signal(signal.SIGINT, consumer.stop)
    print(json.dumps(consumer.run()))


if __name__ == "__main__":
    main()
