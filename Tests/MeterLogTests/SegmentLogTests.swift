import Glibc
import MeterLog
import Metering
import StreamBytes
import TestSupport
import Testing

struct SegmentLogTests {
    private let storage = MemoryStorage()

    private func open(
        at time: WallTime = noon,
        limit: Int = 1 << 30
    ) throws -> SegmentLog {
        var settings = SegmentLogSettings()
        settings.byteLimit = limit
        return try SegmentLog(in: storage, gateway: "gw", at: time, settings: settings)
    }

    @Test func `records come back whole, numbered and in order`() throws {
        var log = try open()
        var full = sampleRecord(2)
        full.usage = TokenUsage()
        full.usage?.input = 12
        full.usage?.cacheWrite = .max
        full.isUsageEstimated = true
        full.latency = LatencySummary(mean: 3, minimum: 0, p95: 4, p99: nil, maximum: 6)
        full.firstTokenMicroseconds = 0
        full.inFlightBytes = 0
        full.user = "ü\n"
        full.purpose = "chat"
        full.end = .interrupted
        full.isExcludedFromSLA = true
        full.coding = "gzip"
        full.startedAtMilliseconds = -5

        #expect(try log.append([sampleRecord(1), full], at: noon) == 2)
        #expect(try log.append([sampleRecord(3)], at: noon) == 3)

        var expected = [sampleRecord(1), full, sampleRecord(3)]
        for index in expected.indices {
            expected[index].gateway = "gw"
            expected[index].epoch = noon.milliseconds
            expected[index].sequence = Int64(index) + 1
        }
        #expect(try log.readAll() == expected.map(BacklogEntry.record))
        #expect(log.waitingCount == 3)
    }

