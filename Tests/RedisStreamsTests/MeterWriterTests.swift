import Metering
import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

private let run = GatewayRun(gateway: "gw", epoch: 1)

extension MeterBench {
    /// Lends a writer that sends what `backlog` holds.
    func withWriter(
        of backlog: MemoryBacklog,
        _ settings: MeterWriterSettings = MeterWriterSettings(),
        _ body: (MeterWriter) async throws -> Void
    ) async throws {
        var settings = settings
        settings.poll = .milliseconds(10)
        let writer = MeterWriter(
            from: backlog,
            to: try connection(),
            on: reactor,
            settings: settings
        )
        let running = Task { await writer.run() }
        let outcome: Result<Void, any Error>
        do {
            try await body(writer)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await writer.stop()
        await running.value
        try outcome.get()
    }

    /// Every entry of a partition, in order.
    func entries(_ partition: Int = 0) async throws -> [[String: String]] {
        let reply = try await command("XRANGE", MeterStreams.key(partition), "-", "+")
        return reply.elements.map { entry in
            let words = entry.elements.last?.elements.compactMap(\.text) ?? []
            let pairs = stride(from: 0, to: words.count - 1, by: 2).map {
                (words[$0], words[$0 + 1])
            }
            return Dictionary(uniqueKeysWithValues: pairs)
        }
    }

    /// How often the server was asked something.
    func callCount(of command: String) async throws -> Int {
        let text = try await self.command("INFO", "commandstats").text ?? ""
        let line = text.split(whereSeparator: \.isNewline).first {
            $0.hasPrefix("cmdstat_\(command):calls=")
        }
        let number = line?.split(separator: "=").dropFirst().first?.prefix { $0.isNumber }
        return number.flatMap { Int($0) } ?? 0
    }

    func recordIDs(_ partition: Int = 0) async throws -> [String] {
        try await entries(partition).compactMap { $0["record_id"] }
    }
}

/// Waits until it holds, at most a long time.
func eventually(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<100_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(1))
    }
    Issue.record("it never came to hold")
}

struct MeterWriterTests {
    private let backlog = MemoryBacklog()

