/// Finds where the events of a body end, so that it can be sent event by event.
enum BodySplitting {
    /// Returns the ranges of the events, each with the blank line that ends it, or of the lines.
    ///
    /// Together they are the whole body; an unfinished rest is the last.
    static func pieces(of bytes: [UInt8], format: BodyFormat) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        var lineStart = 0
        while let lineEnd = endOfLine(in: bytes, from: lineStart) {
            let isBlank = isLineBreak(bytes[lineStart])
            if isBlank || format == .lines {
                pieces.append(start..<lineEnd)
                start = lineEnd
            }
            lineStart = lineEnd
        }
        if start < bytes.count { pieces.append(start..<bytes.count) }
        return pieces
    }

    /// Returns which pieces carry text, between those that open an answer and those that end it.
    static func repeatable(
        _ pieces: [Range<Int>],
        of bytes: [UInt8],
        format: BodyFormat
    ) -> Range<Int> {
        switch format {
        case .openAIChat:
            let end = pieces.firstIndex { isClosing(bytes[$0]) } ?? pieces.count
            return min(1, end)..<end
        case .anthropicMessages:
            return lastRun(in: pieces) { bytes[$0].contains("event: content_block_delta") }
        case .eventStream:
            return 0..<pieces.count
        case .lines:
            return 0..<max(0, pieces.count - 1)
        }
    }

    private static func isClosing(_ chunk: ArraySlice<UInt8>) -> Bool {
        chunk.contains("\"finish_reason\":\"") || chunk.contains("\"choices\":[]")
            || chunk.contains("data: [DONE]")
    }

    private static func lastRun(
        in pieces: [Range<Int>],
        where matches: (Range<Int>) -> Bool
    ) -> Range<Int> {
        guard let last = pieces.lastIndex(where: matches) else { return 0..<0 }
        let before = pieces[...last].lastIndex { !matches($0) } ?? -1
        return (before + 1)..<(last + 1)
    }

    /// Returns the place after the line break that ends the line at `start`.
    private static func endOfLine(in bytes: [UInt8], from start: Int) -> Int? {
        guard let end = bytes[start...].firstIndex(where: isLineBreak) else { return nil }
        let isPair = bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A
        return isPair ? end + 2 : end + 1
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}
