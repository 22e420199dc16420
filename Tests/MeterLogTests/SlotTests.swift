import Glibc
import MeterLog
import Metering
import Reactor
import StreamBytes
import TestSupport
import Testing

/// What names the stretches of a test, all told apart by a number.
func opening(_ number: Int, segment: Int64 = 0, of stream: Int? = nil) -> UsageRecord {
    var opening = UsageRecord()
    let stream = "s0-stream-\(stream ?? number)"
    opening.recordID = "\(stream).\(segment)"
    opening.connectionID = stream
    opening.segment = segment
    opening.accountID = "acme"
    opening.model = "openai/gpt-4"
    opening.provider = "openai"
    opening.keyID = "k\(number)"
    opening.startedAtMilliseconds = noon.milliseconds + Int64(number)
    return opening
}

/// Counters that belong together, so that a mixture shows.
func counters(_ step: Int) -> StretchCounters {
    var counters = StretchCounters()
    let number = UInt32(step)
    counters.bytesOut = UInt64(step) * 1_000_003
    counters.bytesRaw = UInt64(step) * 3
    counters.latencySumMicroseconds = UInt64(step) * 40
    counters.inFlightBytes = number &* 7
    counters.events = number
    counters.durationMilliseconds = number &* 11
    counters.busyMilliseconds = number &* 2
    counters.downtimeMilliseconds = number
    counters.stallProviderMilliseconds = number &+ 1
    counters.stallClientMilliseconds = number &+ 2
    counters.firstTokenMicroseconds = number &* 13
    counters.attempts = 1
    counters.latencyCount = number
    counters.latencyMinimumMicroseconds = 40
    counters.latencyMaximumMicroseconds = 41
    counters.inputTokens = 12
    counters.outputTokens = number &* 5
    counters.cachedInputTokens = 3
    counters.cacheWriteTokens = 4
    counters.reasoningTokens = number
    counters.isUsageEstimated = true
    return counters
}

/// The record that a recovery makes of them.
func interrupted(_ opening: UsageRecord, _ counters: StretchCounters) -> UsageRecord {
    var record = opening
    record.take(counters)
    record.end = .interrupted
    return record
}