    @Test func `records arrive whole and in order`() async throws {
        try await MeterBench.run { bench in
            let records = meterRecords(1..<1_501)
            backlog.append(records)
            try await bench.withWriter(of: backlog) { writer in
                await writer.drain(until: bench.deadline(in: .seconds(120)))
                #expect(writer.counts.sent == 1_500)
                #expect(writer.counts.lastFailure == nil)
            }
            let entries = try await bench.entries()
            let areInOrder = entries.map { $0["record_id"] } == records.map(\.recordID)
            #expect(areInOrder)
            let wanted = records[7].fields.map { ($0.name, $0.value) }
            #expect(
                entries.dropFirst(7).first == Dictionary(uniqueKeysWithValues: wanted)
            )
        }
    }

    @Test func `what comes later is sent at once`() async throws {
        try await MeterBench.run { bench in
            var settings = MeterWriterSettings()
            settings.releasesWhenStored = true
            try await bench.withWriter(of: backlog, settings) { writer in
                for number in 1...200 {
                    backlog.append(meterRecords(number..<(number + 1)))
                    if number % 50 == 0 { try await eventually { writer.counts.sent == number } }
                }
                try await eventually { backlog.released(run) == 200 }
            }
            #expect(try await bench.recordIDs() == meterRecords(1..<201).map(\.recordID))
        }
    }

    @Test func `accounts are spread over partitions and keep their order`() async throws {
        let streams = MeterStreams(partitionCount: 3)
        try await MeterBench.run { bench in
            var settings = MeterWriterSettings()
            settings.streams = streams
            let records = meterRecords(0..<300, accounts: 20)
            backlog.append(records)
            try await bench.withWriter(of: backlog, settings) { writer in
                await writer.drain(until: bench.deadline(in: .seconds(120)))
            }
            for partition in 0..<3 {
                let wanted = records.filter { streams.partition(of: $0.accountID) == partition }
                #expect(try await bench.recordIDs(partition) == wanted.map(\.recordID))
                #expect(!wanted.isEmpty)
            }
        }
    }

    @Test func `the partition of an account never changes`() {
        let streams = MeterStreams(partitionCount: 1_000)
        #expect(streams.partition(of: "") == 37)
        #expect(streams.partition(of: "acme") == 87)
    }

    @Test func `nothing is lost when redis is killed and comes back`() async throws {
        try await MeterBench.run { bench in
            try await bench.withWriter(of: backlog) { writer in
                for round in 0..<4 {
                    for part in 0..<20 {
                        let start = round * 2_000 + part * 100
                        backlog.append(meterRecords(start..<(start + 100)))
                        await Task.yield()
                    }
                    bench.server.kill()
                    backlog.append(meterRecords((8_000 + round)..<(8_001 + round)))
                    try bench.server.start()
                }
                await writer.drain(until: bench.deadline(in: .seconds(120)))
            }
            let entries = try await bench.entries()
            var byID: [String: [String: String]] = [:]
            for entry in entries {
                let id = try #require(entry["record_id"])
                #expect(byID[id] == nil || byID[id] == entry)
                byID[id] = entry
            }
            let numbers = (0..<4).flatMap { Array(($0 * 2_000)..<($0 * 2_000 + 2_000)) }
            let wanted = numbers + Array(8_000..<8_004)
            #expect(
                Set(byID.keys)
                    == Set(wanted.flatMap { meterRecords($0..<($0 + 1)).map(\.recordID) })
            )
        }
    }

    @Test func `records wait while redis has no memory for them`() async throws {
        try await MeterBench.run { bench in
            try await bench.command("CONFIG", "SET", "maxmemory", "1")
            backlog.append(meterRecords(0..<10))
            try await bench.withWriter(of: backlog) { writer in
                try await eventually { writer.counts.retries > 0 }
                #expect(writer.counts.lastFailure?.hasPrefix("OOM") == true)
                #expect(writer.counts.sent == 0)

                try await bench.command("CONFIG", "SET", "maxmemory", "0")
                await writer.drain(until: bench.deadline(in: .seconds(120)))
                #expect(writer.counts.lastFailure == nil)
            }
            #expect(try await bench.recordIDs() == meterRecords(0..<10).map(\.recordID))
        }
    }

    @Test func `one refusing partition does not hold up the others`() async throws {
        try await MeterBench.run { bench in
            let streams = MeterStreams(partitionCount: 2)
            let records = meterRecords(0..<40, accounts: 20)
            let blocked = records.filter { streams.partition(of: $0.accountID) == 0 }
            try await bench.command("SET", MeterStreams.key(0), "no stream")
            var settings = MeterWriterSettings()
            settings.streams = streams
            settings.batchLimit = 8
            backlog.append(records)
            try await bench.withWriter(of: backlog, settings) { writer in
                try await eventually { writer.counts.sent == records.count - blocked.count }
                #expect(writer.counts.lastFailure?.hasPrefix("WRONGTYPE") == true)

                try await bench.command("DEL", MeterStreams.key(0))
                await writer.drain(until: bench.deadline(in: .seconds(120)))
            }
            #expect(try await bench.recordIDs(0) == blocked.map(\.recordID))
        }
    }

    @Test func `little is read ahead while redis is away`() async throws {
        let folder = try ScratchFolder()
        try await withReactor { _, reactor in
            var settings = MeterWriterSettings()
            settings.batchLimit = 16
            settings.queueLimit = 64
            settings.timeout = .milliseconds(20)
            settings.longestBackoff = .milliseconds(1)
            let url = try RedisURL(parsing: "unix://\(folder.path("none"))")
            let writer = MeterWriter(
                from: backlog,
                to: RedisConnection(to: url, on: reactor),
                on: reactor,
                settings: settings
            )
            backlog.append(meterRecords(1..<10_001))
            let running = Task { await writer.run() }
            try await eventually { writer.counts.retries > 500 }
            #expect(backlog.readCount <= 64)
            #expect(writer.counts.lastFailure != nil)
            await writer.drain(until: reactor.preciseNow + .milliseconds(20))
            await writer.stop()
            await running.value
        }
    }

    @Test func `a lost number is sent without a record`() async throws {
        try await MeterBench.run { bench in
            let records = meterRecords(1..<4)
            backlog.append([
                .record(records[0]), .lost(run, sequence: 2), .record(records[2]),
            ])
            try await bench.withWriter(of: backlog) { writer in
                await writer.drain(until: bench.deadline(in: .seconds(120)))
            }
            let entries = try await bench.entries()
            #expect(entries.map { $0["seq"] } == ["1", "2", "3"])
            let lost = try #require(entries.dropFirst().first)
            #expect(lost["record_id"] == nil)
            #expect(lost["gateway"] == "gw")
            #expect(lost["epoch"] == "1")
            #expect(lost["lost"] != nil)
        }
    }
}

/// When a record may be forgotten, and when it has to be sent again.
struct MeterReleaseTests {
    private let backlog = MemoryBacklog()

    @Test func `records are released as far as the ledger says`() async throws {
        try await MeterBench.run { bench in
            backlog.append(meterRecords(1..<6))
            try await bench.withWriter(of: backlog) { writer in
                try await eventually { writer.counts.sent == 5 }
                #expect(backlog.released(run) == 0)
                try await bench.command("HSET", MeterStreams.committedKey, "gw:1", "3")
                try await eventually { backlog.released(run) == 3 }
                try await bench.command("HSET", MeterStreams.committedKey, "gw:1", "5")
                try await eventually { backlog.released(run) == 5 }
                #expect(writer.counts.losses == 0)
            }
        }
    }

