import Metering
import StreamBytes

/// Makes the JSON of OpenAI's chunks out of deltas; who calls it frames each as an event and ends
/// the stream with `[DONE]`.
package struct OpenAIChunkWriter: Sendable {
    /// The beginning of each chunk, up to the bracket that opens `choices`.
    private let head: [UInt8]
    private let includesUsage: Bool
    private var hasStarted = false

    /// Makes a writer for one answer.
    ///
    /// - Parameters:
    ///   - id: of the answer, the same in each chunk.
    ///   - created: seconds since 1970.
    ///   - model: what the client asked for.
    ///   - includesUsage: whether the client asked for usage; its chunks then say `"usage":null`.
    package init(id: String, created: Int64, model: String, includesUsage: Bool) {
        var head: [UInt8] = []
        head.append(answer: "chat.completion.chunk", id: id, created: created, model: model)
        head.append(#","choices":["#)
        self.head = head
        self.includesUsage = includesUsage
    }

    /// Appends the chunk of one delta.
    ///
    /// - Parameters:
    ///   - kind: `raw` goes through as it is.
    ///   - payload: in the form that `DeltaKind` describes.
    ///   - output: gets one JSON text without line breaks.
    package mutating func append(
        _ kind: DeltaKind,
        _ payload: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        guard kind != .raw else { return output.append(payload) }
        beginChoice(&output)
        switch kind {
        case .text, .raw: output.append(member: "content", payload)
        case .reasoning: output.append(member: "reasoning_content", payload)
        case .tool:
            output.append(#""tool_calls":["#)
            output.append(toolCallOf: payload, isDelta: true)
            output.append("]")
        }
        endChoice(finish: nil, &output)
    }

    /// Appends the chunk that says why the answer ended.
    package mutating func append(finish: FinishReason, to output: inout [UInt8]) {
        beginChoice(&output, isEmpty: true)
        endChoice(finish: finish, &output)
    }

    /// Appends the chunk that holds nothing but the usage.
    package func append(usage: TokenUsage, to output: inout [UInt8]) {
        output.append(head.span)
        output.append(#"],"usage":"#)
        output.append(usage: usage)
        output.append(0x7D)
    }

    private mutating func beginChoice(_ output: inout [UInt8], isEmpty: Bool = false) {
        output.append(head.span)
        output.append(#"{"index":0,"delta":{"#)
        guard !hasStarted else { return }
        hasStarted = true
        output.append(#""role":"assistant""#)
        if !isEmpty { output.append(0x2C) }
    }

    private func endChoice(finish: FinishReason?, _ output: inout [UInt8]) {
        output.append(#"},"logprobs":null,"finish_reason":"#)
        output.append(finish: finish)
        output.append(includesUsage ? #"}],"usage":null}"# : "}]}")
    }
}

extension FinishReason {
    /// OpenAI's word for it, which has fewer.
    package var chatWord: StaticString {
        switch self {
        case .stop: "stop"
        case .length, .cancelled, .budget, .lifetime, .drain: "length"
        case .toolCalls: "tool_calls"
        case .contentFilter, .refusal: "content_filter"
        }
    }
}

extension [UInt8] {
    /// Appends the beginning of an answer or chunk, from its opening brace to its model.
    mutating func append(answer object: StaticString, id: String, created: Int64, model: String) {
        append(#"{"id":"#)
        append(jsonString: id)
        append(#","object":""#)
        append(object)
        append(#"","created":"#)
        append(decimal: created)
        append(#","model":"#)
        append(jsonString: model)
    }

    /// Appends a member whose value is a string that is escaped already.
    mutating func append(member name: StaticString, _ escaped: Span<UInt8>) {
        append(0x22)
        append(name)
        append(#"":""#)
        append(escaped)
        append(0x22)
    }

    mutating func append(finish: FinishReason?) {
        guard let finish else { return append("null") }
        append(0x22)
        append(finish.chatWord)
        append(0x22)
    }

    /// Appends OpenAI's usage object.
    mutating func append(usage: TokenUsage) {
        let (total, overflow) = usage.input.addingReportingOverflow(usage.output)
        append(#"{"prompt_tokens":"#)
        append(decimal: usage.input)
        append(#","completion_tokens":"#)
        append(decimal: usage.output)
        append(#","total_tokens":"#)
        append(decimal: overflow ? .max : total)
        append(#","prompt_tokens_details":{"cached_tokens":"#)
        append(decimal: usage.cachedInput)
        append(#","cache_write_tokens":"#)
        append(decimal: usage.cacheWrite)
        append(#"},"completion_tokens_details":{"reasoning_tokens":"#)
        append(decimal: usage.reasoning)
        append("}}")
    }

    /// Appends OpenAI's form of a tool delta.
    mutating func append(toolCallOf delta: Span<UInt8>, isDelta: Bool) {
        let call = ToolDelta(delta)
        append(0x7B)
        if isDelta {
            append(#""index":"#)
            append(decimal: call.index)
            append(",")
        }
        if let id = call.id {
            append(member: "id", delta.extracting(id))
            append(#","type":"function","#)
        }
        append(#""function":{"#)
        if let name = call.name {
            append(member: "name", delta.extracting(name))
            append(",")
        }
        append(member: "arguments", delta.extracting(call.arguments ?? 0..<0))
        append("}}")
    }
}

/// The parts of a tool delta, still escaped.
struct ToolDelta {
    private(set) var index: Int64 = 0
    private(set) var id: Range<Int>?
    private(set) var name: Range<Int>?
    private(set) var arguments: Range<Int>?

    init(_ delta: Span<UInt8>) {
        var json = JSONReader()
        // A delta is written by a decoder; one that cannot be read on has told all that it can.
        do {
            try json.beginObject(delta)
            while let member = try json.nextMember(delta) {
                if member.equals("index", in: delta) {
                    index = try json.readIntegerIfAny(delta) ?? 0
                } else if member.equals("id", in: delta) {
                    id = try json.readStringIfAny(delta)?.range
                } else if member.equals("name", in: delta) {
                    name = try json.readStringIfAny(delta)?.range
                } else if member.equals("arguments", in: delta) {
                    arguments = try json.readStringIfAny(delta)?.range
                } else {
                    try json.skipValue(delta)
                }
            }
        } catch { return }
    }
}
