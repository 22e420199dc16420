/// The codes that deflate knows without being told (RFC 1951, section 3.2.6).
///
/// A code is packed as `bits << 8 | length`, its bits in the order in which they are written.
struct FixedCodes {
    /// By the byte.
    private var literals = InlineArray<256, UInt32>(repeating: 0)
    /// By the length of a match, with the extra bits.
    private var lengths = InlineArray<259, UInt32>(repeating: 0)

    /// Of the symbol that ends a block; all its bits are 0.
    static let blockEnd: UInt32 = 7

    init() {
        for byte in 0..<256 {
            literals[byte] =
                byte < 144
                ? Self.code(0x30 + byte, length: 8) : Self.code(0x190 + byte - 144, length: 9)
        }
        // Section 3.2.5: from code 265 on each group of four has one extra bit more.
        var first = 3
        for symbol in 257..<285 {
            let extraBits = symbol < 265 ? 0 : (symbol - 261) / 4
            let code =
                symbol < 280
                ? Self.code(symbol - 256, length: 7) : Self.code(0xC0 + symbol - 280, length: 8)
            for extra in 0..<(1 << extraBits) where first + extra < 258 {
                lengths[first + extra] = Self.code(code, with: extra, of: extraBits)
            }
            first += 1 << extraBits
        }
        lengths[258] = Self.code(0xC5, length: 8)
    }

    /// The code of a byte that no match covers.
    func literal(_ byte: UInt8) -> UInt32 { literals[Int(byte)] }

    /// The code of a match's length, 3 to 258.
    func length(_ length: Int) -> UInt32 { lengths[length] }

    /// The code of a match's distance, 1 to 32,768.
    func distance(_ distance: Int) -> UInt32 {
        // Two symbols for each power of two: its first bit below the highest chooses, the rest
        // are extra.
        let value = UInt32(distance - 1)
        guard value >= 2 else { return Self.code(Int(value), length: 5) }
        let extraBits = 30 - value.leadingZeroBitCount
        let symbol = 2 * (extraBits + 1) + Int(value >> extraBits & 1)
        return Self.code(
            Self.code(symbol, length: 5),
            with: Int(value) & (1 << extraBits - 1),
            of: extraBits
        )
    }

    /// A code of the tables, which are written with their highest bit first.
    private static func code(_ value: Int, length: Int) -> UInt32 {
        (UInt32(value).reversedBits >> UInt32(32 - length)) << 8 | UInt32(length)
    }

    /// A code with its extra bits, which are written with their lowest bit first.
    private static func code(_ code: UInt32, with extra: Int, of bitCount: Int) -> UInt32 {
        let length = code & 0xFF
        return code + UInt32(extra) << (8 + length) + UInt32(bitCount)
    }
}

extension UInt32 {
    fileprivate var reversedBits: UInt32 {
        var value = self
        value = value >> 1 & 0x5555_5555 | (value & 0x5555_5555) << 1
        value = value >> 2 & 0x3333_3333 | (value & 0x3333_3333) << 2
        value = value >> 4 & 0x0F0F_0F0F | (value & 0x0F0F_0F0F) << 4
        return value.byteSwapped
    }
}
