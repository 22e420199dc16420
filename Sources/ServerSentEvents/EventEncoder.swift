import StreamBytes

/// Why a field cannot be written to an event stream.
package enum EventEncodingError: Error, Equatable {
    /// A field of one line holds a carriage return or a line feed.
    case lineBreak(in: Field)
    /// An `id` holds U+0000, which every reader would ignore.
    case nullInID

    package enum Field: Sendable {
        case id
        case name
    }
}

/// Writes the fields of events to the end of a block of bytes.
///
/// No payload can forge a field or end an event: each line of it becomes a `data` field of its own.
/// Source: WHATWG HTML, section 9.2.5, "Parsing an event stream".
package enum EventEncoder {
    /// Appends one event, with the blank line that ends it.
    ///
    /// - Parameters:
    ///   - data: may hold any line breaks; a reader gets each of them as a line feed.
    ///   - id: one line; nil for none.
    ///   - name: one line; nil for none.
    ///   - output: unchanged if the event is refused.
    /// - Throws: `EventEncodingError`.
    package static func append(
        _ data: Span<UInt8>,
        id: [UInt8]? = nil,
        name: [UInt8]? = nil,
        to output: inout [UInt8]
    ) throws(EventEncodingError) {
        if let id { try check(id.span, .id) }
        if let name { try check(name.span, .name) }
        if let id { appendField("id: ", id.span, 0..<id.count, to: &output) }
        if let name { appendField("event: ", name.span, 0..<name.count, to: &output) }
        appendData(data, to: &output)
        output.append(0x0A)
    }

    /// Appends the `data` fields of `data`, without the blank line that ends an event.
    package static func appendData(_ data: Span<UInt8>, to output: inout [UInt8]) {
        var start = 0
        while let end = data.firstLineEnd(from: start) {
            output.append("data: ")
            output.append(data, start..<end)
            output.append(0x0A)
            let isPair = data[end] == 0x0D && end + 1 < data.count && data[end + 1] == 0x0A
            start = end + (isPair ? 2 : 1)
        }
        output.append("data: ")
        output.append(data, start..<data.count)
        output.append(0x0A)
    }

    /// Appends `text` as comments, one for each of its lines, and the blank line after them.
    package static func appendComment(_ text: Span<UInt8>, to output: inout [UInt8]) {
        var start = 0
        while let end = text.firstLineEnd(from: start) {
            appendField(": ", text, start..<end, to: &output)
            start = end + 1
        }
        appendField(": ", text, start..<text.count, to: &output)
        output.append(0x0A)
    }

    /// Appends a `retry` field: the time after which a reader reconnects.
    package static func appendRetry(milliseconds: Int64, to output: inout [UInt8]) {
        precondition(milliseconds >= 0, "a time to wait is not negative")
        output.append("retry: ")
        output.append(decimal: milliseconds)
        output.append(0x0A)
    }

    private static func appendField(
        _ name: StaticString,
        _ value: Span<UInt8>,
        _ range: Range<Int>,
        to output: inout [UInt8]
    ) {
        output.append(name)
        output.append(value, range)
        output.append(0x0A)
    }

    private static func check(
        _ value: Span<UInt8>,
        _ field: EventEncodingError.Field
    ) throws(EventEncodingError) {
        guard value.firstLineEnd(from: 0) == nil else { throw .lineBreak(in: field) }
        guard field == .name || value.firstIndex(of: 0, in: 0..<value.count) == nil else {
            throw .nullInID
        }
    }
}
