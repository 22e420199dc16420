import Pricing

/// A ledger in a SQLite file: write-ahead log with `synchronous=FULL`.
final class SQLiteEngine: LedgerEngine {
    let connection: SQLiteConnection
    let dialect = LedgerSchema.Dialect.sqlite
    let sealer = RowSealer()
    /// Few, so that the next ones are booked meanwhile.
    let recordsPerInsert = 500
    private var statements: [String: SQLiteStatementBox] = [:]
    private var parameters = RowBytes()

    /// Opens the file, and makes the tables where there are none.
    ///
    /// - Parameters:
    ///   - configuration: where the file is.
    ///   - mode: what may become of it.
    /// - Throws: `LedgerFailure`.
    init(
        _ configuration: SQLiteLedgerConfiguration,
        _ mode: LedgerOpening
    ) throws(LedgerFailure) {
        do throws(SQLiteFailure) {
            connection = try SQLiteConnection(
                path: configuration.path,
                busyMilliseconds: configuration.busyMilliseconds,
                canWrite: mode.canWrite
            )
        } catch {
            throw LedgerFailure(error)
        }
        try prepare(mode, pageLimit: configuration.pageLimit)
    }

    func begin() throws(LedgerFailure) { try execute("BEGIN IMMEDIATE") }
    func commit() throws(LedgerFailure) { try execute("COMMIT") }

    func beginReading(within limit: Duration?) throws(LedgerFailure) {
        connection.interruptStatements(after: limit)
        try execute("BEGIN")
    }

    func rollback() {
        connection.interruptStatements(after: nil)
        // Some errors have rolled back already, and then this one says so: the first counts.
        try? connection.execute("ROLLBACK")
    }

    /// The transaction is the only one that writes.
    func lock(accounts: [String]) {}

    func lock(runs: [GatewayRun]) {}

    func numbers(_ count: Int) throws(LedgerFailure) -> Int64 {
        var last: Int64 = 0
        for table in [RecordRow.table, RejectedRow.table, JournalRow.table, EventRow.table] {
            let rows = try query("SELECT ifnull(max(number), 0) FROM \(table.name)", [])
            if case .integer(let number)? = rows.first?.first { last = max(last, number) }
        }
        return last + 1
    }

    func delete(
        from table: LedgerTable,
        where columns: [String],
        are keys: [[LedgerValue]]
    ) throws(LedgerFailure) {
        let conditions = columns.enumerated().map { "\"\($1)\" = ?\($0 + 1)" }
        let text = "DELETE FROM \(table.name) WHERE \(conditions.joined(separator: " AND "))"
        for key in keys { try run(text, key) }
    }

    func read(_ reads: [LedgerRead]) throws(LedgerFailure) -> [[[LedgerValue]]] {
        var answers: [[[LedgerValue]]] = []
        for read in reads {
            let columns = read.columns.map(\.quoted).joined(separator: ", ")
            let conditions = read.key.enumerated().map { "\($1.quoted) = ?\($0 + 1)" }
            let text =
                "SELECT \(columns) FROM \(read.table.name) "
                + "WHERE \(conditions.joined(separator: " AND "))"
            var rows: [[LedgerValue]] = []
            for key in read.keys { try append(text, key, to: &rows) }
            answers.append(rows)
        }
        return answers
    }

    func query(
        _ text: String,
        _ values: [LedgerValue]
    ) throws(LedgerFailure) -> [[LedgerValue]] {
        var rows: [[LedgerValue]] = []
        try append(text.withNumberedParameters, values, to: &rows)
        return rows
    }

    func cursor(_ text: String) throws(LedgerFailure) -> any LedgerCursor {
        do throws(SQLiteFailure) {
            return SQLiteCursor(try connection.prepare(text))
        } catch {
            throw LedgerFailure(error)
        }
    }

