import StreamBytes

/// What a response parser found next.
package enum ResponseStep: Sendable, Equatable {
    /// The input is used up.
    case needsMore
    /// An interim response (1xx); the final one follows.
    case interim(status: Int)
    case head(ResponseHead)
    /// Bytes of the body: a range of the input.
    case body(Range<Int>)
    /// The response is complete.
    case end
}

/// Reads one response from what a server sends, strictly and in whatever pieces it comes.
///
/// Source: RFC 9112, sections 4, 6 and 7. After an error the connection has to end. For the next
/// response on a connection make another parser.
package struct ResponseParser: ~Copyable {
    private enum Place: UInt8 {
        case head
        case body
        case end
    }

    private static let interimLimit = 16

    private let limits: HTTPLimits
    private let isReplyToHead: Bool
    private var section = SectionCollector()
    private var place = Place.head
    private var reader = BodyReader(.none)
    private var interimCount = 0
    private var keepsConnection = false

    /// Makes a parser for the reply to one request.
    ///
    /// - Parameters:
    ///   - limits: what is taken of head, body and framing.
    ///   - isReplyToHead: whether the request's method was HEAD, so that no body follows.
    package init(limits: HTTPLimits, isReplyToHead: Bool) {
        self.limits = limits
        self.isReplyToHead = isReplyToHead
    }

    /// Whether the response is complete and the connection may carry another request.
    package var canReuseConnection: Bool { place == .end && keepsConnection }

    /// Whether nothing of the response has come yet: a request on a kept connection that meets its
    /// end then was perhaps never read.
    package var hasNothing: Bool { place == .head && section.isEmpty && interimCount == 0 }

    /// Reads on from `offset`, which is moved behind what was used.
    ///
    /// Call again until it answers `needsMore` or `end`. Ranges are positions in `input`.
    ///
    /// - Throws: why the response cannot be trusted.
    package mutating func parse(
        _ input: Span<UInt8>,
        from offset: inout Int
    ) throws(HTTPError) -> ResponseStep {
        switch place {
        case .head: return try parseHead(input, from: &offset)
        case .end: return .end
        case .body: break
        }
        switch try reader.next(input, from: &offset, trailers: &section, limits: limits) {
        case .needsMore: return .needsMore
        case .bytes(let range): return .body(range)
        case .end:
            place = .end
            return .end
        }
    }

    /// Call when the server ended its sending.
    ///
    /// - Returns: whether the response is whole; false if nothing of it came at all.
    /// - Throws: `truncated` if it was cut.
    package mutating func endOfStream() throws(HTTPError) -> Bool {
        if hasNothing { return false }
        let isWhole = place != .head && (reader.endsWithConnection || reader.isAtEnd)
        guard isWhole else { throw .truncated }
        place = .end
        keepsConnection = false
        return true
    }

    private mutating func parseHead(
        _ input: Span<UInt8>,
        from offset: inout Int
    ) throws(HTTPError) -> ResponseStep {
        let start = offset
        guard
            try section.collect(input, from: &offset, as: .statusLine, limits: limits)
        else { return .needsMore }
        let held = section.finish()
        let (head, minorVersion) =
            if held.isEmpty {
                try Self.head(input, start..<offset)
            } else {
                try Self.head(held.span, 0..<held.count)
            }
        return try begin(head, minorVersion)
    }

    private mutating func begin(
        _ head: ResponseHead,
        _ minorVersion: Int
    ) throws(HTTPError) -> ResponseStep {
        if head.status < 200 {
            interimCount += 1
            // 101 would hand the connection to a protocol that nobody asked for.
            guard head.status != 101, interimCount <= Self.interimLimit else {
                throw .interimResponse
            }
            return .interim(status: head.status)
        }
        let framing = try framing(head, minorVersion)
        reader = BodyReader(framing)
        keepsConnection =
            framing != .untilClose && head.fields.keepsConnection(minorVersion: minorVersion)
        place = .body
        return .head(head)
    }

    private func framing(
        _ head: ResponseHead,
        _ minorVersion: Int
    ) throws(HTTPError) -> BodyReader.Framing {
        let codings = head.fields.values("transfer-encoding")
        let lengths = head.fields.values("content-length")
        guard codings.isEmpty || (lengths.isEmpty && minorVersion > 0) else {
            throw .ambiguousLength
        }
        if isReplyToHead || head.status == 204 || head.status == 304 { return .none }
        if !codings.isEmpty {
            try RequestFraming.checkChunked(codings)
            return .chunked
        }
        guard let length = lengths.first else { return .untilClose }
        // Proxies repeat the field; equal values mean one thing only (RFC 9112, section 6.3).
        guard lengths.allSatisfy({ $0 == length }) else { throw .contentLength }
        return .counted(try RequestFraming.contentLength(length))
    }

    private static func head(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(HTTPError) -> (ResponseHead, minorVersion: Int) {
        let start = range.lowerBound
        let lineEnd = FieldLines.endOfLine(bytes, from: start, to: range.upperBound)
        guard lineEnd - start >= 12, RequestLine.isProtocolName(bytes, at: start),
            bytes[start + 5] == UInt8(ascii: "1"), bytes[start + 6] == UInt8(ascii: "."),
            bytes[start + 7].isDigit, bytes[start + 8] == .space,
            lineEnd == start + 12 || bytes[start + 12] == .space
        else { throw .statusLine }
        var status = 0
        for index in start + 9..<start + 12 {
            guard bytes[index].isDigit else { throw .statusLine }
            status = status * 10 + Int(bytes[index]) - 0x30
        }
        guard (100...599).contains(status) else { throw .statusLine }
        let fields = try FieldLines.parse(bytes, lineEnd + 2..<range.upperBound)
        let minorVersion = bytes[start + 7] == UInt8(ascii: "0") ? 0 : 1
        return (ResponseHead(status: status, fields: fields), minorVersion)
    }
}
