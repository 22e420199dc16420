/// Something that is not as it was written.
package struct LedgerFinding: Equatable, Sendable, CustomStringConvertible {
    /// A table, or `database`.
    package let table: String
    /// Which row, such as `number=17`; empty: none in particular.
    package let key: String
    /// Nil: the whole row.
    package let column: String?
    /// What stands there; nil where that is not the point.
    package let stored: String?
    /// What should; nil where that is not known.
    package let expected: String?
    /// In words, where values do not say it.
    package let remark: String?

    package init(
        _ table: String,
        key: String = "",
        column: String? = nil,
        stored: String? = nil,
        expected: String? = nil,
        remark: String? = nil
    ) {
        self.table = table
        self.key = key
        self.column = column
        self.stored = stored
        self.expected = expected
        self.remark = remark
    }

    package var description: String {
        var text = table
        if !key.isEmpty { text += " \(key)" }
        if let column { text += " column \(column)" }
        text += ":"
        if let stored { text += " is \(stored)" }
        if let expected {
            text += "\(stored == nil ? "" : ",") should be \(expected)"
        } else if stored != nil {
            text += ", was something else"
        }
        if let remark { text += " \(remark)" }
        return text
    }
}

/// What an audit looked at, and what it found.
package struct AuditReport: Equatable, Sendable {
    /// The first ones; all are counted.
    package internal(set) var findings: [LedgerFinding] = []
    package internal(set) var findingCount = 0
    /// Rows by table.
    package internal(set) var rows: [String: Int] = [:]

    package var isSound: Bool { findingCount == 0 }
}
