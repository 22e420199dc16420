import Pricing

/// The ledger in a few figures.
package struct LedgerSummary: Equatable, Sendable {
    package internal(set) var records: Int64 = 0
    package internal(set) var rejected: Int64 = 0
    /// What the records that ended today cost, at the tiers that hold now.
    package internal(set) var costToday = Money.zero
    /// Streams of which the first record ended today.
    package internal(set) var streamsToday: Int64 = 0

    /// Today's cost divided by today's streams, rounded down; nil while there are none.
    package var costPerStream: Money? {
        streamsToday == 0 ? nil : Money(nanodollars: costToday.nanodollars / streamsToday)
    }
}

/// What one model was used for.
package struct ModelUsage: Equatable, Sendable {
    package let model: String
    package let records: Int64
    package let streams: Int64
    package let inputTokens: Int64
    package let outputTokens: Int64
    package let bytesOut: Int64
    package let durationMilliseconds: Int64
}

/// An account's running total of a provider in a period.
package struct ProviderPeriodTotal: Equatable, Sendable {
    package let provider: String
    package let records: Int64
    package let tokens: Int64
    /// The place of the discount tier that holds; 0: none.
    package let tier: Int64
    /// At that tier.
    package let charge: Money
}

extension LedgerDatabase {
    /// Reads today's rows and the ends of two tables: the cost does not grow with the ledger.
    func summary(day: String) throws(SQLiteFailure) -> LedgerSummary {
        var summary = LedgerSummary()
        // Both are numbered without gaps: a record is only ever taken back as the last one.
        summary.records = try connection.integer("SELECT max(number) FROM records") ?? 0
        summary.rejected = try connection.integer("SELECT max(number) FROM rejected") ?? 0
        let usage = try connection.prepare("SELECT streams FROM day_usage WHERE day = ?1")
        try usage.bind(day, at: 1)
        while try usage.step() { summary.streamsToday += usage.integer(0) }
        summary.costToday = try cost(of: day)
        return summary
    }

    private func cost(of day: String) throws(SQLiteFailure) -> Money {
        let charges = try connection.prepare(
            "SELECT charge_nano FROM day_charges JOIN periods USING "
                + "(account_id, period, provider, tier) WHERE day = ?1"
        )
        try charges.bind(day, at: 1)
        // Summed here: SQLite's sum fails where it does not fit into 64 bits.
        var total: Int128 = 0
        while try charges.step() { total += Int128(charges.integer(0)) }
        return Money(nanodollars: Int64(clamping: total))
    }

    func usageByModel() throws(SQLiteFailure) -> [ModelUsage] {
        let columns = [
            "records", "streams", "input_tokens", "output_tokens", "bytes_out", "duration_ms",
        ]
        let rows = try connection.prepare(
            "SELECT model, \(columns.joined(separator: ", ")) FROM day_usage ORDER BY model"
        )
        var names: [String] = []
        var sums: [[Int64]] = []
        while try rows.step() {
            let model = rows.text(0) ?? ""
            if names.last != model {
                names.append(model)
                sums.append(Array(repeating: 0, count: columns.count))
            }
            for column in columns.indices {
                let (sum, overflow) = sums[sums.count - 1][column].addingReportingOverflow(
                    rows.integer(Int32(column + 1))
                )
                sums[sums.count - 1][column] = overflow ? .max : sum
            }
        }
        return zip(names, sums).map { ModelUsage(model: $0, $1) }
    }

    func totals(account: String, period: String) throws(SQLiteFailure) -> [ProviderPeriodTotal] {
        let rows = try connection.prepare(
            "SELECT provider, records, tokens, tier, charge_nano FROM periods "
                + "JOIN period_charges USING (account_id, period, provider, tier) "
                + "WHERE account_id = ?1 AND period = ?2 ORDER BY provider"
        )
        try rows.bind(account, at: 1)
        try rows.bind(period, at: 2)
        var totals: [ProviderPeriodTotal] = []
        while try rows.step() {
            totals.append(
                ProviderPeriodTotal(
                    provider: rows.text(0) ?? "",
                    records: rows.integer(1),
                    tokens: rows.integer(2),
                    tier: rows.integer(3),
                    charge: Money(nanodollars: rows.integer(4))
                )
            )
        }
        return totals
    }

    func committedSequences() throws(SQLiteFailure) -> [CommittedSequence] {
        let rows = try connection.prepare(
            "SELECT gateway, epoch, last FROM sequences WHERE first = 1 ORDER BY gateway, epoch"
        )
        var committed: [CommittedSequence] = []
        while try rows.step() {
            committed.append(
                CommittedSequence(
                    gateway: rows.text(0) ?? "",
                    epoch: rows.integer(1),
                    through: rows.integer(2)
                )
            )
        }
        return committed
    }
}

extension ModelUsage {
    fileprivate init(model: String, _ sums: [Int64]) {
        self.model = model
        records = sums[0]
        streams = sums[1]
        inputTokens = sums[2]
        outputTokens = sums[3]
        bytesOut = sums[4]
        durationMilliseconds = sums[5]
    }
}
