import Compression
import StreamBytes
import TestSupport
import Testing

struct BrotliEncoderTests {
    @Test func `beyond the budget no encoder is opened, until one is closed`() throws {
        let one = 851_968
        let coders = try Coders(budgetLimit: 2 * one + 1)

        let first = try coders.open(.brotli)
        let second = try coders.open(.brotli)
        #expect(BrotliEncoder.open(with: &coders.shared) == nil)
        #expect(coders.budget.usedBytes == 2 * one)

        first.close(with: &coders.shared)
        let third = try coders.open(.brotli)
        #expect(BrotliEncoder.open(with: &coders.shared) == nil)
        second.close(with: &coders.shared)
        third.close(with: &coders.shared)
    }

    @Test func `an encoder takes no more memory than its place counts`() throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            var source = ByteSource(chance: SeededChance(seed: seed))
            let coders = try Coders()
            let encoder = try coders.open(.brotli)
            var coded: [UInt8] = []
            for _ in 0..<30 {
                let bytes = source.bytes(source.chance.within(1...80_000))
                try encoder.encode(
                    bytes.span,
                    eventCount: 1,
                    isLast: false,
                    with: &coders.shared,
                    to: &coded
                )
            }
            encoder.close(with: &coders.shared)
            #expect(coders.shared.brotliPeakByteCount > 500_000)
            #expect(coders.shared.brotliPeakByteCount <= 851_968)
        }
    }

    @Test func `a budget that was lowered takes back what closed encoders left`() throws {
        let coders = try Coders()
        let encoder = try coders.open(.brotli)
        coders.shared.budgetLimit = 0
        encoder.close(with: &coders.shared)
        #expect(coders.budget.usedBytes == 0)
        #expect(BrotliEncoder.open(with: &coders.shared) == nil)
    }
}