struct SlotTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func settings(streamLimit: Int = 10) -> SlotSettings {
        SlotSettings(folder: folder.path, gateway: "gw", streamLimit: streamLimit)
    }

    private func open(streamLimit: Int = 10) throws -> MeterSlots {
        let slots = MeterSlots()
        try slots.open(settings(streamLimit: streamLimit))
        return slots
    }

    private func file() throws -> [UInt8] { try readFile(settings().path) }

    private func left(_ bytes: [UInt8]) -> LeftSlots { LeftSlots(bytes, gateway: "gw") }

    @Test func `a stretch that runs is left with its last counters`() throws {
        let slots = try open()
        var slot = try #require(slots.begin(opening(1)))
        for step in 1...5 { slots.save(counters(step), in: &slot) }

        let found = left(try file())

        #expect(found.records == [interrupted(opening(1), counters(5))])
        let record = try #require(found.records.first)
        #expect(record.end == .interrupted)
        #expect(record.endedAtMilliseconds == noon.milliseconds + 1 + 55)
        #expect(record.bytesOut == 5_000_015)
        #expect(record.inFlightBytes == 35)
        #expect(record.usage?.output == 25)
        #expect(record.isUsageEstimated)
        #expect(record.latency == LatencySummary(mean: 40, minimum: 40, maximum: 41))
        #expect(found.unreadableCount == 0)
        #expect(found.problem == nil)
    }

    @Test func `bytes that were about to be written are left as in flight`() throws {
        let slots = try open()
        var slot = try #require(slots.begin(opening(1)))
        slots.save(counters(5), in: &slot)
        slots.note(inFlightBytes: 5_000, in: slot)
        #expect(left(try file()).records.first?.inFlightBytes == 5_000)
        #expect(left(try file()).records.first?.bytesOut == 5_000_015)

        slots.save(counters(6), in: &slot)
        #expect(left(try file()).records.first?.inFlightBytes == 42)

        // The slot's next stretch has none of them.
        slots.note(inFlightBytes: 5_000, in: slot)
        slots.finish(opening(1), in: slot)
        slots.drop(first: 1)
        var next = try #require(slots.begin(opening(2)))
        slots.save(StretchCounters(), in: &next)
        #expect(left(try file()).records.first?.inFlightBytes == 0)
    }

    @Test func `a stretch that is over is left as it ended, until it is dropped`() throws {
        let slots = try open()
        var slot = try #require(slots.begin(opening(1)))
        slots.save(counters(1), in: &slot)
        var record = sampleRecord(1)
        record.end = .complete
        record.usage = TokenUsage()
        record.provider = "another"
        record.coding = "gzip"
        slots.finish(record, in: slot)

        #expect(slots.oldest(limit: 5) == [record])
        #expect(left(try file()).records == [record])
        slots.drop(first: 1)
        #expect(slots.oldest(limit: 5).isEmpty)
        #expect(left(try file()).records.isEmpty)
        #expect(slots.use.used == 0)
    }

    @Test func `records are taken in the order in which they ended`() throws {
        let slots = try open(streamLimit: 100)
        var held: [MeterSlot] = []
        for number in 0..<100 { held.append(try #require(slots.begin(opening(number)))) }
        for number in (0..<100).reversed() { slots.finish(opening(number), in: held[number]) }

        var ids: [String] = []
        while true {
            let part = slots.oldest(limit: 7)
            guard !part.isEmpty else { break }
            ids += part.map(\.recordID)
            slots.drop(first: part.count)
        }
        #expect(ids == (0..<100).reversed().map { opening($0).recordID })
    }

    @Test func `without a free slot nothing begins`() throws {
        let slots = try open()
        var held: [MeterSlot] = []
        while let slot = slots.begin(opening(held.count)) { held.append(slot) }

        #expect(held.count == settings().count)
        #expect(slots.refusal == "all meter slots are taken")
        slots.finish(opening(3), in: held[3])
        #expect(slots.begin(opening(99)) == nil)
        slots.drop(first: 1)
        #expect(slots.refusal == nil)
        #expect(slots.begin(opening(99)) != nil)
    }

    @Test func `the longest names have room`() throws {
        let slots = try open()
        var long = opening(1)
        long.recordID = String(repeating: "r", count: 64)
        long.connectionID = String(repeating: "c", count: 64)
        long.accountID = String(repeating: "a", count: 64)
        long.keyID = String(repeating: "k", count: 64)
        long.provider = String(repeating: "p", count: 64)
        long.model = String(repeating: "m", count: 128)
        long.user = String(repeating: "ü", count: 128)
        long.purpose = String(repeating: "p", count: 256)
        var slot = try #require(slots.begin(long))
        slots.save(counters(2), in: &slot)
        let neighbour = try #require(slots.begin(opening(2)))
        #expect(left(try file()).records == [interrupted(long, counters(2))])

        var end = long
        end.endedAtMilliseconds = .max
        end.durationMilliseconds = .max
        end.bytesOut = .max
        end.bytesRaw = .max
        end.events = .max
        end.provider = String(repeating: "q", count: 64)
        end.latency = LatencySummary(
            mean: .max,
            minimum: .max,
            p95: .max,
            p99: .max,
            maximum: .max
        )
        end.usage = TokenUsage()
        end.usage?.input = .max
        end.usage?.output = .max
        end.roundTripMicroseconds = .max
        slots.finish(end, in: slot)
        #expect(slots.oldest(limit: 1) == [end])
        slots.finish(opening(2), in: neighbour)
        #expect(slots.oldest(limit: 2) == [end, opening(2)])
    }

    @Test func `a name that is too long for a slot is refused`() throws {
        var long = opening(1)
        long.user = String(repeating: "u", count: 1_500)
        #expect(try open().begin(long) == nil)
    }

    @Test func `of two stretches that a kill left of one stream the later has the tokens`() throws {
        let slots = try open()
        var first = try #require(slots.begin(opening(1, segment: 3, of: 7)))
        slots.save(counters(5), in: &first)
        var second = try #require(slots.begin(opening(2, segment: 4, of: 7)))
        #expect(
            left(try file()).records == [interrupted(opening(1, segment: 3, of: 7), counters(5))]
        )
        slots.save(counters(6), in: &second)

        let records = left(try file()).records.sorted { $0.segment < $1.segment }
        #expect(records.map(\.end) == [.interval, .interrupted])
        #expect(records.map { $0.usage?.output } == [nil, 30])
        #expect(records.map(\.bytesOut) == [5_000_015, 6_000_018])
    }

    @Test func `the memory is given back when nothing stands in it`() throws {
        let slots = try open()
        let slot = try #require(slots.begin(opening(1)))
        slots.finish(opening(1), in: slot)
        slots.drop(first: 1)
        try slots.close()
        #expect(throws: StorageError.self) { _ = try file() }

        let others = try open()
        _ = try #require(others.begin(opening(1)))
        try others.close()
        #expect(try file().count == settings().byteCount)
    }

    @Test func `the memory is reserved, and for the user alone`() throws {
        _ = try open(streamLimit: 1_000)
        var status = stat()
        #expect(unsafe stat(settings().path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(status.st_size == settings(streamLimit: 1_000).byteCount)
        #expect(status.st_blocks * 512 >= status.st_size)
    }
}

