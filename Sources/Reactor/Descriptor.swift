import CLinux
import Glibc

/// What sockets do with bare descriptors.
enum Descriptor {
    /// Edge-triggered and registered once: no `epoll_ctl` afterwards.
    static let allEvents =
        EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue

    /// What a call on a closed socket answers.
    static let closedError = SocketError.system(EBADF)

    /// How long sent bytes may stay unacknowledged before the kernel gives a connection up.
    private static let userTimeoutMilliseconds: UInt32 = 45_000

    /// Opens a socket and starts to connect it.
    static func connecting(to address: SocketAddress) throws(SocketError) -> Int32 {
        let descriptor = try open(address)
        let outcome = unsafe CLinux_connect(descriptor, CLinux_address(address), address.path)
        guard outcome == 0 || outcome == -EINPROGRESS else {
            CLinux_close(descriptor)
            throw SocketError(errorNumber: -outcome)
        }
        return descriptor
    }

    /// Opens a non-blocking socket of the address's family; small writes leave at once.
    static func open(_ address: SocketAddress) throws(SocketError) -> Int32 {
        let descriptor = CLinux_socket(CLinux_address(address).family)
        guard descriptor >= 0 else { throw SocketError(errorNumber: -descriptor) }
        if !address.isLocal { tune(descriptor) }
        return descriptor
    }

    /// Sets the options of a TCP connection.
    static func tune(_ descriptor: Int32) {
        // A connection that is gone already refuses; its first read tells.
        _ = CLinux_tune_tcp(descriptor, userTimeoutMilliseconds)
    }

    static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        var address = CLinux_address()
        let outcome = unsafe CLinux_local_name(descriptor, &address)
        return outcome == 0 ? SocketAddress(address) : nil
    }

    static func statistics(_ descriptor: Int32) -> TCPStatistics? {
        var raw = CLinux_tcp_statistics()
        guard unsafe CLinux_tcp_info(descriptor, &raw) == 0 else { return nil }
        var statistics = TCPStatistics()
        statistics.roundTripMicroseconds = raw.round_trip_us
        statistics.retransmits = raw.retransmits
        statistics.lost = raw.lost
        statistics.receiveWindowLimitedMicroseconds = raw.receive_window_limited_us
        statistics.bytesAcknowledged = raw.bytes_acknowledged
        return statistics
    }

    static func wouldBlock(_ outcome: Int) -> Bool { outcome == -Int(EAGAIN) }

    static func readiness(_ events: UInt32) -> Readiness {
        var readiness: Readiness = []
        if events & EPOLLIN.rawValue != 0 { readiness.insert(.isReadable) }
        if events & EPOLLOUT.rawValue != 0 { readiness.insert(.isWritable) }
        if events & EPOLLRDHUP.rawValue != 0 { readiness.formUnion([.isReadable, .peerClosed]) }
        if events & EPOLLHUP.rawValue != 0 { readiness.formUnion([.isReadable, .peerClosed]) }
        if events & EPOLLERR.rawValue != 0 { readiness.formUnion([.isReadable, .hasFailed]) }
        return readiness
    }
}

extension SocketAddress {
    /// Whether it is a path, not an Internet address.
    var isLocal: Bool { path != nil }

    /// The path of a Unix socket.
    var path: String? {
        guard case .unix(let path) = self else { return nil }
        return path
    }

    init(_ raw: CLinux_address) {
        self =
            switch raw.family {
            case AF_INET: .v4(UInt32(truncatingIfNeeded: raw.low), port: raw.port)
            case AF_INET6: .v6(raw.high, raw.low, port: raw.port)
            default: .unix(path: "")
            }
    }
}

extension CLinux_address {
    init(_ address: SocketAddress) {
        self =
            switch address {
            case .v4(let octets, let port):
                Self(family: AF_INET, port: port, high: 0, low: UInt64(octets))
            case .v6(let high, let low, let port):
                Self(family: AF_INET6, port: port, high: high, low: low)
            case .unix: Self(family: AF_UNIX, port: 0, high: 0, low: 0)
            }
    }
}
