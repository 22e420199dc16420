/// The tables of the ledger; this program reads and writes version `version` only.
///
/// Amounts are whole nano-dollars (`…_nano`), times milliseconds since 1970 UTC (`…_ms`), months
/// `yyyy-mm` and days `yyyy-mm-dd` in UTC.
enum LedgerSchema {
    /// Kept in the file as `user_version`.
    static let version: Int64 = 1
    /// Kept in the file as `application_id`: "Weir" in ASCII.
    static let applicationID: Int64 = 0x5765_6972

    /// What rating read of a record; two records with one id are the same if all of these are.
    static let ratedColumns = [
        "record_id", "account_id", "connection_id", "segment", "model", "ended_at_ms",
        "duration_ms", "bytes_out", "input_tokens", "output_tokens", "downtime_ms", "busy_ms",
        "latency_us", "sla_excluded",
    ]

    /// Fields of a record that are kept as texts, where they are there.
    static let furtherTexts = [
        "gateway", "key_id", "user", "purpose", "provider", "usage_source", "coding", "sealing",
        "end",
    ]

    /// Fields of a record that are kept as numbers, where they are there and are numbers.
    static let furtherNumbers = [
        "epoch", "seq", "started_at_ms", "events", "bytes_raw", "ttft_us", "latency_min_us",
        "latency_p95_us", "latency_p99_us", "latency_max_us", "stall_provider_ms",
        "stall_client_ms", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens",
        "estimated", "attempts", "rtt_us", "retransmits", "lost",
    ]

    static var statements: String {
        records + charges + totals + sequences + rejected + chargeList
            + "PRAGMA application_id = \(applicationID);"
            + "PRAGMA user_version = \(version);"
    }

    private static var records: String {
        let texts = furtherTexts.map { "\"\($0)\" TEXT" }
        let numbers = furtherNumbers.map { "\($0) INTEGER" }
        return """
            CREATE TABLE records (
                number INTEGER PRIMARY KEY,
                record_id TEXT NOT NULL UNIQUE,
                account_id TEXT NOT NULL,
                connection_id TEXT NOT NULL,
                segment INTEGER NOT NULL,
                model TEXT NOT NULL,
                ended_at_ms INTEGER NOT NULL,
                duration_ms INTEGER NOT NULL,
                bytes_out INTEGER NOT NULL,
                input_tokens INTEGER NOT NULL,
                output_tokens INTEGER NOT NULL,
                downtime_ms INTEGER NOT NULL,
                busy_ms INTEGER NOT NULL,
                latency_us INTEGER,
                sla_excluded INTEGER,
                \((texts + numbers).joined(separator: ",\n    ")),
                entry_id TEXT NOT NULL,
                received_at_ms INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX records_of_connection ON records (connection_id, segment);

            """
    }

    /// `charges` holds what does not depend on the discount tier, `tier_charges` what does.
    private static let charges = """
        CREATE TABLE charges (
            number INTEGER PRIMARY KEY REFERENCES records (number),
            account_id TEXT NOT NULL,
            period TEXT NOT NULL,
            provider TEXT NOT NULL,
            is_late INTEGER NOT NULL,
            price_list TEXT NOT NULL,
            stream_time_nano INTEGER NOT NULL,
            stream_bytes_nano INTEGER NOT NULL,
            bandwidth_premium_nano INTEGER NOT NULL,
            tokens_in_nano INTEGER NOT NULL,
            tokens_out_nano INTEGER NOT NULL,
            infra_base_nano INTEGER NOT NULL,
            infra_time_nano INTEGER NOT NULL,
            subtotal_nano INTEGER NOT NULL,
            sla_breaches TEXT NOT NULL
        ) STRICT;
        CREATE TABLE tier_charges (
            number INTEGER NOT NULL REFERENCES charges (number),
            tier INTEGER NOT NULL,
            discount_bp INTEGER NOT NULL,
            discount_nano INTEGER NOT NULL,
            net_nano INTEGER NOT NULL,
            sla_penalty_nano INTEGER NOT NULL,
            charge_nano INTEGER NOT NULL,
            PRIMARY KEY (number, tier)
        ) STRICT, WITHOUT ROWID;

        """

    /// Running totals; the tier in `periods` says which row of each `…_charges` holds now.
    private static let totals = """
        CREATE TABLE periods (
            account_id TEXT NOT NULL,
            period TEXT NOT NULL,
            provider TEXT NOT NULL,
            records INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            bytes_out INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            tier INTEGER NOT NULL,
            PRIMARY KEY (account_id, period, provider)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE period_charges (
            account_id TEXT NOT NULL,
            period TEXT NOT NULL,
            provider TEXT NOT NULL,
            tier INTEGER NOT NULL,
            charge_nano INTEGER NOT NULL,
            PRIMARY KEY (account_id, period, provider, tier)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE day_charges (
            day TEXT NOT NULL,
            account_id TEXT NOT NULL,
            period TEXT NOT NULL,
            provider TEXT NOT NULL,
            tier INTEGER NOT NULL,
            charge_nano INTEGER NOT NULL,
            PRIMARY KEY (day, account_id, period, provider, tier)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE day_usage (
            day TEXT NOT NULL,
            account_id TEXT NOT NULL,
            period TEXT NOT NULL,
            model TEXT NOT NULL,
            records INTEGER NOT NULL,
            streams INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            bytes_out INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            PRIMARY KEY (day, account_id, period, model)
        ) STRICT, WITHOUT ROWID;

        """

    /// Which record numbers of each run of a gateway are stored or set aside, as ranges: more than
    /// one range, or one that does not begin at 1, names what is missing.
    private static let sequences = """
        CREATE TABLE sequences (
            gateway TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            PRIMARY KEY (gateway, epoch, first)
        ) STRICT, WITHOUT ROWID;

        """

    private static let rejected = """
        CREATE TABLE rejected (
            number INTEGER PRIMARY KEY,
            entry_id TEXT NOT NULL,
            received_at_ms INTEGER NOT NULL,
            record_id TEXT NOT NULL,
            reason TEXT NOT NULL,
            field TEXT NOT NULL,
            fields TEXT NOT NULL,
            UNIQUE (entry_id, record_id, reason)
        ) STRICT;

        """

    /// For people: each charge as it stands now, in dollars.
    private static let chargeList = """
        CREATE VIEW charge_list AS
        SELECT records.record_id, records.account_id, records.connection_id, records.segment,
            records.model, charges.period, charges.is_late,
            strftime('%Y-%m-%dT%H:%M:%SZ', records.ended_at_ms / 1000, 'unixepoch') AS ended_at,
            records.duration_ms, records.bytes_out, records.input_tokens, records.output_tokens,
            \(dollars("charges.subtotal_nano")) AS subtotal_usd,
            tier_charges.discount_bp,
            \(dollars("tier_charges.discount_nano")) AS discount_usd,
            charges.sla_breaches,
            \(dollars("tier_charges.sla_penalty_nano")) AS sla_penalty_usd,
            \(dollars("tier_charges.charge_nano")) AS charge_usd,
            charges.price_list
        FROM records
        JOIN charges USING (number)
        JOIN periods ON periods.account_id = charges.account_id
            AND periods.period = charges.period AND periods.provider = charges.provider
        JOIN tier_charges ON tier_charges.number = charges.number
            AND tier_charges.tier = periods.tier;

        """

    private static func dollars(_ column: String) -> String {
        "printf('%d.%09d', \(column) / 1000000000, \(column) % 1000000000)"
    }
}
