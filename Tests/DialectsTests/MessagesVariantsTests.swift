import Dialects
import Metering
import StreamBytes
import Testing

@Suite struct MessagesVariantsTests {
    private func decode(_ events: String...) -> DecodedBody {
        DecodedBody(.anthropic, events: events)
    }

    private static let start =
        #"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_creation_input_tokens":4,"cache_read_input_tokens":3,"output_tokens":1}}}"#
    private static let end =
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20,"output_tokens_details":{"thinking_tokens":5}}}"#

    @Test func `usage is cumulative and normalised`() {
        let decoded = decode(Self.start, Self.end, #"{"type":"message_stop"}"#)
        let usage = decoded.usage

        #expect(
            usage.map { [$0.input, $0.output, $0.cachedInput, $0.cacheWrite, $0.reasoning] }
                == [17, 20, 3, 4, 5]
        )
        #expect(decoded.reportedUsage?.input == 10)
        #expect(decoded.isTerminal)
    }

    @Test func `a stream cut after its stop reason is whole, one cut before it is not`() {
        #expect(decode(Self.start, Self.end).isComplete)
        #expect(!decode(Self.start).isComplete)
    }

    @Test func `a call without parameters gets an empty object`() {
        let decoded = decode(
            #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            #"{"type":"content_block_stop","index":1}"#
        )

        #expect(decoded.calls == [.init(id: "t", name: "f", arguments: "{}")])
    }

    @Test func `a call that comes whole keeps its arguments`() {
        let decoded = decode(
            #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":"b\""}}}"#,
            #"{"type":"content_block_stop","index":1}"#
        )

        #expect(decoded.calls.map(\.arguments) == [#"{"a":"b\""}"#])
    }

    @Test func `calls are numbered among themselves, and tools of the provider are left out`() {
        let decoded = decode(
            #"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"search","input":{}}}"#,
            #"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{1"}}"#,
            #"{"type":"content_block_stop","index":0}"#,
            #"{"index":2,"content_block":{"name":"f","id":"a","type":"tool_use"},"type":"content_block_start"}"#,
            #"{"index":2,"delta":{"partial_json":"{}","type":"input_json_delta"},"type":"content_block_delta"}"#,
            #"{"type":"content_block_stop","index":2}"#,
            #"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"b","name":"g","input":{}}}"#
        )

        #expect(
            decoded.calls == [
                .init(id: "a", name: "f", arguments: "{}"),
                .init(id: "b", name: "g", arguments: ""),
            ]
        )
    }

    @Test func `text may come with the start of its block`() {
        let decoded = decode(
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}"#,
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}"#
        )

        #expect(decoded.text == "ab")
    }

    @Test func `what is not known yet is passed over`() {
        let decoded = decode(
            #"{"type":"ping"}"#,
            #"{"type":"new","delta":{"text":"no"}}"#,
            #"{"type":"content_block_delta","index":0,"delta":{"type":"new_delta","new":"x"}}"#,
            #"{"type":"content_block_delta"}"#,
            #"{}"#
        )

        #expect(decoded.text.isEmpty)
        #expect(decoded.failure == nil)
    }

    @Test(arguments: [
        ("end_turn", FinishReason.stop), ("stop_sequence", .stop), ("max_tokens", .length),
        ("model_context_window_exceeded", .length), ("tool_use", .toolCalls), ("refusal", .refusal),
        ("pause_turn", .stop),
    ])
    func `each stop reason has its place in the closed list`(
        _ word: String,
        _ reason: FinishReason
    ) {
        let decoded = decode(#"{"type":"message_delta","delta":{"stop_reason":"\#(word)"}}"#)

        #expect(decoded.finish == reason)
        #expect(decoded.providerFinish == word)
    }

    @Test func `an error event is a failure that says whether to try again`() {
        let busy = decode(
            #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#
        )
        let refused = decode(
            #"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}"#
        )

        #expect(busy.failure?.code == .overloaded)
        #expect(busy.failure?.isRetryable == true)
        #expect(refused.failure?.code == .contextLength)
        #expect(refused.failure?.isRetryable == false)
    }
}
