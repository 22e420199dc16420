import CCrypto
import StreamBytes

/// Base64 with `+`, `/` and padding.
///
/// Source: RFC 4648, section 4.
package enum Base64 {
    /// How many characters `count` bytes take.
    package static func characterCount(of count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Appends the text of `bytes`.
    package static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        guard bytes.count > 0 else { return }
        let count = characterCount(of: bytes.count)
        // Libcrypto ends the text with a zero, which the next append overwrites.
        output.append(addingCapacity: count + 1) { text in
            let written = unsafe text.withUnsafeMutableBufferPointer { text, filled in
                unsafe bytes.withUnsafeBufferPointer { bytes in
                    let place = unsafe text.baseAddress.map { unsafe $0 + filled }
                    let written = unsafe EVP_EncodeBlock(
                        place,
                        bytes.baseAddress,
                        Int32(bytes.count)
                    )
                    filled += Int(written)
                    return Int(written)
                }
            }
            precondition(written == count, "every three bytes take four characters")
        }
    }

    /// Returns the text of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        append(bytes.span, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Returns the bytes of `text`; nil if it is not exactly what `encode` writes for them.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        var characters = text.count
        while characters > 0, text.count - characters < 2, text[characters - 1] == padding {
            characters -= 1
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters * 3 / 4)
        var bits: UInt32 = 0
        var bitCount = 0
        for index in 0..<characters {
            guard let value = value(text[index]) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            bits &= (1 << UInt32(bitCount)) - 1
        }
        return bitCount < 6 && bits == 0 ? bytes : nil
    }

    /// Returns the bytes of `text`; nil if it is not exactly what `encode` writes for them.
    package static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8).span) }

    private static let padding = UInt8(ascii: "=")

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case 0x41...0x5A: UInt32(character) - 0x41
        case 0x61...0x7A: UInt32(character) - 0x61 + 26
        case 0x30...0x39: UInt32(character) - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
