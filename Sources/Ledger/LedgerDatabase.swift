import Pricing

/// An open ledger file: the connection and its prepared statements.
///
/// Not Sendable: it belongs to the thread of the actor that made it, and closes the file when it
/// is let go there.
final class LedgerDatabase {
    let connection: SQLiteConnection
    let writes: RecordStatements
    let totals: TotalStatements
    let sequences: SequenceStatements

    /// Opens the file and makes the tables where there are none.
    init(_ configuration: SQLiteLedgerConfiguration) throws(ChargeStoreError) {
        do throws(SQLiteFailure) {
            let connection = try SQLiteConnection(
                path: configuration.path,
                busyMilliseconds: configuration.busyMilliseconds
            )
            try Self.prepare(connection, pageLimit: configuration.pageLimit)
            let writes = try RecordStatements(connection)
            let totals = try TotalStatements(connection)
            let sequences = try SequenceStatements(connection)
            self.writes = writes
            self.totals = totals
            self.sequences = sequences
            self.connection = connection
        } catch {
            throw ChargeStoreError(error)
        }
    }

    /// Runs `body` in one transaction: all of it is stored for good, or nothing.
    func transaction<Result>(
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(SQLiteFailure) -> Result {
        try connection.execute("BEGIN IMMEDIATE")
        do throws(SQLiteFailure) {
            let result = try body()
            try connection.execute("COMMIT")
            return result
        } catch {
            // Some errors have rolled back already, and then this one says so: the first counts.
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    private static func prepare(
        _ connection: borrowing SQLiteConnection,
        pageLimit: Int64?
    ) throws(SQLiteFailure) {
        try checkVersion(connection)
        let mode = try connection.text("PRAGMA journal_mode = WAL")
        guard mode == "wal" else {
            throw SQLiteFailure(code: 1, message: "no write-ahead log is possible there")
        }
        try connection.execute(
            """
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA cell_size_check = ON;
            """
        )
        try createTables(connection)
        if let pageLimit { try connection.execute("PRAGMA max_page_count = \(pageLimit)") }
    }

    /// Refuses, before anything is written, a file that is newer or no ledger at all.
    private static func checkVersion(
        _ connection: borrowing SQLiteConnection
    ) throws(SQLiteFailure) {
        let version = try connection.integer("PRAGMA user_version") ?? 0
        guard version <= LedgerSchema.version else {
            throw SQLiteFailure(code: SQLiteFailure.newerSchemaCode, message: String(version))
        }
        let owner = try connection.integer("PRAGMA application_id") ?? 0
        let tables = try connection.integer("SELECT count(*) FROM sqlite_schema") ?? 0
        guard owner == LedgerSchema.applicationID || tables == 0 else {
            throw SQLiteFailure(code: 1, message: "the file is no ledger of this program")
        }
    }

    /// Makes the tables, unless another process has just done it.
    private static func createTables(
        _ connection: borrowing SQLiteConnection
    ) throws(SQLiteFailure) {
        try connection.execute("BEGIN IMMEDIATE")
        do throws(SQLiteFailure) {
            if try connection.integer("PRAGMA user_version") == 0 {
                try connection.execute(LedgerSchema.statements)
            }
            try connection.execute("COMMIT")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }
}

extension SQLiteFailure {
    /// Not one of SQLite's: the schema is newer; the message is its version.
    static let newerSchemaCode: Int32 = -1
}

extension ChargeStoreError {
    /// Source: sqlite.org, "Result and Error Codes".
    init(_ failure: SQLiteFailure) {
        switch failure.primaryCode {
        case _ where failure.code == SQLiteFailure.newerSchemaCode:
            self = .newerSchema(
                found: Int64(failure.message) ?? 0,
                supported: LedgerSchema.version
            )
        case 5, 6: self = .busy
        case 8: self = .readOnly
        case 11, 26: self = .damaged(failure.message)
        case 13: self = .diskFull
        default: self = .failed("\(failure.message) (SQLite \(failure.code))")
        }
    }
}