/// Slots that are torn, damaged, or of somebody else.
struct SlotDamageTests {
    private let path: String
    private let folder: ScratchFolder
    private let slots = MeterSlots()

    init() throws {
        folder = try ScratchFolder()
        let settings = SlotSettings(folder: folder.path, gateway: "gw", streamLimit: 1)
        path = settings.path
        try slots.open(settings)
    }

    private func records(_ bytes: [UInt8]) -> [UsageRecord] {
        LeftSlots(bytes, gateway: "gw").records
    }

    @Test func `a save that is cut short leaves the counters before it or after it`() throws {
        var random = SeededChance(seed: 11)
        var slot = try #require(slots.begin(opening(1)))
        slots.save(counters(1), in: &slot)
        for step in 2..<400 {
            let before = try readFile(path)
            slots.save(counters(step), in: &slot)
            let after = try readFile(path)
            // Any part of the words may have been stored when the process ended.
            var torn = before
            let isMostlyOld = random.chance(perMille: 500)
            for word in stride(from: 0, to: torn.count, by: 8)
            where !before[word..<(word + 8)].elementsEqual(after[word..<(word + 8)]) {
                if random.chance(perMille: isMostlyOld ? 200 : 900) {
                    torn.replaceSubrange(word..<(word + 8), with: after[word..<(word + 8)])
                }
            }
            var found = try #require(records(torn).first)
            let old = interrupted(opening(1), counters(step - 1))
            let new = interrupted(opening(1), counters(step))
            // What is in flight stands beside the copies: it may be that of either, never less than
            // goes with the counters.
            let inFlight = try #require(found.inFlightBytes)
            #expect([old.inFlightBytes, new.inFlightBytes].contains(inFlight), "step \(step)")
            let match = found.bytesOut == old.bytesOut ? old : new
            #expect(inFlight >= match.inFlightBytes ?? 0, "step \(step)")
            found.inFlightBytes = match.inFlightBytes
            #expect(found == match, "step \(step)")
        }
    }

    @Test func `with any bit of the newer copy changed the older one counts`() throws {
        var slot = try #require(slots.begin(opening(1)))
        slots.save(counters(1), in: &slot)
        let before = try readFile(path)
        slots.save(counters(2), in: &slot)
        let after = try readFile(path)
        let changed = before.indices.filter { before[$0] != after[$0] }
        let first = try #require(changed.first) & ~15
        var older = interrupted(opening(1), counters(1))
        older.inFlightBytes = Int64(counters(2).inFlightBytes)
        for bit in (first * 8)..<((first + 112) * 8) {
            var damaged = after
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(records(damaged) == [older], "bit \(bit)")
        }
    }

    @Test func `with both copies damaged the stretch is still known`() throws {
        var slot = try #require(slots.begin(opening(1)))
        slots.save(counters(1), in: &slot)
        var bytes = try readFile(path)
        // The first word of the one copy that was written.
        let place = 4_096 + 128 + 16
        bytes[place] ^= 1
        let found = LeftSlots(bytes, gateway: "gw")
        #expect(found.records.map(\.recordID) == [opening(1).recordID])
        #expect(found.records.map(\.bytesOut) == [0])
    }

    @Test func `whatever stands in the file, reading it ends`() throws {
        var slot = try #require(slots.begin(opening(1)))
        slots.save(counters(9), in: &slot)
        slots.finish(opening(2), in: try #require(slots.begin(opening(2))))
        let bytes = try readFile(path)
        var random = SeededChance(seed: 5)
        for count in [0, 1, 63, 64, 4_095, 4_096, 4_097, 10_000] {
            #expect(records(Array(bytes.prefix(count))).isEmpty)
        }
        for _ in 0..<3_000 {
            var garbage = bytes
            let start = random.chance(perMille: 200) ? 0 : 4_096
            for _ in 0..<random.within(1...60) {
                let place = start + random.below(garbage.count - start)
                garbage[place] = UInt8(truncatingIfNeeded: random.next())
            }
            #expect(records(garbage).count <= 65)
        }
    }

    @Test func `files of others are named`() throws {
        let bytes = try readFile(path)
        var other = bytes
        other[7] = 0x39
        #expect(LeftSlots(other, gateway: "gw").problem == "it was not written by this version")
        #expect(LeftSlots(bytes, gateway: "gx").problem == "it belongs to the gateway gw")
        #expect(LeftSlots([], gateway: "gw").problem == nil)
        #expect(LeftSlots([UInt8](repeating: 0, count: 9_000), gateway: "gw").problem == nil)
    }
}

func readFile(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { throw StorageError(.read, path, errno) }
    defer { close(descriptor) }
    var status = stat()
    unsafe fstat(descriptor, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = unsafe read(descriptor, &bytes, bytes.count)
    guard count == bytes.count else { throw StorageError(.read, path, errno) }
    return bytes
}
