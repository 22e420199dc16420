/// Where a socket is: an IP address with a port, or a path.
package enum SocketAddress: Hashable, Sendable {
    /// Four octets, most significant first.
    case v4(UInt32, port: UInt16)
    /// Sixteen octets as two words, most significant first.
    case v6(UInt64, UInt64, port: UInt16)
    case unix(path: String)
}

/// A descriptor on its way from one reactor to another, with what was read of it already.
package struct PassedSocket: ~Copyable, Sendable {
    package let descriptor: Int32
    package let peer: SocketAddress
    package let local: SocketAddress
    package let unread: [UInt8]

    package init(descriptor: Int32, peer: SocketAddress, local: SocketAddress, unread: [UInt8]) {
        self.descriptor = descriptor
        self.peer = peer
        self.local = local
        self.unread = unread
    }
}

/// What a client connection's TLS needs: whom to expect and whom to trust.
package struct ClientSecurity: Hashable, Sendable {
    /// The name sent by SNI and looked for in the certificate; an IP address is matched as one.
    package let serverName: String
    /// A PEM file of further trusted authorities; nil: the system's store alone.
    package let authorityFile: String?

    package init(serverName: String, authorityFile: String?) {
        self.serverName = serverName
        self.authorityFile = authorityFile
    }
}
