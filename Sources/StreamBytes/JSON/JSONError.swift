/// Why bytes are not the JSON text that was expected.
package enum JSONError: Error, Equatable {
    /// The byte at this index cannot stand there.
    case malformed(at: Int)
    /// The text ends too early.
    case truncated
    /// Containers are nested more deeply than the reader's limit.
    case tooDeep(limit: Int)
}

/// What a JSON value is.
package enum JSONKind: Sendable {
    case object
    case array
    case string
    case number
    case bool
    case null
}
