import StreamBytes

/// Gathers a head or a trailer section across reads and finds the empty line that ends it.
///
/// Refuses line ends other than CR LF and control characters as they come, so that what talks
/// another protocol is told at once.
struct SectionCollector: ~Copyable {
    /// What the section begins with.
    enum Form {
        case requestLine
        case statusLine
        case fields
    }

    /// What a client may send before a request by mistake (RFC 9112, section 2.2).
    private static let emptyLineLimit = 4

    /// Earlier reads' bytes of the section; empty while it lies in one read.
    private var held: [UInt8] = []
    private var byteCount: Int32 = 0
    private var lineByteCount: Int32 = 0
    private var lineCount: Int32 = 0
    private var emptyLineCount: UInt8 = 0
    private var endedInReturn = false
    private var hasRequestLine = false
    /// How many bytes of empty lines the last input held in front of the section.
    private(set) var skippedByteCount = 0

    /// Whether nothing of the section has come yet.
    var isEmpty: Bool { byteCount == 0 }

    /// Takes bytes up to the end of the section.
    ///
    /// - Returns: whether the section is complete; `offset` is then behind it, else at the end.
    mutating func collect(
        _ input: Span<UInt8>,
        from offset: inout Int,
        as form: Form,
        limits: HTTPLimits
    ) throws(HTTPError) -> Bool {
        let first = offset
        var start = first
        skippedByteCount = 0
        while offset < input.count {
            let byte = input[offset]
            offset += 1
            try count(form, limits)
            guard endedInReturn else {
                try take(byte, form, limits)
                continue
            }
            guard byte == .lineFeed else { throw .lineEnding }
            endedInReturn = false
            if try endLine(form, limits) {
                if !held.isEmpty { held.append(input.extracting(start..<offset)) }
                return true
            }
            if lineCount == 1, form == .requestLine, !hasRequestLine {
                hasRequestLine = true
                let wasHeld = !held.isEmpty
                try checkRequestLine(input, start..<offset)
                if wasHeld { start = offset }
            }
            if byteCount == 0 {
                start = offset
                skippedByteCount = offset - first
            }
        }
        if byteCount > 0 { held.append(input.extracting(start..<offset)) }
        return false
    }

    /// Gives up what earlier reads brought and begins again.
    ///
    /// - Returns: the whole section; empty if it lies in the last input alone.
    mutating func finish() -> [UInt8] {
        let section = held
        self = SectionCollector()
        return section
    }

    /// Checks the request line as soon as it ends, before any field is looked at.
    private mutating func checkRequestLine(
        _ input: Span<UInt8>,
        _ part: Range<Int>
    ) throws(HTTPError) {
        if held.isEmpty {
            _ = try RequestLine(input, part.lowerBound..<part.upperBound - 2)
        } else {
            held.append(input.extracting(part))
            _ = try RequestLine(held.span, 0..<held.count - 2)
        }
    }

    private mutating func count(_ form: Form, _ limits: HTTPLimits) throws(HTTPError) {
        byteCount += 1
        guard form != .fields else {
            if byteCount > limits.trailerByteLimit { throw .trailersTooLarge }
            return
        }
        if byteCount > limits.headByteLimit {
            throw lineCount == 0 && form == .requestLine ? .targetTooLong : .headTooLarge
        }
    }

    private mutating func take(
        _ byte: UInt8,
        _ form: Form,
        _ limits: HTTPLimits
    ) throws(HTTPError) {
        if byte == .carriageReturn {
            endedInReturn = true
            return
        }
        if byte == .lineFeed { throw .lineEnding }
        if byte.isControl, byte != .tab { throw .controlCharacter }
        lineByteCount += 1
        guard form == .requestLine, lineCount == 0 else { return }
        if byte == .tab || byte >= 0x80 { throw .requestLine }
        if lineByteCount > limits.startLineByteLimit { throw .targetTooLong }
    }

    private mutating func endLine(_ form: Form, _ limits: HTTPLimits) throws(HTTPError) -> Bool {
        guard lineByteCount == 0 else {
            lineByteCount = 0
            lineCount += 1
            let fieldCount = form == .fields ? lineCount : lineCount - 1
            if fieldCount > limits.fieldLimit { throw .tooManyFields }
            return false
        }
        guard form != .fields, lineCount == 0 else { return true }
        emptyLineCount += 1
        guard form == .requestLine, emptyLineCount <= Self.emptyLineLimit else {
            throw .emptyLines
        }
        byteCount = 0
        held = []
        return false
    }
}
