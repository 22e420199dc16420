import TransportSecurity

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
    /// The TLS connection on it; nil if it is plain, or if TLS has not begun.
    let session: SecuritySession?

    /// Whether TLS is spoken on it already.
    package var isSecure: Bool { session != nil }

    /// What ALPN chose; nil where it is plain, or TLS agreed on nothing.
    package var negotiatedProtocol: ApplicationProtocol? {
        ApplicationProtocol(agreedOnBy: session)
    }

    package init(descriptor: Int32, peer: SocketAddress, local: SocketAddress, unread: [UInt8]) {
        self.init(
            descriptor: descriptor,
            peer: peer,
            local: local,
            unread: unread,
            session: nil
        )
    }

    init(
        descriptor: Int32,
        peer: SocketAddress,
        local: SocketAddress,
        unread: [UInt8],
        session: consuming SecuritySession?
    ) {
        self.descriptor = descriptor
        self.peer = peer
        self.local = local
        self.unread = unread
        self.session = session
    }
}
