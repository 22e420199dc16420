import Glibc
import MeterLog
import Metering
import StreamBytes
import TestSupport
import Testing

/// Random operations, failures, crashes and power cuts, compared with what must be there.
struct SegmentLogModelTests {
    /// What a spool must hold.
    private struct Model {
        /// Stored for certain, by run, in order; of these `released` are gone.
        var records: [GatewayRun: [String]] = [:]
        var released: [GatewayRun: Int] = [:]
        var runs: [GatewayRun] = []

        var waiting: [String] {
            runs.flatMap { Array(records[$0, default: []].dropFirst(released[$0, default: 0])) }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `whatever happens, what was stored comes back until it is released`(
        seed: UInt64
    ) throws {
        var random = SeededChance(seed: seed)
        let storage = MemoryStorage()
        var model = Model()
        var number = 0
        for life in 0..<8 {
            var settings = SegmentLogSettings()
            settings.byteLimit = 1 << 20
            let clock = WallTime(milliseconds: noon.milliseconds + Int64(random.below(20)) - 10)
            var log = try SegmentLog(in: storage, gateway: "gw", at: clock, settings: settings)
            #expect(!model.runs.contains(log.run), "seed \(seed), life \(life)")
            model.runs.append(log.run)
            // Stored although it was not confirmed: the caller tries again under the same id.
            let known = Set(model.waiting)
            let unconfirmed = try log.readAll(limit: 100).recordIDs.filter { !known.contains($0) }
            #expect(unconfirmed.isEmpty || life > 0)
            for _ in 0..<random.within(5...60) {
                try step(&log, storage, &model, &number, &random)
                #expect(log.byteCount <= 1 << 20)
            }
            storage.failures = [:]
            storage.room = .max
            let found = try log.readAll(limit: random.within(60...400)).recordIDs
            #expect(found.filter(Set(model.waiting).contains) == model.waiting, "seed \(seed)")
            if random.chance(perMille: 700) { storage.cutPower(&random) }
        }
    }

    private func step(
        _ log: inout SegmentLog,
        _ storage: MemoryStorage,
        _ model: inout Model,
        _ number: inout Int,
        _ random: inout SeededChance
    ) throws {
        switch random.below(10) {
        case 0..<6:
            let count = random.within(1...15)
            let records = (number..<(number + count)).map(sampleRecord)
            number += count
            // As often as it takes, until it works.
            var last: SpoolError?
            for attempt in 0..<6 {
                do {
                    let number = try log.append(records, at: noon)
                    model.records[log.run, default: []] += records.map(\.recordID)
                    #expect(number == Int64(model.records[log.run]?.count ?? 0))
                    return
                } catch SpoolError.full {
                    return
                } catch {
                    last = error
                    if attempt == 1 { storage.room = .max }
                }
            }
            Issue.record("failures that have passed keep records out: \(String(describing: last))")
        case 6:
            let operations: [StorageError.Operation] = [.write, .sync, .create]
            storage.failures[operations[random.below(3)]] = EIO
        case 7:
            let used = storage.files.values.reduce(0) { $0 + $1.bytes.count }
            storage.room = used + random.below(2_000)
        default:
            guard let (run, released) = log.waitingRuns.first else { return }
            let stored = model.records[run, default: []].count
            let through = min(stored, Int(released) + random.within(0...200))
            try log.release(run, through: Int64(through))
            model.released[run] = max(model.released[run, default: 0], through)
        }
    }
}
