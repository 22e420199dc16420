import StreamBytes

extension FinishReason {
    /// The reason that a provider of OpenAI's dialect means; `stop` for a word nobody knows.
    init(chatWord word: JSONString, in data: Span<UInt8>) {
        if word.equals("length", in: data) || word.equals("max_tokens", in: data)
            || word.equals("model_length", in: data)
        {
            self = .length
        } else if word.equals("tool_calls", in: data) || word.equals("function_call", in: data)
            || word.equals("tool_use", in: data)
        {
            self = .toolCalls
        } else if word.equals("content_filter", in: data) {
            self = .contentFilter
        } else {
            self = word.equals("refusal", in: data) ? .refusal : .stop
        }
    }
}

extension FinishReason {
    /// The reason that Anthropic means; `stop` for a pause, which a client may continue, and for
    /// a word nobody knows.
    init(messageWord word: JSONString, in data: Span<UInt8>) {
        if word.equals("max_tokens", in: data)
            || word.equals("model_context_window_exceeded", in: data)
        {
            self = .length
        } else if word.equals("tool_use", in: data) {
            self = .toolCalls
        } else {
            self = word.equals("refusal", in: data) ? .refusal : .stop
        }
    }
}
