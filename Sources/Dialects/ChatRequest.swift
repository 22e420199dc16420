import StreamBytes

/// A request in OpenAI's chat form: the bytes as received, and what Weir needs to know of them.
package struct ChatRequest: Sendable {
    package let body: [UInt8]
    /// What the client asked for.
    package let model: String
    package let streams: Bool
    /// Whether the client asked for usage at the end of the stream.
    package let includesUsage: Bool
    /// Empty if the client named none.
    package let user: String
    /// Weir's own field; empty if the client named none.
    package let purpose: String
    /// Weir's own field, as its JSON stands there; nil if the client named none.
    package let seal: [UInt8]?
    /// The most tokens that the answer may have; nil if the client set no limit.
    package let outputTokenLimit: Int64?
    package let input: InputCount

    private static let modelLimit = 256
    private static let wordLimit = 1_024

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - body: JSON in UTF-8; unknown fields are allowed.
    ///   - byteLimit: the longest body, in bytes.
    /// - Throws: `ChatRequestError`: not JSON, a field twice, or a field of the wrong kind.
    package init(
        parsing body: [UInt8],
        byteLimit: Int = 4 << 20
    ) throws(ChatRequestError) {
        guard body.count <= byteLimit else {
            throw ChatRequestError("the body is longer than \(byteLimit) bytes", status: 413)
        }
        let fields = try RequestFields(body.span)
        model = try fields.requiredText("model", limit: Self.modelLimit, in: body.span)
        streams = try fields.bool("stream", in: body.span) ?? false
        let options = try fields.object("stream_options", in: body.span)
        includesUsage =
            options?.member("include_usage", in: body.span)?.bool(in: body.span) ?? false
        user = try fields.text("user", limit: Self.wordLimit, in: body.span) ?? ""
        purpose = try fields.text("purpose", limit: Self.wordLimit, in: body.span) ?? ""
        seal = fields["seal"].map { value in
            var text: [UInt8] = []
            text.append(body.span, value.range)
            return text
        }
        outputTokenLimit = try fields.outputTokenLimit(in: body.span)
        input = try Self.countInput(fields, in: body.span)
        self.body = body
    }

    /// The body of a request with a single message of the user.
    package static func body(model: String, prompt: String) -> [UInt8] {
        var output: [UInt8] = []
        output.append(#"{"model":"#)
        output.append(jsonString: model)
        output.append(#","messages":[{"role":"user","content":"#)
        output.append(jsonString: prompt)
        output.append("}]}")
        return output
    }

    /// The body to send to a provider.
    ///
    /// - Parameters:
    ///   - dialect: what the provider speaks.
    ///   - model: the provider's name for the model.
    ///   - streams: whether to ask for a stream, whatever the client asked for.
    ///   - asksForUsage: whether a stream shall report usage, whatever the client asked for.
    /// - Returns: for OpenAI the bytes as received but for `model`, `stream` and `stream_options`,
    ///   and without `purpose` and `seal`; for another dialect their translation.
    /// - Throws: `ChatRequestError` naming a field that has no counterpart.
    package func body(
        for dialect: Dialect,
        model: String,
        streams: Bool,
        asksForUsage: Bool
    ) throws(ChatRequestError) -> [UInt8] {
        let fields = try RequestFields(body.span)
        switch dialect {
        case .openAI:
            return fields.chatBody(
                model: model,
                streams: streams,
                asksForUsage: asksForUsage,
                from: body.span
            )
        case .anthropic:
            return try MessagesRequestWriter.body(
                fields,
                from: body.span,
                model: model,
                streams: streams
            )
        }
    }

    private static func countInput(
        _ fields: RequestFields,
        in body: Span<UInt8>
    ) throws(ChatRequestError) -> InputCount {
        guard let messages = fields["messages"], messages.kind == .array else {
            throw ChatRequestError("messages must be an array", param: "messages")
        }
        var input = InputCount()
        for message in messages.elements(in: body) {
            guard message.kind == .object else {
                throw ChatRequestError("a message must be an object", param: "messages")
            }
            input.messages += 1
            guard let content = message.member("content", in: body) else { continue }
            input.contentBytes += content.string(in: body)?.unescapedByteCount(in: body) ?? 0
            for part in content.elements(in: body) {
                let text = part.member("text", in: body)?.string(in: body)
                input.contentBytes += text?.unescapedByteCount(in: body) ?? 0
            }
        }
        guard input.messages > 0 else {
            throw ChatRequestError("messages must not be empty", param: "messages")
        }
        return input
    }
}
