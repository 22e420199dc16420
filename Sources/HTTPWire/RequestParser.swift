import StreamBytes

/// What a request parser found next.
package enum RequestStep: Sendable, Equatable {
    /// The input is used up.
    case needsMore
    case head(RequestHead)
    /// Bytes of the body: a range of the input.
    case body(Range<Int>)
    /// The request is complete; what follows belongs to the next one.
    case end
}

/// Reads requests from what a client sends, strictly and in whatever pieces it comes.
///
/// Source: RFC 9112 and RFC 9110; where they leave a choice, what could be read in two ways is
/// refused. After an error the parser must not be used again and the connection has to end.
package struct RequestParser: ~Copyable {
    private enum Place: UInt8 {
        case head
        case body
    }

    private let limits: HTTPLimits
    private var section = SectionCollector()
    private var place = Place.head
    private var reader = BodyReader(.none)

    /// The longest body that the request in hand may have, in bytes; set it after `head`.
    package var bodyByteLimit: Int
    /// Whether the client waits for an interim response before it sends the body.
    package private(set) var expectsContinue = false
    /// Whether the connection may go on after the request in hand.
    package private(set) var keepsConnection = true

    package init(limits: HTTPLimits) {
        self.limits = limits
        bodyByteLimit = limits.bodyByteLimit
    }

    /// Whether nothing of a further request has come.
    package var isBetweenRequests: Bool { place == .head && section.isEmpty }

    /// Whether the head in hand is incomplete.
    package var isInHead: Bool { place == .head && !section.isEmpty }

    /// The length that the head in hand announces; nil if its body is chunked.
    package var announcedBodyLength: Int? {
        switch reader.framing {
        case .counted(let count): count
        case .none, .untilClose: 0
        case .chunked: nil
        }
    }

    /// Reads on from `offset`, which is moved behind what was used.
    ///
    /// Call again until it answers `needsMore`. Ranges are lent: they are positions in `input`.
    ///
    /// - Throws: why the request is refused, with the status that fits.
    package mutating func parse(
        _ input: Span<UInt8>,
        from offset: inout Int
    ) throws(HTTPError) -> RequestStep {
        if place == .head { return try parseHead(input, from: &offset) }
        var limits = self.limits
        limits.bodyByteLimit = bodyByteLimit
        let step = try reader.next(input, from: &offset, trailers: &section, limits: limits)
        switch step {
        case .needsMore: return .needsMore
        case .bytes(let range): return .body(range)
        case .end:
            place = .head
            return .end
        }
    }

    private mutating func parseHead(
        _ input: Span<UInt8>,
        from offset: inout Int
    ) throws(HTTPError) -> RequestStep {
        let start = offset
        guard
            try section.collect(input, from: &offset, as: .requestLine, limits: limits)
        else { return .needsMore }
        let skipped = section.skippedByteCount
        let held = section.finish()
        let head =
            if held.isEmpty {
                try Self.head(input, start + skipped..<offset)
            } else {
                try Self.head(held.span, 0..<held.count)
            }
        try begin(head)
        return .head(head)
    }

    private mutating func begin(_ head: RequestHead) throws(HTTPError) {
        let framing = try RequestFraming(head)
        expectsContinue = framing.expectsContinue
        keepsConnection = framing.keepsConnection
        reader = BodyReader(framing.body)
        bodyByteLimit = limits.bodyByteLimit
        place = .body
    }

    private static func head(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(HTTPError) -> RequestHead {
        let lineEnd = FieldLines.endOfLine(bytes, from: range.lowerBound, to: range.upperBound)
        let line = try RequestLine(bytes, range.lowerBound..<lineEnd)
        var fields = try FieldLines.parse(bytes, lineEnd + 2..<range.upperBound)
        let hosts = fields.values("host")
        guard hosts.count <= 1, hosts.allSatisfy(HostName.isValid) else { throw .host }
        guard hosts.count == 1 || line.minorVersion == 0 else { throw .host }
        // RFC 9112, section 3.2.2: an absolute target's authority counts, not the field.
        if let authority = line.authority { fields.replace("Host", authority) }
        return RequestHead(
            method: line.method,
            target: line.target,
            minorVersion: line.minorVersion,
            fields: fields
        )
    }
}
