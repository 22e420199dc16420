/// Bits on their way to bytes, the lowest first (RFC 1951, section 3.1.1).
struct BitWriter {
    private var bits: UInt64 = 0
    private var count: UInt64 = 0

    /// - Parameters:
    ///   - code: `bits << 8 | length`, of 24 bits at most.
    ///   - output: takes four bytes whenever there are as many.
    mutating func append(_ code: UInt32, to output: inout [UInt8]) {
        bits |= UInt64(code >> 8) << count
        count += UInt64(code & 0xFF)
        guard count >= 32 else { return }
        for _ in 0..<4 { appendByte(to: &output) }
    }

    /// Appends what is left, with zeros up to the end of a byte.
    mutating func finish(to output: inout [UInt8]) {
        count = (count + 7) & ~7
        while count > 0 { appendByte(to: &output) }
    }

    private mutating func appendByte(to output: inout [UInt8]) {
        output.append(UInt8(truncatingIfNeeded: bits))
        bits >>= 8
        count -= 8
    }
}
