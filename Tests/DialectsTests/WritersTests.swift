import Dialects
import Metering
import StreamBytes
import Testing

@Suite struct WritersTests {
    private static let usage = {
        var usage = TokenUsage()
        usage.input = 12
        usage.output = 345
        usage.cachedInput = 4
        usage.cacheWrite = 2
        usage.reasoning = 5
        return usage
    }()
    private static let usageJSON =
        #"{"prompt_tokens":12,"completion_tokens":345,"total_tokens":357,"#
        + #""prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"#
        + #""completion_tokens_details":{"reasoning_tokens":5}}"#
    private static let head =
        #"{"id":"c1","object":"chat.completion.chunk","created":7,"model":"m\"","choices":["#

    private func text(_ write: (inout [UInt8]) -> Void) -> String {
        var output: [UInt8] = []
        write(&output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `chunks have the form of OpenAI's, the role first`() {
        var writer = OpenAIChunkWriter(id: "c1", created: 7, model: "m\"", includesUsage: false)
        let tool = Array(#"{"index":1,"id":"t","name":"f","arguments":"{\""}"#.utf8)
        let more = Array(#"{"index":1,"arguments":"}"}"#.utf8)
        let tail = #","logprobs":null,"finish_reason":null}]}"#

        #expect(
            text { writer.append(.text, Array("a\\n".utf8).span, to: &$0) }
                == Self.head + #"{"index":0,"delta":{"role":"assistant","content":"a\n"}"# + tail
        )
        #expect(
            text { writer.append(.reasoning, Array("b".utf8).span, to: &$0) }
                == Self.head + #"{"index":0,"delta":{"reasoning_content":"b"}"# + tail
        )
        #expect(
            text { writer.append(.tool, tool.span, to: &$0) }
                == Self.head + #"{"index":0,"delta":{"tool_calls":[{"index":1,"id":"t","#
                + #""type":"function","function":{"name":"f","arguments":"{\""}}]}"# + tail
        )
        #expect(
            text { writer.append(.tool, more.span, to: &$0) }
                == Self.head + #"{"index":0,"delta":{"tool_calls":[{"index":1,"#
                + #""function":{"arguments":"}"}}]}"# + tail
        )
        #expect(
            text { writer.append(finish: .toolCalls, to: &$0) }
                == Self.head
                + #"{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}"#
        )
    }

    @Test func `usage has a chunk of its own and nulls before it`() {
        var writer = OpenAIChunkWriter(id: "c1", created: 7, model: "m\"", includesUsage: true)
        let finish = text { writer.append(finish: .stop, to: &$0) }

        #expect(finish.hasSuffix(#""finish_reason":"stop"}],"usage":null}"#))
        #expect(finish.contains(#""delta":{"role":"assistant"}"#))
        #expect(
            text { writer.append(usage: Self.usage, to: &$0) }
                == Self.head + #"],"usage":\#(Self.usageJSON)}"#
        )
    }

    @Test func `a whole answer joins its deltas`() {
        var writer = ChatCompletionWriter(id: "c1", created: 7, model: "m")
        for piece in ["Hel", "lo\\n"] { writer.append(.text, Array(piece.utf8).span) }
        writer.append(.reasoning, Array("r".utf8).span)

        #expect(
            text { writer.append(finish: .stop, usage: Self.usage, to: &$0) }
                == #"{"id":"c1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"#
                + #""message":{"role":"assistant","content":"Hello\n","refusal":null,"#
                + #""reasoning_content":"r"},"logprobs":null,"finish_reason":"stop"}],"#
                + #""usage":\#(Self.usageJSON)}"#
        )
    }

    @Test func `a whole answer of tool calls has no content`() {
        var writer = ChatCompletionWriter(id: "c1", created: 7, model: "m")
        for delta in [
            #"{"index":0,"id":"t","name":"f","arguments":""}"#, #"{"index":1,"id":"u","name":"g"}"#,
            #"{"index":0,"arguments":"{}"}"#,
        ] { writer.append(.tool, Array(delta.utf8).span) }
        let body = text { writer.append(finish: .toolCalls, usage: Self.usage, to: &$0) }

        #expect(body.contains(#""content":null"#))
        #expect(
            body.contains(
                #""tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}},"#
                    + #"{"id":"u","type":"function","function":{"name":"g","arguments":""}}]"#
            )
        )
    }

    @Test func `a whole answer is collected up to its limit`() {
        var writer = ChatCompletionWriter(id: "c", created: 7, model: "m", byteLimit: 4)
        writer.append(.text, Array("1234".utf8).span)
        #expect(!writer.isFull)
        writer.append(.text, Array("5".utf8).span)
        #expect(writer.isFull)
    }

    @Test func `an answer that was not streamed is passed on but for its model`() throws {
        let body = #"""
            {"id":"x","model":"theirs","choices":[{"index":0,"message":{"role":"assistant",
            "content":"hé","reasoning":"r","tool_calls":[{"id":"t","type":"function",
            "function":{"name":"f","arguments":"{}"}}]},"finish_reason":"length"}],
            "usage":{"prompt_tokens":3,"completion_tokens":2},"new":1}
            """#
        let whole = try WholeResponse(parsing: Array(body.utf8), model: "mine")
        let passed = String(decoding: whole.body, as: UTF8.self)

        #expect(
            passed == body.replacing("theirs", with: "mine").replacing("\n", with: " ")
        )
        #expect(whole.finish == .length)
        #expect(whole.usage?.input == 3)
        #expect(
            [whole.countedOutput.text, whole.countedOutput.reasoning, whole.countedOutput.tools]
                == [3, 1, 3]
        )
    }

    @Test(arguments: [
        (#"{"error":{"message":"no","type":"rate_limit_error"}}"#, ErrorCode.rateLimited),
        ("", .upstreamTruncated), ("[]", .upstreamTruncated), ("[DONE]", .upstreamTruncated),
        (#"{"choices":["#, .upstreamTruncated),
    ])
    func `an answer that is none is a failure`(_ body: String, _ code: ErrorCode) {
        let failure = #expect(throws: ProviderFailure.self) {
            try WholeResponse(parsing: Array(body.utf8), model: "m")
        }
        #expect(failure?.code == code)
    }

    @Test func `tokens are a quarter of the bytes, rounded up once`() {
        var input = InputCount()
        input.contentBytes = 9
        input.messages = 2
        var output = OutputCount()
        output.text = 1
        output.reasoning = 5
        output.tools = 3
        let estimate = TokenEstimate(input: input, output: output)

        #expect([estimate.input, estimate.output, estimate.reasoning] == [11, 3, 2])
        #expect(TokenEstimate(input: InputCount(), output: OutputCount()).usage == TokenUsage())
    }

    @Test func `a provider is asked at its own path with its own header`() {
        #expect(Dialect.openAI.target(basePath: "/v1/") == "/v1/chat/completions")
        #expect(Dialect.anthropic.target(basePath: "") == "/messages")
        #expect(Dialect.openAI.authorization(key: "k").map(\.1) == ["Bearer k"])
        #expect(
            Dialect.anthropic.authorization(key: "k").map { "\($0): \($1)" }
                == ["x-api-key: k", "anthropic-version: 2023-06-01"]
        )
    }
}
