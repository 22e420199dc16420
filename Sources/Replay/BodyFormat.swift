/// How a recorded response body is framed and whose protocol it follows.
package enum BodyFormat: String, Sendable, CaseIterable {
    /// OpenAI's chat completion chunks as server-sent events.
    case openAIChat = "openai-chat"
    /// Anthropic's message events as server-sent events.
    case anthropicMessages = "anthropic-messages"
    /// Any other server-sent events.
    case eventStream = "event-stream"
    /// JSON texts, one on each line.
    case lines

    package var contentType: String {
        self == .lines ? "application/x-ndjson" : "text/event-stream; charset=utf-8"
    }

    /// Tells the format of `bytes` from what they begin with.
    package init(recognizing bytes: [UInt8]) {
        let opening = bytes.prefix(4_096)
        if opening.first(where: { !$0.isWhiteSpace }) == UInt8(ascii: "{") {
            self = .lines
        } else if opening.contains("\"chat.completion.chunk\"") {
            self = .openAIChat
        } else if opening.contains("event: message_start") {
            self = .anthropicMessages
        } else {
            self = .eventStream
        }
    }

    /// What a provider of this format sends when it fails in the middle of an answer.
    package var errorInStream: [UInt8] {
        switch self {
        case .openAIChat, .eventStream:
            return [UInt8](
                "data: \(String(decoding: errorBody(status: 500), as: UTF8.self))\n\n".utf8
            )
        case .anthropicMessages:
            let body = String(decoding: errorBody(status: 529), as: UTF8.self)
            return [UInt8]("event: error\ndata: \(body)\n\n".utf8)
        case .lines:
            return [UInt8]("{\"error\":\"the model failed\"}\n".utf8)
        }
    }

    /// The JSON body of a refusal with that status.
    package func errorBody(status: Int) -> [UInt8] {
        let (type, message) = errorName(status: status)
        switch self {
        case .anthropicMessages:
            return [UInt8](
                #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#.utf8
            )
        default:
            let code = status == 429 ? "\"rate_limit_exceeded\"" : "null"
            return [UInt8](
                #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":\#(code)}}"#
                    .utf8
            )
        }
    }

    private func errorName(status: Int) -> (type: String, message: String) {
        switch (status, self) {
        case (404, .anthropicMessages): ("not_found_error", "There is no such model.")
        case (429, .anthropicMessages): ("rate_limit_error", "Too many requests.")
        case (529, _): ("overloaded_error", "Overloaded")
        case (500..., .anthropicMessages): ("api_error", "Internal server error")
        case (429, _): ("requests", "Rate limit reached for requests.")
        case (500..., _): ("server_error", "The server had an error while processing your request.")
        default: ("invalid_request_error", "The request cannot be served.")
        }
    }
}

extension UInt8 {
    var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

extension ArraySlice<UInt8> {
    /// Whether the ASCII text occurs; for cold paths.
    func contains(_ text: StaticString) -> Bool {
        let pattern = [UInt8](text.description.utf8)
        guard let first = pattern.first, count >= pattern.count else { return false }
        let lastStart = endIndex - pattern.count
        for start in startIndex...lastStart where self[start] == first {
            if self[start..<(start + pattern.count)].elementsEqual(pattern) { return true }
        }
        return false
    }
}
