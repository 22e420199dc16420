/// How much a line of the log matters.
package enum LogLevel: String, Sendable, CaseIterable {
    case debug
    case info
    case warning
    case error
}

/// One event for the log: a name that never changes, and typed fields.
///
/// Fields keep their order. Never put a key, a token or a prompt into one.
package struct LogLine: Sendable {
    /// A value that both forms of the log can show.
    package enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case decimal(Double)
        case boolean(Bool)
    }

    package let level: LogLevel
    /// What happened, such as `stream_end`.
    package let event: String
    package private(set) var fields: [(name: String, value: Value)] = []

    package init(_ level: LogLevel, _ event: String) {
        self.level = level
        self.event = event
    }

    /// Adds a text; nil adds nothing.
    package mutating func add(_ name: String, _ value: String?) {
        if let value { fields.append((name, .text(value))) }
    }

    /// Adds a whole number; nil adds nothing.
    package mutating func add(_ name: String, _ value: (some BinaryInteger)?) {
        if let value { fields.append((name, .integer(Int64(clamping: value)))) }
    }

    /// Adds a number with a fraction; nil adds nothing.
    package mutating func add(_ name: String, _ value: Double?) {
        if let value { fields.append((name, .decimal(value))) }
    }

    /// Adds a Boolean.
    package mutating func add(_ name: String, _ value: Bool) {
        fields.append((name, .boolean(value)))
    }

    /// Returns the line with one more field, for lines that are written in one expression.
    package func with(_ name: String, _ value: String?) -> LogLine {
        var line = self
        line.add(name, value)
        return line
    }

    /// Returns the line with one more field, for lines that are written in one expression.
    package func with(_ name: String, _ value: (some BinaryInteger)?) -> LogLine {
        var line = self
        line.add(name, value)
        return line
    }

    /// Returns the line with one more field, for lines that are written in one expression.
    package func with(_ name: String, _ value: Bool) -> LogLine {
        var line = self
        line.add(name, value)
        return line
    }
}