    @Test func `an earlier run's records keep their numbers and come first`() throws {
        do {
            var log = try open()
            try log.append([sampleRecord(1), sampleRecord(2)], at: noon)
        }

        var log = try open(at: WallTime(milliseconds: noon.milliseconds + 5))
        try log.append([sampleRecord(3)], at: noon)

        let entries = try log.readAll()
        #expect(entries.recordIDs == (1...3).map { sampleRecord($0).recordID })
        #expect(entries.sequences == [1, 2, 1])
        #expect(log.finding.waitingCount == 2)
        #expect(
            log.waitingRuns.map(\.run.epoch) == [noon.milliseconds, noon.milliseconds + 5]
        )
    }

    @Test func `a run's number is new although the clock was set back`() throws {
        var first = try open()
        try first.append([sampleRecord(1)], at: noon)
        try first.release(first.run, through: 1)

        var second = try open(at: WallTime(milliseconds: 5))
        #expect(second.run.epoch == noon.milliseconds + 1)
        try second.append([sampleRecord(2)], at: WallTime(milliseconds: 5))
        try second.release(second.run, through: 1)

        let third = try open(at: WallTime(milliseconds: 6))
        #expect(third.run.epoch == noon.milliseconds + 2)
    }

    @Test func `what is released is read no more and its files go`() throws {
        var log = try open(limit: 1 << 20)
        for number in 1...2_000 { try log.append([sampleRecord(number)], at: noon) }
        let before = storage.files.count
        #expect(before > 3)

        try log.release(log.run, through: 1_500)

        #expect(storage.files.count < before)
        #expect(log.waitingCount == 500)
        #expect(try log.readAll(limit: 100).sequences == Array(1_501...2_000))
        var again = try open(limit: 1 << 20)
        #expect(try again.readAll(limit: 100).sequences == Array(1_501...2_000))
        let run = try #require(again.waitingRuns.first?.run)
        try again.release(run, through: 2_000)
        #expect(again.waitingCount == 0)
        #expect(storage.files.count == 1)
    }

    @Test func `a release beyond the last record releases nothing that comes later`() throws {
        var log = try open()
        try log.append([sampleRecord(1)], at: noon)
        try log.release(log.run, through: 1_000)
        try log.release(GatewayRun(gateway: "other", epoch: 1), through: 5)
        try log.append([sampleRecord(2)], at: noon)

        #expect(try log.readAll().sequences == [2])
    }

    @Test func `without the file of releases everything comes again`() throws {
        var log = try open()
        try log.append([sampleRecord(1), sampleRecord(2)], at: noon)
        try log.release(log.run, through: 1)
        storage.savedRelease[0] ^= 1

        var again = try open()
        #expect(try again.readAll().sequences == [1, 2])
    }

    @Test func `a full spool takes nothing more until something is released`() throws {
        var log = try open(limit: 1 << 20)
        var stored = 0
        let refused = #expect(throws: SpoolError.self) {
            while true {
                try log.append([sampleRecord(stored + 1)], at: noon)
                stored += 1
            }
        }
        #expect(refused == .full(limit: 1 << 20))
        #expect(log.byteCount <= 1 << 20)
        #expect(log.byteCount > 1_000_000)

        try log.release(log.run, through: Int64(stored) / 2)
        try log.append([sampleRecord(stored + 1)], at: noon)
        #expect(try log.readAll(limit: 500).sequences.last == Int64(stored) + 1)
    }

    @Test(arguments: [StorageError.Operation.write, .sync, .create])
    func `a failed append changes nothing and can be repeated`(
        operation: StorageError.Operation
    ) throws {
        var log = try open()
        if operation != .create { try log.append([sampleRecord(1)], at: noon) }
        let earlier = Int(log.lastSequence)
        storage.failures[operation] = EIO
        #expect(throws: SpoolError.storage(StorageError(operation, "1", EIO))) {
            try log.append([sampleRecord(earlier + 1), sampleRecord(earlier + 2)], at: noon)
        }
        #expect(log.waitingCount == Int64(earlier))
        #expect(log.lastSequence == Int64(earlier))

        try log.append([sampleRecord(earlier + 1)], at: noon)
        try log.append([sampleRecord(earlier + 2)], at: noon)

        let wanted = (1...(earlier + 2)).map { sampleRecord($0).recordID }
        #expect(try log.readAll().recordIDs == wanted)
        var again = try open()
        #expect(try again.readAll().recordIDs == wanted)
        #expect(again.finding.damagedCount == 0)
    }

    @Test func `after a failed sync the same pages are never synced again`() throws {
        var log = try open()
        try log.append([sampleRecord(1)], at: noon)
        storage.failures[.sync] = EIO
        #expect(throws: SpoolError.self) { try log.append([sampleRecord(2)], at: noon) }
        let left = storage.files[1]?.stored

        try log.append([sampleRecord(2)], at: noon)

        #expect(storage.files[1]?.stored == left)
        #expect(storage.files.count == 2)
    }

    @Test func `a full disk is named and passes`() throws {
        var log = try open()
        try log.append([sampleRecord(1)], at: noon)
        storage.room = (storage.files[1]?.bytes.count ?? 0) + 10
        #expect(throws: SpoolError.storage(StorageError(.write, "1", ENOSPC))) {
            try log.append([sampleRecord(2)], at: noon)
        }
        storage.room = .max
        try log.append([sampleRecord(2)], at: noon)
        #expect(try log.readAll().sequences == [1, 2])
    }

    @Test func `the age is that of the oldest record that waits`() throws {
        var log = try open()
        let none = log.oldestAt
        #expect(none == nil)
        for second in 0..<5_000 {
            let time = WallTime(milliseconds: noon.milliseconds + Int64(second) * 1_000)
            try log.append([sampleRecord(second)], at: time)
        }
        let first = log.oldestAt
        #expect(first == noon)
        try log.release(log.run, through: 4_000)
        let oldest = log.oldestAt
        let age = (oldest?.milliseconds ?? 0) - noon.milliseconds
        #expect((3_950_000...4_000_000).contains(age))
        try log.release(log.run, through: 5_000)
        let last = log.oldestAt
        #expect(last == nil)
    }
}
