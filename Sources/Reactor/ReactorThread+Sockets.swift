import TransportSecurity

extension ReactorThread {
    package func connect(
        to address: SocketAddress,
        security: ClientSecurity?,
        handler: any SocketHandler
    ) throws(SocketError) -> any StreamSocket {
        try ReactorSocket(
            connectingTo: address,
            security: security,
            on: self,
            handler: handler
        )
    }

    package func adopt(
        _ socket: consuming PassedSocket,
        handler: any SocketHandler
    ) -> any StreamSocket {
        ReactorSocket(adopting: socket, on: self, handler: handler)
    }

    package func adopt(
        _ socket: consuming PassedSocket,
        security: ServerSecurity,
        handler: any SocketHandler
    ) -> any StreamSocket {
        precondition(socket.unread.isEmpty, "TLS begins before anything is read")
        return ReactorSocket(
            adopting: socket,
            security: security,
            on: self,
            handler: handler
        )
    }
}

/// The contexts of connections to servers, one for each file of authorities and offer of protocols;
/// they are expensive to make and shared by all reactors.
enum ClientContexts {
    private struct Kind: Hashable {
        let authorityFile: String?
        let protocols: [ApplicationProtocol]
    }

    private static let made = Guarded<[Kind: SecurityContext]>([:])

    static func context(for security: ClientSecurity) throws(SocketError) -> SecurityContext {
        let protocols = security.protocols.map(\.rawValue)
        let kind = Kind(authorityFile: security.authorityFile, protocols: security.protocols)
        do throws(SecurityContextError) {
            // Such connections are few, and certificates are renewed while the process runs.
            if let own = security.certificate {
                return try SecurityContext(
                    trustingSystemAnd: security.authorityFile,
                    showing: KeyPairFiles(
                        certificateFile: own.certificateFile,
                        keyFile: own.keyFile
                    ),
                    protocols: protocols
                )
            }
            if let known = made.withLock({ $0[kind] }) { return known }
            let context = try SecurityContext(
                trustingSystemAnd: security.authorityFile,
                protocols: protocols
            )
            made.withLock { $0[kind] = context }
            return context
        } catch {
            throw .tls(error.description)
        }
    }
}
