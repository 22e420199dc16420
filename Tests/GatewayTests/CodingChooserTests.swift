import Gateway
import HTTPWire
import StreamBytes
import Testing

struct CodingChooserTests {
    private var chooser = CodingChooser()

    private func question(
        _ field: String?,
        _ kind: BodyKind = .openAIChunks,
        configured: [ContentCoding] = [.gzip, .brotli, .deflate],
        expecting byteCount: Int? = nil
    ) -> CodingChooser.Question {
        CodingChooser.Question(
            accepted: AcceptedCodings(field.map { [$0] } ?? []),
            configured: configured,
            kind: kind,
            expectedByteCount: byteCount
        )
    }

    // MARK: What the client and the configuration say

    @Test(
        arguments: [
            (nil, nil, .notAccepted),
            ("", nil, .notAccepted),
            ("zstd, compress", nil, .notAccepted),
            ("gzip", .gzip, .best),
            ("gzip, deflate, br", .gzip, .best),
            ("deflate", .deflate, .best),
            ("br", .brotli, .best),
            ("*", .gzip, .best),
            ("*;q=0", nil, .notAccepted),
            ("gzip;q=0, deflate", .deflate, .best),
            ("br;q=1, gzip;q=0.8", .brotli, .preferred),
            ("gzip;q=0.5, identity", nil, .preferred),
            ("gzip;q=0.5, identity;q=0.5", .gzip, .best),
            ("identity;q=0, deflate", .deflate, .required),
            // Nothing is acceptable; what is sent as it is can be read by every client.
            ("identity;q=0", nil, .notAccepted),
            ("identity;q=0, zstd", nil, .notAccepted),
        ] as [(String?, ContentCoding?, CodingChoice.Reason)]
    )
    func `the client's words come first`(
        field: String?,
        coding: ContentCoding?,
        reason: CodingChoice.Reason
    ) {
        var chooser = chooser
        #expect(chooser.choose(question(field)) == CodingChoice(coding, reason))
    }

    @Test func `what is not configured is not used`() {
        var chooser = chooser
        let off = chooser.choose(question("gzip, br", configured: []))
        #expect(off == CodingChoice(nil, .off))
        let other = chooser.choose(question("gzip, deflate, br", configured: [.deflate]))
        #expect(other == CodingChoice(.deflate, .best))
    }

    @Test func `of two that are worth the same the first configured is taken`() {
        var chooser = chooser
        let choice = chooser.choose(question("gzip, deflate", configured: [.deflate, .gzip]))
        #expect(choice == CodingChoice(.deflate, .best))
    }

    // MARK: Sizes

    @Test(arguments: BodyKind.allCases)
    func `a tiny answer is sent as it is`(kind: BodyKind) {
        var chooser = chooser
        let limit = CodingChooser.tinyByteCount
        let tiny = chooser.choose(question("gzip", kind, expecting: limit - 1))
        #expect(tiny == CodingChoice(nil, .tiny))
        let larger = chooser.choose(question("gzip", kind, expecting: limit))
        #expect(larger == CodingChoice(.gzip, .best))
    }

    @Test func `a tiny answer is coded for a client that excludes the identity`() {
        var chooser = chooser
        let choice = chooser.choose(question("gzip, identity;q=0", .whole, expecting: 10))
        #expect(choice == CodingChoice(.gzip, .required))
    }

    // MARK: What was measured

    @Test func `writes of which little is saved make it stop coding`() {
        var chooser = chooser
        for _ in 0..<500 {
            chooser.wrote(.gzip, .weirEvents, rawByteCount: 30, codedByteCount: 24)
        }
        #expect(chooser.choose(question("gzip", .weirEvents)) == CodingChoice(nil, .cost))
        #expect(chooser.choose(question("gzip", .openAIChunks)) == CodingChoice(.gzip, .best))
    }

    @Test func `a coding that turns out slow yields to a faster one`() {
        var chooser = chooser
        for _ in 0..<500 { chooser.timed(.gzip, .openAIChunks, nanoseconds: 20_000) }
        #expect(chooser.choose(question("gzip, br")) == CodingChoice(.brotli, .best))
        #expect(chooser.choose(question("gzip")) == CodingChoice(.gzip, .best))
    }

    @Test func `a coding that saves more is worth more time`() {
        var chooser = chooser
        for _ in 0..<500 {
            chooser.wrote(.gzip, .whole, rawByteCount: 40_000, codedByteCount: 9_000)
            chooser.wrote(.brotli, .whole, rawByteCount: 40_000, codedByteCount: 4_000)
        }
        #expect(chooser.choose(question("gzip, br", .whole)) == CodingChoice(.brotli, .best))
    }

