extension ReactorThread {
    package func connect(
        to address: SocketAddress,
        security: ClientSecurity?,
        handler: any SocketHandler
    ) throws(SocketError) -> any StreamSocket {
        guard security == nil else { throw .tls("not available yet") }
        return try PlainSocket(connectingTo: address, on: self, handler: handler)
    }

    package func adopt(
        _ socket: consuming PassedSocket,
        handler: any SocketHandler
    ) -> any StreamSocket {
        PlainSocket(adopting: socket, on: self, handler: handler)
    }
}
