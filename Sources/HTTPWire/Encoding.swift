/// How the body behind a response head is delimited.
package enum BodyFraming: Sendable, Equatable {
    /// No body and no length: 204, 304, and interim responses.
    case none
    /// So many bytes; also what the reply to a HEAD announces.
    case counted(Int)
    case chunked
    /// Until the end of the connection.
    case untilClose
}

extension ResponseHead {
    /// Appends the head in its wire form.
    ///
    /// Fields of `fields` that speak of framing or of the connection are left out: they are
    /// written here, so that they cannot disagree with what is sent.
    ///
    /// - Parameters:
    ///   - buffer: gets the bytes; unchanged if the call throws.
    ///   - body: how the body is delimited.
    ///   - connection: the value of `Connection`; nil leaves it out.
    /// - Throws: `unsendable` if a name is no token or a value holds a control character.
    package func encode(
        into buffer: inout [UInt8],
        body: BodyFraming,
        connection: String? = nil
    ) throws(HTTPError) {
        guard (100...999).contains(status) else { throw .unsendable }
        try fields.checkSendable()
        buffer.append(contentsOf: "HTTP/1.1 ".utf8)
        buffer.append(decimal: status)
        buffer.append(.space)
        buffer.append(contentsOf: Self.reason(status).utf8)
        buffer.appendLineEnd()
        fields.encodeEndToEnd(into: &buffer)
        buffer.append(framing: body)
        if let connection { buffer.append(field: "connection", connection) }
        buffer.appendLineEnd()
    }

    /// Returns the reason phrase of RFC 9110, section 15, or the empty string.
    package static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}

extension RequestHead {
    /// Appends the head in its wire form; `target` is sent, `path` and `query` are not.
    ///
    /// Framing and `Connection` fields of `fields` are left out and written here.
    ///
    /// - Parameters:
    ///   - buffer: gets the bytes; unchanged if the call throws.
    ///   - bodyByteCount: the length of the body; nil for a request without one.
    ///   - connection: the value of `Connection`; nil leaves it out.
    /// - Throws: `unsendable` if method, target or a field holds what would change the message.
    package func encode(
        into buffer: inout [UInt8],
        bodyByteCount: Int?,
        connection: String? = nil
    ) throws(HTTPError) {
        guard !method.isEmpty, method.utf8.allSatisfy(\.isToken), !target.isEmpty,
            target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .unsendable }
        try fields.checkSendable()
        buffer.append(contentsOf: method.utf8)
        buffer.append(.space)
        buffer.append(contentsOf: target.utf8)
        buffer.append(contentsOf: " HTTP/1.1\r\n".utf8)
        fields.encodeEndToEnd(into: &buffer)
        if let bodyByteCount { buffer.append(framing: .counted(bodyByteCount)) }
        if let connection { buffer.append(field: "connection", connection) }
        buffer.appendLineEnd()
    }
}

extension HeaderFields {
    func checkSendable() throws(HTTPError) {
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(\.isToken),
                field.value.utf8.allSatisfy({ !$0.isControl || $0 == .tab })
            else { throw .unsendable }
        }
    }

    fileprivate func encodeEndToEnd(into buffer: inout [UInt8]) {
        for field in fields where !Self.isWrittenByEncoder(field.name) {
            buffer.append(field: field.name, field.value)
        }
    }

    private static func isWrittenByEncoder(_ name: String) -> Bool {
        ["content-length", "transfer-encoding", "connection", "keep-alive"]
            .contains { name.isEqualIgnoringASCIICase(to: $0) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(framing: BodyFraming) {
        switch framing {
        case .none, .untilClose: break
        case .chunked: append(field: "transfer-encoding", "chunked")
        case .counted(let count):
            append(contentsOf: "content-length: ".utf8)
            append(decimal: count)
            appendLineEnd()
        }
    }

    fileprivate mutating func append(field name: String, _ value: String) {
        append(contentsOf: name.utf8)
        append(UInt8(ascii: ":"))
        append(.space)
        append(contentsOf: value.utf8)
        appendLineEnd()
    }

    fileprivate mutating func append(decimal number: Int) {
        append(contentsOf: String(number).utf8)
    }

    fileprivate mutating func appendLineEnd() {
        append(.carriageReturn)
        append(.lineFeed)
    }
}
