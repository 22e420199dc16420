/// Rows of one table, to be written together.
struct LedgerRows: Sendable {
    let table: LedgerTable
    /// One row after the other, each with a value for every column.
    private(set) var values: [LedgerValue] = []

    init(_ table: LedgerTable) { self.table = table }

    var count: Int { values.count / table.columns.count }
    var isEmpty: Bool { values.isEmpty }

    /// Appends a row of a table without seals.
    mutating func append(_ row: [LedgerValue]) {
        precondition(!table.isSealed, "the rows of \(table.name) have seals")
        values.append(contentsOf: row)
        precondition(
            values.count.isMultiple(of: table.columns.count),
            "a row has a value for every column"
        )
    }

    /// Appends a row without its seal, and seals it.
    ///
    /// - Parameters:
    ///   - row: its values in the order of the columns.
    ///   - sealer: makes the seal.
    ///   - previous: the seal of the row before it, where rows are chained.
    /// - Returns: the seal.
    @discardableResult
    mutating func append(
        _ row: [LedgerValue],
        _ sealer: RowSealer,
        after previous: [UInt8] = []
    ) -> [UInt8] {
        precondition(table.isSealed, "the rows of \(table.name) have no seals")
        let seal = sealer.seal(row, after: previous)
        values.append(contentsOf: row)
        values.append(.bytes(seal))
        precondition(
            values.count.isMultiple(of: table.columns.count),
            "a row has a value for every column"
        )
        return seal
    }
}

/// A row of a table as a type of its own.
protocol LedgerRow {
    static var table: LedgerTable { get }

    /// The values in the order of the table's columns, without the seal.
    var values: [LedgerValue] { get }

    /// Reads a row that was stored.
    init(_ reader: inout RowReader) throws(LedgerFailure)
}

extension LedgerRow {
    init(stored values: [LedgerValue]) throws(LedgerFailure) {
        var reader = RowReader(Self.table, values)
        try self.init(&reader)
    }
}

/// Takes the values of a stored row, one column after the other.
struct RowReader {
    private let table: LedgerTable
    private let values: [LedgerValue]
    private var next = 0

    init(_ table: LedgerTable, _ values: [LedgerValue]) {
        self.table = table
        self.values = values
    }

    mutating func integer() throws(LedgerFailure) -> Int64 {
        guard case .integer(let number) = take() else { throw mismatch() }
        return number
    }

    mutating func optionalInteger() throws(LedgerFailure) -> Int64? {
        switch take() {
        case .integer(let number): return number
        case .null: return nil
        default: throw mismatch()
        }
    }

    mutating func text() throws(LedgerFailure) -> String {
        guard case .text(let text) = take() else { throw mismatch() }
        return text
    }

    mutating func optionalText() throws(LedgerFailure) -> String? {
        switch take() {
        case .text(let text): return text
        case .null: return nil
        default: throw mismatch()
        }
    }

    mutating func bytes() throws(LedgerFailure) -> [UInt8] {
        guard case .bytes(let bytes) = take() else { throw mismatch() }
        return bytes
    }

    private mutating func take() -> LedgerValue {
        defer { next += 1 }
        return next < values.count ? values[next] : .null
    }

    private func mismatch() -> LedgerFailure {
        let column = next <= table.columns.count ? table.columns[next - 1].name : "?"
        return .damaged("\(table.name).\(column) holds a value of another kind")
    }
}
