/// Rows of one table, to be written together.
struct LedgerRows: Sendable {
    let table: LedgerTable
    /// One row after the other, each with a value for every column.
    private(set) var values = RowBytes()
    private(set) var count = 0

    init(_ table: LedgerTable) { self.table = table }

    var isEmpty: Bool { count == 0 }

    /// Appends a row of a table without seals.
    mutating func append(_ row: [LedgerValue]) {
        precondition(row.count == table.columns.count, "a row has a value for every column")
        values.append(row)
        endRow()
    }

    /// Appends a row of a table without seals.
    mutating func append(_ row: some FrequentRow) {
        row.write(to: &values)
        endRow()
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
        precondition(row.count + 1 == table.columns.count, "a row has a value for every column")
        let start = values.bytes.count
        values.append(row)
        return endRow(from: start, sealer, after: previous)
    }

    /// Appends a row without its seal, and seals it: as the other one.
    @discardableResult
    mutating func append(
        _ row: some FrequentRow,
        _ sealer: RowSealer,
        after previous: [UInt8] = []
    ) -> [UInt8] {
        let start = values.bytes.count
        row.write(to: &values)
        return endRow(from: start, sealer, after: previous)
    }

    private mutating func endRow() {
        precondition(!table.isSealed, "the rows of \(table.name) have seals")
        count += 1
    }

    private mutating func endRow(
        from start: Int,
        _ sealer: RowSealer,
        after previous: [UInt8]
    ) -> [UInt8] {
        precondition(table.isSealed, "the rows of \(table.name) have no seals")
        let seal = unsafe sealer.seal(
            values.bytes.span.bytes.extracting(droppingFirst: start),
            after: previous
        )
        values.append(seal)
        count += 1
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

/// A row of which each record has one: it is written without a value for each column in between.
protocol FrequentRow: LedgerRow {
    /// Appends the values in the order of the table's columns, without the seal.
    func write(to row: inout RowBytes)
}

extension FrequentRow {
    var values: [LedgerValue] {
        var row = RowBytes()
        write(to: &row)
        return row.values
    }
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
