import Compression
import HTTPWire
import StreamBytes
import StreamLoad
import Testing

/// Answers whose bodies have a content coding.
struct CodedAnswerTests {
    private static let body = Array("data: {\"a\":\"é\"}\n\ndata: 2\n\ndata: [DONE]\n\n".utf8)

    private func coded(_ coding: ContentCoding, isWhole: Bool = true) throws -> [UInt8] {
        var encoders = try SharedEncoders(budget: CompressionBudget())
        encoders.budgetLimit = 1 << 30
        guard let encoder = encoders.open(coding) else { throw CompressionError.outOfMemory }
        var output: [UInt8] = []
        try encoders.encode(
            Self.body.span,
            eventCount: 3,
            isLast: isWhole,
            by: encoder,
            to: &output
        )
        encoders.close(encoder)
        return output
    }

    private func check(
        _ body: [UInt8],
        _ coding: String,
        cutAt place: Int = 0
    ) -> (progress: AnswerChecker.Progress, tally: LoadTally) {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            + "content-encoding: \(coding)\r\ncontent-length: \(body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + body
        let start = MonotonicTime(nanoseconds: 0)
        var checker = AnswerChecker(startedAt: start)
        var tally = LoadTally()
        var progress = AnswerChecker.Progress.goesOn
        for part in [bytes[..<place], bytes[place...]] where progress == .goesOn {
            progress = checker.take(part.span, at: start, into: &tally)
        }
        return (progress, tally)
    }

    @Test(arguments: ContentCoding.allCases)
    func `a coded answer is checked like any other, at every cut`(coding: ContentCoding) throws {
        let body = try coded(coding)
        for place in 0..<body.count + 90 {
            let (progress, tally) = check(body, coding.rawValue, cutAt: place)
            #expect(progress == .completed, "\(place)")
            #expect(tally.events == 3)
            #expect(tally.coded == 1)
            #expect(tally.bytes == body.count)
            #expect(tally.rawBytes == Self.body.count)
        }
    }

    @Test(arguments: ContentCoding.allCases)
    func `a coding without its end is a failure`(coding: ContentCoding) throws {
        let cut = try coded(coding, isWhole: false)
        let (progress, tally) = check(cut, coding.rawValue)
        #expect(progress == .failed(.badCoding))
        // All of its events could be read.
        #expect(tally.events == 3)
    }

    @Test func `a coding that cannot be read is a failure`() throws {
        #expect(check(Array("nonsense".utf8), "gzip").progress == .failed(.badCoding))
        #expect(check(Array("nonsense".utf8), "zstd").progress == .failed(.badCoding))
        var damaged = try coded(.gzip)
        damaged[damaged.count - 5] ^= 1
        #expect(check(damaged, "gzip").progress == .failed(.badCoding))
    }
}
