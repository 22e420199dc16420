import Dialects
import Metering
import StreamBytes

/// All that a decoder made of a whole body.
struct DecodedBody: Equatable {
    struct Call: Equatable {
        var id: String?
        var name = ""
        var arguments = ""
    }

    /// Escaped as they came, for joining two halves of a surrogate pair.
    private var escapedText: [UInt8] = []
    private var escapedReasoning: [UInt8] = []
    private var escapedArguments: [Int64: [UInt8]] = [:]
    private var callHeads: [Int64: Call] = [:]
    var raw: [String] = []
    var finish: FinishReason?
    var providerFinish: String?
    var usage: TokenUsage?
    var reportedUsage: TokenUsage?
    var isComplete = false
    var isTerminal = false
    var failure: ProviderFailure?
    var hasVisibleOutput = false
    var counted = OutputCount()

    init(
        _ dialect: Dialect,
        _ pieces: [[UInt8]],
        mode: DeltaMode = .deltas,
        addsForClients: Bool = true,
        eventLimit: Int = 1 << 20
    ) {
        var decoder = DialectDecoder(dialect, mode: mode, eventLimit: eventLimit)
        decoder.addsForClients = addsForClients
        var batch = DeltaBatch()
        for piece in pieces {
            decoder.decode(piece.span, into: &batch)
            take(&batch)
        }
        decoder.endOfBody(into: &batch)
        take(&batch)
        finish = decoder.finish
        providerFinish = decoder.providerFinish
        usage = decoder.usage
        reportedUsage = decoder.reportedUsage
        isComplete = decoder.isComplete
        isTerminal = decoder.isTerminal
        failure = decoder.failure
        hasVisibleOutput = decoder.hasVisibleOutput
        counted = decoder.countedOutput
    }

    /// Decodes events with these data, each in a piece of its own.
    init(_ dialect: Dialect, events: [String], mode: DeltaMode = .deltas) {
        self.init(dialect, events.map { Array("data: \($0)\n\n".utf8) }, mode: mode)
    }

    var text: String { Self.unescape(escapedText) }
    var reasoning: String { Self.unescape(escapedReasoning) }

    var calls: [Call] {
        callHeads.keys.sorted().map { index in
            var call = callHeads[index] ?? Call()
            call.arguments = Self.unescape(escapedArguments[index] ?? [])
            return call
        }
    }

    private mutating func take(_ batch: inout DeltaBatch) {
        for entry in batch.entries {
            let payload = Array(batch.bytes[entry.range])
            switch entry.kind {
            case .text: escapedText += payload
            case .reasoning: escapedReasoning += payload
            case .tool: takeCall(payload)
            case .raw: raw.append(String(decoding: payload, as: UTF8.self))
            }
        }
        batch.removeAll()
    }

    private mutating func takeCall(_ payload: [UInt8]) {
        let bytes = payload.span
        guard let value = try? JSONValue(parsing: bytes),
            let index = value.member("index", in: bytes)?.integer(in: bytes)
        else { return raw.append("not a tool delta") }
        var head = callHeads[index] ?? Call()
        head.id = head.id ?? value.member("id", in: bytes)?.text(in: bytes)
        if head.name.isEmpty { head.name = value.member("name", in: bytes)?.text(in: bytes) ?? "" }
        callHeads[index] = head
        guard let piece = value.member("arguments", in: bytes)?.string(in: bytes) else { return }
        escapedArguments[index, default: []] += payload[piece.range]
    }

    private static func unescape(_ escaped: [UInt8]) -> String {
        let quoted = [0x22] + escaped + [0x22]
        guard let value = try? JSONValue(parsing: quoted.span) else { return "not a JSON string" }
        return value.text(in: quoted.span) ?? ""
    }
}

/// A body cut into pieces of `size` bytes.
func pieces(_ body: [UInt8], of size: Int) -> [[UInt8]] {
    stride(from: 0, to: body.count, by: size).map {
        Array(body[$0..<min($0 + size, body.count)])
    }
}
