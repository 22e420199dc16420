import Dialects
import Metering
import Reactor
import Sealing
import ServerSentEvents
import StreamBytes

/// The stages from an event to the bytes of one client's body, before the connection's framing:
/// payload, compressed payload, seal, wire form.
struct StreamPath {
    /// The form in which the events are written.
    private enum Form {
        case weir
        /// The provider's own JSON.
        case raw
        case chunks(OpenAIChunkWriter, includesUsage: Bool)
    }

    /// What the last event of OpenAI's format needs.
    struct Ending {
        let outcome: StreamOutcome
        let usage: TokenUsage
    }

    /// What belongs to the reactor and to the moment.
    struct Surroundings {
        let now: MonotonicTime
        let sealing: SealingContext
        let codings: Guarded<ReactorCodings>
    }

    private let id: StreamID
    private let model: String
    /// Nil: events go out as they are.
    private let sealer: Sealer?
    private var form: Form

    init(order: StreamOrder, id: StreamID, openedAt: WallTime, sealer: Sealer?) {
        self.id = id
        model = order.model.name
        self.sealer = sealer
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
    ///   - surroundings: where it happens.
    ///   - buffer: what goes out.
    mutating func append(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        ending: Ending?,
        retry: Int64,
        in surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        switch form {
        case .weir: appendWeir(entry, of: bytes, retry: retry, surroundings, to: &buffer)
        case .raw: appendRaw(entry, of: bytes, ending: ending, surroundings, to: &buffer)
        case .chunks(var writer, let includesUsage):
            form = .raw
            appendChunk(entry, of: bytes, ending, includesUsage, &writer, surroundings, to: &buffer)
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
    func appendGap(
        lost: UInt64,
        before sequence: UInt64,
        in surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        appendEvent("gap", sequence - 1, surroundings, to: &buffer) { data in
            data.append("{\"lost\":")
            data.append(decimal: Int64(lost))
            data.append("}")
        }
    }
}

// MARK: - Sealing

extension StreamPath {
    /// Appends what a client has to know to open what follows, if it is sealed and the client has
    /// not been told.
    ///
    /// - Parameters:
    ///   - sequence: of the next event; `start` tells it itself.
    ///   - buffer: what goes out.
    func appendParameters(before sequence: UInt64, to buffer: inout [UInt8]) {
        guard let sealer, sealer.owesParameters else { return }
        if case .weir = form {
            guard sequence > 1 else { return }
            buffer.append("event: seal\n")
        }
        buffer.append("data: ")
        buffer.append(contentsOf: sealer.takeParameters())
        buffer.append("\n\n")
    }

    /// Appends a data field's value: `data` itself, or the object that hides it.
    @inline(__always)
    private func appendValue(
        _ name: StaticString,
        _ sequence: UInt64?,
        _ surroundings: Surroundings,
        to buffer: inout [UInt8],
        data: (inout [UInt8]) -> Void
    ) {
        guard let sealer else { return data(&buffer) }
        let number = sequence ?? sealer.lastSequence + 1
        buffer.append("{")
        if sequence == nil {
            buffer.append("\"n\":")
            buffer.append(decimal: Int64(number))
            buffer.append(",")
        }
        buffer.append("\"sealed\":\"")
        if sealer.compresses {
            appendCompressed(name, number, sealer, surroundings, to: &buffer, data: data)
        } else {
            sealer.seal(
                name,
                sequence: number,
                of: id.text,
                at: surroundings.now,
                in: surroundings.sealing,
                to: &buffer,
                content: data
            )
        }
        buffer.append("\"}")
    }

    private func appendCompressed(
        _ name: StaticString,
        _ number: UInt64,
        _ sealer: Sealer,
        _ surroundings: Surroundings,
        to buffer: inout [UInt8],
        data: (inout [UInt8]) -> Void
    ) {
        var plain: [UInt8] = []
        data(&plain)
        let compressed = surroundings.codings.withLock { $0.compressed(plain.span) }
        sealer.seal(
            name,
            sequence: number,
            of: id.text,
            at: surroundings.now,
            in: surroundings.sealing,
            to: &buffer,
            isDeflated: compressed != nil
        ) { $0.append(contentsOf: compressed ?? plain) }
    }
}

// MARK: - Weir's own events

extension StreamPath {
    private func appendWeir(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        retry: Int64,
        _ surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        switch entry.kind {
        case .start: appendStart(entry, retry: retry, to: &buffer)
        case .text: appendText("{\"text\":\"", "\"}", entry, bytes, surroundings, to: &buffer)
        case .reasoning:
            appendText("{\"reasoning\":\"", "\"}", entry, bytes, surroundings, to: &buffer)
        case .tool: appendText("{\"tool\":", "}", entry, bytes, surroundings, to: &buffer)
        case .complete: appendWhole("complete", entry, bytes, surroundings, to: &buffer)
        case .error: appendWhole("error", entry, bytes, surroundings, to: &buffer)
        case .raw: preconditionFailure("Weir's own events are made of deltas")
        }
    }

    private func appendStart(_ entry: EventLog.Entry, retry: Int64, to buffer: inout [UInt8]) {
        appendHead("start", sequence: entry.sequence, to: &buffer)
        EventEncoder.appendRetry(milliseconds: retry, to: &buffer)
        buffer.append("data: ")
        if let sealer {
            buffer.append(contentsOf: sealer.takeParameters())
        } else {
            buffer.append("{\"stream\":\"")
            buffer.append(contentsOf: id.text.utf8)
            buffer.append("\",\"model\":")
            buffer.append(jsonString: model)
            buffer.append("}")
        }
        buffer.append("\n\n")
    }

    private func appendText(
        _ before: StaticString,
        _ after: StaticString,
        _ entry: EventLog.Entry,
        _ bytes: [UInt8],
        _ surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        appendEvent("chunk", entry.sequence, surroundings, to: &buffer) { data in
            data.append(before)
            data.append(bytes.span, entry.payload)
            data.append(after)
        }
    }

    private func appendWhole(
        _ name: StaticString,
        _ entry: EventLog.Entry,
        _ bytes: [UInt8],
        _ surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        appendEvent(name, entry.sequence, surroundings, to: &buffer) { data in
            data.append(bytes.span, entry.payload)
        }
    }

    @inline(__always)
    private func appendEvent(
        _ name: StaticString,
        _ sequence: UInt64,
        _ surroundings: Surroundings,
        to buffer: inout [UInt8],
        data: (inout [UInt8]) -> Void
    ) {
        appendHead(name, sequence: sequence, to: &buffer)
        buffer.append("data: ")
        appendValue(name, sequence, surroundings, to: &buffer, data: data)
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
        _ surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        if entry.kind == .raw {
            appendLine(surroundings, to: &buffer) { $0.append(bytes.span, entry.payload) }
        } else if let ending {
            appendEnd(ending, surroundings, to: &buffer)
        }
    }

    private func appendChunk(
        _ entry: EventLog.Entry,
        of bytes: [UInt8],
        _ ending: Ending?,
        _ includesUsage: Bool,
        _ writer: inout OpenAIChunkWriter,
        _ surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        if let kind = entry.kind.delta {
            appendLine(surroundings, to: &buffer) {
                writer.append(kind, bytes.span.extracting(entry.payload), to: &$0)
            }
        } else if let ending {
            if case .complete(let reason) = ending.outcome, !ending.outcome.isForced {
                appendLine(surroundings, to: &buffer) { writer.append(finish: reason, to: &$0) }
                if includesUsage {
                    appendLine(surroundings, to: &buffer) {
                        writer.append(usage: ending.usage, to: &$0)
                    }
                }
            }
            appendEnd(ending, surroundings, to: &buffer)
        }
    }

    /// Ends with `[DONE]` only what a provider ended itself.
    private func appendEnd(
        _ ending: Ending,
        _ surroundings: Surroundings,
        to buffer: inout [UInt8]
    ) {
        appendLine(surroundings, to: &buffer) { data in
            switch ending.outcome {
            case .complete(let reason) where ending.outcome.isForced:
                data.append(contentsOf: StreamFailure(forced: reason).openAIBody)
            case .complete: data.append("[DONE]")
            case .failed(let failure): data.append(contentsOf: failure.openAIBody)
            }
        }
    }

    @inline(__always)
    private func appendLine(
        _ surroundings: Surroundings,
        to buffer: inout [UInt8],
        data: (inout [UInt8]) -> Void
    ) {
        buffer.append("data: ")
        appendValue("data", nil, surroundings, to: &buffer, data: data)
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
