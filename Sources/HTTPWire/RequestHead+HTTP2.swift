extension RequestHead {
    /// Makes the head of a request of HTTP/2 from its pseudo-header fields, as strictly as one of
    /// HTTP/1.1 is read; it is served as one.
    ///
    /// Source: RFC 9113, section 8.3.1. What section 8 calls malformed is known not to be there.
    ///
    /// - Parameters:
    ///   - method: `:method`.
    ///   - authority: `:authority`; nil: the field `Host` stands for it.
    ///   - path: `:path`.
    ///   - fields: the others.
    ///   - limits: for the target's length.
    /// - Throws: why the request is refused, with the status that fits.
    package init(
        method: String,
        authority: String?,
        path: String?,
        fields: HeaderFields,
        limits: HTTPLimits
    ) throws(HTTPError) {
        let name = method.utf8
        guard !name.isEmpty, name.count <= 32, name.allSatisfy(\.isToken),
            method != "CONNECT", method != "TRACE"
        else { throw .method }
        guard let path else { throw .target }
        if path.utf8.count > limits.startLineByteLimit { throw .targetTooLong }
        try RequestLine.checkOrigin(path, method: method)
        var fields = fields
        let hosts = fields.values("host")
        guard let host = authority ?? hosts.first, hosts.count <= 1, HostName.isValid(host),
            hosts.allSatisfy({ $0.isEqualIgnoringASCIICase(to: host) })
        else { throw .host }
        fields.replace("Host", host)
        self.init(method: method, target: path, minorVersion: 1, fields: fields)
    }
}

/// What a request's head says of the body that follows it.
package struct BodyAnnouncement: Sendable, Equatable {
    /// Nil where the head does not tell.
    package let byteCount: Int?
    /// Whether the client waits for an interim response before it sends the body.
    package let expectsContinue: Bool

    /// Reads the head of a request of HTTP/2, where frames and not fields delimit the body.
    ///
    /// - Throws: `contentLength`, `bodyTooLarge`, `expectation` and what else is wrong with the
    ///   fields.
    package init(_ head: RequestHead, hasBody: Bool) throws(HTTPError) {
        let framing = try RequestFraming(head)
        switch framing.body {
        case .counted(let count): byteCount = count
        case .none, .chunked, .untilClose: byteCount = hasBody ? nil : 0
        }
        expectsContinue =
            hasBody && head.fields.lists("expect", "100-continue") && byteCount != 0
    }
}
