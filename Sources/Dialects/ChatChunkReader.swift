import StreamBytes

/// Reads the events of OpenAI's chat completions, in the variants that providers send.
struct ChatChunkReader: Sendable {
    private var toolCalls = ToolCallNumbers()
    /// Whether the provider marks chunks without usage, as it does only when asked for usage.
    private var marksUsage = false
    /// Whether a choice has a whole `message` instead of a `delta`.
    private let readsWholeAnswers: Bool

    init(readsWholeAnswers: Bool = false) { self.readsWholeAnswers = readsWholeAnswers }

    private struct Chunk {
        var model: Range<Int>?
        /// The member with the separator before it.
        var usageMember: Range<Int>?
        var hasUsage = false
        var hasChoices = false
        var choiceCount = 0
        var hasError = false
    }

    /// Reads one event.
    mutating func read(
        _ data: Span<UInt8>,
        _ type: EventType,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        guard let text = data.trimmedRange() else { return }
        if data.matches(text, "[DONE]") {
            answer.isTerminal = true
            return
        }
        if type == .error {
            answer.fail(ProviderFailure(inBand: data, dialect: .openAI))
            return
        }
        // What a foreign event holds is not known; only if it looks like a chunk is it one.
        guard type == .message || data[text.lowerBound] == 0x7B else { return }
        var json = JSONReader(at: text.lowerBound)
        let chunk = try readChunk(data, &json, &answer, &batch)
        try json.finish(data)
        if chunk.hasError {
            answer.fail(ProviderFailure(inBand: data, dialect: .openAI))
            return
        }
        guard case .raw(let model, let includesUsage) = answer.mode else { return }
        guard chunk.hasChoices || type == .message else { return }
        if !includesUsage, chunk.hasUsage, chunk.hasChoices, chunk.choiceCount == 0 { return }
        let hidesUsage = !includesUsage && (marksUsage || !chunk.hasUsage)
        pass(data, text, chunk, model: model, hidesUsage: hidesUsage, into: &batch)
    }

    private mutating func readChunk(
        _ data: Span<UInt8>,
        _ json: inout JSONReader,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) -> Chunk {
        var chunk = Chunk()
        try json.beginObject(data)
        var separator = json.position
        while let name = try json.nextMember(data) {
            switch ChatField(name, in: data) {
            case .choices:
                chunk.hasChoices = true
                chunk.choiceCount = try readChoices(data, &json, &answer, &batch)
            case .model:
                chunk.model = try json.skipValue(data)
            case .usage:
                chunk.hasUsage = try answer.counters.readChatUsage(data, &json)
                if !chunk.hasUsage { marksUsage = true }
                chunk.usageMember = separator..<json.position
            case .groq:
                try readGroq(data, &json, &answer)
            case .error:
                chunk.hasError = try json.peek(data) != .null
                try json.skipValue(data)
            default:
                try json.skipValue(data)
            }
            separator = json.position
        }
        return chunk
    }

    private func readGroq(
        _ data: Span<UInt8>,
        _ json: inout JSONReader,
        _ answer: inout Answer
    ) throws(JSONError) {
        guard try json.peek(data) == .object else {
            try json.skipValue(data)
            return
        }
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("usage", in: data) {
                _ = try answer.counters.readChatUsage(data, &json)
            } else {
                try json.skipValue(data)
            }
        }
    }

    /// Passes on the event's JSON in one line.
    private func pass(
        _ data: Span<UInt8>,
        _ text: Range<Int>,
        _ chunk: Chunk,
        model: String,
        hidesUsage: Bool,
        into batch: inout DeltaBatch
    ) {
        batch.append(.raw) { output in
            let start = output.count
            var position = text.lowerBound
            let usage = hidesUsage ? chunk.usageMember.map { data.removalRange($0) } : nil
            let usageIsFirst = (usage?.lowerBound ?? 0) < (chunk.model?.lowerBound ?? 0)
            if let usage, usageIsFirst {
                output.append(data, position..<usage.lowerBound)
                position = usage.upperBound
            }
            if let value = chunk.model {
                output.append(data, position..<value.lowerBound)
                output.append(jsonString: model)
                position = value.upperBound
            }
            if let usage, !usageIsFirst {
                output.append(data, position..<usage.lowerBound)
                position = usage.upperBound
            }
            output.append(data, position..<text.upperBound)
            guard data.firstLineEnd(from: 0) != nil else { return }
            // A valid JSON text has line breaks between its tokens only.
            for index in start..<output.count where output[index] < 0x20 { output[index] = 0x20 }
        }
    }
}

