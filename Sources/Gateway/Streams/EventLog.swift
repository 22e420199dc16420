import StreamBytes

/// What one logged event is; deltas keep their kind.
package enum EventKind: UInt8, Sendable {
    case text = 1
    case reasoning = 2
    case tool = 3
    case raw = 4
    /// The payload is empty.
    case start = 5
    /// The payload is the JSON object of the event's data.
    case complete = 6
    /// The payload is the JSON object of the event's data.
    case error = 7

    package init(_ kind: DeltaKind) {
        switch kind {
        case .text: self = .text
        case .reasoning: self = .reasoning
        case .tool: self = .tool
        case .raw: self = .raw
        }
    }

    /// Whether nothing follows it.
    package var endsStream: Bool { self == .complete || self == .error }
}

/// The events of one stream that are still wanted: compact deltas in one block of bytes, numbered
/// from 1 without gap, dropped from the front.
///
/// An event takes its payload and 8 bytes: kind, three bytes of length, and the time at which the
/// provider's bytes were read, in microseconds since the stream opened (modulo 2^32).
package struct EventLog: ~Copyable {
    /// A reader's place: before the event `sequence`.
    package struct Cursor: Sendable, Equatable {
        package fileprivate(set) var sequence: UInt64
        /// Bytes appended to the log, ever, before that event.
        package fileprivate(set) var offset: Int
    }

    /// One event, lent; `payload` is a range of `bytes`.
    package struct Entry: Sendable {
        package let kind: EventKind
        package let sequence: UInt64
        package let readAtMicroseconds: UInt32
        package let payload: Range<Int>
    }

    /// An event's bytes beside its payload.
    package static let overhead = 8
    /// The longest payload, in bytes.
    package static let payloadLimit = 0xFF_FFFF

    package private(set) var bytes: [UInt8] = []
    /// The index in `bytes` of the oldest event kept.
    private var head = 0
    /// The place of the oldest event kept.
    package private(set) var oldest = Cursor(sequence: 1, offset: 0)
    /// The place after the newest event.
    package private(set) var end = Cursor(sequence: 1, offset: 0)

    package init() {}

    /// Bytes kept, overhead included.
    package var byteCount: Int { end.offset - oldest.offset }

    /// The sequence of the newest event; 0 when there was none.
    package var lastSequence: UInt64 { end.sequence - 1 }

    /// Appends an event.
    ///
    /// - Parameters:
    ///   - kind: what it is.
    ///   - payload: at most `payloadLimit` bytes.
    ///   - time: when its bytes were read, in microseconds since the stream opened.
    package mutating func append(
        _ kind: EventKind,
        _ payload: Span<UInt8>,
        readAtMicroseconds time: UInt32
    ) {
        precondition(payload.count <= Self.payloadLimit, "an event's payload fits in 24 bits")
        let count = payload.count
        bytes.reserveCapacity(bytes.count + count + Self.overhead)
        bytes.append(kind.rawValue)
        for shift in 0..<3 { bytes.append(UInt8(truncatingIfNeeded: count >> (8 * shift))) }
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: time >> (8 * UInt32(shift)))) }
        bytes.append(payload)
        end.sequence += 1
        end.offset += count + Self.overhead
    }

    /// Returns the event at `cursor` and moves it on; nil at the end.
    package func next(_ cursor: inout Cursor) -> Entry? {
        precondition(cursor.offset >= oldest.offset, "a cursor stands within the log")
        guard cursor.sequence < end.sequence else { return nil }
        let index = head + cursor.offset - oldest.offset
        let entry = entry(at: index, sequence: cursor.sequence)
        cursor.sequence += 1
        cursor.offset += entry.payload.count + Self.overhead
        return entry
    }

    /// Returns the place after the event `sequence`, or the oldest place still kept when that is
    /// later.
    package func cursor(after sequence: UInt64) -> Cursor {
        var cursor = oldest
        while cursor.sequence <= sequence, next(&cursor) != nil {}
        return cursor
    }

    /// Drops the oldest events until at most `byteLimit` bytes are kept, but none at or after
    /// `keep`.
    package mutating func trim(toByteLimit byteLimit: Int, keeping keep: Cursor) {
        while byteCount > byteLimit, oldest.sequence < keep.sequence {
            let size = entry(at: head, sequence: 0).payload.count + Self.overhead
            head += size
            oldest.offset += size
            oldest.sequence += 1
        }
        releaseMemory()
    }

    private mutating func releaseMemory() {
        if byteCount == 0 {
            // A quiet stream keeps no block; a small one is worth more than asking for it again.
            bytes.removeAll(keepingCapacity: bytes.capacity <= 512)
            head = 0
        } else if head > bytes.count / 2 {
            bytes.removeSubrange(..<head)
            head = 0
        }
    }

    private func entry(at index: Int, sequence: UInt64) -> Entry {
        guard let kind = EventKind(rawValue: bytes[index]) else {
            preconditionFailure("the log holds only events that were appended")
        }
        var count = 0
        for place in 0..<3 { count |= Int(bytes[index + 1 + place]) << (8 * place) }
        var time: UInt32 = 0
        for place in 0..<4 { time |= UInt32(bytes[index + 4 + place]) << (8 * UInt32(place)) }
        let start = index + Self.overhead
        return Entry(
            kind: kind,
            sequence: sequence,
            readAtMicroseconds: time,
            payload: start..<start + count
        )
    }
}
