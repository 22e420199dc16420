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
        let commands = meterRecords(1..<count + 1).map { record in
            let words = record.fields.flatMap { [$0.name, $0.value] }
            return RedisCommand(["XADD", MeterStreams.key(0), "*"] + words)
        }
        for reply in try await probe.send(commands) { #expect(reply.refusal == nil) }
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