    func damage() throws(LedgerFailure) -> [String] {
        let rows = try query("PRAGMA integrity_check", [])
        return rows.compactMap { row in
            guard case .text(let text)? = row.first, text != "ok" else { return nil }
            return text
        }
    }

    func execute(_ statements: String) throws(LedgerFailure) {
        do throws(SQLiteFailure) {
            try connection.execute(statements)
        } catch {
            throw LedgerFailure(error)
        }
    }

    // MARK: Statements

    func insert(_ rows: LedgerRows, _ end: String) throws(LedgerFailure) {
        guard !rows.isEmpty else { return }
        let width = rows.table.columns.count
        let parameters = (1...width).map { "?\($0)" }.joined(separator: ", ")
        let text =
            "INSERT INTO \(rows.table.name) (\(rows.table.columnList)) VALUES (\(parameters))" + end
        try statement(text).run(rows.values, count: rows.count) { _ in }
    }

    private func run(_ text: String, _ values: [LedgerValue]) throws(LedgerFailure) {
        var rows: [[LedgerValue]] = []
        try append(text, values, to: &rows)
    }

    private func append(
        _ text: String,
        _ values: [LedgerValue],
        to rows: inout [[LedgerValue]]
    ) throws(LedgerFailure) {
        parameters.removeAll()
        parameters.append(values)
        try statement(text).run(parameters, count: 1) { rows.append($0.row()) }
    }

    /// The prepared statement of a text; the texts are few.
    private func statement(_ text: String) throws(LedgerFailure) -> SQLiteStatementBox {
        if let known = statements[text] { return known }
        do throws(SQLiteFailure) {
            let statement = SQLiteStatementBox(try connection.prepare(text))
            statements[text] = statement
            return statement
        } catch {
            throw LedgerFailure(error)
        }
    }
}

/// A prepared statement that can stand in a dictionary.
private final class SQLiteStatementBox {
    private let statement: SQLiteStatement

    init(_ statement: consuming SQLiteStatement) { self.statement = statement }

    /// Runs it so many times, each with the next values.
    func run(
        _ values: RowBytes,
        count: Int,
        _ visit: (borrowing SQLiteStatement) -> Void
    ) throws(LedgerFailure) {
        var offset = 0
        do throws(SQLiteFailure) {
            for _ in 0..<count {
                try unsafe statement.run(values.bytes.span.bytes, at: &offset, visit)
            }
        } catch {
            throw LedgerFailure(error)
        }
    }
}

private final class SQLiteCursor: LedgerCursor {
    private let statement: SQLiteStatement

    init(_ statement: consuming SQLiteStatement) { self.statement = statement }

    func next() throws(LedgerFailure) -> [LedgerValue]? {
        do throws(SQLiteFailure) {
            return try statement.step() ? statement.row() : nil
        } catch {
            throw LedgerFailure(error)
        }
    }
}

extension String {
    /// `$1` as SQLite writes it.
    fileprivate var withNumberedParameters: String {
        String(
            decoding: utf8.map { $0 == UInt8(ascii: "$") ? UInt8(ascii: "?") : $0 },
            as: UTF8.self
        )
    }
}

extension LedgerFailure {
    /// Source: sqlite.org, "Result and Error Codes".
    init(_ failure: SQLiteFailure) {
        switch failure.primaryCode {
        case 5, 6: self.init(.busy, .keep)
        case 19 where [1_555, 2_067].contains(failure.code):
            self.init(.failed(failure.message), .carefully)
        case 8: self.init(.readOnly, .reopen)
        case 11, 26: self.init(.damaged(failure.message), .reopen)
        case 13: self.init(.diskFull, .reopen)
        case 1, 18, 19, 20, 21, 25: self.init(.failed(failure.text), .reopen)
        // Errors of files, memory and locks, which no record is to blame for.
        default: self.init(.unavailable(failure.text), .reopen)
        }
    }
}

extension SQLiteFailure {
    fileprivate var text: String { "\(message) (SQLite \(code))" }
}
