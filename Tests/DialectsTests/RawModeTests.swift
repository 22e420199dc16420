import Dialects
import StreamBytes
import Testing

@Suite struct RawModeTests {
    private func raw(_ includesUsage: Bool, _ events: String...) -> [String] {
        DecodedBody(
            .openAI,
            events: events,
            mode: .raw(model: "mine", includesUsage: includesUsage)
        ).raw
    }

    private static let content =
        #""choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"x":[1]}}]"#

    @Test func `an event is passed on as received but for its model`() {
        let passed = raw(
            true,
            #"{ "id":"1", "model" : "theirs",\#(Self.content), "new": {"model":"in"} } "#
        )

        #expect(
            passed == [#"{ "id":"1", "model" : "mine",\#(Self.content), "new": {"model":"in"} }"#]
        )
    }

    @Test func `a model's name is escaped`() {
        let passed = DecodedBody(
            .openAI,
            events: [#"{"model":"x","choices":[]}"#],
            mode: .raw(model: "a\"\n", includesUsage: true)
        ).raw

        #expect(passed == [#"{"model":"a\"\n","choices":[]}"#])
    }

    @Test func `a client that asked for usage sees all of it`() {
        let events = [
            #"{\#(Self.content),"usage":null}"#, #"{"choices":[],"usage":{"prompt_tokens":1}}"#,
        ]

        #expect(
            DecodedBody(.openAI, events: events, mode: .raw(model: "m", includesUsage: true)).raw
                == events
        )
    }

    @Test func `a client that did not ask sees neither nulls nor the usage chunk`() {
        let decoded = DecodedBody(
            .openAI,
            events: [
                #"{\#(Self.content),"usage":null}"#, #"{"usage":null,\#(Self.content)}"#,
                #"{"usage":null , "model":"m"}"#, #"{"model":"m","usage":null}"#,
                #"{"usage":null}"#,
                #"{\#(Self.content),"usage":{"prompt_tokens":1}}"#,
                #"{"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#, "[DONE]",
            ],
            mode: .raw(model: "x", includesUsage: false)
        )

        #expect(
            decoded.raw == [
                #"{\#(Self.content)}"#, #"{\#(Self.content)}"#, #"{ "model":"x"}"#,
                #"{"model":"x"}"#,
                "{}", #"{\#(Self.content)}"#,
            ]
        )
        #expect(decoded.usage?.output == 3)
    }

    @Test func `usage that a provider sends without being asked stays`() {
        let event = #"{\#(Self.content),"usage":{"prompt_tokens":1},"x_groq":{"usage":{}}}"#

        #expect(raw(false, event) == [event])
    }

    @Test func `a chunk without choices that holds something else stays`() {
        let event = #"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#

        #expect(raw(false, event) == [event])
    }

    @Test func `JSON over several lines leaves as one`() {
        let body = Array("data: {\"choices\":\ndata: [],\r\ndata: \"a\\n\":\"b\"}\n\n".utf8)
        let decoded = DecodedBody(
            .openAI,
            [body],
            mode: .raw(model: "m", includesUsage: true)
        )

        #expect(decoded.raw == [#"{"choices": [], "a\n":"b"}"#])
    }

    @Test func `errors and foreign events are kept from the client`() {
        let body = """
            event: ping
            data: {}

            data: {"choices":[],"error":{"message":"no"}}

            event: error
            data: {"message":"no"}


            """
        let decoded = DecodedBody(
            .openAI,
            [Array(body.utf8)],
            mode: .raw(model: "m", includesUsage: true)
        )

        #expect(decoded.raw == [])
        #expect(decoded.failure?.message == "no")
    }

    @Test(arguments: RecordedBodies.chat)
    func `every recorded chunk passes, and reads the same again`(
        _ stream: RecordedBodies.Stream
    ) throws {
        let body = try RecordedBodies.bytes(stream.file)
        let direct = DecodedBody(.openAI, [body])
        let passed = DecodedBody(
            .openAI,
            pieces(body, of: 700),
            mode: .raw(model: "m", includesUsage: true)
        )
        let again = DecodedBody(.openAI, events: passed.raw)

        #expect(again.text == direct.text)
        #expect(again.reasoning == direct.reasoning)
        #expect(again.calls == direct.calls)
        #expect(again.finish == direct.finish)
        #expect(passed.counted == direct.counted)
        #expect(passed.hasVisibleOutput == direct.hasVisibleOutput)
        #expect(passed.usage == direct.usage)
        #expect(passed.raw.allSatisfy { !$0.contains("\n") && $0.contains("\"choices\"") })
    }
}
