import StreamBytes
import StreamLoad
import Testing

struct AnswerCheckerTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func check(
        _ parts: [String],
        closes: Bool = true
    ) -> (progress: AnswerChecker.Progress, tally: LoadTally) {
        var checker = AnswerChecker(startedAt: start)
        var tally = LoadTally()
        var now = start
        for part in parts {
            now = now + .milliseconds(10)
            let progress = checker.take(Array(part.utf8).span, at: now, into: &tally)
            if progress != .goesOn { return (progress, tally) }
        }
        return (closes ? checker.connectionEnded() : .goesOn, tally)
    }

    private func answer(_ body: String, type: String = "text/event-stream") -> String {
        "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
            + body
    }

    @Test func `a whole answer is completed and counted`() {
        let body = "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n"
        let (progress, tally) = check([answer(body)])

        #expect(progress == .completed)
        #expect(tally.events == 3)
        #expect(tally.bytes == body.utf8.count)
        #expect(tally.firstByte.maximum == 10_000)
        #expect(tally.firstEvent.maximum == 10_000)
        #expect(tally.answer.count == 1)
        #expect(tally.gap.count == 0)
    }

    @Test func `it is the same at every cut`() {
        let bytes = answer("data: {\"a\":1}\n\ndata: [DONE]\n\n")
        for place in bytes.indices.dropFirst() {
            let (progress, tally) = check([String(bytes[..<place]), String(bytes[place...])])
            #expect(progress == .completed)
            #expect(tally.events == 2)
        }
    }

    @Test func `gaps are between arrivals`() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        let (_, tally) = check([head, "data: 1\n\n", "data: 2\n\ndata: 3\n\n"])

        #expect(tally.firstByte.maximum == 10_000)
        #expect(tally.firstEvent.maximum == 20_000)
        #expect(tally.gap.count == 1)
        #expect(tally.gap.maximum == 10_000)
    }

    @Test func `every way to fail is told apart`() {
        #expect(check([answer("data: {}\n\n")]).progress == .failed(.noEnd))
        #expect(check([answer("data: {\"error\":{}}\n\n")]).progress == .failed(.errorEvent))
        #expect(check([answer("event: error\ndata: {}\n\n")]).progress == .failed(.errorEvent))
        #expect(check([answer("{}", type: "application/json")]).progress == .failed(.notAStream))
        #expect(check([]).progress == .failed(.noAnswer))
        #expect(check(["HTTP/1.1 2"]).progress == .failed(.noAnswer))
        #expect(check(["nonsense\r\n\r\n"]).progress == .failed(.badFraming))
        let refusal = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        #expect(check([refusal]).progress == .failed(.status(503)))
        let chunked =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        #expect(check([chunked, "9\r\ndata: 1\n\n\r\n"]).progress == .failed(.truncated))
        #expect(check([chunked, "zz\r\n"]).progress == .failed(.badFraming))
    }

    @Test func `weir's own events are known and their numbers checked`() {
        let body =
            "id: s.1\nevent: start\ndata: {}\n\nid: s.2\nevent: chunk\ndata: {}\n\n"
            + "id: s.5\nevent: complete\ndata: {}\n\n"
        let (progress, tally) = check([answer(body)])

        #expect(progress == .completed)
        #expect(tally.missingEvents == 2)
        #expect(tally.lost == 2)
    }
}
