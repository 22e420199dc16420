extension RecordedBody {
    /// The answer that the provider would have given without streaming; nil where the format is not
    /// known well enough.
    package var wholeAnswer: JSONTree? {
        switch format {
        case .openAIChat: ChatCompletion(chunks: events).answer
        case .anthropicMessages: AnthropicMessage(events: events).answer
        case .eventStream, .lines: nil
        }
    }

    /// The JSON texts of the events, in order; what is no JSON is left out.
    private var events: [JSONTree] {
        pieces.compactMap { piece in
            let lines = bytes[piece].split { $0 == 0x0A || $0 == 0x0D }
            let prefix = Array("data:".utf8)
            let data = lines.filter { $0.starts(with: prefix) }.map { $0.dropFirst(prefix.count) }
            return JSONTree(parsing: [UInt8](data.joined(separator: [0x0A])))
        }
    }
}

/// OpenAI's chunks put together to one `chat.completion`.
private struct ChatCompletion {
    private var opening: JSONTree?
    private var usage: JSONTree?
    private var choices: [Int64: Choice] = [:]

    private struct Choice {
        var texts: [String: String] = [:]
        var tools: [Int64: [String: JSONTree]] = [:]
        var finish = JSONTree.null
    }

    init(chunks: [JSONTree]) {
        for chunk in chunks { add(chunk) }
    }

    var answer: JSONTree? {
        guard var members = opening?.members else { return nil }
        members["object"] = .string("chat.completion")
        members["obfuscation"] = nil
        members["usage"] = usage
        members["choices"] = .array(
            choices.sorted { $0.key < $1.key }.map { message(of: $0.value, index: $0.key) }
        )
        return .object(members)
    }

    private mutating func add(_ chunk: JSONTree) {
        if opening == nil { opening = chunk }
        if let usage = chunk["usage"], usage != .null { self.usage = usage }
        for part in chunk["choices"]?.elements ?? [] {
            var choice = choices[part["index"]?.integer ?? 0] ?? Choice()
            Self.add(part, to: &choice)
            choices[part["index"]?.integer ?? 0] = choice
        }
    }

    private static func add(_ part: JSONTree, to choice: inout Choice) {
        if let finish = part["finish_reason"], finish != .null { choice.finish = finish }
        for (name, value) in part["delta"]?.members ?? [:] where name != "role" {
            if let text = value.string { choice.texts[name, default: ""] += text }
        }
        for call in part["delta"]?["tool_calls"]?.elements ?? [] {
            let index = call["index"]?.integer ?? 0
            choice.tools[index] = merged(choice.tools[index], call)
        }
    }

    private static func merged(
        _ known: [String: JSONTree]?,
        _ call: JSONTree
    ) -> [String: JSONTree] {
        guard var known else { return call.members }
        var function = known["function"]?.members ?? [:]
        let more = call["function"]?["arguments"]?.string ?? ""
        function["arguments"] = .string((function["arguments"]?.string ?? "") + more)
        known["function"] = .object(function)
        return known
    }

    private func message(of choice: Choice, index: Int64) -> JSONTree {
        var message: [String: JSONTree] = ["role": .string("assistant"), "content": .null]
        for (name, text) in choice.texts { message[name] = .string(text) }
        if !choice.tools.isEmpty {
            message["tool_calls"] = .array(
                choice.tools.sorted { $0.key < $1.key }.map { tool in
                    .object(tool.value.filter { $0.key != "index" })
                }
            )
        }
        return .object([
            "index": .integer(index), "message": .object(message), "logprobs": .null,
            "finish_reason": choice.finish,
        ])
    }
}

/// Anthropic's events put together to one `message`.
private struct AnthropicMessage {
    private var message: [String: JSONTree]?
    private var blocks: [Int64: [String: JSONTree]] = [:]
    private var toolInputs: [Int64: String] = [:]

    init(events: [JSONTree]) {
        for event in events { add(event) }
    }

    var answer: JSONTree? {
        guard var message else { return nil }
        message["content"] = .array(
            blocks.sorted { $0.key < $1.key }.map { index, block in
                var block = block
                if let text = toolInputs[index], !text.isEmpty {
                    block["input"] = JSONTree(parsing: [UInt8](text.utf8))
                }
                return .object(block)
            }
        )
        return .object(message)
    }

    private mutating func add(_ event: JSONTree) {
        let index = event["index"]?.integer ?? 0
        switch event["type"]?.string {
        case "message_start": message = event["message"]?.members
        case "content_block_start": blocks[index] = event["content_block"]?.members
        case "content_block_delta": addDelta(event["delta"]?.members ?? [:], to: index)
        case "message_delta": close(with: event)
        default: break
        }
    }

    private mutating func addDelta(_ delta: [String: JSONTree], to index: Int64) {
        for (name, value) in delta where name != "type" {
            guard let text = value.string else { continue }
            if name == "partial_json" {
                toolInputs[index, default: ""] += text
            } else {
                let known = blocks[index]?[name]?.string ?? ""
                blocks[index]?[name] = .string(known + text)
            }
        }
    }

    private mutating func close(with event: JSONTree) {
        for (name, value) in event["delta"]?.members ?? [:] { message?[name] = value }
        let usage = message?["usage"]?.members ?? [:]
        let more = event["usage"]?.members ?? [:]
        message?["usage"] = .object(usage.merging(more) { $1 })
    }
}

extension ReplayPlan {
    /// The same plan for a client that asked for one JSON answer; nil where the body does not allow
    /// it.
    ///
    /// Places counted in events become the middle of the answer.
    package var answeringWhole: ReplayPlan? {
        guard let answer = body.wholeAnswer?.encoded else { return nil }
        var plan = self
        plan.body = RecordedBody(name: body.name, bytes: answer, format: .lines)
        plan.contentType = "application/json"
        plan.refusalFormat = body.format
        plan.pace = .immediate
        plan.loops = 1
        plan.fault = fault?.inWholeAnswer(byteCount: answer.count, format: body.format)
        return plan
    }
}

extension ReplayFault {
    fileprivate func inWholeAnswer(byteCount: Int, format: BodyFormat) -> ReplayFault? {
        let middle = ReplayPosition.bytes(byteCount / 2)
        return switch self {
        case .stall: .stall(after: middle)
        case .silence(_, let length): .silence(after: middle, for: length)
        case .reset: .reset(after: middle)
        case .cut: .cut(after: middle)
        case .badChunk: .badChunk(after: middle)
        case .errorInStream: .refusal(status: 500, retryAfterSeconds: nil)
        case .noEnd, .hugeLine: nil
        case .refusal, .slowFirstToken, .garbage, .drip: self
        }
    }
}
