/// How a request's body is framed and what its head asks of the connection.
struct RequestFraming {
    let body: BodyReader.Framing
    let expectsContinue: Bool
    let keepsConnection: Bool

    init(_ head: RequestHead) throws(HTTPError) {
        let fields = head.fields
        body = try Self.body(fields, minorVersion: head.minorVersion)
        keepsConnection = fields.keepsConnection(minorVersion: head.minorVersion)
        // RFC 9110, section 10.1.1: an expectation in HTTP/1.0 is ignored.
        let expectations = head.minorVersion == 0 ? [] : fields.values("expect")
        for expectation in expectations
        where !expectation.isEqualIgnoringASCIICase(to: "100-continue") {
            throw .expectation
        }
        expectsContinue = !expectations.isEmpty && body != .none && body != .counted(0)
    }

    private static func body(
        _ fields: HeaderFields,
        minorVersion: Int
    ) throws(HTTPError) -> BodyReader.Framing {
        let codings = fields.values("transfer-encoding")
        let lengths = fields.values("content-length")
        if !codings.isEmpty {
            guard lengths.isEmpty, minorVersion > 0 else { throw .ambiguousLength }
            try checkChunked(codings)
            return .chunked
        }
        guard let length = lengths.first else { return .none }
        guard lengths.count == 1 else { throw .contentLength }
        return .counted(try contentLength(length))
    }

    /// Requires `chunked`, once and alone.
    static func checkChunked(_ codings: [String]) throws(HTTPError) {
        let last = codings[codings.count - 1]
        if codings.count == 1, last.isEqualIgnoringASCIICase(to: "chunked") { return }
        let names = codings.joined(separator: ",").utf8
            .map { $0.asciiLowercased }
            .split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { $0.filter { !$0.isBlank } }
        let chunked = Array("chunked".utf8)
        let others = names.dropLast()
        let isKnownForm =
            names.last == chunked && !others.contains(chunked)
            && others.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isToken) }
        throw isKnownForm ? .transferCoding : .transferEncoding
    }

    /// Reads digits and nothing else; what does not fit is too large.
    static func contentLength(_ value: String) throws(HTTPError) -> Int {
        guard !value.isEmpty, value.utf8.allSatisfy(\.isDigit) else { throw .contentLength }
        var length = 0
        for digit in value.utf8 {
            let (tens, isTooLarge) = length.multipliedReportingOverflow(by: 10)
            let (sum, carries) = tens.addingReportingOverflow(Int(digit) - 0x30)
            if isTooLarge || carries { throw .bodyTooLarge }
            length = sum
        }
        return length
    }
}

extension HeaderFields {
    /// Whether the connection may carry another message after the one with these fields.
    package func keepsConnection(minorVersion: Int) -> Bool {
        if lists("connection", "close") { return false }
        return minorVersion > 0 || lists("connection", "keep-alive")
    }

    /// Whether a comma-separated field names `option`; case does not matter.
    package func lists(_ name: String, _ option: String) -> Bool {
        for field in fields where field.name.isEqualIgnoringASCIICase(to: name) {
            let holdsOption = field.value.utf8.split(separator: UInt8(ascii: ",")).contains {
                let item = $0.drop(while: \.isBlank).prefix { !$0.isBlank }
                return item.count == option.utf8.count
                    && zip(item, option.utf8).allSatisfy {
                        $0.asciiLowercased == $1.asciiLowercased
                    }
            }
            if holdsOption { return true }
        }
        return false
    }
}