    @Test func `with redis as the end of the way a record is released when it is stored`()
        async throws
    {
        try await MeterBench.run { bench in
            var settings = MeterWriterSettings()
            settings.releasesWhenStored = true
            backlog.append(meterRecords(1..<6))
            try await bench.withWriter(of: backlog, settings) { _ in
                try await eventually { backlog.released(run) == 5 }
            }
        }
    }

    @Test func `a redis that comes back empty gets everything that the ledger has not`()
        async throws
    {
        try await MeterBench.run { bench in
            backlog.append(meterRecords(1..<101))
            try await bench.withWriter(of: backlog) { writer in
                try await eventually { writer.counts.sent == 100 }
                try await bench.command("HSET", MeterStreams.committedKey, "gw:1", "40")
                try await eventually { backlog.released(run) == 40 }

                bench.server.kill()
                try bench.server.forgetEverything()
                try bench.server.start()

                try await eventually { writer.counts.losses == 1 && writer.counts.sent == 160 }
                let ids = try await bench.recordIDs()
                #expect(ids == meterRecords(41..<101).map(\.recordID))
            }
        }
    }

    @Test func `a redis that lost its last writes gets them again`() async throws {
        try await MeterBench.run { bench in
            backlog.append(meterRecords(1..<101))
            try await bench.withWriter(of: backlog) { writer in
                try await eventually { writer.counts.sent == 100 }

                bench.server.kill()
                try bench.server.cutLog(byteCount: 2_000)
                try bench.server.start()

                try await eventually { writer.counts.losses == 1 && writer.counts.sent == 200 }
                let ids = try await bench.recordIDs()
                #expect(Set(ids) == Set(meterRecords(1..<101).map(\.recordID)))
                #expect(ids.count < 200)
            }
        }
    }

    @Test func `streams that were emptied while redis runs are filled again`() async throws {
        try await MeterBench.run { bench in
            backlog.append(meterRecords(1..<11))
            try await bench.withWriter(of: backlog) { writer in
                try await eventually { writer.counts.sent == 10 }
                try await bench.command("FLUSHALL")
                try await eventually { writer.counts.sent == 20 }
                #expect(writer.counts.losses == 1)
            }
            #expect(try await bench.recordIDs() == meterRecords(1..<11).map(\.recordID))
        }
    }

    @Test func `entries that the ledger has may be trimmed`() async throws {
        try await MeterBench.run { bench in
            backlog.append(meterRecords(1..<11))
            try await bench.withWriter(of: backlog) { writer in
                try await eventually { writer.counts.sent == 10 }
                try await bench.command("HSET", MeterStreams.committedKey, "gw:1", "10")
                try await bench.command("XTRIM", MeterStreams.key(0), "MAXLEN", "0")
                try await eventually { backlog.released(run) == 10 }
                backlog.append(meterRecords(11..<12))
                try await eventually { writer.counts.sent == 11 }
                #expect(writer.counts.losses == 0)
            }
        }
    }

    @Test func `a record that vanished before the ledger had it is sent again after a while`()
        async throws
    {
        try await MeterBench.run { bench in
            var settings = MeterWriterSettings()
            settings.patience = .milliseconds(50)
            backlog.append(meterRecords(1..<4))
            try await bench.withWriter(of: backlog, settings) { writer in
                try await eventually { writer.counts.sent == 3 }
                let key = MeterStreams.key(0)
                let first = try await bench.command("XRANGE", key, "-", "+", "COUNT", "1")
                let id = try #require(first.elements.first?.elements.first?.text)
                try await bench.command("XDEL", key, id)
                try await bench.command("XGROUP", "CREATE", key, "billing", "0")
                // While it waits to be read there is nothing to conclude.
                try await eventually { try await bench.callCount(of: "xinfo|groups") > 3 }
                #expect(writer.counts.losses == 0)

                let read = try await bench.command(
                    "XREADGROUP",
                    "GROUP",
                    "billing",
                    "c",
                    "STREAMS",
                    key,
                    ">"
                )
                #expect(!read.elements.isEmpty)
                let all = try await bench.command("XRANGE", key, "-", "+")
                for entry in all.elements {
                    let id = try #require(entry.elements.first?.text)
                    try await bench.command("XACK", key, "billing", id)
                }

                try await eventually { writer.counts.losses >= 1 && writer.counts.sent >= 6 }
                #expect(try await bench.recordIDs().contains(meterRecords(1..<2)[0].recordID))
            }
        }
    }
}
