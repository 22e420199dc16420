/// Why a text is not taken as a YAML document, and where.
package struct YAMLError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// The text is no YAML; libyaml's own words.
        case syntax(String)
        /// The text is longer than the limit, in bytes.
        case tooLong(limit: Int)
        /// Values are nested more deeply than the limit.
        case tooDeep(limit: Int)
        /// The same key stood at `first` already.
        case duplicateKey(String, first: YAMLPosition)
        /// A key is a list or a map.
        case keyIsNoScalar
        /// The document uses something that is refused here: an alias, an explicit tag.
        case unsupported(String)
        /// A second document follows.
        case severalDocuments
        case outOfMemory
    }

    package let reason: Reason
    package let position: YAMLPosition

    package init(_ reason: Reason, at position: YAMLPosition) {
        self.reason = reason
        self.position = position
    }
}

extension YAMLError: CustomStringConvertible {
    /// One sentence without the place.
    package var description: String {
        switch reason {
        case .syntax(let message): message
        case .tooLong(let limit): "the text is longer than \(limit) bytes"
        case .tooDeep(let limit): "values are nested more than \(limit) deep"
        case .duplicateKey(let key, let first):
            "the key \"\(key)\" stands twice; the first is in line \(first.line)"
        case .keyIsNoScalar: "a key must be a single word"
        case .unsupported(let what): "\(what) are not supported here"
        case .severalDocuments: "there must be one document only"
        case .outOfMemory: "there is not enough memory"
        }
    }
}
