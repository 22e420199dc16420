/// Reads a text that holds one YAML document.
///
/// Source: YAML 1.1 as libyaml reads it, without aliases, explicit tags and keys that are not
/// scalars. All scalars stay text: what `yes` or `1e3` means is for the reader to say.
package enum YAMLDocument {
    /// The longest text, in bytes.
    package static let byteLimit = 1_048_576
    /// The deepest nesting; a lone scalar is 1 deep.
    package static let depthLimit = 64

    /// Returns the tree of the document; nil when the text holds none (it is empty, or comments).
    package static func parse(_ text: [UInt8]) throws(YAMLError) -> YAMLNode? {
        guard text.count <= byteLimit else {
            throw YAMLError(.tooLong(limit: byteLimit), at: YAMLPosition(line: 1, column: 1))
        }
        let parser = try EventParser(text)
        try parser.expectStreamStart()
        guard try parser.nextIsDocument() else { return nil }
        let root = try parser.node(after: parser.next(), depth: 1)
        try parser.expectEnd()
        return root
    }

    /// Returns the tree of the document; nil when the text holds none.
    package static func parse(_ text: String) throws(YAMLError) -> YAMLNode? {
        try parse(Array(text.utf8))
    }
}

extension EventParser {
    fileprivate borrowing func expectStreamStart() throws(YAMLError) {
        guard case .streamStart = try next().kind else {
            preconditionFailure("libyaml starts with the stream")
        }
    }

    fileprivate borrowing func nextIsDocument() throws(YAMLError) -> Bool {
        if case .documentStart = try next().kind { true } else { false }
    }

    fileprivate borrowing func expectEnd() throws(YAMLError) {
        guard case .documentEnd = try next().kind else {
            preconditionFailure("a document has one root")
        }
        let last = try next()
        guard case .streamEnd = last.kind else {
            throw YAMLError(.severalDocuments, at: last.position)
        }
    }

    /// Reads the rest of the node that `event` starts.
    fileprivate borrowing func node(
        after event: YAMLEvent,
        depth: Int
    ) throws(YAMLError) -> YAMLNode {
        guard depth <= YAMLDocument.depthLimit else {
            throw YAMLError(.tooDeep(limit: YAMLDocument.depthLimit), at: event.position)
        }
        switch event.kind {
        case .scalar(let text, let style):
            return YAMLNode(.scalar(text, style), at: event.position)
        case .sequenceStart:
            return YAMLNode(.sequence(try items(depth: depth)), at: event.position)
        case .mappingStart:
            return YAMLNode(.mapping(try entries(depth: depth)), at: event.position)
        case .alias:
            throw YAMLError(.unsupported("aliases"), at: event.position)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            preconditionFailure("libyaml balances its events")
        }
    }

    private borrowing func items(depth: Int) throws(YAMLError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(after: event, depth: depth + 1))
        }
    }

    private borrowing func entries(depth: Int) throws(YAMLError) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var places: [String: YAMLPosition] = [:]
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return entries }
            let key = try node(after: event, depth: depth + 1)
            guard case .scalar(let name, _) = key.content else {
                throw YAMLError(.keyIsNoScalar, at: key.position)
            }
            if let first = places.updateValue(key.position, forKey: name) {
                throw YAMLError(.duplicateKey(name, first: first), at: key.position)
            }
            let value = try node(after: next(), depth: depth + 1)
            entries.append(YAMLEntry(key: name, keyPosition: key.position, value: value))
        }
    }
}
