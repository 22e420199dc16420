import StreamBytes

/// Reads the tool calls of OpenAI's deltas and numbers those that come without an index.
struct ToolCallNumbers: Sendable {
    private var last: Int64 = -1

    private struct Call {
        var index: Int64?
        var id: JSONString?
        var name: JSONString?
        var arguments: JSONString?
        /// Arguments that are no string but JSON themselves.
        var argumentsValue: Range<Int>?
    }

    /// Reads a `tool_calls` array that starts at `start`.
    mutating func readArray(
        _ data: Span<UInt8>,
        at start: Int,
        isPassed: Bool,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        var json = JSONReader(at: start)
        try json.beginArray(data)
        while try json.nextElement(data) {
            var call = Call()
            try json.beginObject(data)
            while let name = try json.nextMember(data) {
                if name.equals("index", in: data) {
                    call.index = try json.readIntegerIfAny(data)
                } else if name.equals("id", in: data) {
                    call.id = try json.readStringIfAny(data)
                } else if name.equals("function", in: data), try json.peek(data) == .object {
                    try readFunction(data, &json, into: &call)
                } else {
                    try json.skipValue(data)
                }
            }
            deliver(call, of: data, isPassed: isPassed, &answer, &batch)
        }
    }

    /// Reads a `function_call` object, the older form of a single tool call.
    mutating func readFunction(
        _ data: Span<UInt8>,
        at start: Int,
        isPassed: Bool,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        var json = JSONReader(at: start)
        var call = Call()
        call.index = 0
        try readFunction(data, &json, into: &call)
        deliver(call, of: data, isPassed: isPassed, &answer, &batch)
    }

    private func readFunction(
        _ data: Span<UInt8>,
        _ json: inout JSONReader,
        into call: inout Call
    ) throws(JSONError) {
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("name", in: data) {
                call.name = try json.readStringIfAny(data)
            } else if name.equals("arguments", in: data) {
                switch try json.peek(data) {
                case .string: call.arguments = try json.readString(data)
                case .null: try json.skipValue(data)
                default: call.argumentsValue = try json.skipValue(data)
                }
            } else {
                try json.skipValue(data)
            }
        }
    }

    private mutating func deliver(
        _ call: Call,
        of data: Span<UInt8>,
        isPassed: Bool,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) {
        let index = number(call)
        if let name = call.name { answer.count(.tool, name, of: data) }
        if let arguments = call.arguments { answer.count(.tool, arguments, of: data) }
        if let value = call.argumentsValue {
            answer.count(.tool, JSONString(range: value, hasEscapes: false), of: data)
        }
        if let id = call.id, !id.isEmpty { answer.hasVisibleOutput = true }
        guard isPassed, case .deltas = answer.mode else { return }
        batch.append(.tool) { output in
            output.append(toolCall: index, id: call.id, name: call.name, of: data)
            if let arguments = call.arguments {
                output.append(#","arguments":""#)
                output.append(data, arguments.range)
                output.append(0x22)
            } else if let value = call.argumentsValue {
                output.append(#","arguments":"#)
                output.append(jsonString: data.extracting(value))
            }
            output.append(0x7D)
        }
    }

    /// The call's own index; else one after the last if it brings an id, which only a new call
    /// does.
    private mutating func number(_ call: Call) -> Int64 {
        if let index = call.index, index >= 0 {
            last = index
        } else if last < 0 || call.id.map({ !$0.isEmpty }) ?? false {
            last += 1
        }
        return last
    }
}

extension [UInt8] {
    /// Appends the beginning of a tool delta: an object whose last member is yet to come.
    mutating func append(
        toolCall index: Int64,
        id: JSONString?,
        name: JSONString?,
        of data: Span<UInt8>
    ) {
        append(#"{"index":"#)
        append(decimal: index)
        if let id, !id.isEmpty {
            append(#","id":""#)
            append(data, id.range)
            append(0x22)
        }
        if let name, !name.isEmpty {
            append(#","name":""#)
            append(data, name.range)
            append(0x22)
        }
    }
}
