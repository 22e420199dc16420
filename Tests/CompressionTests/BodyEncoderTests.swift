import Compression
import HTTPWire
import StreamBytes
import TestSupport
import Testing

struct BodyEncoderTests {
    @Test(arguments: Recipe.allCases, [1, 2, 3, 4] as [UInt64])
    func `whatever was written can be read at once, and the end is the end`(
        recipe: Recipe,
        seed: UInt64
    ) throws {
        var source = ByteSource(chance: SeededChance(seed: seed))
        let coders = try Coders()
        let encoder = try coders.open(recipe)
        let reader = try Reader(recipe.coding)
        var written: [UInt8] = []
        for number in 0..<80 {
            let bytes = source.bytes(Self.size(number, &source.chance))
            var coded: [UInt8] = []
            try encoder.encode(
                bytes.span,
                eventCount: 1,
                isLast: false,
                with: &coders.shared,
                to: &coded
            )
            written += bytes
            try reader.take(coded)
            try #require(
                reader.bytes.count == written.count,
                "\(recipe) seed \(seed) write \(number)"
            )
            #expect(!reader.isFinished)
        }
        #expect(reader.bytes == written)

        var end: [UInt8] = []
        try encoder.encode(Span(), eventCount: 1, isLast: true, with: &coders.shared, to: &end)
        encoder.close(with: &coders.shared)

        try reader.take(end)
        #expect(reader.isFinished)
        #expect(reader.bytes == written)
        #expect(throws: CompressionError.trailingBytes) {
            try reader.take([0])
        }
    }

    /// Mostly events, sometimes nothing, sometimes more than a window holds.
    private static func size(_ number: Int, _ chance: inout SeededChance) -> Int {
        switch number % 40 {
        case 0: 0
        case 7: chance.within(30_000...90_000)
        case 13: chance.within(700...9_000)
        default: chance.within(1...600)
        }
    }

    @Test(arguments: Recipe.allCases)
    func `the last bytes and the end may come in one write`(recipe: Recipe) throws {
        let coders = try Coders()
        let encoder = try coders.open(recipe)
        let text = Array("data: [DONE]\n\n".utf8)
        var coded: [UInt8] = []

        try encoder.encode(text.span, eventCount: 1, isLast: true, with: &coders.shared, to: &coded)
        encoder.close(with: &coders.shared)

        #expect(try decoded(coded, recipe.coding).bytes == text)
        #expect(try decoded(coded, recipe.coding).isFinished)
    }

    @Test(arguments: Recipe.allCases)
    func `an empty body is a whole one`(recipe: Recipe) throws {
        let coders = try Coders()
        let encoder = try coders.open(recipe)
        var coded: [UInt8] = []

        try encoder.encode(Span(), eventCount: 1, isLast: false, with: &coders.shared, to: &coded)
        #expect(coded.isEmpty)
        try encoder.encode(Span(), eventCount: 1, isLast: true, with: &coders.shared, to: &coded)
        encoder.close(with: &coders.shared)

        #expect(try decoded(coded, recipe.coding).bytes == [])
        #expect(try decoded(coded, recipe.coding).isFinished)
    }

    @Test(arguments: Recipe.allCases)
    func `a body that was not ended does not look complete`(recipe: Recipe) throws {
        let coders = try Coders()
        let encoder = try coders.open(recipe)
        var coded: [UInt8] = []
        try encoder.encode(
            [1 as UInt8, 2, 3].span,
            eventCount: 1,
            isLast: false,
            with: &coders.shared,
            to: &coded
        )
        let cut = coded
        try encoder.encode(Span(), eventCount: 1, isLast: true, with: &coders.shared, to: &coded)
        encoder.close(with: &coders.shared)

        for count in cut.count..<coded.count {
            #expect(try !decoded(Array(coded[..<count]), recipe.coding).isFinished)
        }
        #expect(try decoded(coded, recipe.coding).isFinished)
    }

    @Test(arguments: Recipe.allCases)
    func `bodies that take turns do not disturb each other`(recipe: Recipe) throws {
        var source = ByteSource(chance: SeededChance(seed: 77))
        let coders = try Coders()
        let count = 9
        let encoders = try (0..<count).map { _ in try coders.open(recipe) }
        var written = [[UInt8]](repeating: [], count: count)
        var coded = written
        for _ in 0..<400 {
            let index = source.chance.below(count)
            let bytes = source.bytes(source.chance.within(0...500))
            coders.shared.isHurried = source.chance.chance(perMille: 300)
            written[index] += bytes
            try encoders[index].encode(
                bytes.span,
                eventCount: 1,
                isLast: false,
                with: &coders.shared,
                to: &coded[index]
            )
        }
        for index in 0..<count {
            try encoders[index].encode(
                Span(),
                eventCount: 1,
                isLast: true,
                with: &coders.shared,
                to: &coded[index]
            )
            encoders[index].close(with: &coders.shared)
            let whole = try decoded(coded[index], recipe.coding)
            #expect(whole.isFinished)
            #expect(whole.bytes == written[index])
        }
        #expect(coders.budget.usedBytes <= 2 * 851_968)
    }

    @Test func `a chunk is compressed for itself`() throws {
        var source = ByteSource(chance: SeededChance(seed: 5))
        let coders = try Coders()
        for _ in 0..<50 {
            let bytes = source.bytes(source.chance.within(0...5_000))
            var chunk: [UInt8] = []
            coders.shared.compressChunk(bytes.span, to: &chunk)

            let reader = try Reader(rawDeflateWithin: 10_000)
            try reader.take(chunk)
            #expect(reader.isFinished)
            #expect(reader.bytes == bytes)
        }
    }
}
