import Metering

/// How much an answer has brought so far, in bytes of UTF-8 after JSON's escapes are resolved.
package struct OutputCount: Equatable, Sendable {
    package var text = 0
    package var reasoning = 0
    /// Names and arguments of tool calls.
    package var tools = 0

    package init() {}

    package var total: Int { text + reasoning + tools }
}

/// How much a request asks a model to read.
package struct InputCount: Equatable, Sendable {
    /// Bytes of UTF-8 in the contents of all messages, JSON's escapes resolved.
    package var contentBytes = 0
    package var messages = 0

    package init() {}
}

/// Tokens as they are counted where a provider reports none.
///
/// The rule: four bytes of UTF-8 are one token, rounded up once for the whole answer and once for
/// the whole request; each message of the request adds four tokens for its frame. Text, reasoning
/// and tool calls count alike. It needs no tokenizer, is the same for every model, and a reader of
/// a bill can redo it.
package struct TokenEstimate: Equatable, Sendable {
    package static let bytesPerToken = 4
    package static let tokensPerMessage = 4

    package let input: Int64
    package let output: Int64
    /// Part of `output`.
    package let reasoning: Int64

    package init(input: InputCount, output: OutputCount) {
        let frames = input.messages * Self.tokensPerMessage
        self.input = Self.tokens(forByteCount: input.contentBytes) + Int64(frames)
        self.output = Self.tokens(forByteCount: output.total)
        reasoning = min(self.output, Self.tokens(forByteCount: output.reasoning))
    }

    /// The estimate in the form of a provider's report.
    package var usage: TokenUsage {
        var usage = TokenUsage()
        usage.input = input
        usage.output = output
        usage.reasoning = reasoning
        return usage
    }

    /// Bytes as tokens, rounded up.
    package static func tokens(forByteCount byteCount: Int) -> Int64 {
        Int64(byteCount / bytesPerToken + (byteCount % bytesPerToken == 0 ? 0 : 1))
    }
}
