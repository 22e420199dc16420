/// Where a SQLite ledger is, and what it may take.
package struct SQLiteLedgerConfiguration: Sendable {
    /// The database file; its folder must exist.
    package var path: String
    /// How long a write waits for another process's lock before it fails as busy.
    package var busyMilliseconds: Int32 = 2_000
    /// The most pages of 4 KiB that the file may have; nil: as many as SQLite allows.
    package var pageLimit: Int64?

    package init(path: String) { self.path = path }
}

/// Where a PostgreSQL ledger is.
package struct PostgreSQLLedgerConfiguration: Sendable {
    /// A connection URI as libpq reads it, TLS options included; it may hold a password.
    package var url: String
    /// The longest that any answer of the server may take.
    package var patience = Duration.seconds(60)

    package init(url: String) { self.url = url }
}
