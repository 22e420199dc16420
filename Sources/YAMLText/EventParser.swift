import CYAML

/// One step of a document, copied out of libyaml.
struct YAMLEvent {
    enum Kind {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case scalar(String, YAMLNode.ScalarStyle)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
        case alias
    }

    let kind: Kind
    let position: YAMLPosition
}

/// A libyaml parser over a text that it owns a copy of.
///
/// Owns both allocations: `init` makes them, `deinit` frees them, nothing copies them.
@safe
struct EventParser: ~Copyable {
    // libyaml keeps pointers into its own parser and into the text: neither may move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) throws(YAMLError) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            throw YAMLError(.outOfMemory, at: YAMLPosition(line: 1, column: 1))
        }
        let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        _ = unsafe text.initialize(from: bytes)
        unsafe self.parser = parser
        unsafe self.text = text
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
        // Otherwise a byte order mark could choose UTF-16, which the columns do not count.
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// Returns the next event; after the stream's end there is none to ask for.
    borrowing func next() throws(YAMLError) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&event) }
        let mark = unsafe event.start_mark
        let position = YAMLPosition(line: mark.line + 1, column: mark.column + 1)
        return YAMLEvent(kind: try unsafe kind(of: event, at: position), position: position)
    }

    private borrowing func kind(
        of event: yaml_event_t,
        at position: YAMLPosition
    ) throws(YAMLError) -> YAMLEvent.Kind {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            try unsafe refuse(tag: scalar.tag, at: position)
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return unsafe .scalar(String(decoding: bytes, as: UTF8.self), style(scalar.style))
        case YAML_SEQUENCE_START_EVENT:
            try unsafe refuse(tag: event.data.sequence_start.tag, at: position)
            return .sequenceStart
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            try unsafe refuse(tag: event.data.mapping_start.tag, at: position)
            return .mappingStart
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias
        default: return .streamEnd
        }
    }

    private func refuse(
        tag: UnsafeMutablePointer<yaml_char_t>?,
        at position: YAMLPosition
    ) throws(YAMLError) {
        if unsafe tag != nil { throw YAMLError(.unsupported("explicit tags"), at: position) }
    }

    private func style(_ style: yaml_scalar_style_t) -> YAMLNode.ScalarStyle {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .plain
        }
    }

    /// Reads libyaml's report of what went wrong.
    private borrowing func failure() -> YAMLError {
        guard unsafe parser.pointee.error != YAML_MEMORY_ERROR else {
            return YAMLError(.outOfMemory, at: YAMLPosition(line: 1, column: 1))
        }
        let message = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
        let reason = YAMLError.Reason.syntax(message ?? "this is not YAML")
        guard unsafe parser.pointee.error != YAML_READER_ERROR else {
            return YAMLError(reason, at: position(ofByte: unsafe parser.pointee.problem_offset))
        }
        let mark = unsafe parser.pointee.problem_mark
        return YAMLError(reason, at: YAMLPosition(line: mark.line + 1, column: mark.column + 1))
    }

    /// A reader's error names a byte, where the parser itself has not come to yet.
    private borrowing func position(ofByte offset: Int) -> YAMLPosition {
        var line = 1
        var column = 1
        for index in 0..<min(offset, unsafe text.count) {
            let byte = unsafe text[index]
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return YAMLPosition(line: line, column: column)
    }
}
