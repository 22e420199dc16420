import StreamBytes

/// Reads the events of Anthropic's messages.
///
/// The event's name only repeats the `type` in its JSON, so the JSON decides.
struct MessageEventReader: Sendable {
    /// The blocks that are tool calls, by the number that each call has among them.
    private var toolBlocks: [Int64] = []
    private var hasArguments = false
    /// More calls than any answer has; a bound for what a hostile provider can make grow.
    private static let toolLimit = 4_096

    /// The members of an event, as places; which of them matter depends on `type`, which may
    /// come last.
    private struct Event {
        var type: JSONString?
        var index: Int64 = 0
        var message: Int?
        var block: Int?
        var delta: Int?
        var usage: Int?
    }

    /// Reads one event.
    mutating func read(
        _ data: Span<UInt8>,
        _ type: EventType,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        guard let text = data.trimmedRange() else { return }
        var json = JSONReader(at: text.lowerBound)
        let event = try readMembers(data, &json)
        try json.finish(data)
        guard let word = event.type, type != .error else {
            if type == .error { answer.fail(ProviderFailure(inBand: data, dialect: .anthropic)) }
            return
        }
        if word.equals("content_block_delta", in: data) {
            try readDelta(data, event, &answer, &batch)
        } else if word.equals("content_block_start", in: data) {
            try readBlock(data, event, &answer, &batch)
        } else if word.equals("content_block_stop", in: data) {
            endBlock(event.index, answer, &batch)
        } else if word.equals("message_start", in: data) {
            try readStart(data, event, &answer)
        } else if word.equals("message_delta", in: data) {
            try readEnd(data, event, &answer)
        } else if word.equals("message_stop", in: data) {
            answer.isTerminal = true
        } else if word.equals("error", in: data) {
            answer.fail(ProviderFailure(inBand: data, dialect: .anthropic))
        }
    }

    private func readMembers(
        _ data: Span<UInt8>,
        _ json: inout JSONReader
    ) throws(JSONError) -> Event {
        var event = Event()
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            let kind = try json.peek(data)
            switch (name.range.count, kind) {
            case (4, .string) where name.equals("type", in: data):
                event.type = try json.readString(data)
                continue
            case (5, .number) where name.equals("index", in: data):
                event.index = try json.readIntegerIfAny(data) ?? 0
                continue
            case (5, .object) where name.equals("delta", in: data): event.delta = json.position
            case (5, .object) where name.equals("usage", in: data): event.usage = json.position
            case (7, .object) where name.equals("message", in: data): event.message = json.position
            case (13, .object) where name.equals("content_block", in: data):
                event.block = json.position
            default: break
            }
            try json.skipValue(data)
        }
        return event
    }

    private func readStart(
        _ data: Span<UInt8>,
        _ event: Event,
        _ answer: inout Answer
    ) throws(JSONError) {
        guard let message = event.message else { return }
        var json = JSONReader(at: message)
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("usage", in: data) {
                try answer.counters.readMessageUsage(data, &json)
            } else {
                try json.skipValue(data)
            }
        }
    }

    private func readEnd(
        _ data: Span<UInt8>,
        _ event: Event,
        _ answer: inout Answer
    ) throws(JSONError) {
        if let usage = event.usage {
            var json = JSONReader(at: usage)
            try answer.counters.readMessageUsage(data, &json)
        }
        guard let delta = event.delta else { return }
        var json = JSONReader(at: delta)
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("stop_reason", in: data), let word = try json.readStringIfAny(data) {
                answer.finish(word, in: data, as: FinishReason(messageWord: word, in: data))
            } else if !name.equals("stop_reason", in: data) {
                try json.skipValue(data)
            }
        }
    }
}

extension MessageEventReader {
    private struct Block {
        var type: JSONString?
        var id: JSONString?
        var name: JSONString?
        var text: JSONString?
        var thinking: JSONString?
        var input: Range<Int>?
    }

