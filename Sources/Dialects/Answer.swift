import StreamBytes

/// What has been learnt of one answer, whatever its dialect.
struct Answer: Sendable {
    var mode: DeltaMode
    var addsForClients = true
    var finish: FinishReason?
    var providerFinish: [UInt8] = []
    var counters = UsageCounters()
    var counted = OutputCount()
    var hasVisibleOutput = false
    var isTerminal = false
    var hasRefusal = false
    var failure: ProviderFailure?

    /// The longest finish reason that is kept, in bytes.
    private static let finishLimit = 64

    /// Keeps the first failure; those after it are its echoes.
    mutating func fail(_ failure: ProviderFailure) {
        if self.failure == nil { self.failure = failure }
    }

    mutating func finish(_ reason: JSONString, in data: Span<UInt8>, as finish: FinishReason) {
        self.finish = finish
        providerFinish = []
        let end = min(reason.range.upperBound, reason.range.lowerBound + Self.finishLimit)
        providerFinish.append(data, reason.range.lowerBound..<end)
    }

    /// Passes on a piece of text or reasoning.
    mutating func emit(
        _ kind: DeltaKind,
        _ piece: JSONString,
        of data: Span<UInt8>,
        into batch: inout DeltaBatch
    ) {
        guard !piece.isEmpty else { return }
        count(kind, piece, of: data)
        guard case .deltas = mode else { return }
        batch.append(kind) { $0.append(data, piece.range) }
    }

    /// Counts a piece that is not passed on by itself.
    mutating func count(_ kind: DeltaKind, _ piece: JSONString, of data: Span<UInt8>) {
        guard !piece.isEmpty else { return }
        hasVisibleOutput = true
        let byteCount = piece.unescapedByteCount(in: data)
        switch kind {
        case .text: counted.text += byteCount
        case .reasoning: counted.reasoning += byteCount
        case .tool: counted.tools += byteCount
        case .raw: break
        }
    }

    /// Counts a piece and, where it is of the choice that is passed on, emits it.
    mutating func take(
        _ kind: DeltaKind,
        _ piece: JSONString,
        of data: Span<UInt8>,
        isPassed: Bool,
        _ batch: inout DeltaBatch
    ) {
        if isPassed {
            emit(kind, piece, of: data, into: &batch)
        } else {
            count(kind, piece, of: data)
        }
    }
}
