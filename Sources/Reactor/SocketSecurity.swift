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
    /// Shown to a server that asks who the client is.
    package let certificate: ClientCertificate?
    /// What ALPN offers, the preferred one first; none: it is not used.
    package let protocols: [ApplicationProtocol]

    package init(
        serverName: String,
        authorityFile: String?,
        certificate: ClientCertificate? = nil,
        protocols: [ApplicationProtocol] = [.http1]
    ) {
        self.serverName = serverName
        self.authorityFile = authorityFile
        self.certificate = certificate
        self.protocols = protocols
    }
}

/// A client's own certificate with its chain, and its key: two PEM files.
package struct ClientCertificate: Hashable, Sendable {
    package let certificateFile: String
    package let keyFile: String

    package init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// The certificates that accepted connections show; shared by all of them.
package struct ServerSecurity: Sendable {
    let context: SecurityContext

    private init(context: SecurityContext) { self.context = context }

    /// Reads certificates and their keys.
    ///
    /// - Parameters:
    ///   - files: the first certificate is shown to clients that name no host, or one that none is
    ///     for; of those for the same names the client chooses by the kind of key.
    ///   - protocols: what ALPN may choose, the preferred one first. A client that offers others
    ///     alone is refused; one that offers none is served.
    /// - Throws: `SecurityContextError`, which names the file.
    package init(
        _ files: [KeyPairFiles],
        protocols: [ApplicationProtocol] = [.http2, .http1]
    ) throws(SecurityContextError) {
        context = try SecurityContext(showing: files, protocols: protocols.map(\.rawValue))
    }

    /// Reads the certificate and its key.
    ///
    /// - Parameters:
    ///   - certificateFile: the certificate and its chain, PEM.
    ///   - keyFile: its key, PEM, without a password.
    ///   - protocols: as above.
    /// - Throws: `SecurityContextError`, which names the file.
    package init(
        certificateFile: String,
        keyFile: String,
        protocols: [ApplicationProtocol] = [.http2, .http1]
    ) throws(SecurityContextError) {
        let files = KeyPairFiles(certificateFile: certificateFile, keyFile: keyFile)
        try self.init([files], protocols: protocols)
    }

    /// What they say, in the order of the files.
    package var certificates: [CertificateSummary] { context.certificates }

    /// Returns the same certificates with another key for session tickets: those that this one
    /// sealed are still opened, but not older ones.
    package func renewingTicketKeys() throws(SecurityContextError) -> ServerSecurity {
        ServerSecurity(context: try context.renewingTicketKeys())
    }
}
