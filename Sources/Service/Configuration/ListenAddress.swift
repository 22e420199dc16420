import Glibc
import Reactor

/// An address to listen on: an IP address, or `localhost`, and a port.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 address without brackets, or `localhost`.
    package let host: String
    /// 0: any that is free.
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; nil if it is nothing of the kind.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: colon)...]
        var host = String(text[..<colon])
        guard let port = UInt16(portText), portText.utf8.allSatisfy({ $0 != 0x2B }) else {
            return nil
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = String(host.dropFirst().dropLast()) }
        guard isBracketed == host.contains(":") else { return nil }
        self.init(host: host, port: port)
        guard host == "localhost" || IPAddress(host) != nil else { return nil }
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// What the reactor binds; `localhost` is 127.0.0.1.
    package var socketAddress: SocketAddress {
        switch IPAddress(host) {
        case .v4(let address): .v4(address, port: port)
        case .v6(let high, let low): .v6(high, low, port: port)
        case nil: .v4(0x7F00_0001, port: port)
        }
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        switch IPAddress(host) {
        case .v4(let address): address >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        case nil: host == "localhost"
        }
    }

    /// Whether it takes every address of the machine.
    package var isWildcard: Bool {
        switch IPAddress(host) {
        case .v4(let address): address == 0
        case .v6(let high, let low): high == 0 && low == 0
        case nil: false
        }
    }
}

/// A literal IP address.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt64, UInt64)

    /// Reads the literal forms alone; no name is looked up.
    package init?(_ text: String) {
        var v4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self = .v4(UInt32(bigEndian: v4.s_addr))
            return
        }
        var octets = [UInt8](repeating: 0, count: 16)
        guard unsafe inet_pton(AF_INET6, text, &octets) == 1 else { return nil }
        let word = { (part: ArraySlice<UInt8>) in part.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        self = .v6(word(octets[..<8]), word(octets[8...]))
    }
}
