import CLinux

extension SocketAddress: CustomStringConvertible {
    /// The form of URLs: `127.0.0.1:80`, `[::1]:80`, `unix:/path`.
    package var description: String {
        switch self {
        case .v4(let octets, let port):
            let parts = [24, 16, 8, 0].map { String(octets >> UInt32($0) & 0xff) }
            return parts.joined(separator: ".") + ":\(port)"
        case .v6(let high, let low, let port):
            return "[\(Self.text(high, low))]:\(port)"
        case .unix(let path): return "unix:\(path)"
        }
    }

    /// Reads an IP address in digits, without brackets; nil for a name.
    package init?(literal: String, port: UInt16) {
        var raw = CLinux_address()
        guard unsafe CLinux_parse_address(literal, port, &raw) == 1 else { return nil }
        self.init(raw)
    }

    /// The address's port; 0 for a path.
    package var port: UInt16 {
        switch self {
        case .v4(_, let port), .v6(_, _, let port): port
        case .unix: 0
        }
    }

    /// The same address with another port; a path stays as it is.
    package func with(port: UInt16) -> Self {
        switch self {
        case .v4(let octets, _): .v4(octets, port: port)
        case .v6(let high, let low, _): .v6(high, low, port: port)
        case .unix: self
        }
    }

    /// Whether only this machine can reach it: 127/8, ::1 or a path.
    package var isLoopback: Bool {
        switch self {
        case .v4(let octets, _): octets >> 24 == 127
        case .v6(let high, let low, _):
            high == 0 && (low == 1 || low >> 24 == 0xffff_7f)
        case .unix: true
        }
    }

    /// RFC 5952: the longest run of two zero groups or more, the first of equals, becomes `::`.
    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        let groups = [high, low].flatMap { word in
            [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: word >> UInt64($0)) }
        }
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > longest.count { longest = start..<end }
            start = end + 1
        }
        let digits = groups.map { String($0, radix: 16) }
        guard longest.count > 1 else { return digits.joined(separator: ":") }
        let before = digits[..<longest.lowerBound].joined(separator: ":")
        return before + "::" + digits[longest.upperBound...].joined(separator: ":")
    }
}
