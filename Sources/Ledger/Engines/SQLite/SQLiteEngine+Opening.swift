import Pricing

extension SQLiteEngine {
    /// Kept in the file as `application_id`: "Weir" in ASCII.
    private static let applicationID: Int64 = 0x5765_6972

    /// Makes the file ready: its settings, its tables.
    func prepare(_ mode: LedgerOpening, pageLimit: Int64?) throws(LedgerFailure) {
        try checkOwner()
        guard case .writing(let prices, let now) = mode else { return try checkIsCurrent() }
        guard try text("PRAGMA journal_mode = WAL") == "wal" else {
            throw .failed("no write-ahead log is possible there")
        }
        try execute(
            """
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA cell_size_check = ON;
            PRAGMA cache_size = -65536;
            PRAGMA wal_autocheckpoint = 16384;
            """
        )
        try makeTables(prices, at: now)
        if let pageLimit { try execute("PRAGMA max_page_count = \(pageLimit)") }
    }

    /// Refuses, before anything is written, a file that is newer or no ledger at all.
    private func checkOwner() throws(LedgerFailure) {
        let version = try integer("PRAGMA user_version")
        guard version <= LedgerSchema.version else {
            throw LedgerFailure(
                .newerSchema(found: version, supported: LedgerSchema.version),
                .reopen
            )
        }
        let owner = try integer("PRAGMA application_id")
        let tables = try integer("SELECT count(*) FROM sqlite_schema")
        guard owner == Self.applicationID || tables == 0 else {
            throw .failed("the file is no ledger of this program")
        }
    }

    private func checkIsCurrent() throws(LedgerFailure) {
        let version = try integer("PRAGMA user_version")
        guard version == LedgerSchema.version else {
            throw version == 0
                ? .refused("the file holds no ledger yet")
                : .refused("the ledger has version \(version); weir bill brings it up to date")
        }
    }

    /// Makes the tables, or brings them up to date, unless another process has just done it.
    private func makeTables(_ prices: PriceBook?, at now: Int64) throws(LedgerFailure) {
        try begin()
        do throws(LedgerFailure) {
            switch try integer("PRAGMA user_version") {
            case 0:
                for statement in LedgerSchema.statements(.sqlite) { try execute(statement) }
            case 1:
                guard let prices else {
                    throw .refused("a ledger of version 1 is brought up to date with its prices")
                }
                try VersionOneMigration(self, prices).run(at: now)
            case 2:
                for statement in VersionTwoMigration.statements(.sqlite) { try execute(statement) }
            default: break
            }
            try execute(
                """
                PRAGMA application_id = \(Self.applicationID);
                PRAGMA user_version = \(LedgerSchema.version);
                """
            )
            try commit()
        } catch {
            rollback()
            throw error
        }
    }

    func integer(_ text: String) throws(LedgerFailure) -> Int64 {
        do throws(SQLiteFailure) {
            return try connection.integer(text) ?? 0
        } catch {
            throw LedgerFailure(error)
        }
    }

    private func text(_ text: String) throws(LedgerFailure) -> String? {
        do throws(SQLiteFailure) {
            return try connection.text(text)
        } catch {
            throw LedgerFailure(error)
        }
    }
}
