import Replay
import Testing

struct WholeAnswerTests {
    private func answer(_ name: String) throws -> JSONTree {
        try #require(EmbeddedBodies.named(name)?.wholeAnswer)
    }

    @Test func `chunks become one chat completion`() throws {
        let answer = try answer("openai/chat-text-usage")

        #expect(answer["object"]?.string == "chat.completion")
        let choice = answer["choices"]?.elements.first
        #expect(choice?["message"]?["content"]?.string == "\"This is a test.\"")
        #expect(choice?["finish_reason"]?.string == "stop")
        #expect(answer["usage"]?["total_tokens"]?.integer == 17)
    }

    @Test func `the arguments of a tool call are joined`() throws {
        let answer = try answer("openai/chat-tool-call-no-usage")

        let message = answer["choices"]?.elements.first?["message"]
        let call = message?["tool_calls"]?.elements.first
        #expect(call?["function"]?["name"]?.string != nil)
        let arguments = try #require(call?["function"]?["arguments"]?.string)
        #expect(JSONTree(parsing: Array(arguments.utf8)) != nil)
        #expect(call?["index"] == nil)
    }

    @Test func `events become one message`() throws {
        let answer = try answer("anthropic/text-emoji")

        let text = try #require(answer["content"]?.elements.first?["text"]?.string)
        #expect(text.unicodeScalars.count == 342)
        #expect(answer["stop_reason"]?.string == "end_turn")
        #expect(answer["usage"]?["output_tokens"]?.integer == 99)
        #expect(answer["usage"]?["input_tokens"]?.integer == 17)
    }

    @Test func `the input of a tool is an object again`() throws {
        let answer = try answer("anthropic/tool-use")

        let block = try #require(
            answer["content"]?.elements.first { $0["type"]?.string == "tool_use" }
        )
        #expect(block["input"]?.members.isEmpty == false)
    }

    @Test func `a refusal keeps the form of its protocol`() throws {
        let plan = try #require(TestModel.status429.plan(in: .anthropicMessages)?.answeringWhole)

        #expect(plan.opening == TestModel.status429.plan(in: .anthropicMessages)?.opening)
    }

    @Test func `a plan answers whole in one piece, with its fault in the middle`() throws {
        var plan = ReplayPlan(body: try #require(EmbeddedBodies.named("openai/chat-text-usage")))
        plan.fault = .cut(after: .events(40))

        let whole = try #require(plan.answeringWhole)

        let run = ReplayRun(whole)
        #expect(run.last == .cut)
        #expect(run.bytes == Array(whole.body.bytes.prefix(whole.body.bytes.count / 2)))
        #expect(whole.opening.contentType == "application/json")
        #expect(ReplayPlan(body: RecordedBody(name: "x", bytes: [])).answeringWhole == nil)
    }
}
