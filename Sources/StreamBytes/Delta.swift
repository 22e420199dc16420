/// What one piece of a model's answer is.
package enum DeltaKind: UInt8, Sendable {
    /// Visible text: the contents of a JSON string, still escaped, without its quotes.
    case text = 1
    /// The model's reasoning, in the same form as `text`.
    case reasoning = 2
    /// Part of a tool call: a JSON object `{"index":0,"id":"…","name":"…","arguments":"…"}`;
    /// `id` and `name` are absent where the provider did not repeat them.
    case tool = 3
    /// A provider's whole event, for clients that speak the provider's own dialect: one JSON text
    /// without line breaks.
    case raw = 4
}

/// The deltas that one read of a provider's socket brought, in order, in one block of bytes.
///
/// It lives as long as the turn of the loop that fills it.
package struct DeltaBatch: Sendable {
    /// One delta; `range` points into the batch's `bytes`.
    package struct Entry: Sendable {
        package let kind: DeltaKind
        package let range: Range<Int>
    }

    package private(set) var bytes: [UInt8] = []
    package private(set) var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Appends a delta whose payload is written by `write` to the end of the bytes it is lent.
    package mutating func append<Failure: Error>(
        _ kind: DeltaKind,
        _ write: (inout [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        let start = bytes.count
        try write(&bytes)
        entries.append(Entry(kind: kind, range: start..<bytes.count))
    }

    /// Forgets all deltas and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
