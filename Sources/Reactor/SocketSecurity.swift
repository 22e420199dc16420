import TransportSecurity

/// What is spoken on a TLS connection, as ALPN names it.
package enum ApplicationProtocol: String, Sendable {
    case http2 = "h2"
    case http1 = "http/1.1"

    init?(agreedOnBy session: borrowing SecuritySession?) {
        switch session {
        case .some(let session):
            guard let name = session.negotiatedProtocol else { return nil }
            self.init(rawValue: name)
        case nil: return nil
        }
    }
}

/// What a client connection's TLS needs: whom to expect and whom to trust.
package struct ClientSecurity: Hashable, Sendable {
    /// The name sent by SNI and looked for in the certificate; an IP address is matched as one.
    package let serverName: String
    /// A PEM file of further trusted authorities; nil: the system's store alone.
    package let authorityFile: String?
    /// What ALPN offers, the preferred one first.
    package let protocols: [ApplicationProtocol]

    package init(
        serverName: String,
        authorityFile: String?,
        protocols: [ApplicationProtocol] = [.http1]
    ) {
        self.serverName = serverName
        self.authorityFile = authorityFile
        self.protocols = protocols
    }
}

/// The certificate that accepted connections show; shared by all of them.
package struct ServerSecurity: Sendable {
    let context: SecurityContext

    /// Reads the certificate and its key.
    ///
    /// - Parameters:
    ///   - certificateFile: the certificate and its chain, PEM.
    ///   - keyFile: its key, PEM, without a password.
    ///   - protocols: what ALPN may choose, the preferred one first. A client that offers others
    ///     alone is refused; one that offers none is served.
    /// - Throws: `SecurityContextError`, which names the file.
    package init(
        certificateFile: String,
        keyFile: String,
        protocols: [ApplicationProtocol] = [.http1]
    ) throws(SecurityContextError) {
        context = try SecurityContext(
            certificateFile: certificateFile,
            keyFile: keyFile,
            protocols: protocols.map(\.rawValue)
        )
    }
}
