/// A value of a row, as both databases know it.
enum LedgerValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])

    init(_ number: Int64?) { self = number.map(Self.integer) ?? .null }

    /// A text without zero bytes, which PostgreSQL cannot hold: U+2400 stands for them.
    init(_ text: String?) {
        guard let text else {
            self = .null
            return
        }
        self = .text(text.utf8.contains(0) ? text.replacingZeroBytes : text)
    }

    /// The value for people.
    var description: String {
        switch self {
        case .null: "NULL"
        case .integer(let number): String(number)
        case .text(let text): "'\(text)'"
        case .bytes(let bytes): "x'" + bytes.prefix(64).map(Self.hexadecimal).joined() + "'"
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

extension String {
    fileprivate var replacingZeroBytes: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars { scalars.append(scalar == "\0" ? "\u{2400}" : scalar) }
        return String(scalars)
    }
}
