import StreamBytes

/// Reads the field lines of a section whose line ends have been checked.
enum FieldLines {
    /// Reads field lines up to the empty line or the end of `range`.
    static func parse(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(HTTPError) -> HeaderFields {
        var fields = HeaderFields()
        var start = range.lowerBound
        while start < range.upperBound {
            let end = endOfLine(bytes, from: start, to: range.upperBound)
            if end == start { break }
            try parseLine(bytes, start..<end, into: &fields)
            start = end + 2
        }
        return fields
    }

    /// Returns where the line from `start` has its CR, or `limit`.
    static func endOfLine(_ bytes: Span<UInt8>, from start: Int, to limit: Int) -> Int {
        var index = start
        while index < limit, bytes[index] != .carriageReturn { index += 1 }
        return index
    }

    private static func parseLine(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>,
        into fields: inout HeaderFields
    ) throws(HTTPError) {
        if bytes[line.lowerBound].isBlank { throw .foldedField }
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon].isToken { colon += 1 }
        guard colon < line.upperBound else { throw .fieldLine }
        guard colon > line.lowerBound, bytes[colon] == UInt8(ascii: ":") else { throw .fieldName }
        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start].isBlank { start += 1 }
        while end > start, bytes[end - 1].isBlank { end -= 1 }
        fields.append(
            String(repairing: bytes.extracting(line.lowerBound..<colon)),
            String(repairing: bytes.extracting(start..<end))
        )
    }
}
