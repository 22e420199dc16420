import Dialects
import StreamBytes
import Testing

@Suite struct DecoderHostilityTests {
    private static let words = [
        "data: ", "\n", "\n\n", "\r", "{", "}", "[", "]", ":", ",", "\"choices\"", "\"delta\"",
        "\"content\"", "\"index\"", "\"usage\"", "\"model\"", "\"tool_calls\"", "\"function\"",
        "\"arguments\"", "\"error\"", "\"type\"", "\"content_block_start\"", "\"content_block\"",
        "\"tool_use\"", "\"partial_json\"", "\"\\ud83d\"", "null", "0", "-1",
        "99999999999999999999",
        "[DONE]", "event: error\n", "é", "\u{1}",
    ]

    @Test(arguments: UInt64(1)...40)
    func `hostile bytes never crash, and read the same in any pieces`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var body: [UInt8] = []
        for _ in 0..<300 {
            body += Array((Self.words.randomElement(using: &generator) ?? "").utf8)
            if UInt8.random(in: 0..<20, using: &generator) == 0 {
                body.append(UInt8.random(in: 0...255, using: &generator))
            }
        }
        for dialect in Dialect.allCases {
            let whole = DecodedBody(dialect, [body])
            #expect(DecodedBody(dialect, pieces(body, of: 3)) == whole, "seed \(seed)")
        }
    }

    @Test(arguments: UInt64(1)...40)
    func `a damaged recording never crashes and what it yields is bounded`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let streams = RecordedBodies.chat + RecordedBodies.messages
        let stream = try #require(streams.randomElement(using: &generator))
        var body = Array(try RecordedBodies.bytes(stream.file).prefix(20_000))
        for _ in 0..<20 {
            let place = Int.random(in: 0..<body.count, using: &generator)
            body[place] = UInt8.random(in: 0...255, using: &generator)
        }
        let dialect: Dialect = stream.wireFormat == "openai-chat" ? .openAI : .anthropic
        var decoder = DialectDecoder(dialect, mode: .deltas)
        var batch = DeltaBatch()
        decoder.decode(body.span, into: &batch)
        decoder.endOfBody(into: &batch)

        #expect(batch.bytes.count <= 3 * body.count)
        for entry in batch.entries where entry.kind == .text {
            #expect(!batch.bytes[entry.range].contains { $0 < 0x20 }, "seed \(seed)")
        }
    }

    @Test func `deep nesting is a failure, not a deep stack`() {
        let deep = String(repeating: "[", count: 500_000)

        for dialect in Dialect.allCases {
            #expect(DecodedBody(dialect, events: [#"{"x":\#(deep)"#]).failure != nil)
        }
    }

    @Test func `tool calls without end are a failure`() {
        let event =
            #"data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t"}}"#
        let body = Array(String(repeating: event + "\n\n", count: 5_000).utf8)

        #expect(DecodedBody(.anthropic, [body]).failure != nil)
    }
}