    @Test func `what was given up is tried again after a while`() {
        var chooser = chooser
        for _ in 0..<500 {
            chooser.wrote(.gzip, .weirEvents, rawByteCount: 30, codedByteCount: 24)
        }
        var count = 0
        while chooser.choose(question("gzip", .weirEvents)).coding == nil, count < 10_000 {
            count += 1
        }
        #expect((10..<1_000).contains(count))
    }

    @Test func `one unusual write changes nothing`() {
        var chooser = chooser
        chooser.wrote(.gzip, .openAIChunks, rawByteCount: 12, codedByteCount: 40)
        chooser.timed(.gzip, .openAIChunks, nanoseconds: 90_000)
        #expect(chooser.choose(question("gzip, br")) == CodingChoice(.gzip, .best))
    }

    // MARK: Load and memory

    @Test func `a busy reactor codes only what saves much`() {
        var chooser = chooser
        var small = question("gzip", .weirEvents)
        var large = question("gzip", .openAIChunks)
        small.load = CodingChooser.calmLoad
        #expect(chooser.choose(small) == CodingChoice(.gzip, .best))
        small.load = 1_000
        large.load = 1_000
        #expect(chooser.choose(small) == CodingChoice(nil, .load))
        #expect(chooser.choose(large) == CodingChoice(.gzip, .best))
    }

    @Test func `a busy reactor codes what the client must have`() {
        var chooser = chooser
        var question = question("gzip, identity;q=0", .weirEvents)
        question.load = 1_000
        #expect(chooser.choose(question) == CodingChoice(.gzip, .required))
    }

    @Test func `without memory for brotli the next best accepted coding is used`() {
        var chooser = chooser
        var both = question("br, gzip;q=0.5, deflate;q=0.7")
        both.hasBudget = false
        #expect(chooser.choose(both) == CodingChoice(.deflate, .budget))
        var alone = question("br")
        alone.hasBudget = false
        #expect(chooser.choose(alone) == CodingChoice(nil, .budget))
    }

    @Test func `the same words and measures give the same choices`() {
        func run() -> [CodingChoice] {
            var chooser = CodingChooser()
            return (0..<2_000).map { number in
                let kind = BodyKind.allCases[number % 4]
                chooser.wrote(
                    .gzip,
                    kind,
                    rawByteCount: number % 300,
                    codedByteCount: number % 70
                )
                chooser.timed(.brotli, kind, nanoseconds: number * 7)
                var question = question("gzip, br", kind)
                question.load = number % 1_001
                return chooser.choose(question)
            }
        }
        #expect(run() == run())
        #expect(Set(run()).count > 2)
    }
}

struct LoadGaugeTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test func `the load is the share of time that was spent, smoothed`() {
        var gauge = LoadGauge()
        gauge.read(cpuNanoseconds: 5_000_000, at: at(1_000))
        #expect(gauge.permille == 0)

        var permilles: [Int] = []
        for turn in 1...40 as ClosedRange<Int64> {
            gauge.read(cpuNanoseconds: 5_000_000 + turn * 400_000_000, at: at(1_000 + turn * 500))
            permilles.append(gauge.permille)
        }
        // After two seconds, four, and twenty of 800 thousandths.
        #expect((300...340).contains(permilles[3]))
        #expect((500...540).contains(permilles[7]))
        #expect((790...800).contains(permilles[39]))
    }

    @Test func `a reading after a pause stands for the pause`() {
        var gauge = LoadGauge()
        gauge.read(cpuNanoseconds: 0, at: at(0))
        gauge.read(cpuNanoseconds: 3_200_000_000, at: at(4_000))
        #expect(gauge.permille == 800)
        gauge.read(cpuNanoseconds: 3_200_000_000, at: at(60_000))
        #expect(gauge.permille == 0)
    }

    @Test func `a reading is due now and then`() {
        var gauge = LoadGauge()
        #expect(gauge.isDue(at: at(7)))
        gauge.read(cpuNanoseconds: 0, at: at(7))
        #expect(!gauge.isDue(at: at(506)))
        #expect(gauge.isDue(at: at(507)))
    }

    @Test func `a clock that stands still is no load`() {
        var gauge = LoadGauge()
        gauge.read(cpuNanoseconds: 0, at: at(1))
        gauge.read(cpuNanoseconds: 900, at: at(1))
        #expect(gauge.permille == 0)
    }
}
