import StreamBytes

/// Reads a `text/event-stream` body that arrives in pieces.
///
/// It owns memory only while a line or an event is cut by the end of a piece; otherwise an event
/// is lent as a range of the piece itself. Invalid UTF-8 becomes U+FFFD in what it lends.
/// Source: WHATWG HTML, section 9.2.6, "Interpreting an event stream".
package struct EventParser: ~Copyable, Sendable {
    /// The longest data of an event, in bytes.
    package let byteLimit: Int
    /// The data of the last event, if its place is `held`.
    package private(set) var heldData: [UInt8] = []
    /// The type of the last event, if its place is `held`.
    package private(set) var heldType: [UInt8] = []
    /// What a reconnect would send as `Last-Event-ID`.
    package private(set) var lastEventID: [UInt8] = []
    /// The last valid `retry` field, in milliseconds; the largest number for one beyond it.
    package private(set) var retryMilliseconds: Int64?
    /// The first lines of a body that are no part of an event stream, at most `strayLimit` bytes.
    package private(set) var strayText: [UInt8] = []
    /// The last value of the unknown field `error`, at most `strayLimit` bytes.
    ///
    /// Some servers report a failure in it, which the algorithm ignores.
    package private(set) var errorField: [UInt8]?
    /// Whether any line was a field or a comment of an event stream.
    package private(set) var hasSeenField = false

    package static let strayLimit = 2048

    /// Of the name of a field, its colon and its space.
    private static let nameRoom = 8

    private var line: [UInt8] = []
    private var pendingID: [UInt8]?
    private var data = ParsedEvent.Place.nowhere
    private var type = ParsedEvent.Place.nowhere
    private var hasData = false
    private var isDispatched = false
    private var skipsLineFeed = false
    private var skipsLine = false
    /// How many bytes of a byte order mark have come; 3 when the start of the body is behind.
    private var markCount = 0
    private var failure: EventParsingError?

    /// Makes a parser for one body.
    ///
    /// - Parameter byteLimit: of an event's data, and of one line's value.
    package init(byteLimit: Int = 1 << 20) {
        precondition(byteLimit > 0, "an event may have at least one byte")
        self.byteLimit = byteLimit
    }

    /// Reads on to the end of the next event.
    ///
    /// - Parameters:
    ///   - bytes: the piece of the body that has arrived; the same until the answer is nil.
    ///   - position: where to go on; 0 at first, moved by the parser.
    /// - Returns: nil when all of `bytes` is read.
    /// - Throws: `EventParsingError`; every later call throws it again.
    package mutating func next(
        in bytes: Span<UInt8>,
        from position: inout Int
    ) throws(EventParsingError) -> ParsedEvent? {
        if let failure { throw failure }
        do {
            return try readEvent(in: bytes, from: &position)
        } catch {
            failure = error
            release()
            throw error
        }
    }

    /// Tells the parser that the body has ended; an event without its blank line is dropped.
    package mutating func finish() {
        let rest = line
        if !rest.isEmpty, !hasSeenField { keepStray(rest.span, 0..<rest.count) }
        release()
    }

    private mutating func release() {
        forgetEvent()
        line = []
        pendingID = nil
    }

    private mutating func forgetEvent() {
        if !heldData.isEmpty { heldData = [] }
        if !heldType.isEmpty { heldType = [] }
        data = .nowhere
        type = .nowhere
        hasData = false
        isDispatched = false
    }
}

extension EventParser {
    private mutating func readEvent(
        in bytes: Span<UInt8>,
        from position: inout Int
    ) throws(EventParsingError) -> ParsedEvent? {
        if isDispatched { forgetEvent() }
        if markCount < 3 { skipMark(in: bytes, from: &position) }
        while position < bytes.count {
            if skipsLineFeed {
                skipsLineFeed = false
                if bytes[position] == 0x0A {
                    position += 1
                    continue
                }
            }
            guard let end = bytes.firstLineEnd(from: position) else {
                try keepRest(of: bytes, from: position)
                position = bytes.count
                break
            }
            let start = position
            position = end + 1
            if bytes[end] == 0x0D {
                if position == bytes.count {
                    skipsLineFeed = true
                } else if bytes[position] == 0x0A {
                    position += 1
                }
            }
            if let event = try endLine(bytes, start..<end) { return event }
        }
        holdEvent(of: bytes)
        return nil
    }

