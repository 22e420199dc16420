import StreamBytes

/// The members of OpenAI's chunks that matter, found with at most one comparison of bytes.
enum ChatField {
    case choices
    case content
    case delta
    case error
    case finishReason
    case functionCall
    case groq
    case index
    case message
    case model
    case reasoning
    case reasoningContent
    case refusal
    case toolCalls
    case usage
    case other

    init(_ name: JSONString, in data: Span<UInt8>) {
        if name.hasEscapes {
            let resolved = name.unescaped(in: data)
            self.init(resolved.span, 0..<resolved.count)
        } else {
            self.init(data, name.range)
        }
    }

    private init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let (word, field) = Self.candidate(bytes, range)
        self = bytes.matches(range, word) ? field : .other
    }

    /// The only field that has this length and this first letter.
    @inline(__always)
    private static func candidate(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) -> (StaticString, Self) {
        guard let place = range.first else { return ("", .other) }
        switch (range.count, bytes[place]) {
        case (5, 0x64): return ("delta", .delta)
        case (5, 0x65): return ("error", .error)
        case (5, 0x69): return ("index", .index)
        case (5, 0x6D): return ("model", .model)
        case (5, 0x75): return ("usage", .usage)
        case (6, 0x78): return ("x_groq", .groq)
        case (7, 0x63):
            return bytes[place + 1] == 0x68 ? ("choices", .choices) : ("content", .content)
        case (7, 0x6D): return ("message", .message)
        case (7, 0x72): return ("refusal", .refusal)
        case (9, 0x72): return ("reasoning", .reasoning)
        case (10, 0x74): return ("tool_calls", .toolCalls)
        case (13, 0x66):
            return bytes[place + 1] == 0x69
                ? ("finish_reason", .finishReason) : ("function_call", .functionCall)
        case (17, 0x72): return ("reasoning_content", .reasoningContent)
        default: return ("", .other)
        }
    }
}
