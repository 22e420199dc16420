/// One event of a stream, as places where its bytes are.
package struct ParsedEvent: Equatable, Sendable {
    /// Where the bytes of a field are until the next call of the parser.
    package enum Place: Equatable, Sendable {
        /// The event has no such field, or an empty one.
        case nowhere
        /// In the bytes that the parser was lent.
        case input(Range<Int>)
        /// In the parser: `heldData` or `heldType`.
        case held
    }

    package let data: Place
    /// `nowhere` stands for the type `message`.
    package let type: Place
}

/// Why an event stream cannot be read any further.
package enum EventParsingError: Error, Equatable {
    /// One line is longer than the parser's limit, in bytes.
    case lineTooLong(limit: Int)
    /// The data lines of one event are together longer than the parser's limit, in bytes.
    case eventTooLong(limit: Int)
}
