/// The parameters of a query (`application/x-www-form-urlencoded`, WHATWG URL section 5.1).
package struct QueryString: Sendable {
    private var parameters: [(name: String, value: String)] = []

    /// - Parameter query: what follows the `?`; nil when there is none.
    package init(_ query: String?) {
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            parameters.append((Self.decoded(pair[0]), pair.count > 1 ? Self.decoded(pair[1]) : ""))
        }
    }

    /// The first value of that name.
    package subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Undoes percent-encoding and `+`; bytes that are no UTF-8 become U+FFFD.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, let value = hexByte(rest.prefix(2)) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == 0x2B ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexByte(_ digits: Substring.UTF8View) -> UInt8? {
        guard digits.count == 2 else { return nil }
        var value: UInt8 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | (digit - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | ((digit | 0x20) - 0x57)
            default: return nil
            }
        }
        return value
    }
}
