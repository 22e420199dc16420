import HTTPWire

/// What answers tell browsers so that they do less with them than they otherwise would; a handler's
/// own field of the same name stays.
package struct SecurityFields: Sendable {
    private let always: [HeaderFields.Field]
    private let whereSecure: [HeaderFields.Field]

    /// - Parameter strictTransport: how long a browser that was here by TLS shall not come back
    ///   without (RFC 6797), in whole seconds; zero: nothing is said of it.
    package init(strictTransport: Duration = .zero) {
        always = [
            .init("X-Content-Type-Options", "nosniff"),
            .init("Referrer-Policy", "no-referrer"),
            // It speaks of embedding alone, not of requests by CORS.
            .init("Cross-Origin-Resource-Policy", "same-origin"),
        ]
        let seconds = strictTransport.components.seconds
        whereSecure =
            seconds > 0 ? [.init("Strict-Transport-Security", "max-age=\(seconds)")] : []
    }

    /// For a page whose handler names no policy: what comes from the same origin, and no frame.
    private static let pagePolicy = HeaderFields.Field(
        "Content-Security-Policy",
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
            + "frame-ancestors 'none'"
    )

    /// Returns the head with the fields that it lacks.
    package func completing(_ head: ResponseHead, isSecure: Bool) -> ResponseHead {
        var head = head
        for field in always { head.fields.add(field) }
        if isSecure { for field in whereSecure { head.fields.add(field) } }
        if head.fields.first("content-type")?.hasPrefix("text/html") == true {
            head.fields.add(Self.pagePolicy)
        }
        return head
    }
}

extension HeaderFields {
    fileprivate mutating func add(_ field: Field) {
        if first(field.name) == nil { append(field.name, field.value) }
    }
}