    private mutating func readBlock(
        _ data: Span<UInt8>,
        _ event: Event,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        guard let start = event.block else { return }
        let block = try readBlock(data, at: start)
        guard let type = block.type else { return }
        if type.equals("text", in: data), let text = block.text {
            answer.emit(.text, text, of: data, into: &batch)
        } else if type.equals("thinking", in: data), let thinking = block.thinking {
            answer.emit(.reasoning, thinking, of: data, into: &batch)
        } else if type.equals("tool_use", in: data) {
            guard toolBlocks.count < Self.toolLimit else { throw .malformed(at: start) }
            toolBlocks.append(event.index)
            beginCall(block, of: data, &answer, &batch)
        }
    }

    private func readBlock(
        _ data: Span<UInt8>,
        at start: Int
    ) throws(JSONError) -> Block {
        var block = Block()
        var json = JSONReader(at: start)
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("type", in: data) {
                block.type = try json.readStringIfAny(data)
            } else if name.equals("id", in: data) {
                block.id = try json.readStringIfAny(data)
            } else if name.equals("name", in: data) {
                block.name = try json.readStringIfAny(data)
            } else if name.equals("text", in: data) {
                block.text = try json.readStringIfAny(data)
            } else if name.equals("thinking", in: data) {
                block.thinking = try json.readStringIfAny(data)
            } else if name.equals("input", in: data), try json.peek(data) == .object {
                block.input = try json.readFilledObject(data)
            } else {
                try json.skipValue(data)
            }
        }
        return block
    }

    private mutating func beginCall(
        _ block: Block,
        of data: Span<UInt8>,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) {
        answer.hasVisibleOutput = true
        hasArguments = block.input != nil
        if let name = block.name { answer.count(.tool, name, of: data) }
        if let input = block.input {
            answer.count(.tool, JSONString(range: input, hasEscapes: false), of: data)
        }
        batch.append(.tool) { output in
            output.append(
                toolCall: Int64(toolBlocks.count - 1),
                id: block.id,
                name: block.name,
                of: data
            )
            output.append(#","arguments":"#)
            if let input = block.input {
                output.append(jsonString: data.extracting(input))
            } else {
                output.append("\"\"")
            }
            output.append(0x7D)
        }
    }

    private mutating func readDelta(
        _ data: Span<UInt8>,
        _ event: Event,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        guard let start = event.delta else { return }
        var json = JSONReader(at: start)
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            // Each type of delta has its own member, so the member tells the type.
            if name.equals("text", in: data) {
                guard let piece = try json.readStringIfAny(data) else { continue }
                answer.emit(.text, piece, of: data, into: &batch)
            } else if name.equals("thinking", in: data) {
                guard let piece = try json.readStringIfAny(data) else { continue }
                answer.emit(.reasoning, piece, of: data, into: &batch)
            } else if name.equals("partial_json", in: data) {
                guard let piece = try json.readStringIfAny(data) else { continue }
                passArguments(piece, event.index, of: data, &answer, &batch)
            } else {
                try json.skipValue(data)
            }
        }
    }

    /// Passes on a piece of arguments; those of tools that run at the provider are its own.
    private mutating func passArguments(
        _ piece: JSONString,
        _ block: Int64,
        of data: Span<UInt8>,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) {
        guard !piece.isEmpty, let call = toolBlocks.lastIndex(of: block) else { return }
        hasArguments = true
        answer.count(.tool, piece, of: data)
        batch.append(.tool) { output in
            output.append(toolCall: Int64(call), id: nil, name: nil, of: data)
            output.append(#","arguments":""#)
            output.append(data, piece.range)
            output.append(#""}"#)
        }
    }

    /// A call without parameters streams no arguments, but clients parse them.
    private mutating func endBlock(
        _ block: Int64,
        _ answer: Answer,
        _ batch: inout DeltaBatch
    ) {
        guard toolBlocks.last == block, !hasArguments else { return }
        hasArguments = true
        guard answer.addsForClients else { return }
        batch.append(.tool) { output in
            output.append(#"{"index":"#)
            output.append(decimal: Int64(toolBlocks.count - 1))
            output.append(#","arguments":"{}"}"#)
        }
    }
}

extension JSONReader {
    /// Passes over an object; returns where it stands if it has any member.
    fileprivate mutating func readFilledObject(
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> Range<Int>? {
        var inner = self
        let range = try skipValue(bytes)
        try inner.beginObject(bytes)
        return try inner.nextMember(bytes) == nil ? nil : range
    }
}
