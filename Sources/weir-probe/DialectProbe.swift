import Dialects
import Metering
import StreamBytes

/// Drives the dialects from standard input.
enum DialectProbe {
    private struct Call {
        var name: [UInt8] = []
        var arguments: [UInt8] = []
    }

    /// Texts stay escaped as they came: they go into JSON again.
    private struct Collected {
        var text: [UInt8] = []
        var reasoning: [UInt8] = []
        var calls: [Int64: Call] = [:]
    }

    static func run() {
        ProbeLines.answerAll { run in
            guard let dialect = dialect(of: run.wireFormat) else {
                var output: [UInt8] = Array("{\"id\":".utf8)
                output.append(jsonString: run.id)
                output.append(",\"unsupported\":true}")
                return output
            }
            return decode(run, dialect)
        }
    }

    private static func dialect(of wireFormat: String) -> Dialect? {
        switch wireFormat {
        case "openai-chat": .openAI
        case "anthropic-messages": .anthropic
        default: nil
        }
    }

    private static func decode(_ run: ProbeLines.Run, _ dialect: Dialect) -> [UInt8] {
        var decoder = DialectDecoder(dialect, mode: .deltas, eventLimit: 64 << 20)
        decoder.addsForClients = false
        var batch = DeltaBatch()
        var collected = Collected()
        for chunk in run.chunks {
            decoder.decode(chunk.span, into: &batch)
            collect(&batch, into: &collected)
        }
        decoder.endOfBody(into: &batch)
        collect(&batch, into: &collected)
        return report(run.id, collected, decoder)
    }

    private static func collect(_ batch: inout DeltaBatch, into collected: inout Collected) {
        for entry in batch.entries {
            switch entry.kind {
            case .text: collected.text.append(batch.bytes.span, entry.range)
            case .reasoning: collected.reasoning.append(batch.bytes.span, entry.range)
            case .tool: collectCall(batch.bytes.span.extracting(entry.range), into: &collected)
            case .raw: break
            }
        }
        batch.removeAll()
    }

    private static func collectCall(_ delta: Span<UInt8>, into collected: inout Collected) {
        guard let value = try? JSONValue(parsing: delta),
            let index = value.member("index", in: delta)?.integer(in: delta)
        else { return }
        var call = collected.calls[index] ?? Call()
        if call.name.isEmpty, let name = value.member("name", in: delta)?.string(in: delta) {
            call.name.append(delta, name.range)
        }
        if let piece = value.member("arguments", in: delta)?.string(in: delta) {
            call.arguments.append(delta, piece.range)
        }
        collected.calls[index] = call
    }

    private static func report(
        _ id: String,
        _ collected: Collected,
        _ decoder: borrowing DialectDecoder
    ) -> [UInt8] {
        var output: [UInt8] = Array("{\"id\":".utf8)
        output.append(jsonString: id)
        output.append(",\"text\":\"")
        output.append(collected.text.span)
        output.append("\",\"reasoning_text\":\"")
        output.append(collected.reasoning.span)
        output.append("\",\"finish_reason\":")
        if let finish = finish(decoder) {
            output.append(jsonString: finish)
        } else {
            output.append("null")
        }
        appendCalls(collected, to: &output)
        appendUsage(decoder.reportedUsage, to: &output)
        output.append(",\"terminal_seen\":")
        output.append(decoder.isTerminal ? "true" : "false")
        output.append(",\"error\":")
        output.append(decoder.failure != nil || !decoder.isComplete ? "true" : "false")
        output.append(0x7D)
        return output
    }

    private static func finish(_ decoder: borrowing DialectDecoder) -> String? {
        guard let finish = decoder.finish else { return nil }
        guard finish == .stop || finish == .refusal else { return finish.rawValue }
        switch decoder.providerFinish {
        case "stop", "end_turn", "stop_sequence": return FinishReason.stop.rawValue
        case "pause_turn": return "pause"
        case "refusal": return FinishReason.contentFilter.rawValue
        default: return "other"
        }
    }

    private static func appendCalls(_ collected: Collected, to output: inout [UInt8]) {
        output.append(",\"tool_calls\":[")
        var isFirst = true
        for (_, call) in collected.calls.sorted(by: { $0.key < $1.key }) {
            if !isFirst { output.append(0x2C) }
            isFirst = false
            output.append("{\"name\":\"")
            output.append(call.name.span)
            output.append("\",\"arguments\":\"")
            output.append(call.arguments.span)
            output.append("\"}")
        }
        output.append(0x5D)
    }

    private static func appendUsage(_ usage: TokenUsage?, to output: inout [UInt8]) {
        guard let usage else { return output.append(",\"usage\":null") }
        output.append(",\"usage\":{\"input\":")
        output.append(decimal: usage.input)
        output.append(",\"output\":")
        output.append(decimal: usage.output)
        output.append(",\"cached_input\":")
        output.append(decimal: usage.cachedInput)
        output.append(",\"cache_write\":")
        output.append(decimal: usage.cacheWrite)
        output.append(",\"reasoning\":")
        output.append(decimal: usage.reasoning)
        output.append(0x7D)
    }
}
