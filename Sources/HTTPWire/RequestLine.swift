import StreamBytes

/// A request line, read and checked.
///
/// Source: RFC 9112, section 3. The forms `origin`, `absolute` and `asterisk` are taken; an
/// absolute target comes out in origin form with its authority apart.
struct RequestLine {
    let method: String
    private(set) var target: String
    /// The host of an absolute target; nil for other forms.
    private(set) var authority: String?
    let minorVersion: Int

    init(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPError) {
        let methodEnd = try Self.endOfMethod(bytes, line)
        var targetEnd = methodEnd + 1
        while targetEnd < line.upperBound, bytes[targetEnd] != .space { targetEnd += 1 }
        guard targetEnd > methodEnd + 1, targetEnd < line.upperBound else { throw .requestLine }
        minorVersion = try Self.version(bytes, targetEnd + 1..<line.upperBound)
        method = String(repairing: bytes.extracting(line.lowerBound..<methodEnd))
        // CONNECT would make this a tunnel and TRACE an echo of credentials.
        if method == "CONNECT" || method == "TRACE" { throw .method }
        try Self.checkTarget(bytes, methodEnd + 1..<targetEnd)
        target = String(repairing: bytes.extracting(methodEnd + 1..<targetEnd))
        try splitAbsoluteTarget()
        try Self.checkForm(target, method)
    }

    /// Checks a target that has to be in origin form, or `*`.
    static func checkOrigin(_ target: String, method: String) throws(HTTPError) {
        let bytes = Array(target.utf8)
        try checkTarget(bytes.span, 0..<bytes.count)
        try checkForm(target, method)
    }

    private static func checkForm(_ target: String, _ method: String) throws(HTTPError) {
        let isStar = target == "*" && method == "OPTIONS"
        guard isStar || target.utf8.first == UInt8(ascii: "/") else { throw .target }
        try checkPath(target)
    }

    private static func endOfMethod(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>
    ) throws(HTTPError) -> Int {
        var end = line.lowerBound
        while end < line.upperBound, bytes[end].isToken { end += 1 }
        guard end > line.lowerBound, end < line.upperBound, bytes[end] == .space else {
            throw .requestLine
        }
        guard end - line.lowerBound <= 32 else { throw .method }
        return end
    }

    /// Reads `HTTP/1.x`; minor versions beyond 1 are served as 1 (RFC 9110, section 2.5).
    private static func version(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(HTTPError) -> Int {
        let start = range.lowerBound
        guard range.count == 8, bytes[start + 5].isDigit, bytes[start + 6] == UInt8(ascii: "."),
            bytes[start + 7].isDigit, isProtocolName(bytes, at: start)
        else { throw .requestLine }
        guard bytes[start + 5] == UInt8(ascii: "1") else { throw .version }
        return bytes[start + 7] == UInt8(ascii: "0") ? 0 : 1
    }

    static func isProtocolName(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        bytes[start] == UInt8(ascii: "H") && bytes[start + 1] == UInt8(ascii: "T")
            && bytes[start + 2] == UInt8(ascii: "T") && bytes[start + 3] == UInt8(ascii: "P")
            && bytes[start + 4] == UInt8(ascii: "/")
    }

    private static func checkTarget(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(HTTPError) {
        for index in range {
            guard bytes[index].isTargetByte else { throw .target }
            guard bytes[index] == UInt8(ascii: "%") else { continue }
            guard index + 2 < range.upperBound, bytes[index + 1].hexValue != nil,
                bytes[index + 2].hexValue != nil
            else { throw .target }
        }
    }

    /// A NUL in a path cuts it short in programs behind; no path has a use for it.
    private static func checkPath(_ target: String) throws(HTTPError) {
        var zeroCount = 0
        for byte in target.utf8.prefix(while: { $0 != UInt8(ascii: "?") }) {
            let isNext =
                zeroCount == 0 ? byte == UInt8(ascii: "%") : byte == UInt8(ascii: "0")
            zeroCount = isNext ? zeroCount + 1 : byte == UInt8(ascii: "%") ? 1 : 0
            if zeroCount == 3 { throw .target }
        }
    }

    private mutating func splitAbsoluteTarget() throws(HTTPError) {
        let bytes = Array(target.utf8)
        guard bytes.first != UInt8(ascii: "/"), let start = Self.endOfScheme(bytes) else { return }
        let end =
            bytes[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            ?? bytes.endIndex
        let host = String(decoding: bytes[start..<end], as: UTF8.self)
        guard end > start, bytes[start] != UInt8(ascii: ":"), HostName.isValid(host) else {
            throw .target
        }
        authority = host
        let rest = String(decoding: bytes[end...], as: UTF8.self)
        let isServerWide = rest.isEmpty && method == "OPTIONS"
        target = isServerWide ? "*" : rest.utf8.first == UInt8(ascii: "/") ? rest : "/" + rest
    }

    /// Returns where the authority begins behind `http://` or `https://`.
    private static func endOfScheme(_ bytes: [UInt8]) -> Int? {
        for scheme in ["http://", "https://"] {
            let length = scheme.utf8.count
            guard bytes.count >= length else { continue }
            let start = String(decoding: bytes[..<length], as: UTF8.self)
            if start.isEqualIgnoringASCIICase(to: scheme) { return length }
        }
        return nil
    }
}
