import Metering
import StreamBytes

/// Collects the deltas of an answer into one `chat.completion` object, for clients that do not
/// stream.
package struct ChatCompletionWriter: Sendable {
    private struct Call {
        let index: Int64
        var id: [UInt8] = []
        var name: [UInt8] = []
        var arguments: [UInt8] = []
    }

    private let head: [UInt8]
    private let byteLimit: Int
    private var byteCount = 0
    private var text: [UInt8] = []
    private var reasoning: [UInt8] = []
    private var calls: [Call] = []

    /// Whether the answer is longer than the limit; what came after it is not collected.
    package var isFull: Bool { byteCount > byteLimit }

    /// Makes a writer for one answer.
    ///
    /// - Parameters:
    ///   - id: of the answer.
    ///   - created: seconds since 1970.
    ///   - model: what the client asked for.
    ///   - byteLimit: the longest answer that is collected, in bytes.
    package init(id: String, created: Int64, model: String, byteLimit: Int = 16 << 20) {
        var head: [UInt8] = []
        head.append(answer: "chat.completion", id: id, created: created, model: model)
        self.head = head
        self.byteLimit = byteLimit
    }

    /// Adds a delta; `raw` ones are not for this writer and are left out.
    package mutating func append(_ kind: DeltaKind, _ payload: Span<UInt8>) {
        guard !isFull else { return }
        byteCount += payload.count
        guard !isFull else { return }
        switch kind {
        case .text: text.append(payload)
        case .reasoning: reasoning.append(payload)
        case .tool: append(toolDelta: payload)
        case .raw: break
        }
    }

    private mutating func append(toolDelta payload: Span<UInt8>) {
        let delta = ToolDelta(payload)
        let place = calls.lastIndex { $0.index == delta.index } ?? calls.count
        if place == calls.count { calls.append(Call(index: delta.index)) }
        if let id = delta.id, calls[place].id.isEmpty { calls[place].id.append(payload, id) }
        if let name = delta.name, calls[place].name.isEmpty {
            calls[place].name.append(payload, name)
        }
        if let piece = delta.arguments { calls[place].arguments.append(payload, piece) }
    }

    /// Appends the object.
    package func append(
        finish: FinishReason,
        usage: TokenUsage,
        to output: inout [UInt8]
    ) {
        output.append(head.span)
        output.append(#","choices":[{"index":0,"message":{"role":"assistant","#)
        if text.isEmpty, !calls.isEmpty {
            output.append(#""content":null"#)
        } else {
            output.append(member: "content", text.span)
        }
        output.append(#","refusal":null"#)
        if !reasoning.isEmpty {
            output.append(",")
            output.append(member: "reasoning_content", reasoning.span)
        }
        appendCalls(to: &output)
        output.append(#"},"logprobs":null,"finish_reason":"#)
        output.append(finish: finish)
        output.append(#"}],"usage":"#)
        output.append(usage: usage)
        output.append(0x7D)
    }

    private func appendCalls(to output: inout [UInt8]) {
        guard !calls.isEmpty else { return }
        output.append(#","tool_calls":["#)
        for (place, call) in calls.enumerated() {
            if place > 0 { output.append(",") }
            output.append("{")
            output.append(member: "id", call.id.span)
            output.append(#","type":"function","function":{"#)
            output.append(member: "name", call.name.span)
            output.append(",")
            output.append(member: "arguments", call.arguments.span)
            output.append("}}")
        }
        output.append("]")
    }
}
