import StreamBytes

/// Translates a request from OpenAI's chat form to Anthropic's messages.
enum MessagesRequestWriter {
    /// Anthropic demands a limit; this one is set where the client sets none.
    static let defaultTokenLimit: Int64 = 4_096

    /// What is read here, and what may be there without a counterpart because it changes nothing.
    private static let known: Set<String> = [
        "model", "messages", "max_tokens", "max_completion_tokens", "stop", "temperature", "top_p",
        "stream", "stream_options", "user", "purpose", "seal", "n",
    ]

    /// Returns the translated body.
    ///
    /// - Parameters:
    ///   - fields: of `body`.
    ///   - body: the request as received.
    ///   - model: the provider's name for the model.
    ///   - streams: whether to ask for a stream.
    /// - Returns: JSON.
    /// - Throws: `ChatRequestError` naming the field that cannot be translated.
    static func body(
        _ fields: RequestFields,
        from body: Span<UInt8>,
        model: String,
        streams: Bool
    ) throws(ChatRequestError) -> [UInt8] {
        try refuseUnknown(fields, in: body)
        var output: [UInt8] = []
        output.append(#"{"model":"#)
        output.append(jsonString: model)
        output.append(#","max_tokens":"#)
        output.append(decimal: try fields.outputTokenLimit(in: body) ?? defaultTokenLimit)
        try appendMessages(fields, from: body, to: &output)
        try appendStop(fields, from: body, to: &output)
        if let value = try fields.number("temperature") {
            output.append(#","temperature":"#)
            output.append(body, value)
        }
        if let value = try fields.number("top_p") {
            output.append(#","top_p":"#)
            output.append(body, value)
        }
        if let user = fields["user"], user.kind == .string {
            output.append(#","metadata":{"user_id":"#)
            output.append(body, user.range)
            output.append(0x7D)
        }
        output.append(streams ? #","stream":true}"# : #","stream":false}"#)
        return output
    }

    private static func refuseUnknown(
        _ fields: RequestFields,
        in body: Span<UInt8>
    ) throws(ChatRequestError) {
        for member in fields.members where member.value.kind != .null {
            let name = member.name.text(in: body)
            guard !known.contains(name) else { continue }
            let short = String(name.prefix(100))
            throw ChatRequestError(
                "\(short) cannot be passed on to the provider of this model",
                param: short
            )
        }
        if let n = fields["n"], n.integer(in: body) != 1 {
            throw ChatRequestError("n must be 1 for the provider of this model", param: "n")
        }
    }

    private static func appendStop(
        _ fields: RequestFields,
        from body: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(ChatRequestError) {
        guard let stop = fields["stop"] else { return }
        switch stop.kind {
        case .string:
            output.append(#","stop_sequences":["#)
            output.append(body, stop.range)
            output.append("]")
        case .array where stop.elements(in: body).allSatisfy { $0.kind == .string }:
            output.append(#","stop_sequences":"#)
            output.append(body, stop.range)
        default:
            throw ChatRequestError("stop must be a string or an array of strings", param: "stop")
        }
    }
}

extension MessagesRequestWriter {
    private enum Role {
        case system
        case user
        case assistant
    }

    /// Appends `system`, which takes the instructions of the whole conversation, and `messages`.
    private static func appendMessages(
        _ fields: RequestFields,
        from body: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(ChatRequestError) {
        var system: [UInt8] = []
        var messages: [UInt8] = []
        for (place, message) in (fields["messages"]?.elements(in: body) ?? []).enumerated() {
            let path = "messages[\(place)]"
            let role = try role(of: message, path, in: body)
            let content = try content(of: message, path, in: body)
            guard role != .system else {
                if !system.isEmpty { system.append(#"\n\n"#) }
                for text in try texts(content, path, in: body) { system.append(body, text.range) }
                continue
            }
            if !messages.isEmpty { messages.append(0x2C) }
            messages.append(
                role == .user
                    ? #"{"role":"user","content":"# : #"{"role":"assistant","content":"#
            )
            try appendContent(content, path, from: body, to: &messages)
            messages.append(0x7D)
        }
        guard !messages.isEmpty else {
            throw ChatRequestError("messages must hold one of the user", param: "messages")
        }
        if !system.isEmpty {
            output.append(#","system":""#)
            output.append(system.span)
            output.append(0x22)
        }
        output.append(#","messages":["#)
        output.append(messages.span)
        output.append("]")
    }

    private static func role(
        of message: JSONValue,
        _ path: String,
        in body: Span<UInt8>
    ) throws(ChatRequestError) -> Role {
        switch message.member("role", in: body)?.text(in: body) {
        case "system", "developer": return .system
        case "user": return .user
        case "assistant": return .assistant
        default:
            throw ChatRequestError(
                "\(path).role must be system, developer, user or assistant for the provider of "
                    + "this model",
                param: "\(path).role"
            )
        }
    }

    private static func content(
        of message: JSONValue,
        _ path: String,
        in body: Span<UInt8>
    ) throws(ChatRequestError) -> JSONValue {
        var content: JSONValue?
        for member in message.members(in: body) where member.value.kind != .null {
            if member.name.equals("content", in: body) {
                content = member.value
            } else if !member.name.equals("role", in: body) {
                let name = "\(path).\(String(member.name.text(in: body).prefix(100)))"
                throw ChatRequestError(
                    "\(name) cannot be passed on to the provider of this model",
                    param: name
                )
            }
        }
        guard let content else {
            throw ChatRequestError("\(path).content is missing", param: "\(path).content")
        }
        return content
    }

    private static func appendContent(
        _ content: JSONValue,
        _ path: String,
        from body: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(ChatRequestError) {
        guard content.kind != .string else { return output.append(body, content.range) }
        output.append("[")
        for (place, text) in try texts(content, path, in: body).enumerated() {
            output.append(place == 0 ? #"{"type":"text","text":""# : #",{"type":"text","text":""#)
            output.append(body, text.range)
            output.append(#""}"#)
        }
        output.append("]")
    }

    /// The texts of a content that is one string or an array of parts.
    private static func texts(
        _ content: JSONValue,
        _ path: String,
        in body: Span<UInt8>
    ) throws(ChatRequestError) -> [JSONString] {
        if let text = content.string(in: body) { return [text] }
        let refusal = ChatRequestError(
            "\(path).content must be text for the provider of this model",
            param: "\(path).content"
        )
        guard content.kind == .array else { throw refusal }
        var texts: [JSONString] = []
        for part in content.elements(in: body) {
            guard part.member("type", in: body)?.text(in: body) == "text",
                part.members(in: body).filter({ $0.value.kind != .null }).count == 2,
                let text = part.member("text", in: body)?.string(in: body)
            else { throw refusal }
            texts.append(text)
        }
        guard !texts.isEmpty else { throw refusal }
        return texts
    }
}
