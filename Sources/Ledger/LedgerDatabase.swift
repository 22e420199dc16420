import Pricing

/// Which database holds a ledger.
package enum LedgerDatabase: Sendable {
    case sqlite(SQLiteLedgerConfiguration)
    case postgresql(PostgreSQLLedgerConfiguration)

    /// How many may write at once and gain by it: SQLite lets one write at a time, a server has
    /// processors of its own.
    package var writerLimit: Int {
        switch self {
        case .sqlite: 1
        case .postgresql: 4
        }
    }

    /// Connects, and makes the tables where there are none.
    func open(_ mode: LedgerOpening) throws(LedgerFailure) -> any LedgerEngine {
        switch self {
        case .sqlite(let configuration): try SQLiteEngine(configuration, mode)
        case .postgresql(let configuration): try PostgreSQLEngine(configuration, mode)
        }
    }
}

/// What may become of a database when it is opened.
enum LedgerOpening {
    /// Nothing: it has to be a ledger of this version.
    case reading
    /// Its tables are made, or brought up to date with the price lists; the instant is the wall
    /// clock's, in milliseconds since 1970.
    case writing(PriceBook?, at: Int64)

    var canWrite: Bool {
        if case .writing = self { true } else { false }
    }
}
