/// A provider's wire format for chat.
package enum Dialect: String, Sendable, CaseIterable {
    /// OpenAI's chat completions, which many other providers speak too.
    case openAI = "openai"
    /// Anthropic's messages.
    case anthropic

    /// What follows the provider's base URL.
    package var path: String {
        switch self {
        case .openAI: "/chat/completions"
        case .anthropic: "/messages"
        }
    }

    /// The target of the request line.
    ///
    /// - Parameter basePath: the path of the provider's base URL, with or without a slash at its
    ///   end.
    /// - Returns: a path.
    package func target(basePath: String) -> String {
        var base = Substring(basePath)
        while base.hasSuffix("/") { base.removeLast() }
        return base + path
    }

    /// The header fields that carry the key, and those that name the version of the format.
    package func authorization(key: String) -> [(String, String)] {
        switch self {
        case .openAI: [("authorization", "Bearer \(key)")]
        case .anthropic: [("x-api-key", key), ("anthropic-version", "2023-06-01")]
        }
    }
}

/// Why an answer ended.
package enum FinishReason: String, Sendable {
    case stop
    case length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
    case refusal
    case cancelled
    case budget
    case lifetime
    case drain
}

/// What a decoder makes of a provider's events.
package enum DeltaMode: Sendable {
    /// The pieces of choice 0, for another format than the provider's own.
    case deltas
    /// The provider's events for a client that speaks the same format.
    ///
    /// An event's JSON stays as received but for its top-level `model`.
    /// - model: what the client asked for.
    /// - includesUsage: whether the client asked for usage. If not, what a provider sends only on
    ///   demand is kept back: a chunk that holds nothing but usage, `"usage":null`, and the usage
    ///   in other chunks of a stream that had such a null.
    case raw(model: String, includesUsage: Bool)
}
