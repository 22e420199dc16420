import Metering
import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

/// A Redis of its own with a reactor, and what tests need on top of them.
struct MeterBench {
    let server: RedisServer
    let reactor: ReactorThread
    /// For commands of the test itself.
    let probe: RedisConnection

    static func run(
        options: [String] = [],
        _ body: (MeterBench) async throws -> Void
    ) async throws {
        let server = try RedisServer(options: options)
        try await withReactor { _, reactor in
            let probe = RedisConnection(to: try RedisURL(parsing: server.url), on: reactor)
            let bench = MeterBench(server: server, reactor: reactor, probe: probe)
            do {
                try await body(bench)
                await probe.close()
            } catch {
                await probe.close()
                throw error
            }
        }
    }

    func connection() throws -> RedisConnection {
        RedisConnection(to: try RedisURL(parsing: server.url), on: reactor)
    }

    func writer(_ settings: MeterWriterSettings = MeterWriterSettings()) throws -> MeterWriter {
        MeterWriter(to: try connection(), on: reactor, settings: settings)
    }

    func deadline(in duration: Duration) -> MonotonicTime { reactor.preciseNow + duration }

    /// Lends a reader to `body` and closes its connection.
    func withReader<Result>(
        _ consumer: String = "one",
        partition: Int = 0,
        claimAfter: Duration = .seconds(60),
        _ body: (MeterReader) async throws -> Result
    ) async throws -> Result {
        var settings = MeterReaderSettings(consumer: consumer)
        settings.blockTime = .milliseconds(100)
        settings.claimAfter = claimAfter
        settings.claimInterval = .zero
        let connection = try connection()
        let reader = MeterReader(
            partition: partition,
            from: connection,
            on: reactor,
            settings: settings
        )
        do {
            let result = try await body(reader)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Stores records as a gateway does.
    func fill(_ count: Int) async throws {
        let writer = try writer()
        #expect(writer.accept(meterRecords(1..<count + 1)))
        #expect(await writer.flush(until: deadline(in: .seconds(20))).isEmpty)
    }

    /// Lends a keeper to `body` and closes its connection.
    func withKeeper<Result>(
        _ name: String = "one",
        _ change: (inout MeterKeeperSettings) -> Void = { _ in },
        _ body: (MeterKeeper) async throws -> Result
    ) async throws -> Result {
        var settings = MeterKeeperSettings(name: name)
        settings.retain = .zero
        change(&settings)
        let connection = try connection()
        let keeper = MeterKeeper(over: connection, on: reactor, settings: settings)
        do {
            let result = try await body(keeper)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    @discardableResult
    func command(_ words: String...) async throws -> RedisValue {
        try await probe.send(RedisCommand(words), within: .seconds(20))
    }
}

/// Makes numbered records of a few accounts.
func meterRecords(_ numbers: Range<Int>, accounts: Int = 1) -> [UsageRecord] {
    numbers.map { number in
        var record = UsageRecord()
        record.recordID = "gw:1:\(number)"
        record.accountID = "account-\(number % accounts)"
        record.connectionID = "c\(number)"
        record.model = "openai/gpt-4"
        record.gateway = "gw"
        record.epoch = 1
        record.sequence = Int64(number)
        return record
    }
}

extension MeterReader {
    /// Says that entries are stored.
    func acknowledge(_ entryIDs: [String]) async throws {
        var settled = SettledRecords()
        settled.stored = entryIDs
        #expect(try await settle(settled) == nil)
    }

    /// Reads and acknowledges until nothing comes any more.
    func drain() async throws -> [DeliveredRecord] {
        var all: [DeliveredRecord] = []
        while true {
            let records = try await next(limit: 500, waits: true)
            guard !records.isEmpty else { return all }
            all += records
            try await acknowledge(records.map(\.entryID))
        }
    }
}

struct MeterWriterTests {
    @Test func `records arrive whole and in order`() async throws {
        try await MeterBench.run { bench in
            let writer = try bench.writer()
            let records = meterRecords(1..<3_001)
            #expect(writer.accept(records))
            #expect(await writer.flush(until: bench.deadline(in: .seconds(20))).isEmpty)
            #expect(writer.counts.sent == 3_000)
            #expect(writer.counts.queued == 0)

            let read = try await bench.withReader { try await $0.drain() }
            #expect(read.map { $0.fields["record_id"] } == records.map(\.recordID))
            let wanted = Dictionary(
                uniqueKeysWithValues: records[7].fields.map { ($0.name, $0.value) }
            )
            #expect(read[7].fields == wanted)
            #expect(read[7].receivedAtMilliseconds > 1_600_000_000_000)
        }
    }

    @Test func `accounts are spread over partitions and keep their order`() async throws {
        let streams = MeterStreams(partitionCount: 3)
        try await MeterBench.run { bench in
            var settings = MeterWriterSettings()
            settings.streams = streams
            let writer = try bench.writer(settings)
            let records = meterRecords(0..<300, accounts: 20)
            #expect(writer.accept(records))
            #expect(await writer.flush(until: bench.deadline(in: .seconds(20))).isEmpty)

            for partition in 0..<3 {
                let read = try await bench.withReader(partition: partition) {
                    try await $0.drain()
                }
                let wanted = records.filter { streams.partition(of: $0.accountID) == partition }
                #expect(read.map { $0.fields["record_id"] } == wanted.map(\.recordID))
                #expect(!read.isEmpty)
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
            let writer = try bench.writer()
            for round in 0..<4 {
                for part in 0..<20 {
                    let start = round * 2_000 + part * 100
                    #expect(writer.accept(meterRecords(start..<(start + 100))))
                    await Task.yield()
                }
                bench.server.kill()
                #expect(writer.accept(meterRecords((8_000 + round)..<(8_001 + round))))
                try bench.server.start()
            }
            #expect(await writer.flush(until: bench.deadline(in: .seconds(60))).isEmpty)

            let read = try await bench.withReader { try await $0.drain() }
            var byID: [String: [String: String]] = [:]
            for record in read {
                let id = try #require(record.fields["record_id"])
                #expect(byID[id] == nil || byID[id] == record.fields)
                byID[id] = record.fields
            }
            #expect(Set(byID.keys) == Set(meterRecords(0..<8_004).map(\.recordID)))
        }
    }

    @Test func `records wait while redis refuses them`() async throws {
        try await MeterBench.run { bench in
            try await bench.command("CONFIG", "SET", "maxmemory", "1")
            let writer = try bench.writer()
            #expect(writer.accept(meterRecords(0..<10)))
            while writer.counts.retries == 0 { await Task.yield() }
            #expect(writer.counts.lastFailure?.hasPrefix("OOM") == true)
            #expect(writer.counts.queued == 10)

            try await bench.command("CONFIG", "SET", "maxmemory", "0")
            #expect(await writer.flush(until: bench.deadline(in: .seconds(20))).isEmpty)
            let read = try await bench.withReader { try await $0.drain() }
            #expect(read.count == 10)
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
            let writer = try bench.writer(settings)
            #expect(writer.accept(records))
            while writer.counts.sent < records.count - blocked.count { await Task.yield() }

            let rest = await writer.flush(until: bench.deadline(in: .milliseconds(50)))
            #expect(rest.map(\.recordID) == blocked.map(\.recordID))
        }
    }

    @Test func `with too many waiting new streams and then records are refused`() async throws {
        let folder = try ScratchFolder()
        try await withReactor { _, reactor in
            var settings = MeterWriterSettings()
            settings.recordLimit = 10
            settings.refusalLimit = 8
            let url = try RedisURL(parsing: "unix://\(folder.path("none"))")
            let writer = MeterWriter(
                to: RedisConnection(to: url, on: reactor),
                on: reactor,
                settings: settings
            )

            #expect(writer.accept(meterRecords(0..<7)))
            #expect(writer.refusal == nil)
            #expect(writer.accept(meterRecords(7..<12)))
            #expect(writer.refusal == "12 usage records wait for Redis")
            #expect(!writer.accept(meterRecords(12..<13)))

            let rest = await writer.flush(until: reactor.preciseNow + .milliseconds(50))
            #expect(rest.map(\.recordID) == meterRecords(0..<12).map(\.recordID))
            #expect(!writer.accept(meterRecords(12..<13)))
            #expect(writer.refusal == "metering is stopping")
        }
    }
}
