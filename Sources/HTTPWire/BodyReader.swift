/// Finds the bytes of a body in what arrives, whatever its framing.
struct BodyReader: ~Copyable {
    /// How a message says where its body ends.
    enum Framing: Equatable {
        case none
        case counted(Int)
        case chunked
        case untilClose
    }

    enum Step {
        case needsMore
        case bytes(Range<Int>)
        case end
    }

    private enum Place: UInt8 {
        case ended
        case data
        case chunkLine
        case chunkData
        case chunkReturn
        case chunkLineFeed
        case trailers
    }

    let framing: Framing
    private var place: Place
    /// Of the body, or of the chunk in hand.
    private var remaining = 0
    private var total = 0
    private var extensionByteCount: Int32 = 0
    private var line = ChunkLine()

    init(_ framing: Framing) {
        self.framing = framing
        switch framing {
        case .none, .counted(0): place = .ended
        case .counted(let count):
            remaining = count
            place = .data
        case .untilClose:
            remaining = .max
            place = .data
        case .chunked: place = .chunkLine
        }
    }

    var isAtEnd: Bool { place == .ended }

    /// Whether the end of the connection would end the body in an orderly way.
    var endsWithConnection: Bool { framing == .untilClose }

    mutating func next(
        _ input: Span<UInt8>,
        from offset: inout Int,
        trailers: inout SectionCollector,
        limits: HTTPLimits
    ) throws(HTTPError) -> Step {
        while true {
            if place == .ended { return .end }
            if place == .trailers {
                try readTrailers(input, from: &offset, into: &trailers, limits: limits)
                if place == .trailers { return .needsMore }
                continue
            }
            guard offset < input.count else { return .needsMore }
            if place == .data || place == .chunkData {
                return .bytes(try takeData(input, from: &offset, limits: limits))
            }
            try takeFraming(input[offset], limits)
            offset += 1
        }
    }

    private mutating func takeData(
        _ input: Span<UInt8>,
        from offset: inout Int,
        limits: HTTPLimits
    ) throws(HTTPError) -> Range<Int> {
        let range = offset..<offset + min(remaining, input.count - offset)
        total += range.count
        if framing != .chunked, total > limits.bodyByteLimit { throw .bodyTooLarge }
        offset = range.upperBound
        if framing != .untilClose { remaining -= range.count }
        if remaining == 0 { place = framing == .chunked ? .chunkReturn : .ended }
        return range
    }

    private mutating func takeFraming(_ byte: UInt8, _ limits: HTTPLimits) throws(HTTPError) {
        switch place {
        case .chunkReturn:
            guard byte == .carriageReturn else { throw .chunkEnd }
            place = .chunkLineFeed
        case .chunkLineFeed:
            guard byte == .lineFeed else { throw .chunkEnd }
            place = .chunkLine
        default: try takeChunkLine(byte, limits)
        }
    }

    private mutating func takeChunkLine(_ byte: UInt8, _ limits: HTTPLimits) throws(HTTPError) {
        let isEnd = try line.take(byte, byteLimit: limits.chunkLineByteLimit)
        if line.isInExtension { extensionByteCount += 1 }
        if extensionByteCount > limits.chunkExtensionByteLimit { throw .chunkExtensionsTooLarge }
        guard isEnd else { return }
        guard line.size <= limits.bodyByteLimit - total else { throw .bodyTooLarge }
        remaining = line.size
        place = remaining == 0 ? .trailers : .chunkData
        line = ChunkLine()
    }

    /// Checks the trailer section and forgets it: nothing here may be changed by what comes late.
    private mutating func readTrailers(
        _ input: Span<UInt8>,
        from offset: inout Int,
        into trailers: inout SectionCollector,
        limits: HTTPLimits
    ) throws(HTTPError) {
        let start = offset
        guard
            try trailers.collect(input, from: &offset, as: .fields, limits: limits)
        else { return }
        let held = trailers.finish()
        if held.isEmpty {
            _ = try FieldLines.parse(input, start..<offset)
        } else {
            _ = try FieldLines.parse(held.span, 0..<held.count)
        }
        place = .ended
    }
}
