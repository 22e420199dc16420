import Compression
import HTTPWire
import StreamBytes
import TestSupport
import Testing

struct BodyDecoderTests {
    @Test(arguments: ContentCoding.allCases)
    func `garbage is refused`(coding: ContentCoding) throws {
        var chance = SeededChance(seed: 3)
        for _ in 0..<300 {
            let bytes = (0..<200).map { _ in UInt8(chance.below(256)) }
            let reader = try Reader(coding)
            do {
                try reader.take(bytes)
                // A few bytes may happen to begin a body, which then wants more.
                #expect(!reader.isFinished || coding == .brotli)
            } catch {
                #expect(error == .malformed || error == .trailingBytes)
            }
        }
    }

    @Test(arguments: ContentCoding.allCases)
    func `a small body that unfolds into a large one is cut`(coding: ContentCoding) throws {
        let coders = try Coders()
        let recipe: Recipe =
            switch coding {
            case .gzip: .conventionalGzip
            case .deflate: .conventionalZlib
            case .brotli: .brotli
            }
        let encoder = try coders.open(recipe)
        var coded: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        try encoder.encode(
            zeros.span,
            eventCount: 1,
            isLast: true,
            with: &coders.shared,
            to: &coded
        )
        encoder.close(with: &coders.shared)

        let reader = try Reader(coding, byteLimit: 100_000)
        #expect(throws: CompressionError.tooLong(limit: 100_000)) {
            try reader.take(coded)
        }
        #expect(reader.bytes.count < 400_000)
    }

    @Test func `a damaged trailer is refused`() throws {
        for place in 1...8 {
            let coders = try Coders()
            let encoder = ParkedEncoder(.gzip)
            var coded: [UInt8] = []
            encoder.encode(
                [1, 2, 3].span,
                eventCount: 1,
                isLast: true,
                with: &coders.shared,
                to: &coded
            )
            coded[coded.count - place] ^= 1
            #expect(throws: CompressionError.malformed) { try decoded(coded, .gzip) }
        }
    }
}
