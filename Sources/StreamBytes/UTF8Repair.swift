extension Span where Element == UInt8 {
    /// Whether the bytes of `range` are well-formed UTF-8.
    package func isUTF8(in range: Range<Int>) -> Bool {
        if isASCII(in: range) { return true }
        var index = range.lowerBound
        while index < range.upperBound {
            let step = sequence(at: index, before: range.upperBound)
            guard step.isWellFormed else { return false }
            index += step.byteCount
        }
        return true
    }

    /// The length of the sequence at `index`; that of its longest valid beginning (at least one)
    /// if it is not well-formed.
    ///
    /// Source: WHATWG Encoding, section 8.1.1, "UTF-8 decoder": a byte that cannot go on a sequence
    /// ends it and is looked at again.
    fileprivate func sequence(
        at index: Int,
        before end: Int
    ) -> (byteCount: Int, isWellFormed: Bool) {
        let lead = self[index]
        guard lead >= 0x80 else { return (1, true) }
        let needed: Int
        switch lead {
        case 0xC2...0xDF: needed = 2
        case 0xE0...0xEF: needed = 3
        case 0xF0...0xF4: needed = 4
        default: return (1, false)
        }
        var byteCount = 1
        var allowed = secondBytes(after: lead)
        while byteCount < needed {
            guard index + byteCount < end, allowed.contains(self[index + byteCount]) else {
                return (byteCount, false)
            }
            byteCount += 1
            allowed = 0x80...0xBF
        }
        return (byteCount, true)
    }

    private func secondBytes(after lead: UInt8) -> ClosedRange<UInt8> {
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    }
}

extension [UInt8] {
    /// Appends the bytes of `range` as UTF-8; each sequence that is none becomes U+FFFD.
    package mutating func append(repairing source: Span<UInt8>, _ range: Range<Int>) {
        var index = range.lowerBound
        var start = index
        while index < range.upperBound {
            let step = source.sequence(at: index, before: range.upperBound)
            if !step.isWellFormed {
                append(source, start..<index)
                append(contentsOf: [0xEF, 0xBF, 0xBD])
                start = index + step.byteCount
            }
            index += step.byteCount
        }
        append(source, start..<range.upperBound)
    }
}
