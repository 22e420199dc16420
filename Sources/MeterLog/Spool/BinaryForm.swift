/// Numbers as files and shared memory hold them: little-endian, or in as few bytes as they need.
extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
        for place in 0..<(Number.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: number >> (8 * place)))
        }
    }

    mutating func set<Number: FixedWidthInteger>(littleEndian number: Number, at offset: Int) {
        for place in 0..<(Number.bitWidth / 8) {
            self[offset + place] = UInt8(truncatingIfNeeded: number >> (8 * place))
        }
    }

    /// The number that begins at `offset`; all its bytes are there.
    func littleEndian<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        var number: Number = 0
        for place in 0..<(Number.bitWidth / 8) {
            number |= Number(truncatingIfNeeded: self[offset + place]) << (8 * place)
        }
        return number
    }

    /// Appends seven bits to a byte, the lowest first; small magnitudes of both signs are short.
    mutating func append(varying number: Int64) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

/// Takes values from the front of a part of some bytes; nil where they end too soon.
struct BinaryReader {
    private let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    mutating func byte() -> UInt8? {
        guard offset < end else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func varying() -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let byte = byte() {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
        return nil
    }

    /// The next bytes as text; what is not UTF-8 becomes U+FFFD.
    mutating func text(byteCount: Int64) -> String? {
        guard (0...Int64(end - offset)).contains(byteCount) else { return nil }
        let range = offset..<(offset + Int(byteCount))
        offset = range.upperBound
        return String(decoding: bytes[range], as: UTF8.self)
    }
}
