import Glibc
import MeterLog
import Metering
import Reactor
import StreamBytes
import Telemetry
import TestSupport
import Testing

/// Keeps the lines of a log.
final class KeptLog: LogSink {
    private let kept = Guarded<[LogLine]>([])

    func write(_ line: LogLine) { kept.withLock { $0.append(line) } }

    var events: [String] { kept.withLock { $0.map(\.event) } }

    /// What a field says in all lines of an event.
    func values(_ name: String, in event: String) -> [LogLine.Value] {
        kept.withLock { lines in
            lines.filter { $0.event == event }.compactMap { line in
                line.fields.first { $0.name == name }?.value
            }
        }
    }
}

/// Finished records in memory.
final class QueuedRecords: FinishedRecords {
    private let records = Guarded<[UsageRecord]>([])
    private let action = Guarded<@Sendable () -> Void>({})

    func whenMore(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }

    func append(_ new: [UsageRecord]) {
        records.withLock { $0 += new }
        action.withLock(\.self)()
    }

    func oldest(limit: Int) -> [UsageRecord] { records.withLock { Array($0.prefix(limit)) } }

    func drop(first count: Int) { records.withLock { $0.removeFirst(count) } }
}

struct SpoolTests {
    private let folder: ScratchFolder
    private let queue = QueuedRecords()
    private let log = KeptLog()

    init() throws { folder = try ScratchFolder() }

