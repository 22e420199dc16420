import Glibc
import Reactor

/// Finds the address of a host; waits, so for the start of a program only.
enum NameLookup {
    static func address(of host: String, port: UInt16) -> SocketAddress? {
        if let address = SocketAddress(literal: host, port: port) { return address }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return nil }
        defer { unsafe freeaddrinfo(list) }
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe address(entry.pointee.ai_addr, port) { return address }
            unsafe next = entry.pointee.ai_next
        }
        return nil
    }

    private static func address(
        _ pointer: UnsafeMutablePointer<sockaddr>?,
        _ port: UInt16
    ) -> SocketAddress? {
        guard let pointer = unsafe pointer else { return nil }
        let raw = UnsafeRawPointer(pointer)
        switch Int32(unsafe pointer.pointee.sa_family) {
        case AF_INET:
            let address = unsafe raw.loadUnaligned(as: sockaddr_in.self)
            return .v4(UInt32(bigEndian: address.sin_addr.s_addr), port: port)
        case AF_INET6:
            let offset = 8
            let high = unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let low = unsafe raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            return .v6(UInt64(bigEndian: high), UInt64(bigEndian: low), port: port)
        default: return nil
        }
    }
}
