/// The checksum of everything in the spool.
///
/// Source: RFC 3720, appendix B.4: polynomial 0x1EDC6F41 (Castagnoli), reflected. It finds every
/// change of up to 32 bits in a row.
enum CRC32C {
    /// Returns the checksum of a part of `bytes`; `seed` is that of what stands before it.
    static func checksum(_ bytes: [UInt8], _ range: Range<Int>, seed: UInt32 = 0) -> UInt32 {
        precondition(bytes.indices.contains(range) || range.isEmpty, "the part is inside")
        let tables = tables
        var value = ~seed
        var index = range.lowerBound
        while range.upperBound - index >= 8 {
            let low = value ^ bytes.littleEndian(UInt32.self, at: index)
            let high = bytes.littleEndian(UInt32.self, at: index + 4)
            value =
                tables[7 * 256 + Int(low & 0xFF)] ^ tables[6 * 256 + Int(low >> 8 & 0xFF)]
                ^ tables[5 * 256 + Int(low >> 16 & 0xFF)] ^ tables[4 * 256 + Int(low >> 24)]
            value ^=
                tables[3 * 256 + Int(high & 0xFF)] ^ tables[2 * 256 + Int(high >> 8 & 0xFF)]
                ^ tables[256 + Int(high >> 16 & 0xFF)] ^ tables[Int(high >> 24)]
            index += 8
        }
        while index < range.upperBound {
            value = tables[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])] ^ (value >> 8)
            index += 1
        }
        return ~value
    }

    /// Eight tables in a row: table `n` moves a byte past `n` more.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for index in UInt32(0)..<256 {
            var value = index
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : (value >> 1) ^ 0x82F6_3B78 }
            tables.append(value)
        }
        for index in 256..<(8 * 256) {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 0xFF)] ^ (before >> 8))
        }
        return tables
    }()
}
