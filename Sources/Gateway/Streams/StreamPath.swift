import Dialects
import Metering
import ServerSentEvents
import StreamBytes

/// The stages from an event to the bytes of one client's body, before the connection's framing:
/// payload, wire form.
struct StreamPath: Sendable {
    /// The form in which the events are written.
    private enum Form: Sendable {
        case weir
        /// The provider's own JSON.
        case raw
        case chunks(OpenAIChunkWriter, includesUsage: Bool)
    }

    /// What the last event of OpenAI's format needs.
    struct Ending: Sendable {
        let outcome: StreamOutcome
        let usage: TokenUsage
    }

    private let id: StreamID
    private let model: String
    private var form: Form

    init(order: StreamOrder, id: StreamID, openedAt: WallTime) {
        self.id = id
        model = order.model.name
        switch order.form {
        case .weir: form = .weir
        case .openAI(let includesUsage) where !order.passesThrough:
            form = .chunks(
                OpenAIChunkWriter(
                    id: "chatcmpl-\(id.text)",
                    created: openedAt.milliseconds / 1_000,
                    model: order.model.name,
                    includesUsage: includesUsage
                ),
                includesUsage: includesUsage
            )
        case .openAI, .whole: form = .raw
        }
    }

    /// Appends an event.
    ///
    /// - Parameters:
    ///   - entry: its payload is a range of `bytes`.
    ///   - bytes: the log's.
    ///   - ending: how the stream ended; needed by the event that says so.
    ///   - retry: after how many milliseconds a client should come back.
    ///   - buffer: what goes out.
    mutating func append(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        ending: Ending?,
        retry: Int64,
        to buffer: inout [UInt8]
    ) {
        switch form {
        case .weir: appendWeir(entry, of: bytes, retry: retry, to: &buffer)
        case .raw: appendRaw(entry, of: bytes, ending: ending, to: &buffer)
        case .chunks(var writer, let includesUsage):
            form = .raw
            appendChunk(entry, of: bytes, ending, includesUsage, &writer, to: &buffer)
            form = .chunks(writer, includesUsage: includesUsage)
        }
    }

    /// Appends a comment that means nothing.
    func appendProbe(to buffer: inout [UInt8]) { buffer.append(":\n\n") }

    /// Appends a sign of life.
    ///
    /// - Parameters:
    ///   - asEvent: for clients that cannot see comments; Weir's own form only.
    ///   - wall: the time that the event tells.
    ///   - last: the newest event's sequence.
    ///   - buffer: what goes out.
    func appendHeartbeat(
        asEvent: Bool,
        wall: WallTime,
        last: UInt64,
        to buffer: inout [UInt8]
    ) {
        guard asEvent, case .weir = form else { return buffer.append(": hb\n\n") }
        buffer.append("event: heartbeat\ndata: {\"at\":")
        buffer.append(decimal: wall.milliseconds)
        buffer.append(",\"last\":")
        buffer.append(decimal: Int64(last))
        buffer.append("}\n\n")
    }

    /// Appends the word that events were lost, with the id of the last of them.
    func appendGap(lost: UInt64, before sequence: UInt64, to buffer: inout [UInt8]) {
        appendHead("gap", sequence: sequence - 1, to: &buffer)
        buffer.append("data: {\"lost\":")
        buffer.append(decimal: Int64(lost))
        buffer.append("}\n\n")
    }
}

// MARK: - Weir's own events

extension StreamPath {
    private func appendWeir(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        retry: Int64,
        to buffer: inout [UInt8]
    ) {
        let payload = bytes.span
        switch entry.kind {
        case .start:
            appendHead("start", sequence: entry.sequence, to: &buffer)
            EventEncoder.appendRetry(milliseconds: retry, to: &buffer)
            buffer.append("data: {\"stream\":\"")
            buffer.append(contentsOf: id.text.utf8)
            buffer.append("\",\"model\":")
            buffer.append(jsonString: model)
            buffer.append("}\n\n")
        case .text: appendText("text", entry, payload, to: &buffer)
        case .reasoning: appendText("reasoning", entry, payload, to: &buffer)
        case .tool:
            appendHead("chunk", sequence: entry.sequence, to: &buffer)
            buffer.append("data: {\"tool\":")
            buffer.append(payload, entry.payload)
            buffer.append("}\n\n")
        case .complete: appendWhole("complete", entry, payload, to: &buffer)
        case .error: appendWhole("error", entry, payload, to: &buffer)
        case .raw: preconditionFailure("Weir's own events are made of deltas")
        }
    }

