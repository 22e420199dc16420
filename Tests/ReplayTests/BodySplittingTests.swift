import Replay
import Testing

struct BodySplittingTests {
    private func texts(_ body: RecordedBody) -> [String] {
        body.pieces.map { String(decoding: body.bytes[$0], as: UTF8.self) }
    }

    @Test func `events are split after their blank line`() {
        let body = RecordedBody(
            name: "x",
            bytes: Array("data: a\ndata: b\n\n: c\n\ndata: d\n\n".utf8)
        )

        #expect(texts(body) == ["data: a\ndata: b\n\n", ": c\n\n", "data: d\n\n"])
    }

    @Test(arguments: ["\r\n", "\r", "\n"])
    func `every kind of line break ends an event`(lineBreak: String) {
        let event = "event: x\(lineBreak)data: a\(lineBreak)\(lineBreak)"
        let body = RecordedBody(name: "x", bytes: Array((event + event).utf8))

        #expect(texts(body) == [event, event])
    }

    @Test func `lines are split after their line feed`() {
        let body = RecordedBody(
            name: "x",
            bytes: Array("{\"a\":1}\n{\"b\":2}\n{\"done\":true".utf8)
        )

        #expect(body.format == .lines)
        #expect(texts(body) == ["{\"a\":1}\n", "{\"b\":2}\n", "{\"done\":true"])
    }

    @Test func `an unfinished rest is a piece of its own`() {
        let body = RecordedBody(name: "x", bytes: Array("data: a\n\ndata: [DO".utf8))

        #expect(texts(body) == ["data: a\n\n", "data: [DO"])
    }

    @Test func `an empty body has no pieces`() {
        #expect(RecordedBody(name: "x", bytes: []).pieces.isEmpty)
    }

    @Test func `the pieces of every embedded body are the whole of it`() {
        for body in EmbeddedBodies.all {
            #expect(body.pieces.first?.lowerBound == 0)
            #expect(body.pieces.last?.upperBound == body.bytes.count)
            for (piece, next) in zip(body.pieces, body.pieces.dropFirst()) {
                #expect(piece.upperBound == next.lowerBound)
            }
        }
    }
}