extension ChatChunkReader {
    private struct Delta {
        var content: JSONString?
        var parts: Int?
        var reasoningContent: JSONString?
        var reasoning: JSONString?
        var refusal: JSONString?
        var toolCalls: Int?
        var functionCall: Int?
    }

    private mutating func readChoices(
        _ data: Span<UInt8>,
        _ json: inout JSONReader,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) -> Int {
        guard try json.peek(data) == .array else {
            try json.skipValue(data)
            return 0
        }
        var count = 0
        try json.beginArray(data)
        while try json.nextElement(data) {
            try readChoice(data, &json, at: count, &answer, &batch)
            count += 1
        }
        return count
    }

    private mutating func readChoice(
        _ data: Span<UInt8>,
        _ json: inout JSONReader,
        at place: Int,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        var index = Int64(place)
        var delta = Delta()
        var finish: JSONString?
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            switch ChatField(name, in: data) {
            case .delta where !readsWholeAnswers, .message where readsWholeAnswers:
                delta = try readDelta(data, &json)
            case .index:
                index = try json.readIntegerIfAny(data) ?? index
            case .finishReason:
                finish = try json.readStringIfAny(data)
            case .usage:
                // Moonshot reports here what others report beside the choices.
                _ = try answer.counters.readChatUsage(data, &json)
            default:
                try json.skipValue(data)
            }
        }
        try deliver(delta, of: data, isFirstChoice: index == 0, &answer, &batch)
        if let finish, !finish.isEmpty, index == 0 { end(finish, in: data, &answer) }
    }

    private func readDelta(
        _ data: Span<UInt8>,
        _ json: inout JSONReader
    ) throws(JSONError) -> Delta {
        var delta = Delta()
        guard try json.peek(data) == .object else {
            try json.skipValue(data)
            return delta
        }
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            switch (ChatField(name, in: data), try json.peek(data)) {
            case (.content, .array):
                delta.parts = json.position
                try json.skipValue(data)
            case (.content, .string): delta.content = try json.readString(data)
            case (.reasoningContent, .string): delta.reasoningContent = try json.readString(data)
            case (.reasoning, .string): delta.reasoning = try json.readString(data)
            case (.refusal, .string): delta.refusal = try json.readString(data)
            case (.toolCalls, .array):
                delta.toolCalls = json.position
                try json.skipValue(data)
            case (.functionCall, .object):
                delta.functionCall = json.position
                try json.skipValue(data)
            default: try json.skipValue(data)
            }
        }
        return delta
    }

    /// Passes on what one delta holds: reasoning, then text, then tool calls.
    private mutating func deliver(
        _ delta: Delta,
        of data: Span<UInt8>,
        isFirstChoice: Bool,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        // Some servers send their reasoning under both names.
        let named = delta.reasoningContent.flatMap { $0.isEmpty ? nil : $0 }
        if let piece = named ?? delta.reasoning {
            answer.take(.reasoning, piece, of: data, isPassed: isFirstChoice, &batch)
        }
        if let parts = delta.parts {
            try ContentParts.read(data, at: parts, isPassed: isFirstChoice, &answer, &batch)
        }
        if let piece = delta.content {
            answer.take(.text, piece, of: data, isPassed: isFirstChoice, &batch)
        }
        if let piece = delta.refusal, !piece.isEmpty {
            if isFirstChoice { answer.hasRefusal = true }
            let isPassed = isFirstChoice && answer.addsForClients
            answer.take(.text, piece, of: data, isPassed: isPassed, &batch)
        }
        if let start = delta.toolCalls {
            try toolCalls.readArray(data, at: start, isPassed: isFirstChoice, &answer, &batch)
        }
        if let start = delta.functionCall {
            try toolCalls.readFunction(data, at: start, isPassed: isFirstChoice, &answer, &batch)
        }
    }

    private func end(_ reason: JSONString, in data: Span<UInt8>, _ answer: inout Answer) {
        if reason.equals("error", in: data) {
            answer.fail(ProviderFailure(inBand: data, dialect: .openAI))
            return
        }
        answer.finish(reason, in: data, as: FinishReason(chatWord: reason, in: data))
    }
}
