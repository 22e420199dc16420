/// Where a string stands in a JSON text, without its quotes.
package struct JSONString: Equatable, Sendable {
    package let range: Range<Int>
    package let hasEscapes: Bool

    package init(range: Range<Int>, hasEscapes: Bool) {
        self.range = range
        self.hasEscapes = hasEscapes
    }

    package var isEmpty: Bool { range.isEmpty }

    /// Whether the string, its escapes resolved, is `text`.
    package func equals(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        guard hasEscapes else { return bytes.matches(range, text) }
        let resolved = unescaped(in: bytes)
        return resolved.span.matches(0..<resolved.count, text)
    }

    /// The string with its escapes resolved, as UTF-8.
    package func unescaped(in bytes: Span<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.append(unescaping: self, in: bytes)
        return result
    }

    /// The string with its escapes resolved.
    package func text(in bytes: Span<UInt8>) -> String {
        String(decoding: unescaped(in: bytes), as: UTF8.self)
    }

    /// The length in UTF-8 that the string has once its escapes are resolved.
    package func unescapedByteCount(in bytes: Span<UInt8>) -> Int {
        guard hasEscapes else { return range.count }
        var count = 0
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == 0x5C else {
                count += 1
                index += 1
                continue
            }
            let escape = bytes.resolveEscape(at: index, before: range.upperBound)
            count += UTF8.width(escape.scalar)
            index = escape.end
        }
        return count
    }
}

extension Span where Element == UInt8 {
    /// The index, at or after `start`, of the first byte that a JSON string cannot hold as it is:
    /// a quote, a backslash or a control character; `count` if there is none.
    @inline(__always)
    func firstSpecialByte(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let raw = unsafe self.bytes
        var index = start
        while index &+ 8 <= count {
            let word = unsafe UInt64(
                littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            let quote = word ^ (ones &* 0x22)
            let slash = word ^ (ones &* 0x5C)
            // The lowest marked byte is exact; borrows reach only bytes above a marked one.
            let marks =
                ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash)
                | ((word &- (ones &* 0x20)) & ~word)
            if marks & highs != 0 { return index &+ (marks & highs).trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count {
            let byte = self[index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C { return index }
            index &+= 1
        }
        return count
    }

    /// The index after the escape at `index`.
    func endOfEscape(at index: Int) throws(JSONError) -> Int {
        guard index + 1 < count else { throw .truncated }
        switch self[index + 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
            return index + 2
        case 0x75:
            for digit in index + 2..<index + 6 {
                guard digit < count else { throw .truncated }
                guard self[digit].hexadecimalValue != nil else { throw .malformed(at: digit) }
            }
            return index + 6
        default:
            throw .malformed(at: index + 1)
        }
    }

    /// What the valid escape at `index` stands for; U+FFFD for half of a surrogate pair.
    fileprivate func resolveEscape(
        at index: Int,
        before end: Int
    ) -> (scalar: Unicode.Scalar, end: Int) {
        switch self[index + 1] {
        case 0x62: return ("\u{8}", index + 2)
        case 0x66: return ("\u{C}", index + 2)
        case 0x6E: return ("\n", index + 2)
        case 0x72: return ("\r", index + 2)
        case 0x74: return ("\t", index + 2)
        case 0x75: break
        default: return (Unicode.Scalar(self[index + 1]), index + 2)
        }
        let unit = codeUnit(at: index + 2)
        if let scalar = Unicode.Scalar(unit) { return (scalar, index + 6) }
        guard unit < 0xDC00, index + 12 <= end, matches(index + 6..<index + 8, "\\u") else {
            return ("\u{FFFD}", index + 6)
        }
        let low = codeUnit(at: index + 8)
        guard (0xDC00...0xDFFF).contains(low) else { return ("\u{FFFD}", index + 6) }
        let value = 0x1_0000 + (UInt32(unit - 0xD800) << 10) + UInt32(low - 0xDC00)
        return (Unicode.Scalar(value) ?? "\u{FFFD}", index + 12)
    }

    private func codeUnit(at index: Int) -> UInt16 {
        var unit: UInt16 = 0
        for digit in index..<index + 4 {
            unit = unit << 4 | UInt16(self[digit].hexadecimalValue ?? 0)
        }
        return unit
    }
}

extension UInt8 {
    fileprivate var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}

extension [UInt8] {
    /// Appends `string` with its escapes resolved; half of a surrogate pair becomes U+FFFD.
    package mutating func append(unescaping string: JSONString, in bytes: Span<UInt8>) {
        guard string.hasEscapes else { return append(bytes, string.range) }
        var index = string.range.lowerBound
        while index < string.range.upperBound {
            let plainEnd =
                bytes.firstIndex(of: 0x5C, in: index..<string.range.upperBound)
                ?? string.range.upperBound
            append(bytes, index..<plainEnd)
            guard plainEnd < string.range.upperBound else { return }
            let escape = bytes.resolveEscape(at: plainEnd, before: string.range.upperBound)
            append(contentsOf: UTF8.encode(escape.scalar) ?? UTF8.encodedReplacementCharacter)
            index = escape.end
        }
    }
}
