import Dialects
import Metering
import StreamBytes
import Testing

@Suite struct ChatVariantsTests {
    private func delta(_ members: String) -> String {
        #"{"choices":[{"index":0,"delta":{\#(members)},"finish_reason":null}]}"#
    }

    private func end(_ reason: String, usage: String = "null") -> String {
        #"{"choices":[{"index":0,"delta":{},"finish_reason":"\#(reason)"}],"usage":\#(usage)}"#
    }

    private func decode(_ events: String...) -> DecodedBody { DecodedBody(.openAI, events: events) }

    @Test func `reasoning under two names is taken once`() {
        let both = decode(delta(#""reasoning_content":"a","reasoning":"a""#))
        let one = decode(delta(#""reasoning_content":"","reasoning":"b""#))

        #expect(both.reasoning == "a")
        #expect(one.reasoning == "b")
    }

    @Test func `content in parts is told apart into text and reasoning`() {
        let parts =
            #"[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"x"}]"#
        let decoded = decode(delta("\"content\":\(parts)"))

        #expect(decoded.text == "x")
        #expect(decoded.reasoning == "t")
    }

    @Test func `a delta that is repeated as legacy text counts once`() {
        let decoded = decode(#"{"choices":[{"text":"x","delta":{"content":"x"},"index":0}]}"#)

        #expect(decoded.text == "x")
        #expect(decoded.counted.text == 1)
    }

    @Test func `other choices are counted and not passed on`() {
        let decoded = decode(
            #"{"choices":[{"delta":{"content":"no"},"index":1},{"delta":{"content":"a"},"index":0}]}"#
        )

        #expect(decoded.text == "a")
        #expect(decoded.counted.text == 3)
    }

    @Test func `tool calls without an index are numbered by their ids`() {
        let decoded = decode(
            delta(#""tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]"#),
            delta(#""tool_calls":[{"function":{"arguments":"}"}}]"#),
            delta(#""tool_calls":[{"id":"b","function":{"name":"g","arguments":"{}"}}]"#)
        )

        #expect(
            decoded.calls == [
                .init(id: "a", name: "f", arguments: "{}"),
                .init(id: "b", name: "g", arguments: "{}"),
            ]
        )
    }

    @Test func `arguments that are an object become a string`() {
        let decoded = decode(
            delta(
                #""tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"x":"\""}}}]"#
            )
        )

        #expect(decoded.calls.map(\.arguments) == [#"{"x":"\""}"#])
    }

    @Test func `the older function call is a tool call`() {
        let decoded = decode(
            delta(#""function_call":{"name":"f","arguments":"{"}"#),
            delta(#""function_call":{"arguments":"}"}"#),
            end("function_call")
        )

        #expect(decoded.calls == [.init(id: nil, name: "f", arguments: "{}")])
        #expect(decoded.finish == .toolCalls)
    }

    @Test func `a refusal is text for clients and the reason of the end`() {
        let decoded = decode(delta(#""refusal":"I cannot""#), end("stop"))

        #expect(decoded.text == "I cannot")
        #expect(decoded.finish == .refusal)
        #expect(decoded.providerFinish == "stop")
    }

    @Test(arguments: [
        ("stop", FinishReason.stop), ("length", .length), ("model_length", .length),
        ("tool_calls", .toolCalls), ("content_filter", .contentFilter), ("eos", .stop),
    ])
    func `each finish reason has its place in the closed list`(
        _ word: String,
        _ reason: FinishReason
    ) {
        let decoded = decode(end(word))

        #expect(decoded.finish == reason)
        #expect(decoded.isComplete)
        #expect(!decoded.isTerminal)
    }

    @Test func `half of a surrogate pair at the end of a delta joins its other half`() {
        #expect(decode(delta(#""content":"\ud83d""#), delta(#""content":"\udc4b""#)).text == "👋")
    }

    @Test func `usage is normalised`() {
        let details =
            #""prompt_tokens_details":{"cached_tokens":9},"completion_tokens_details":{"reasoning_tokens":7}"#
        let apart = decode(
            end(
                "stop",
                usage: #"{"prompt_tokens":5,"completion_tokens":3,"total_tokens":15,\#(details)}"#
            )
        )
        let within = decode(
            end(
                "stop",
                usage: #"{"prompt_tokens":50,"completion_tokens":30,"total_tokens":80,\#(details)}"#
            )
        )

        #expect(
            apart.usage.map { [$0.input, $0.output, $0.cachedInput, $0.reasoning] } == [
                5, 10, 5, 7,
            ]
        )
        #expect(apart.reportedUsage?.output == 3)
        #expect(within.usage.map { [$0.input, $0.output, $0.cachedInput] } == [50, 30, 9])
    }

    @Test func `usage inside a choice counts`() {
        let decoded = decode(
            #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3}}]}"#
        )

        #expect(decoded.usage?.input == 3)
    }

    @Test func `a foreign event that is no JSON is passed over`() {
        let body = Array("event: ping\ndata: now\n\ndata: [DONE]\n\n".utf8)
        let decoded = DecodedBody(.openAI, [body])

        #expect(decoded.failure == nil)
        #expect(decoded.isTerminal)
    }

    @Test func `a member's name may be escaped`() {
        #expect(decode(#"{"choic\u0065s":[{"d\u0065lta":{"cont\u0065nt":"x"}}]}"#).text == "x")
    }

    @Test func `usage in every event counts as the last of it`() {
        let decoded = decode(
            end("stop", usage: #"{"prompt_tokens":5,"completion_tokens":1}"#),
            end("stop", usage: #"{"prompt_tokens":5,"completion_tokens":9}"#)
        )

        #expect(decoded.usage?.output == 9)
    }

    @Test func `an error event is a failure, and usage after it still counts`() {
        let decoded = decode(
            delta(#""content":"a""#),
            #"{"error":{"message":"no","code":429}}"#,
            #"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "[DONE]"
        )

        #expect(decoded.failure?.code == .rateLimited)
        #expect(decoded.failure?.message == "no")
        #expect(decoded.usage?.output == 2)
        #expect(decoded.isTerminal)
    }

    @Test func `an error that is null is none`() {
        #expect(decode(#"{"error":null,"choices":[]}"#, "[DONE]").failure == nil)
    }

    @Test func `an end without any reason is no success`() {
        let decoded = decode(delta(#""content":"a""#))

        #expect(!decoded.isComplete)
        #expect(decoded.failure == nil)
    }

    @Test func `an error field that is no field of the format is a failure`() {
        let body = Array(
            "data: {\"choices\":[]}\n\nerror: {\"code\":503,\"message\":\"busy\"}\n\n".utf8
        )
        let decoded = DecodedBody(.openAI, [body])

        #expect(decoded.failure?.code == .overloaded)
        #expect(decoded.failure?.message == "busy")
    }

    @Test(arguments: [1, 4_096])
    func `a body that is an error object instead of a stream is that failure`(_ size: Int) {
        let text = "{\n \"error\": {\"message\": \"Rate limit\", \"type\": \"rate_limit_error\"}\n}"
        let decoded = DecodedBody(.openAI, pieces(Array(text.utf8), of: size))

        #expect(decoded.failure?.code == .rateLimited)
        #expect(decoded.failure?.message == "Rate limit")
    }

    @Test func `a body that is no event stream at all is a failure`() {
        let decoded = DecodedBody(.openAI, [Array("<html>Bad gateway</html>\n".utf8)])

        #expect(decoded.failure?.code == .upstreamTruncated)
    }

    @Test(arguments: [
        "garbage", "{\"choices\":[", "[1]", "{\"choices\":[{}]}x", "{\"a\":\"\u{1}\"}",
    ])
    func `an event that is no JSON object is a failure`(_ data: String) {
        #expect(decode(data).failure?.code == .upstreamTruncated)
    }

    @Test func `an event beyond the limit is a failure`() {
        let body = Array("data: {\"a\":\"0123456789\"}\n\n".utf8)

        #expect(DecodedBody(.openAI, [body], eventLimit: 10).failure?.code == .upstreamTruncated)
        #expect(DecodedBody(.openAI, [body], eventLimit: 100).failure == nil)
    }

    @Test func `what comes after the terminal is not read`() {
        let decoded = decode(
            delta(#""content":"a""#),
            "[DONE]",
            delta(#""content":"b""#),
            "garbage"
        )

        #expect(decoded.text == "a")
        #expect(decoded.failure == nil)
    }
}
