/// The tables of the ledger; this program reads and writes version `version` only.
///
/// Amounts are whole nano-dollars (`…_nano`), times milliseconds since 1970 UTC (`…_ms`), months
/// `yyyy-mm` and days `yyyy-mm-dd` in UTC.
enum LedgerSchema {
    enum Dialect { case sqlite, postgresql }

    static let version: Int64 = 3

    static let tables: [LedgerTable] = [
        PriceListRow.table, AccountRow.table, RecordRow.table, ChargeRow.table,
        GraduatedChargeRow.table, JournalRow.table, PeriodRow.table, PeriodProviderRow.table,
        BoundaryRow.table, DayModelRow.table, StreamRow.table,
        EventRow.table, AlertRow.table, RejectedRow.table, SequenceRow.table,
        UsageReportRow.table, AccountKeyRow.table,
    ]

    /// What makes all tables and views, one statement each.
    static func statements(_ dialect: Dialect) -> [String] {
        let views = [chargeList(dialect), postings, keyUse(dialect)]
        return tables.flatMap { $0.definition(dialect) } + views
    }

    /// For people: each charge as it stands now, in dollars.
    private static func chargeList(_ dialect: Dialect) -> String {
        let charge = TierColumns.current("charge", of: "charges", at: "period_providers.tier")
        let penalty = TierColumns.current("penalty", of: "charges", at: "period_providers.tier")
        return """
            CREATE VIEW charge_list AS
            SELECT record_id, account_id, connection_id, segment, model, period, is_late,
                \(dialect.time("ended_at_ms")) AS ended_at,
                duration_ms, bytes_out, input_tokens, output_tokens,
                \(dollars("subtotal_nano")) AS subtotal_usd,
                discount_bp,
                \(dollars("subtotal_nano - penalty_nano - charge_nano")) AS discount_usd,
                sla_breaches,
                \(dollars("penalty_nano")) AS sla_penalty_usd,
                \(dollars("charge_nano")) AS charge_usd,
                price_list
            FROM (
                SELECT records.*, charges.period, charges.is_late, charges.subtotal_nano,
                    charges.sla_breaches, charges.price_list,
                    CASE WHEN graduated_charges.record_id IS NULL
                        THEN period_providers.discount_bp END AS discount_bp,
                    COALESCE(graduated_charges.charge_nano, \(charge)) AS charge_nano,
                    COALESCE(graduated_charges.penalty_nano, \(penalty)) AS penalty_nano
                FROM records
                JOIN charges ON charges.number = records.number
                JOIN period_providers ON period_providers.account_id = charges.account_id
                    AND period_providers.period = charges.period
                    AND period_providers.provider = charges.provider
                LEFT JOIN graduated_charges
                    ON graduated_charges.account_id = charges.account_id
                    AND graduated_charges.period = charges.period
                    AND graduated_charges.provider = charges.provider
                    AND graduated_charges.ended_at_ms = records.ended_at_ms
                    AND graduated_charges.record_id = records.record_id
            ) AS listed
            """
    }

    /// All transactions as accountants write them, one line per book; debits are positive.
    private static var postings: String {
        let charge = TierColumns.current("charge", of: "charges", at: "posted_tier")
        let penalty = TierColumns.current("penalty", of: "charges", at: "posted_tier")
        let ofCharges = [
            ("accrued", charge), ("sla_penalty", penalty),
            ("discount", "subtotal_nano - (\(charge)) - (\(penalty))"),
            ("revenue", "-subtotal_nano"),
        ].map { book, amount in
            """
            SELECT number, 'charge' AS kind, account_id, period, provider, '\(book)' AS book,
                \(amount) AS amount_nano FROM charges
            """
        }
        let ofJournal = ["accrued", "discount", "sla_penalty", "revenue", "receivable"].map {
            book in
            """
            SELECT number, kind, account_id, period, provider, '\(book)' AS book,
                \(book)_nano AS amount_nano FROM journal WHERE \(book)_nano <> 0
            """
        }
        let parts = ofCharges + ofJournal
        return "CREATE VIEW postings AS\n\(parts.joined(separator: "\nUNION ALL\n"))"
    }

    /// For people: when each key was first used on each day in UTC.
    static func keyUse(_ dialect: Dialect) -> String {
        """
        CREATE VIEW key_use AS
        SELECT account_id, key_id, \(dialect.day("started_at_ms")) AS day,
            \(dialect.time("min(started_at_ms)")) AS first_used_at, count(*) AS streams
        FROM streams WHERE key_id IS NOT NULL
        GROUP BY account_id, key_id, \(dialect.day("started_at_ms"))
        """
    }

    /// Nine decimals, in the words that both databases know; the amount is not negative.
    private static func dollars(_ amount: String) -> String {
        let rest = "CAST((\(amount)) % 1000000000 AS TEXT)"
        return "CAST((\(amount)) / 1000000000 AS TEXT) || '.' || "
            + "substr('000000000' || \(rest), length(\(rest)) + 1)"
    }
}

extension LedgerSchema.Dialect {
    fileprivate func time(_ column: String) -> String {
        switch self {
        case .sqlite: "strftime('%Y-%m-%dT%H:%M:%SZ', \(column) / 1000, 'unixepoch')"
        case .postgresql:
            "to_char(to_timestamp(\(column) / 1000) AT TIME ZONE 'UTC', "
                + "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        }
    }

    fileprivate func type(_ kind: LedgerColumn.Kind) -> String {
        switch (self, kind) {
        case (.sqlite, .integer): "INTEGER"
        case (.sqlite, .text): "TEXT"
        case (.sqlite, .bytes): "BLOB"
        case (.postgresql, .integer): "bigint"
        // In the order of the bytes, as SQLite and this program have it.
        case (.postgresql, .text): "text COLLATE \"C\""
        case (.postgresql, .bytes): "bytea"
        }
    }
}

extension LedgerTable {
    /// What makes the table and its indexes.
    func definition(_ dialect: LedgerSchema.Dialect) -> [String] {
        // SQLite's own row number serves as a key of one number; any other key orders the rows.
        let isNumbered = key.count == 1 && columns[position(of: key[0])].kind == .integer
        var lines = columns.map { column in
            "    \(column.quoted) \(dialect.type(column.kind))"
                + (column.isOptional ? "" : " NOT NULL")
        }
        let keyList = key.map { "\"\($0)\"" }.joined(separator: ", ")
        lines.append("    PRIMARY KEY (\(keyList))")
        lines += checks.map { "    CHECK (\($0))" }
        let ending =
            switch dialect {
            case .sqlite: isNumbered ? " STRICT" : " STRICT, WITHOUT ROWID"
            case .postgresql: ""
            }
        let table = "CREATE TABLE \(name) (\n\(lines.joined(separator: ",\n"))\n)\(ending)"
        return [table] + indexes.map { $0.definition(of: self) }
    }
}

extension LedgerIndex {
    func definition(of table: LedgerTable) -> String {
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(name) ON \(table.name) (\(list))"
    }
}
