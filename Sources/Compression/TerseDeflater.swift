import StreamBytes

/// Deflate (RFC 1951) for writes that hold little new: one block of the fixed codes each.
///
/// An event mostly repeats the event before, and what is left are some twenty symbols. Codes of
/// their own would never pay for them, but zlib builds their trees each time, in tables of 64 KiB
/// that it looks for in memory; this needs 15 KiB. What does not come out short is left to zlib.
package struct TerseDeflater: ~Copyable {
    /// Bytes of a write that are tried.
    package static let writeLimit = 1_024
    /// Bytes within which no codes of its own would be worth their description.
    ///
    /// The last symbol, the end and the marker may come beyond them.
    package static let resultLimit = 64

    /// A match this long is taken without a look at the next place.
    private static let goodLength = 32

    /// The three bits that begin a block, as `bits << 8 | length`.
    private enum Header {
        static let fixed: UInt32 = 0b010 << 8 | 3
        static let last: UInt32 = 0b011 << 8 | 3
        static let stored: UInt32 = 0b000 << 8 | 3
    }

    private let codes = FixedCodes()
    private var matches = MatchFinder()
    /// What the decoder has read, the write, and room to look ahead.
    private var window: [UInt8] = []

    package init() {}

    /// Appends the compressed form of a write.
    ///
    /// - Parameters:
    ///   - bytes: the write, at most `writeLimit`.
    ///   - history: what the decoder has read last, at most `ParkedEncoder.lastHistoryLimit`.
    ///   - isLast: whether the data ends; else an empty stored block follows, which ends at a byte
    ///     and is the sign to decoders to hand on what they have.
    ///   - output: as before where the symbols take more than `resultLimit`.
    /// - Returns: whether it is appended.
    package mutating func compress(
        _ bytes: Span<UInt8>,
        after history: Span<UInt8>,
        isLast: Bool,
        to output: inout [UInt8]
    ) -> Bool {
        precondition(
            bytes.count <= Self.writeLimit && history.count <= ParkedEncoder.lastHistoryLimit,
            "places of the window are numbers of sixteen bits"
        )
        window.removeAll(keepingCapacity: true)
        window.append(history)
        window.append(bytes)
        for _ in 0..<MatchFinder.lookahead { window.append(0) }
        let start = output.count
        var bits = BitWriter()
        bits.append(isLast ? Header.last : Header.fixed, to: &output)
        guard append(history.count..<history.count + bytes.count, to: &output, &bits) else {
            output.removeLast(output.count - start)
            return false
        }
        bits.append(FixedCodes.blockEnd, to: &output)
        if !isLast { bits.append(Header.stored, to: &output) }
        bits.finish(to: &output)
        if !isLast {
            // The length of the stored block, and its complement.
            bits.append(0x0000 << 8 | 16, to: &output)
            bits.append(0xFFFF << 8 | 16, to: &output)
        }
        return true
    }

    /// Appends the symbols for `write` of the window.
    ///
    /// - Returns: false when there are too many.
    private mutating func append(
        _ write: Range<Int>,
        to output: inout [UInt8],
        _ bits: inout BitWriter
    ) -> Bool {
        let window = self.window
        let raw = unsafe window.span.bytes
        let end = write.upperBound
        let outputLimit = output.count + Self.resultLimit
        matches.begin(end)
        matches.add(0..<write.lowerBound, of: raw)
        var place = write.lowerBound
        var match = matches.longestMatch(at: place, before: end, in: raw)
        while place < end {
            guard output.count <= outputLimit else { return false }
            guard match.length > 0 else {
                bits.append(codes.literal(window[place]), to: &output)
                place += 1
                match = matches.longestMatch(at: place, before: end, in: raw)
                continue
            }
            if match.length < Self.goodLength {
                let next = matches.longestMatch(at: place + 1, before: end, in: raw)
                if next.length > match.length {
                    bits.append(codes.literal(window[place]), to: &output)
                    place += 1
                    match = next
                    continue
                }
            }
            bits.append(codes.length(match.length), to: &output)
            bits.append(codes.distance(match.distance), to: &output)
            place += match.length
            match = matches.longestMatch(at: place, before: end, in: raw)
        }
        return true
    }
}
