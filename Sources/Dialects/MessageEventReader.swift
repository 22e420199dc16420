import StreamBytes

/// Reads the events of Anthropic's messages.
struct MessageEventReader: Sendable {
    mutating func read(
        _ data: Span<UInt8>,
        _ type: EventType,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
    }
}
