import Metering

/// What stands in one slot, read from a copy of its bytes; anything may stand there.
struct SlotReading {
    /// The slot and its overflow, one after the other.
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var state: SlotState? {
        SlotState(rawValue: bytes.littleEndian(UInt32.self, at: SlotLayout.stateOffset))
    }

    /// The record of a stretch that is over, or as much of one that ran as is known; nil when what
    /// names the stretch cannot be read.
    var record: UsageRecord? {
        guard let state, state != .free, let opening else { return nil }
        if state == .ended, let record = ended(opening) { return record }
        return interrupted(opening)
    }

    /// What names the stretch.
    var opening: UsageRecord? {
        let length = openingByteCount
        let found = bytes.littleEndian(UInt32.self, at: SlotLayout.openingChecksumOffset)
        var record = UsageRecord()
        guard let range = text(from: 0, length),
            found == CRC32C.checksum(bytes, range, seed: UInt32(length)),
            RecordForm.read(bytes, range, into: &record)
        else { return nil }
        return record
    }

    var openingByteCount: Int {
        Int(bytes.littleEndian(UInt16.self, at: SlotLayout.openingLengthOffset))
    }

    private func ended(_ opening: UsageRecord) -> UsageRecord? {
        let length = Int(bytes.littleEndian(UInt16.self, at: SlotLayout.endingLengthOffset))
        let found = bytes.littleEndian(UInt32.self, at: SlotLayout.endingChecksumOffset)
        var record = opening
        guard let range = text(from: openingByteCount, length),
            found == CRC32C.checksum(bytes, range, seed: UInt32(length)),
            RecordForm.read(bytes, range, into: &record)
        else { return nil }
        return record
    }

    private func text(from start: Int, _ length: Int) -> Range<Int>? {
        let first = SlotLayout.textOffset + start
        guard first + length <= bytes.count else { return nil }
        return first..<(first + length)
    }

    private func interrupted(_ opening: UsageRecord) -> UsageRecord {
        var record = opening
        record.end = .interrupted
        var counters = counters ?? StretchCounters()
        // The process may have ended before it saved what became of them, or in the middle of that.
        counters.inFlightBytes = max(counters.inFlightBytes, UInt32(clamping: inFlightBytes))
        record.take(counters)
        return record
    }

    private var inFlightBytes: UInt64 {
        bytes.littleEndian(UInt64.self, at: SlotLayout.inFlightOffset)
    }

    /// The newer of the two copies that is whole; nil when none is.
    var counters: StretchCounters? {
        let copies = [SlotLayout.copyOffsets.0, SlotLayout.copyOffsets.1].compactMap(copy)
        return copies.max { $0.generation < $1.generation }?.counters
    }

    /// Whether counters were ever kept in it, whole or not.
    var hasCounters: Bool {
        let (first, second) = SlotLayout.copyOffsets
        return [first, second].contains { offset in
            bytes[offset..<(offset + SlotLayout.copyByteCount)].contains { $0 != 0 }
        }
    }

    private func copy(at offset: Int) -> (generation: UInt64, counters: StretchCounters)? {
        let generation = bytes.littleEndian(UInt64.self, at: offset)
        var words = CounterWords(repeating: 0)
        for place in words.indices {
            words[place] = bytes.littleEndian(UInt64.self, at: offset + 16 + 8 * place)
        }
        let found = bytes.littleEndian(UInt64.self, at: offset + 8)
        // A copy that was never written is all zero.
        guard generation > 0, found == CopyChecksum(of: words, generation: generation).value
        else { return nil }
        return (generation, StretchCounters(words))
    }
}
