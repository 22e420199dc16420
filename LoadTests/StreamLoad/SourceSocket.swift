import Glibc
import Reactor

/// Connections from a chosen address of 127.0.0.0/8, each of which has ports of its own.
enum SourceSocket {
    /// Starts a connection from `source`; the reactor tells `handler` when it is open.
    ///
    /// - Throws: what failed at once.
    static func connect(
        from source: UInt32,
        to address: SocketAddress,
        on reactor: any StreamExecutor,
        _ handler: any SocketHandler
    ) throws(SocketError) -> any StreamSocket {
        guard case .v4(let host, let port) = address else { throw .system(EAFNOSUPPORT) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw errno == EMFILE ? .noDescriptors : .system(errno) }
        guard bind(descriptor, to: source), begin(descriptor, host, port) else {
            let number = errno
            close(descriptor)
            throw number == ECONNREFUSED ? .refused : .system(number)
        }
        return reactor.adopt(
            PassedSocket(
                descriptor: descriptor,
                peer: address,
                local: .v4(source, port: 0),
                unread: []
            ),
            handler: handler
        )
    }

    /// Binds the address and leaves the port to `connect`, which knows the other side and so may
    /// use a port several times.
    private static func bind(_ descriptor: Int32, to source: UInt32) -> Bool {
        var isOn: Int32 = 1
        let outcome = unsafe setsockopt(
            descriptor,
            Int32(IPPROTO_IP),
            IP_BIND_ADDRESS_NO_PORT,
            &isOn,
            4
        )
        guard outcome == 0 else { return false }
        return unsafe withAddress(source, 0) { unsafe Glibc.bind(descriptor, $0, $1) == 0 }
    }

    private static func begin(_ descriptor: Int32, _ host: UInt32, _ port: UInt16) -> Bool {
        unsafe withAddress(host, port) { unsafe Glibc.connect(descriptor, $0, $1) == 0 }
            || errno == EINPROGRESS
    }

    private static func withAddress(
        _ host: UInt32,
        _ port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
