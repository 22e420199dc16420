import HTTPWire

/// What one write of a kind of bodies is like in a coding: a mean in which the last 64 count most.
struct WriteEstimate: Sendable {
    /// In sixteenths, so that small steps are not lost.
    private var raw: Int
    private var coded: Int
    private var time: Int

    private static let scale = 16
    private static let shift = 6

    init(rawByteCount: Int, codedByteCount: Int, nanoseconds: Int) {
        raw = rawByteCount * Self.scale
        coded = codedByteCount * Self.scale
        time = nanoseconds * Self.scale
    }

    var rawByteCount: Int { raw / Self.scale }
    var codedByteCount: Int { coded / Self.scale }
    var nanoseconds: Int { time / Self.scale }

    mutating func note(rawByteCount: Int, codedByteCount: Int) {
        raw += (rawByteCount * Self.scale - raw) >> Self.shift
        coded += (codedByteCount * Self.scale - coded) >> Self.shift
    }

    mutating func note(nanoseconds: Int) {
        // A page fault or an interrupt says nothing of the coding.
        let nanoseconds = min(nanoseconds, 8 * max(self.nanoseconds, 1_000))
        time += (nanoseconds * Self.scale - time) >> Self.shift
    }

    /// Moves a little towards what is expected.
    mutating func drift(to expected: WriteEstimate) {
        raw += (expected.raw - raw) >> 8
        coded += (expected.coded - coded) >> 8
        time += (expected.time - time) >> 8
    }

    /// What to begin with: means of recorded answers (`make bench`).
    static func expected(_ coding: ContentCoding, _ kind: BodyKind) -> WriteEstimate {
        switch (kind, coding) {
        case (.weirEvents, .gzip), (.weirEvents, .deflate):
            WriteEstimate(rawByteCount: 75, codedByteCount: 20, nanoseconds: 1_400)
        case (.weirEvents, .brotli):
            WriteEstimate(rawByteCount: 75, codedByteCount: 22, nanoseconds: 4_400)
        case (.openAIChunks, .gzip), (.openAIChunks, .deflate):
            WriteEstimate(rawByteCount: 290, codedByteCount: 23, nanoseconds: 1_200)
        case (.openAIChunks, .brotli):
            WriteEstimate(rawByteCount: 290, codedByteCount: 25, nanoseconds: 5_300)
        case (.sealedEvents, .gzip), (.sealedEvents, .deflate):
            WriteEstimate(rawByteCount: 190, codedByteCount: 105, nanoseconds: 3_500)
        case (.sealedEvents, .brotli):
            WriteEstimate(rawByteCount: 190, codedByteCount: 115, nanoseconds: 8_000)
        case (.whole, .gzip), (.whole, .deflate):
            WriteEstimate(rawByteCount: 4_096, codedByteCount: 1_400, nanoseconds: 60_000)
        case (.whole, .brotli):
            WriteEstimate(rawByteCount: 4_096, codedByteCount: 1_300, nanoseconds: 300_000)
        }
    }
}
