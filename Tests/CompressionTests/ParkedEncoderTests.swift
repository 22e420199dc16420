import Compression
import HTTPWire
import StreamBytes
import TestSupport
import Testing

struct ParkedEncoderTests {
    @Test func `the history grows for large events, and its memory is given back`() throws {
        let coders = try Coders()
        let encoder = ParkedEncoder(.gzip)
        var sizes: [Int] = []

        for number in 0..<12 {
            let event = Self.event(number, byteCount: 1_800)
            var coded: [UInt8] = []
            encoder.encode(
                event.span,
                eventCount: 1,
                isLast: false,
                with: &coders.shared,
                to: &coded
            )
            sizes.append(coded.count)
        }

        let grown = ParkedEncoder.lastHistoryLimit - ParkedEncoder.firstHistoryLimit
        #expect(coders.budget.usedBytes == grown)
        // Without the event before, its letters have to be sent again.
        #expect(try #require(sizes.last) * 5 < sizes[2])
        encoder.close(with: &coders.shared)
        #expect(coders.budget.usedBytes == 0)
    }

    @Test func `the history stays short for small events`() throws {
        let coders = try Coders()
        let encoder = ParkedEncoder(.gzip)
        for number in 0..<100 {
            var coded: [UInt8] = []
            let event = Self.event(number, byteCount: 300)
            encoder.encode(
                event.span,
                eventCount: 1,
                isLast: false,
                with: &coders.shared,
                to: &coded
            )
        }
        #expect(coders.budget.usedBytes == 0)
        encoder.close(with: &coders.shared)
    }

    @Test func `events that leave together do not count as a large one`() throws {
        let coders = try Coders()
        let encoder = ParkedEncoder(.gzip)
        for number in 0..<30 {
            var coded: [UInt8] = []
            encoder.encode(
                Self.event(number, byteCount: 1_200).span,
                eventCount: 6,
                isLast: false,
                with: &coders.shared,
                to: &coded
            )
        }
        #expect(coders.budget.usedBytes == 0)
        encoder.close(with: &coders.shared)
    }

    @Test func `without budget large events are still coded, and can be read`() throws {
        let coders = try Coders(budgetLimit: 100)
        let encoder = ParkedEncoder(.zlib)
        var coded: [UInt8] = []
        var written: [UInt8] = []
        for number in 0..<20 {
            let event = Self.event(number, byteCount: 1_800)
            written += event
            encoder.encode(
                event.span,
                eventCount: 1,
                isLast: number == 19,
                with: &coders.shared,
                to: &coded
            )
        }
        encoder.close(with: &coders.shared)

        #expect(coders.budget.usedBytes == 0)
        #expect(try decoded(coded, .deflate).bytes == written)
        #expect(try decoded(coded, .deflate).isFinished)
    }

    @Test func `a write ends at a byte, with the marker that decoders wait for`() throws {
        let coders = try Coders()
        let encoder = ParkedEncoder(.gzip)
        for number in 0..<50 {
            var coded: [UInt8] = []
            let event = Self.event(number, byteCount: 200 + number)
            encoder.encode(
                event.span,
                eventCount: 1,
                isLast: false,
                with: &coders.shared,
                to: &coded
            )
            // RFC 1951, section 3.2.4: an empty stored block.
            #expect(coded.suffix(4) == [0, 0, 0xFF, 0xFF])
        }
        encoder.close(with: &coders.shared)
    }

    /// An event of letters that differ by the number only at its end.
    private static func event(_ number: Int, byteCount: Int) -> [UInt8] {
        var chance = SeededChance(seed: 9)
        let text = (0..<byteCount - 6).map { _ in UInt8(ascii: "a") + UInt8(chance.below(26)) }
        return text + Array("\(number + 1_000)\n\n".utf8)
    }
}
