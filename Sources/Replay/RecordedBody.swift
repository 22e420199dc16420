/// A response body as a provider once sent it, split into its events.
///
/// Cheap to copy.
package struct RecordedBody: Sendable, Equatable {
    /// The body's name for people and for `model`, such as `openai/chat-text-usage`.
    package let name: String
    package let format: BodyFormat
    package let bytes: [UInt8]
    /// The events, or lines, in order; together they are the whole of `bytes`.
    package let pieces: [Range<Int>]
    /// The pieces that may be sent several times to make the answer longer: those that carry text,
    /// between what opens an answer and what ends it.
    package let repeatablePieces: Range<Int>

    /// Splits the body into its events.
    ///
    /// - Parameters:
    ///   - name: what the body is called.
    ///   - bytes: the body without any transfer or content coding.
    ///   - format: nil to tell it from the bytes.
    package init(name: String, bytes: [UInt8], format: BodyFormat? = nil) {
        let format = format ?? BodyFormat(recognizing: bytes)
        self.name = name
        self.format = format
        self.bytes = bytes
        let pieces = BodySplitting.pieces(of: bytes, format: format)
        self.pieces = pieces
        repeatablePieces = BodySplitting.repeatable(pieces, of: bytes, format: format)
    }

    /// Whether the last piece is what tells a client that the answer is whole.
    package var hasTerminal: Bool {
        guard let last = pieces.last else { return false }
        switch format {
        case .openAIChat, .eventStream: return bytes[last].contains("data: [DONE]")
        case .anthropicMessages: return bytes[last].contains("event: message_stop")
        case .lines: return bytes[last].contains("\"done\":true")
        }
    }
}
