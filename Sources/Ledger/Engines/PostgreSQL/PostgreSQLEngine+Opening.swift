extension PostgreSQLEngine {
    /// What keeps two processes from making the tables at once: "Weir" in ASCII.
    private static let setupLock: Int64 = 0x5765_6972

    /// Makes the connection ready: its settings, the tables.
    func prepare(_ mode: LedgerOpening) throws(LedgerFailure) {
        try send("SET search_path = weir")
        // Nobody waits for ever: neither for a lock, nor for a transaction that was left open.
        try send("SET lock_timeout = '10s'")
        try send("SET idle_in_transaction_session_timeout = '5min'")
        guard mode.canWrite else {
            _ = try answers()
            return try checkIsCurrent()
        }
        // Rows are only ever looked up by their keys here, also while the tables are too new for
        // the server to know how they grow.
        for way in ["enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"] {
            try send("SET \(way) = off")
        }
        try send("SET plan_cache_mode = force_generic_plan")
        try begin()
        do throws(LedgerFailure) {
            try send("SELECT pg_advisory_xact_lock(\(Self.setupLock))")
            try makeCurrent()
            try commit()
        } catch {
            rollback()
            throw error
        }
        try checkIsCurrent()
    }

    private func checkIsCurrent() throws(LedgerFailure) {
        guard let version = try version() else { throw .refused("there is no ledger yet") }
        guard version <= LedgerSchema.version else {
            throw LedgerFailure(
                .newerSchema(found: version, supported: LedgerSchema.version),
                .reopen
            )
        }
        guard version == LedgerSchema.version else {
            throw .refused("the ledger has version \(version); weir bill brings it up to date")
        }
    }

    /// The version of the tables; nil where there are none.
    private func version() throws(LedgerFailure) -> Int64? {
        let found = try query("SELECT 1 WHERE to_regclass('weir.ledger_version') IS NOT NULL", [])
        guard !found.isEmpty else { return nil }
        let rows = try query("SELECT version FROM ledger_version", [])
        guard rows.count == 1, case .integer(let version) = rows[0][0] else {
            throw .damaged("weir.ledger_version does not have one row")
        }
        return version
    }

    /// Makes the tables, or brings them up to date, unless another process has just done it.
    private func makeCurrent() throws(LedgerFailure) {
        switch try version() {
        case nil: try makeTables()
        case 2:
            for statement in VersionTwoMigration.statements(.postgresql) { try send(statement) }
            try send("UPDATE ledger_version SET version = \(LedgerSchema.version)")
            _ = try answers()
        default: break
        }
    }

    private func makeTables() throws(LedgerFailure) {
        try send("CREATE SCHEMA IF NOT EXISTS weir")
        for statement in LedgerSchema.statements(.postgresql) { try send(statement) }
        try send("CREATE SEQUENCE numbers INCREMENT BY 1048576")
        try send("CREATE TABLE ledger_version (version bigint NOT NULL)")
        try send("INSERT INTO ledger_version VALUES (\(LedgerSchema.version))")
        _ = try answers()
    }
}
