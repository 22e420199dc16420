/// Checks `uri-host [ ":" port ]`, as `Host` and an absolute target carry it.
///
/// Stricter than RFC 3986 in one point: sub-delimiters are refused, since no name that resolves
/// holds one and lists of hosts hide behind them.
enum HostName {
    static func isValid(_ host: String) -> Bool {
        let bytes = Array(host.utf8)
        if bytes.first == UInt8(ascii: "[") { return isValidLiteral(bytes[1...]) }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        return isRegisteredName(bytes[..<colon]) && isPort(bytes[colon...])
    }

    private static func isValidLiteral(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return false }
        return isAddress(bytes[bytes.startIndex..<end]) && isPort(bytes[(end + 1)...])
    }

    /// Nothing, or a colon and a number that fits; a colon alone is allowed.
    private static func isPort(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first else { return true }
        guard first == UInt8(ascii: ":") else { return false }
        var port = 0
        for byte in bytes.dropFirst() {
            guard byte.isDigit else { return false }
            port = port * 10 + Int(byte) - 0x30
            if port > 65_535 { return false }
        }
        return true
    }

    private static func isRegisteredName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 255 else { return false }
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index].isUnreserved {
                index += 1
                continue
            }
            guard bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
                let high = bytes[index + 1].hexValue, let low = bytes[index + 2].hexValue,
                high << 4 | low > 0x20
            else { return false }
            index += 3
        }
        return true
    }

    /// An IPv6 address: eight groups, one run of them left out at most, the last two as IPv4 at will.
    private static func isAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
        var parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groupCount = 0
        if let last = parts.last, last.contains(UInt8(ascii: ".")) {
            guard parts.count > 1, isIPv4(last) else { return false }
            parts.removeLast()
            groupCount = 2
        } else if parts.count > 2, parts[parts.count - 1].isEmpty, parts[parts.count - 2].isEmpty {
            parts.removeLast()
        }
        if parts.count > 1, parts[0].isEmpty {
            guard parts[1].isEmpty else { return false }
            parts.removeFirst()
        }
        let gapCount = parts.count { $0.isEmpty }
        groupCount += parts.count - gapCount
        guard parts.allSatisfy({ $0.count <= 4 && $0.allSatisfy { $0.hexValue != nil } }) else {
            return false
        }
        let hasGap = zip(bytes, bytes.dropFirst()).contains {
            $0 == UInt8(ascii: ":") && $1 == UInt8(ascii: ":")
        }
        return hasGap ? gapCount == 1 && groupCount < 8 : gapCount == 0 && groupCount == 8
    }

    private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy(\.isDigit)
                    && part.reduce(0) { $0 * 10 + Int($1) - 0x30 } <= 255
            }
    }
}
