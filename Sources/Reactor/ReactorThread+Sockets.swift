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

/// The contexts of connections to servers, one for each file of authorities; they are expensive to
/// make and shared by all reactors.
enum ClientContexts {
    private static let made = Guarded<[String?: SecurityContext]>([:])

    static func context(for security: ClientSecurity) throws(SocketError) -> SecurityContext {
        if let known = made.withLock({ $0[security.authorityFile] }) { return known }
        do throws(SecurityContextError) {
            let context = try SecurityContext(trustingSystemAnd: security.authorityFile)
            made.withLock { $0[security.authorityFile] = context }
            return context
        } catch {
            throw .tls(error.description)
        }
    }
}
