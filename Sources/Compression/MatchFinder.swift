/// Finds where the bytes at a place have stood before, within one window of less than 64 KiB.
///
/// The window is handed to each call; it shall be the same from `begin` to `begin`.
struct MatchFinder: ~Copyable {
    /// A copy of bytes before: `length` is 0 where there is none.
    struct Match {
        /// 4 to 258 bytes.
        var length = 0
        /// How far back, in bytes.
        var distance = 0
    }

    /// Bytes that have to follow a place so that it can be looked at.
    static let lookahead = 8

    /// The longest copy of the format (RFC 1951, section 3.2.5).
    private static let longest = 258
    /// As many bytes as are hashed; three would be allowed, and cost nearly what they save.
    private static let shortest = 4
    private static let hashBits: UInt32 = 10

    /// For each hash of four bytes the four places where it was seen last, sixteen bits each, the
    /// newest lowest.
    ///
    /// Places are counted on from window to window, so that what those before have left need not be
    /// cleared each time: it is below `base`.
    private var recent = InlineArray<1024, UInt64>(repeating: .max)
    private var base = 0
    private var windowByteCount = 0

    /// Begins a new window of `byteCount` bytes.
    mutating func begin(_ byteCount: Int) {
        // The place at the end of a window, where nothing is left, is noted too.
        base += windowByteCount + 1
        windowByteCount = byteCount
        guard base + byteCount >= 0xFFFF else { return }
        recent = InlineArray(repeating: .max)
        base = 0
    }

    /// Makes the bytes at each of `places` known; `lookahead` bytes of the window follow them.
    mutating func add(_ places: Range<Int>, of window: RawSpan) {
        let base = base
        var place = places.lowerBound
        while place + 4 <= places.upperBound {
            let bytes = window.word64(at: place)
            let number = base + place
            add(number, Self.hash(UInt32(truncatingIfNeeded: bytes)))
            add(number + 1, Self.hash(UInt32(truncatingIfNeeded: bytes >> 8)))
            add(number + 2, Self.hash(UInt32(truncatingIfNeeded: bytes >> 16)))
            add(number + 3, Self.hash(UInt32(truncatingIfNeeded: bytes >> 24)))
            place += 4
        }
        while place < places.upperBound {
            add(base + place, Self.hash(window.word32(at: place)))
            place += 1
        }
    }

    /// The longest match for what stands at `place`, which is made known too.
    ///
    /// - Parameters:
    ///   - place: where `lookahead` bytes of the window are left.
    ///   - end: where the match has to end at the latest.
    ///   - window: the bytes.
    /// - Returns: of two that are as long, the nearer.
    mutating func longestMatch(at place: Int, before end: Int, in window: RawSpan) -> Match {
        let word = window.word32(at: place)
        let hash = Self.hash(word)
        var candidates = recent[hash]
        add(base + place, hash)
        let limit = min(end - place, Self.longest)
        var match = Match()
        guard limit >= Self.shortest else { return match }
        while true {
            let candidate = Int(candidates & 0xFFFF) - base
            guard candidate >= 0, candidate < place else { return match }
            if window.word32(at: candidate) == word {
                let length = window.commonByteCount(candidate, place, limit: limit)
                if length > match.length {
                    match = Match(length: length, distance: place - candidate)
                    if length == limit { return match }
                }
            }
            candidates = candidates >> 16 | 0xFFFF << 48
        }
    }

    private mutating func add(_ number: Int, _ hash: Int) {
        recent[hash] = recent[hash] << 16 | UInt64(truncatingIfNeeded: number)
    }

    /// Multiplicative hashing, after Knuth: the high bits of a product depend on all bits of the
    /// word.
    private static func hash(_ word: UInt32) -> Int {
        Int((word &* 0x9E37_79B1) >> (32 - hashBits))
    }
}

extension RawSpan {
    fileprivate func word32(at offset: Int) -> UInt32 {
        unsafe UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    fileprivate func word64(at offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// How many bytes from `first` on are those from `second` on, `limit` at most.
    fileprivate func commonByteCount(_ first: Int, _ second: Int, limit: Int) -> Int {
        var count = 0
        while count < limit {
            let difference = word64(at: first + count) ^ word64(at: second + count)
            if difference != 0 {
                return min(count + difference.trailingZeroBitCount / 8, limit)
            }
            count += 8
        }
        return limit
    }
}
