import Metering

/// A place between two records of a spool.
package struct SpoolPlace: Equatable, Sendable {
    var segment: Int64
    var offset: Int
    /// The run and number of the record before it; nil before the first.
    var run: GatewayRun?
    var sequence: Int64 = 0
}

extension SegmentLog {
    /// Enough for many records, and for the longest.
    private static let readByteCount = 4 * Frame.payloadByteLimit

    /// Returns records that are not released, in order.
    ///
    /// A number that nothing readable belongs to comes as `lost`. Damage is put into the quarantine on
    /// the way.
    ///
    /// - Parameters:
    ///   - place: where an earlier part ended; nil: at the oldest record that is not released.
    ///   - limit: how many entries at least end the search, at least 1.
    /// - Returns: the entries, none when nothing follows, and the place behind them.
    /// - Throws: `StorageError`; the same call may be made again.
    package mutating func read(
        after place: SpoolPlace?,
        limit: Int
    ) throws(StorageError) -> (entries: [BacklogEntry], place: SpoolPlace?) {
        guard let oldest = segments.first else { return ([], place) }
        var reading = SpoolReading(
            from: place ?? SpoolPlace(segment: oldest.number, offset: 0),
            released: released
        )
        for segment in segments where segment.number >= reading.place.segment {
            reading.enter(segment.number)
            while reading.entries.count < limit, reading.place.offset < segment.byteCount {
                try read(segment, &reading, limit: limit)
            }
            if reading.entries.count >= limit { break }
        }
        return (reading.entries, reading.place)
    }

    /// Reads on from the place; what is left of the segment if there is damage.
    private mutating func read(
        _ segment: Segment,
        _ reading: inout SpoolReading,
        limit: Int
    ) throws(StorageError) {
        let start = reading.place.offset
        let rest = segment.byteCount - start
        let bytes = try storage.read(
            segment.number,
            from: start,
            limit: min(rest, Self.readByteCount)
        )
        let isWhole = bytes.count >= rest || bytes.count < Self.readByteCount
        let isTaken = !bytes.isEmpty && reading.take(bytes, limit: limit)
        if isTaken || (!isWhole && reading.place.offset > start) { return }
        let place = reading.place.offset
        let tail = try storage.read(segment.number, from: place, limit: segment.byteCount - place)
        guard let damage = reading.skipDamage(in: tail, of: segment.byteCount - place) else {
            return
        }
        guard try storage.keepAside(Array(tail[damage]), of: segment.number, at: place) else {
            return
        }
        finding.damagedCount += 1
    }
}

/// Collects entries from the bytes of segments.
private struct SpoolReading {
    private(set) var place: SpoolPlace
    private(set) var entries: [BacklogEntry] = []
    private let released: [GatewayRun: Int64]

    init(from place: SpoolPlace, released: [GatewayRun: Int64]) {
        self.place = place
        self.released = released
    }

    mutating func enter(_ number: Int64) {
        guard place.segment != number else { return }
        place.segment = number
        place.offset = 0
    }

    /// Takes records until the limit.
    ///
    /// - Returns: false when it stopped before the end, at bytes that are no whole record.
    mutating func take(_ bytes: [UInt8], limit: Int) -> Bool {
        var offset = 0
        if place.offset == 0, let header = SegmentHeader(bytes) {
            offset = SegmentHeader.byteCount
            if place.run != header.run {
                place.run = header.run
                place.sequence = header.firstSequence - 1
            }
        }
        defer { place.offset += offset }
        while offset < bytes.count, entries.count < limit {
            guard case .whole(let payload) = Frame.read(bytes, at: offset),
                let record = SpooledRecord.read(bytes, payload)
            else { return false }
            offset = payload.upperBound
            add(record)
        }
        return true
    }

    /// Goes to the next whole record of a segment's rest, or to its end.
    ///
    /// - Parameters:
    ///   - tail: the rest.
    ///   - count: how long it should be.
    /// - Returns: the part of `tail` that was left out; nil when it holds a record at once.
    mutating func skipDamage(in tail: [UInt8], of count: Int) -> Range<Int>? {
        if case .whole(let payload) = Frame.read(tail, at: 0),
            SpooledRecord.read(tail, payload) != nil
        {
            return nil
        }
        let next = Frame.firstWhole(in: tail, from: 1)
        place.offset += next ?? count
        return 0..<(next ?? tail.count)
    }

    private mutating func add(_ record: UsageRecord) {
        let run = GatewayRun(gateway: record.gateway, epoch: record.epoch)
        if place.run != run {
            place.run = run
            place.sequence = record.sequence - 1
        }
        // Stored a second time after a failure.
        guard record.sequence > place.sequence else { return }
        let known = max(place.sequence, released[run] ?? 0)
        if known + 1 < record.sequence {
            for sequence in (known + 1)..<record.sequence {
                entries.append(.lost(run, sequence: sequence))
            }
        }
        place.sequence = record.sequence
        if record.sequence > known { entries.append(.record(record)) }
    }
}
