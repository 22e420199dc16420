extension ResponseHead {
    /// Returns the head as the fields of HTTP/2, `:status` first and names in lower case.
    ///
    /// Fields that speak of framing or of the connection are left out (RFC 9113, section 8.2.2).
    ///
    /// - Parameter bodyByteCount: the length of the body, to be told; nil where it is not known.
    /// - Returns: names and values, in order.
    /// - Throws: `unsendable` if a name is no token or a value holds a control character.
    package func http2Fields(
        bodyByteCount: Int?
    ) throws(HTTPError) -> [(String, String)] {
        guard (100...999).contains(status) else { throw .unsendable }
        var list = [(":status", "\(status)")]
        list += try fields.http2Fields()
        if let bodyByteCount { list.append(("content-length", "\(bodyByteCount)")) }
        return list
    }
}

extension HeaderFields {
    /// The fields that go from end to end, names in lower case.
    ///
    /// - Throws: `unsendable`.
    package func http2Fields() throws(HTTPError) -> [(String, String)] {
        try checkSendable()
        return fields.compactMap { field in
            let name = field.name.lowercased()
            return Self.ofConnection.contains(name) ? nil : (name, field.value)
        }
    }

    private static let ofConnection: Set<String> = [
        "connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding",
        "upgrade",
    ]
}