    /// Lends a spool in the folder, and closes it.
    private func withSpool(
        byteLimit: Int = 1 << 30,
        interval: Duration = .zero,
        in name: String = "spool",
        _ body: (Spool) async throws -> Void
    ) async throws {
        var settings = SpoolSettings(folder: folder.path(name), gateway: "gw")
        settings.byteLimit = byteLimit
        settings.interval = interval
        let thread = try BlockingThread(name: "test-spool")
        let spool = Spool(on: thread, from: queue, settings: settings, output: log)
        queue.whenMore { [weak spool] in spool?.recordsAreWaiting() }
        let opening = Task {
            while await spool.open() == nil { try? await Task.sleep(for: .milliseconds(1)) }
        }
        let running = Task { await spool.run() }
        let outcome: Result<Void, any Error>
        do {
            try await body(spool)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        opening.cancel()
        running.cancel()
        await opening.value
        await running.value
        await spool.close()
        try outcome.get()
    }

    private func readAll(_ spool: Spool) async throws -> [BacklogEntry] {
        var all: [BacklogEntry] = []
        while true {
            let part = try await spool.next(limit: 100)
            guard !part.isEmpty else { return all }
            all += part
        }
    }

    @Test func `records are stored and come back in the next life`() async throws {
        try await withSpool { spool in
            for number in 1...500 { queue.append([sampleRecord(number)]) }
            try await eventually { spool.status.storedCount == 500 }
            #expect(queue.oldest(limit: 1).isEmpty)
            #expect(spool.status.waitingCount == 500)
            #expect(spool.refusal == nil)
            let entries = try await readAll(spool)
            #expect(entries.sequences == Array(1...500))
            let run = try #require(await spool.waitingRuns().first?.run)
            try await spool.release(run, through: 200)
            #expect(spool.status.waitingCount == 300)
        }
        try await withSpool { spool in
            queue.append([sampleRecord(501)])
            try await eventually { spool.status.storedCount == 1 }
            let entries = try await readAll(spool)
            #expect(entries.sequences == Array(201...500) + [1])
            #expect(await spool.waitingRuns().map(\.released) == [200, 0])
        }
        #expect(log.values("waiting", in: "spool_opened") == [.integer(0), .integer(300)])
    }

    @Test func `what is read is told when more has come`() async throws {
        try await withSpool { spool in
            let growth = AsyncStream<Void>.makeStream()
            spool.onGrowth { growth.continuation.yield() }
            queue.append([sampleRecord(1)])
            var growths = growth.stream.makeAsyncIterator()
            await growths.next()
            let first = try await spool.next(limit: 10)
            let none = try await spool.next(limit: 10)
            queue.append([sampleRecord(2)])
            await growths.next()
            let second = try await spool.next(limit: 10)
            await spool.rewind()
            let both = try await spool.next(limit: 10)
            #expect(first.sequences == [1])
            #expect(none.isEmpty)
            #expect(second.sequences == [2])
            #expect(both.sequences == [1, 2])
        }
    }

    @Test func `records that come within the interval are stored together`() async throws {
        try await withSpool(interval: .milliseconds(50)) { spool in
            for number in 1...200 { queue.append([sampleRecord(number)]) }
            try await eventually { spool.status.storedCount == 200 }
            #expect(spool.status.storeTimes.count < 10)
        }
    }

    @Test func `what waits is stored when the spool closes`() async throws {
        try await withSpool(interval: .seconds(10)) { _ in
            queue.append([sampleRecord(1)])
        }
        try await withSpool { spool in
            try await eventually { spool.status.waitingCount == 1 }
        }
    }

    @Test func `a folder that cannot be made refuses new streams until it can`() async throws {
        try await withSpool(in: "missing/spool") { spool in
            queue.append([sampleRecord(1)])
            try await eventually { spool.status.problem != nil }
            #expect(spool.refusal?.hasPrefix("usage cannot be stored: cannot create ") == true)
            #expect(spool.refusal?.contains("No such file or directory") == true)
            #expect(spool.status.level == .full)
            #expect(queue.oldest(limit: 9).count == 1)
            #expect(try await spool.next(limit: 1).isEmpty)

            #expect(unsafe mkdir(folder.path("missing"), 0o700) == 0)
            try await eventually { spool.status.storedCount == 1 }
            #expect(spool.refusal == nil)
            #expect(spool.status.level == .normal)
        }
        #expect(log.events == ["spool_level", "spool_opened", "spool_level"])
    }

    @Test func `a spool that fills up says so at each level, refuses, and goes on`()
        async throws
    {
        try await withSpool(byteLimit: 1 << 20) { spool in
            try await eventually { spool.refusal == nil }
            var number = 0
            while spool.refusal == nil {
                queue.append((number..<(number + 100)).map(sampleRecord))
                number += 100
                let stored = Int64(number)
                try await eventually {
                    spool.status.storedCount == stored || spool.refusal != nil
                }
            }
            #expect(
                spool.refusal
                    == "usage cannot be stored: the spool is full: it may hold 1048576 bytes"
            )
            let levels: [LogLine.Value] = [.text("half"), .text("high"), .text("full")]
            #expect(log.values("level", in: "spool_level") == levels)
            #expect(!queue.oldest(limit: 1_000).isEmpty)

            let run = try #require(await spool.waitingRuns().first?.run)
            try await spool.release(run, through: spool.status.storedCount)
            try await eventually { spool.refusal == nil && queue.oldest(limit: 1).isEmpty }
            #expect(spool.status.storedCount == Int64(number))
            #expect(log.values("level", in: "spool_level").last == .text("normal"))
        }
    }

    @Test func `files and folder are for the user alone`() async throws {
        try await withSpool { spool in
            queue.append([sampleRecord(1)])
            try await eventually { spool.status.storedCount == 1 }
        }
        var status = stat()
        #expect(unsafe stat(folder.path("spool"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        let file = folder.path("spool/0000000000000001.segment")
        #expect(unsafe stat(file, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func `a level is left only when clearly less is used`() {
        var level = SpoolLevel.normal
        let expected: [(permille: Int, level: SpoolLevel)] = [
            (499, .normal), (500, .half), (451, .half), (450, .half), (449, .normal), (800, .high),
            (750, .high), (749, .half), (800, .high), (300, .normal),
        ]
        for step in expected {
            level = level.next(atPermille: step.permille)
            #expect(level == step.level, "\(step.permille)")
        }
        #expect(SpoolLevel.full.next(atPermille: 100) == .normal)
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
