import Glibc
import MeterLog
import Metering
import Reactor
import StreamBytes
import Telemetry
import TestSupport
import Testing

/// One run after another over the same folder of data.
struct SlotRecoveryTests {
    private let folder: ScratchFolder
    private let log = KeptLog()

    init() throws { folder = try ScratchFolder() }

    private var slotSettings: SlotSettings {
        SlotSettings(folder: folder.path, gateway: "gw", streamLimit: 20)
    }

    /// A run that is started and never stopped in an orderly way.
    private struct Run {
        let slots = MeterSlots()
        let spool: Spool
        let recovery: SlotRecovery
        private let thread: BlockingThread

        init(_ folder: ScratchFolder, _ settings: SlotSettings, _ log: KeptLog) throws {
            thread = try BlockingThread(name: "test-spool")
            let spool = SpoolSettings(folder: folder.path("spool"), gateway: "gw")
            self.spool = Spool(on: thread, from: slots, settings: spool, output: log)
            slots.connect(to: self.spool)
            recovery = SlotRecovery(
                on: thread,
                opening: slots,
                and: self.spool,
                settings: settings,
                output: log
            )
        }

        func records() async throws -> [UsageRecord] {
            await spool.rewind()
            return try await spool.next(limit: 10_000).compactMap { entry in
                guard case .record(let record) = entry else { return nil }
                return record
            }
        }

        /// Leaves everything as a kill would.
        func end() { thread.stop() }
    }

    private func start() throws -> Run { try Run(folder, slotSettings, log) }

    @Test func `what a killed run left is recovered once`() async throws {
        let first = try start()
        #expect(await first.recovery.attempt())
        var running = try #require(first.slots.begin(opening(1)))
        first.slots.save(counters(3), in: &running)
        let ended = try #require(first.slots.begin(opening(2)))
        var record = opening(2)
        record.bytesOut = 77
        first.slots.finish(record, in: ended)
        let stored = try #require(first.slots.begin(opening(3)))
        first.slots.finish(opening(3), in: stored)
        first.end()

        let second = try start()
        #expect(await second.recovery.attempt())
        let recovered = try await second.records()
        #expect(Set(recovered.map(\.recordID)) == Set((1...3).map { opening($0).recordID }))
        #expect(recovered.map(\.sequence) == [1, 2, 3])
        #expect(recovered.first { $0.end == .interrupted }?.bytesOut == 3_000_009)
        #expect(recovered.contains { $0.bytesOut == 77 })
        var counts = RecoveredCounts()
        counts.interrupted = 1
        counts.finished = 2
        #expect(second.recovery.counts == counts)
        #expect(second.slots.use.used == 0)
        second.end()

        let third = try start()
        #expect(await third.recovery.attempt())
        #expect(third.recovery.counts == RecoveredCounts())
        let again = try await third.records()
        #expect(again == recovered)
        third.end()
    }

    @Test func `what the spool has already is not stored again`() async throws {
        let first = try start()
        #expect(await first.recovery.attempt())
        for number in 1...3 {
            let slot = try #require(first.slots.begin(opening(number)))
            first.slots.finish(opening(number), in: slot)
        }
        // Killed after the records were stored and before the slots were free.
        let left = try readFile(slotSettings.path)
        #expect(await first.spool.storeWaiting())
        #expect(first.slots.use.used == 0)
        first.end()
        try write(left, to: slotSettings.path)

        let second = try start()
        #expect(await second.recovery.attempt())
        #expect(try await second.records().map(\.recordID) == (1...3).map { opening($0).recordID })
        #expect(log.values("already_stored", in: "meter_recovered").last == .integer(3))
        second.end()
    }

    @Test func `a start that is killed at any point recovers nothing twice`() async throws {
        let first = try start()
        #expect(await first.recovery.attempt())
        for number in 1...20 {
            var slot = try #require(first.slots.begin(opening(number)))
            first.slots.save(counters(number), in: &slot)
        }
        first.end()
        let left = try readFile(slotSettings.path)

        // Each of these starts stored everything and was killed before the old slots were gone.
        for _ in 0..<3 {
            let run = try start()
            #expect(await run.recovery.attempt())
            run.end()
            try write(left, to: slotSettings.path)
        }

        let last = try start()
        #expect(await last.recovery.attempt())
        let ids = try await last.records().map(\.recordID)
        #expect(ids.count == 20)
        #expect(Set(ids).count == 20)
        last.end()
    }