    private func appendText(
        _ name: StaticString,
        _ entry: EventLog.Entry,
        _ payload: Span<UInt8>,
        to buffer: inout [UInt8]
    ) {
        appendHead("chunk", sequence: entry.sequence, to: &buffer)
        buffer.append("data: {\"")
        buffer.append(name)
        buffer.append("\":\"")
        buffer.append(payload, entry.payload)
        buffer.append("\"}\n\n")
    }

    private func appendWhole(
        _ name: StaticString,
        _ entry: EventLog.Entry,
        _ payload: Span<UInt8>,
        to buffer: inout [UInt8]
    ) {
        appendHead(name, sequence: entry.sequence, to: &buffer)
        buffer.append("data: ")
        buffer.append(payload, entry.payload)
        buffer.append("\n\n")
    }

    private func appendHead(
        _ name: StaticString,
        sequence: UInt64,
        to buffer: inout [UInt8]
    ) {
        buffer.append("id: ")
        buffer.append(contentsOf: id.text.utf8)
        buffer.append(".")
        buffer.append(decimal: Int64(sequence))
        buffer.append("\nevent: ")
        buffer.append(name)
        buffer.append("\n")
    }
}

// MARK: - OpenAI's chunks

extension StreamPath {
    private func appendRaw(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        ending: Ending?,
        to buffer: inout [UInt8]
    ) {
        if entry.kind == .raw {
            buffer.append("data: ")
            buffer.append(bytes.span, entry.payload)
            buffer.append("\n\n")
        } else if let ending {
            appendEnd(ending, to: &buffer)
        }
    }

    private func appendChunk(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        _ ending: Ending?,
        _ includesUsage: Bool,
        _ writer: inout OpenAIChunkWriter,
        to buffer: inout [UInt8]
    ) {
        if let kind = entry.kind.delta {
            buffer.append("data: ")
            writer.append(kind, bytes.span.extracting(entry.payload), to: &buffer)
            buffer.append("\n\n")
        } else if let ending {
            if case .complete(let reason) = ending.outcome, !ending.outcome.isForced {
                buffer.append("data: ")
                writer.append(finish: reason, to: &buffer)
                buffer.append("\n\n")
                if includesUsage {
                    buffer.append("data: ")
                    writer.append(usage: ending.usage, to: &buffer)
                    buffer.append("\n\n")
                }
            }
            appendEnd(ending, to: &buffer)
        }
    }

    /// Ends with `[DONE]` only what a provider ended itself.
    private func appendEnd(_ ending: Ending, to buffer: inout [UInt8]) {
        buffer.append("data: ")
        switch ending.outcome {
        case .complete(let reason) where ending.outcome.isForced:
            buffer.append(contentsOf: StreamFailure(forced: reason).openAIBody)
        case .complete: buffer.append("[DONE]")
        case .failed(let failure): buffer.append(contentsOf: failure.openAIBody)
        }
        buffer.append("\n\n")
    }
}

extension EventKind {
    /// The kind of the provider's delta that the event is; nil for the gateway's own events.
    var delta: DeltaKind? {
        switch self {
        case .text: .text
        case .reasoning: .reasoning
        case .tool: .tool
        case .raw, .start, .complete, .error: nil
        }
    }
}

extension StreamFailure {
    /// How a stream that the gateway ended itself looks in OpenAI's format, which has no word for it.
    init(forced reason: FinishReason) {
        switch reason {
        case .lifetime: self.init(.internal, "the stream has reached its longest lifetime")
        case .drain: self.init(.overloaded, "the gateway is shutting down")
        case .budget: self.init(.budget, "the budget is used up")
        default: self.init(.internal, "the stream was cancelled")
        }
    }
}
