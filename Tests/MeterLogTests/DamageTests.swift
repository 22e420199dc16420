import MeterLog
import Metering
import StreamBytes
import TestSupport
import Testing

/// Files that a crash cut short, or that a disk changed.
struct DamageTests {
    private let storage = MemoryStorage()

    private func open() throws -> SegmentLog {
        try SegmentLog(in: storage, gateway: "gw", at: noon)
    }

    /// A segment of three records, and where each ends.
    private func segment() throws -> (bytes: [UInt8], ends: [Int]) {
        var log = try open()
        var ends: [Int] = []
        for number in 1...3 {
            try log.append([sampleRecord(number)], at: noon)
            ends.append(log.byteCount)
        }
        return (try #require(storage.files[1]?.bytes), ends)
    }

    private func put(_ bytes: [UInt8]) {
        storage.files = [1: .init(bytes: bytes, stored: bytes)]
    }

    @Test func `a file cut at any byte keeps every whole record before it`() throws {
        let (bytes, ends) = try segment()
        for count in 0...bytes.count {
            put(Array(bytes[..<count]))

            var log = try open()

            let wholeCount = ends.count { $0 <= count }
            #expect(try log.readAll().sequences == Array(1...3).prefix(wholeCount).map(Int64.init))
            let end = wholeCount == 0 ? min(count, 72) : ends[wholeCount - 1]
            #expect(log.finding.damagedCount == 0)
            #expect(log.finding.tornByteCount == (count < 72 ? count : count - end))
            // The next run goes on, whatever it found.
            try log.append([sampleRecord(9)], at: noon)
            #expect(try log.readAll().recordIDs.last == sampleRecord(9).recordID)
        }
    }

    @Test func `a record with any bit flipped is kept aside and the others stay`() throws {
        let (bytes, ends) = try segment()
        for bit in (ends[1] * 8)..<(ends[2] * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            put(damaged)
            let kept = storage.quarantine.count

            var log = try open()

            #expect(try log.readAll().sequences == [1, 2], "bit \(bit)")
            #expect(storage.quarantine.count >= min(1, kept))
            let aside = storage.quarantine["1-\(ends[1])"]
            #expect(aside?.count == ends[2] - ends[1])
        }
    }

    @Test func `a damaged record in the middle is named by its number`() throws {
        let (bytes, ends) = try segment()
        for bit in (ends[0] * 8)..<(ends[1] * 8) {
            let storage = MemoryStorage()
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            storage.files = [1: .init(bytes: damaged, stored: damaged)]

            var log = try SegmentLog(in: storage, gateway: "gw", at: noon)

            #expect(log.finding.damagedCount == 1)
            #expect(log.finding.tornByteCount == 0)
            #expect(try log.readAll().sequences == [1, -2, 3], "bit \(bit)")
            #expect(try log.readAll(limit: 1).sequences == [1, -2, 3])
            #expect(storage.quarantine["1-\(ends[0])"] == Array(damaged[ends[0]..<ends[1]]))
            let again = try SegmentLog(in: storage, gateway: "gw", at: noon)
            #expect(again.finding.damagedCount == 0)
        }
    }

    @Test func `damage that comes while it runs is found when it is read`() throws {
        let (bytes, ends) = try segment()
        put(bytes)
        var log = try open()
        storage.files[1]?.bytes[ends[0] + 20] ^= 8

        #expect(try log.readAll().sequences == [1, -2, 3])
        #expect(log.finding.damagedCount == 1)
    }

    @Test func `a damaged header costs no record`() throws {
        let (bytes, _) = try segment()
        for place in 0..<72 {
            let storage = MemoryStorage()
            var damaged = bytes
            damaged[place] ^= 0x40
            storage.files = [1: .init(bytes: damaged, stored: damaged)]

            var log = try SegmentLog(in: storage, gateway: "gw", at: noon)

            #expect(try log.readAll().sequences == [1, 2, 3])
            #expect(log.run.epoch == noon.milliseconds + 1)
        }
    }

    @Test func `a hole at the start of a file shows`() throws {
        var settings = SegmentLogSettings()
        settings.byteLimit = 1 << 20
        var log = try SegmentLog(in: storage, gateway: "gw", at: noon, settings: settings)
        for number in 1...900 { try log.append([sampleRecord(number)], at: noon) }
        let second = try #require(storage.files.keys.sorted().dropFirst().first)
        storage.files[second]?.bytes[80] ^= 1

        let sequences = try log.readAll(limit: 50).sequences

        #expect(sequences.map(abs) == Array(1...900))
        #expect(sequences.count { $0 < 0 } == 1)
    }

    @Test func `zeros that a file system left behind are no damage`() throws {
        let (bytes, _) = try segment()
        put(bytes + [UInt8](repeating: 0, count: 4_096))
        var log = try open()
        #expect(log.finding.tornByteCount == 4_096)
        #expect(storage.quarantine.isEmpty)
        #expect(try log.readAll().sequences == [1, 2, 3])
        #expect(storage.files[1]?.bytes == bytes)
    }

    @Test func `where damaged bytes cannot be kept they stay where they are`() throws {
        let (bytes, ends) = try segment()
        let torn = Array(bytes[..<(ends[2] - 1)])
        put(torn)
        storage.failures[.keepAside] = 28
        var log = try open()
        #expect(log.finding.problem?.operation == .keepAside)
        #expect(storage.files[1]?.bytes == torn)
        #expect(try log.readAll().sequences == [1, 2])
        #expect(try open().finding.problem == nil)
        #expect(storage.quarantine["1-\(ends[1])"] == Array(torn[ends[1]...]))
    }

    @Test func `bytes of anything else are refused without a trap`() throws {
        var random = SeededChance(seed: 7)
        let (bytes, _) = try segment()
        for _ in 0..<2_000 {
            var garbage = bytes
            for _ in 0..<random.within(1...40) {
                garbage[random.below(garbage.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            garbage.removeLast(random.below(garbage.count))
            put(garbage)
            var log = try open()
            let sequences = try log.readAll(limit: 3).sequences
            #expect(sequences.count <= 3)
        }
    }
}