    @Test func `without the memory nothing is refused for ever`() async throws {
        let settings = SlotSettings(
            folder: folder.path("memory"),
            gateway: "gw",
            streamLimit: 5
        )
        let run = try Run(folder, settings, log)
        #expect(!(await run.recovery.attempt()))
        #expect(run.slots.refusal?.hasPrefix("usage cannot be metered: cannot create ") == true)
        #expect(run.slots.begin(opening(1)) == nil)

        #expect(unsafe mkdir(folder.path("memory"), 0o700) == 0)
        #expect(await run.recovery.attempt())
        #expect(run.slots.refusal == nil)
        #expect(run.slots.begin(opening(1)) != nil)
        run.end()
    }

    @Test func `slots stay until the spool can be written`() async throws {
        let first = try start()
        #expect(await first.recovery.attempt())
        var slot = try #require(first.slots.begin(opening(1)))
        first.slots.save(counters(1), in: &slot)
        first.end()
        #expect(unsafe rename(folder.path("spool"), folder.path("away")) == 0)
        try write([1], to: folder.path("spool"))

        let second = try start()
        #expect(!(await second.recovery.attempt()))
        #expect(second.slots.refusal?.hasPrefix("usage cannot be stored: ") == true)
        #expect(unsafe unlink(folder.path("spool")) == 0)
        #expect(unsafe rename(folder.path("away"), folder.path("spool")) == 0)
        #expect(await second.recovery.attempt())
        #expect(try await second.records().map(\.recordID) == [opening(1).recordID])
        second.end()
    }

    @Test func `a file of another form is kept for somebody to look at`() async throws {
        try write(Array("something else".utf8), to: slotSettings.path)
        let run = try start()
        #expect(await run.recovery.attempt())
        #expect(run.slots.refusal == nil)
        let kept = try readFile("\(slotSettings.path).unreadable")
        #expect(kept == Array("something else".utf8))
        let reason: [LogLine.Value] = [.text("it was not written by this version")]
        #expect(log.values("reason", in: "meter_recovered") == reason)
        run.end()
    }

    @Test(arguments: 0..<6)
    func `a killed process leaves counters that belong together`(round: Int) async throws {
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, round = round as Int] in
            try saveUntilKilled(in: path, after: round)
        }

        let run = try start()
        #expect(await run.recovery.attempt())
        let records = try await run.records()
        #expect(records.count == 10)
        for record in records {
            let step = Int(record.events)
            #expect(record.end == .interrupted)
            #expect(step > 0)
            var expected = interrupted(opening(Int(record.keyID.dropFirst()) ?? 0), counters(step))
            expected.gateway = record.gateway
            expected.epoch = record.epoch
            expected.sequence = record.sequence
            #expect(record == expected)
        }
        run.end()
    }
}

private func saveUntilKilled(in path: String, after round: Int) throws {
    let slots = MeterSlots()
    try slots.open(SlotSettings(folder: path, gateway: "gw", streamLimit: 20))
    var held: [MeterSlot] = []
    for number in 0..<10 {
        guard var slot = slots.begin(opening(number)) else { return }
        slots.save(counters(1), in: &slot)
        held.append(slot)
    }
    _ = try NativeThread(named: "killer") {
        usleep(UInt32(1_000 + 3_777 * round))
        kill(getpid(), SIGKILL)
    }
    var step = 1
    while true {
        step += 1
        for index in held.indices { slots.save(counters(step % 1_000_000), in: &held[index]) }
    }
}

private func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw StorageError(.write, path, errno) }
    defer { close(descriptor) }
    let count = unsafe bytes.withUnsafeBytes {
        unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
    }
    guard count == bytes.count else { throw StorageError(.write, path, errno) }
}
