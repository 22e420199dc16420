import Compression
import TestSupport
import Testing

struct TerseDeflaterTests {
    @Test func `every length is read as it was written, from near and far`() throws {
        var deflater = TerseDeflater()
        var chance = SeededChance(seed: 3)
        let history = (0..<ParkedEncoder.lastHistoryLimit).map { _ in UInt8(chance.below(256)) }
        for length in 4...258 {
            for distance in [length, 511, 512, 513, 1_024, 1_025, 2_049, 3_073, 4_095, 4_096] {
                let start = history.count - distance
                let copy = Array(history[start..<start + length])
                var coded: [UInt8] = []
                let isShort = deflater.compress(
                    copy.span,
                    after: history.span,
                    isLast: true,
                    to: &coded
                )
                #expect(isShort)
                // Header, one match of 8 + 5 and 5 + 11 bits at most, end.
                #expect(coded.count <= 5)
                #expect(try inflated(coded, after: history) == copy, "\(length) at \(distance)")
            }
        }
    }

    @Test(arguments: 1...8)
    func `a run is a match that overlaps itself`(period: Int) throws {
        var deflater = TerseDeflater()
        for length in period...600 {
            let run = (0..<length).map { UInt8($0 % period) }
            var coded: [UInt8] = []
            #expect(
                deflater.compress(run.span, after: [UInt8]().span, isLast: true, to: &coded)
            )
            #expect(coded.count < 24)
            #expect(try inflated(coded, after: []) == run)
        }
    }

    @Test func `the end of a long write may repeat the begin of the longest history`() throws {
        var deflater = TerseDeflater()
        var chance = SeededChance(seed: 6)
        let history = (0..<ParkedEncoder.lastHistoryLimit).map { _ in UInt8(chance.below(256)) }
        for far in 0..<8 {
            let write = Array(history[2_000..<2_000 + 1_000]) + history[far..<far + 16]
            var coded: [UInt8] = []
            #expect(
                deflater.compress(write.span, after: history.span, isLast: true, to: &coded)
            )
            #expect(coded.count < 24)
            #expect(try inflated(coded, after: history) == write)
        }
    }

    @Test func `every distance within the longest history is read as it was written`() throws {
        var deflater = TerseDeflater()
        var chance = SeededChance(seed: 4)
        let history = (0..<ParkedEncoder.lastHistoryLimit).map { _ in UInt8(chance.below(256)) }
        for distance in 8...history.count {
            let start = history.count - distance
            let copy = Array(history[start..<start + 8])
            var coded: [UInt8] = []
            #expect(
                deflater.compress(copy.span, after: history.span, isLast: true, to: &coded)
            )
            #expect(try inflated(coded, after: history) == copy, "\(distance)")
        }
    }

    @Test func `any write after any history is read as it was written, or left to zlib`() throws {
        var deflater = TerseDeflater()
        var source = ByteSource(chance: SeededChance(seed: 5))
        var shortCount = 0
        for _ in 0..<3_000 {
            let history = source.bytes(source.chance.below(ParkedEncoder.lastHistoryLimit + 1))
            let most = source.chance.below(3) == 0 ? 8 : TerseDeflater.writeLimit
            let write = source.bytes(source.chance.below(most + 1))
            let isLast = source.chance.below(4) == 0
            var output: [UInt8] = [1, 2, 3]
            guard
                deflater.compress(write.span, after: history.span, isLast: isLast, to: &output)
            else {
                #expect(output == [1, 2, 3])
                continue
            }
            shortCount += 1
            #expect(output.prefix(3) == [1, 2, 3])
            let coded = Array(output.dropFirst(3))
            // A symbol, the end and the marker may come beyond the limit.
            #expect(coded.count <= TerseDeflater.resultLimit + 16)
            #expect(try inflated(coded, after: history) == write)
        }
        #expect(shortCount > 1_000)
    }

    @Test func `the bytes are those of the format's own codes`() {
        var deflater = TerseDeflater()
        var coded: [UInt8] = []
        // zlib.compressobj(6, zlib.DEFLATED, -15), compress(b"Deflate late"), flush(zlib.Z_SYNC_FLUSH)
        #expect(
            deflater.compress(
                Array("Deflate late".utf8).span,
                after: [UInt8]().span,
                isLast: false,
                to: &coded
            )
        )
        #expect(
            coded == [
                0x72, 0x49, 0x4D, 0xCB, 0x49, 0x2C, 0x49, 0x55, 0x00, 0x11, 0, 0, 0, 0, 0xFF, 0xFF,
            ]
        )
    }

    /// What an ordinary decoder makes of the data when it has read `history` before.
    private func inflated(_ coded: [UInt8], after history: [UInt8]) throws -> [UInt8] {
        let reader = try Reader(rawDeflateWithin: 1 << 20)
        // Stored blocks of 65,535 bytes at most (RFC 1951, section 3.2.4).
        let count = UInt16(history.count)
        let counts = [count, ~count].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        try reader.take([0] + counts + history)
        try reader.take(coded)
        return Array(reader.bytes.dropFirst(history.count))
    }
}