    /// Reads one whole line, of which `line` may hold the beginning.
    private mutating func endLine(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(EventParsingError) -> ParsedEvent? {
        if skipsLine {
            skipsLine = false
            return nil
        }
        if line.isEmpty {
            guard !range.isEmpty else { return dispatch(bytes) }
            try readField(bytes, range, isHeld: false)
            return nil
        }
        try holdLine(bytes, range)
        var whole: [UInt8] = []
        swap(&whole, &line)
        try readField(whole.span, 0..<whole.count, isHeld: true)
        return nil
    }

    private mutating func keepRest(
        of bytes: Span<UInt8>,
        from start: Int
    ) throws(EventParsingError) {
        guard !skipsLine else { return }
        if line.isEmpty, bytes[start] == 0x3A {
            hasSeenField = true
            skipsLine = true
            return
        }
        try holdLine(bytes, start..<bytes.count)
    }

    private mutating func holdLine(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(EventParsingError) {
        guard line.count + range.count <= byteLimit + Self.nameRoom else {
            throw .lineTooLong(limit: byteLimit)
        }
        line.append(bytes, range)
    }

    private mutating func skipMark(in bytes: Span<UInt8>, from position: inout Int) {
        let mark: [3 of UInt8] = [0xEF, 0xBB, 0xBF]
        while markCount < 3, position < bytes.count {
            guard bytes[position] == mark[markCount] else {
                for index in 0..<markCount { line.append(mark[index]) }
                markCount = 3
                return
            }
            markCount += 1
            position += 1
        }
    }
}

extension EventParser {
    private mutating func readField(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        isHeld: Bool
    ) throws(EventParsingError) {
        let colon = bytes.firstIndex(of: 0x3A, in: range)
        if colon == range.lowerBound {
            hasSeenField = true
            return
        }
        // The same room as for a line that comes in pieces.
        guard range.count <= byteLimit + Self.nameRoom else { throw .lineTooLong(limit: byteLimit) }
        let name = range.lowerBound..<(colon ?? range.upperBound)
        var valueStart = colon.map { $0 + 1 } ?? range.upperBound
        if valueStart < range.upperBound, bytes[valueStart] == 0x20 { valueStart += 1 }
        let value = valueStart..<range.upperBound
        guard value.count <= byteLimit else { throw .lineTooLong(limit: byteLimit) }
        if bytes.matches(name, "data") {
            try addData(bytes, value, isHeld: isHeld)
        } else if bytes.matches(name, "event") {
            setType(bytes, value, isHeld: isHeld)
        } else if bytes.matches(name, "id") {
            setID(bytes, value)
        } else if bytes.matches(name, "retry") {
            setRetry(bytes, value)
        } else {
            readUnknown(bytes, range, name: name, value: value)
            return
        }
        hasSeenField = true
    }

    private mutating func addData(
        _ bytes: Span<UInt8>,
        _ value: Range<Int>,
        isHeld: Bool
    ) throws(EventParsingError) {
        if !hasData, !isHeld {
            hasData = true
            data = .input(value)
            return
        }
        if case .input(let earlier) = data { heldData.append(bytes, earlier) }
        if hasData { heldData.append(0x0A) }
        hasData = true
        data = .held
        guard heldData.count + value.count <= byteLimit else {
            throw .eventTooLong(limit: byteLimit)
        }
        heldData.append(bytes, value)
    }

    private mutating func setType(_ bytes: Span<UInt8>, _ value: Range<Int>, isHeld: Bool) {
        heldType = []
        type = value.isEmpty ? .nowhere : .input(value)
        if isHeld { holdType(of: bytes) }
    }

    private mutating func setID(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        guard bytes.firstIndex(of: 0, in: value) == nil else { return }
        var id: [UInt8] = []
        id.append(repairing: bytes, value)
        pendingID = id
    }

    private mutating func setRetry(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        guard !value.isEmpty else { return }
        var number: Int64 = 0
        for index in value {
            guard (0x30...0x39).contains(bytes[index]) else { return }
            let (shifted, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int64(bytes[index] - 0x30))
            number = overflow || carry ? .max : sum
        }
        retryMilliseconds = number
    }

    private mutating func readUnknown(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        name: Range<Int>,
        value: Range<Int>
    ) {
        if !hasSeenField { keepStray(bytes, range) }
        guard bytes.matches(name, "error") else { return }
        var text: [UInt8] = []
        let end = min(value.upperBound, value.lowerBound + Self.strayLimit)
        text.append(repairing: bytes, value.lowerBound..<end)
        errorField = text
    }

    private mutating func keepStray(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let room = Self.strayLimit - strayText.count
        guard room > 0 else { return }
        if !strayText.isEmpty { strayText.append(0x0A) }
        let end = min(range.upperBound, range.lowerBound + room)
        strayText.append(repairing: bytes, range.lowerBound..<end)
    }
}

extension EventParser {
    private mutating func dispatch(_ bytes: Span<UInt8>) -> ParsedEvent? {
        if let id = pendingID {
            lastEventID = id
            pendingID = nil
        }
        guard hasData else {
            forgetEvent()
            return nil
        }
        repairData(bytes)
        repairType(bytes)
        isDispatched = true
        return ParsedEvent(data: data, type: type)
    }

    private mutating func repairData(_ bytes: Span<UInt8>) {
        switch data {
        case .nowhere: return
        case .input(let range):
            guard !bytes.isUTF8(in: range) else { return }
            heldData.append(repairing: bytes, range)
        case .held:
            guard !heldData.span.isUTF8(in: 0..<heldData.count) else { return }
            var repaired: [UInt8] = []
            repaired.append(repairing: heldData.span, 0..<heldData.count)
            heldData = repaired
        }
        data = .held
    }

    private mutating func repairType(_ bytes: Span<UInt8>) {
        switch type {
        case .nowhere: return
        case .input(let range):
            guard !bytes.isUTF8(in: range) else { return }
            heldType.append(repairing: bytes, range)
        case .held:
            guard !heldType.span.isUTF8(in: 0..<heldType.count) else { return }
            var repaired: [UInt8] = []
            repaired.append(repairing: heldType.span, 0..<heldType.count)
            heldType = repaired
        }
        type = .held
    }

    /// Keeps what the unfinished event has in `bytes`, which are about to be taken back.
    private mutating func holdEvent(of bytes: Span<UInt8>) {
        if case .input(let range) = data {
            heldData.append(bytes, range)
            data = .held
        }
        holdType(of: bytes)
    }

    private mutating func holdType(of bytes: Span<UInt8>) {
        guard case .input(let range) = type else { return }
        heldType.append(bytes, range)
        type = .held
    }
}
