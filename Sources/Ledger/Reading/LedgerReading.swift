import Metering
import Pricing

/// Today in a few figures.
package struct LedgerSummary: Equatable, Sendable {
    /// What the records that ended today cost, at the tiers that hold now.
    package internal(set) var costToday = Money.zero
    /// Streams of which the first record ended today.
    package internal(set) var streamsToday: Int64 = 0

    /// Today's cost divided by today's streams, rounded down; nil while there are none.
    package var costPerStream: Money? {
        streamsToday == 0 ? nil : Money(nanodollars: costToday.nanodollars / streamsToday)
    }
}

package struct LedgerCounts: Equatable, Sendable {
    package let records: Int64
    package let rejected: Int64

    package init(records: Int64, rejected: Int64) {
        self.records = records
        self.rejected = rejected
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
    /// As things stand.
    package let charge: Money
}

/// Reads what was booked.
struct LedgerReading {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    /// Reads today's rows alone: the cost does not grow with the ledger.
    func summary(day: String) throws(LedgerFailure) -> LedgerSummary {
        let columns = DayModelRow.table.columns.map { "day_models.\($0.quoted)" }
        let rows = try engine.query(
            "SELECT periods.discount_mode, period_providers.tier, "
                + "\(columns.joined(separator: ", ")) FROM day_models "
                + "JOIN periods ON periods.account_id = day_models.account_id "
                + "AND periods.period = day_models.period "
                + "JOIN period_providers ON period_providers.account_id = day_models.account_id "
                + "AND period_providers.period = day_models.period "
                + "AND period_providers.provider = day_models.provider WHERE day = $1",
            [.text(day)]
        )
        var summary = LedgerSummary()
        var cost: Int128 = 0
        for values in rows {
            guard case .text(let mode) = values[0], case .integer(let tier) = values[1] else {
                continue
            }
            let totals = try DayModelRow(stored: Array(values.dropFirst(2))).model.totals
            let discountMode = DiscountMode(rawValue: mode) ?? .wholeVolume
            cost += Int128(totals.current(discountMode, tier: Int(tier)).charge)
            summary.streamsToday += totals.streams
        }
        summary.costToday = Money(nanodollars: Int64(clamping: cost))
        return summary
    }

    func counts() throws(LedgerFailure) -> LedgerCounts {
        LedgerCounts(
            records: try integer("SELECT count(*) FROM records"),
            rejected: try integer("SELECT count(*) FROM rejected")
        )
    }

    func usageByModel() throws(LedgerFailure) -> [ModelUsage] {
        var sums: [String: UsageTotals] = [:]
        let columns = DayModelRow.table.columnList
        for values in try engine.query("SELECT \(columns) FROM day_models", []) {
            let row = try DayModelRow(stored: values)
            sums[row.name, default: UsageTotals()].addCounts(of: row.model.totals)
        }
        return sums.sorted { $0.key < $1.key }.map { ModelUsage($0.key, $0.value) }
    }

    func totals(_ key: PeriodKey) throws(LedgerFailure) -> [ProviderPeriodTotal] {
        guard let open = try PeriodReading(engine).periods([key])[key] else { return [] }
        return open.book.providers.sorted { $0.key < $1.key }.map { name, provider in
            let models = open.book.models.values.filter { $0.provider == name }
            let charge = models.reduce(Int64(0)) {
                $0 + $1.totals.current(open.row.mode, tier: provider.tier).charge
            }
            return ProviderPeriodTotal(
                provider: name,
                records: models.reduce(0) { $0 + $1.totals.records },
                tokens: provider.tokens,
                tier: Int64(provider.tier),
                charge: Money(nanodollars: charge)
            )
        }
    }

    func committedSequences() throws(LedgerFailure) -> [CommittedSequence] {
        let rows = try engine.query(
            "SELECT \(SequenceRow.table.columnList) FROM sequences WHERE \"first\" = 1 "
                + "ORDER BY gateway, epoch",
            []
        )
        var committed: [CommittedSequence] = []
        for values in rows {
            let row = try SequenceRow(stored: Array(values))
            committed.append(
                CommittedSequence(
                    gateway: row.run.gateway,
                    epoch: row.run.epoch,
                    through: row.range.upperBound
                )
            )
        }
        return committed
    }

    func sequenceRanges() throws(LedgerFailure) -> SequenceRanges {
        var ranges = SequenceRanges()
        let columns = SequenceRow.table.columnList
        for values in try engine.query("SELECT \(columns) FROM sequences", []) {
            let row = try SequenceRow(stored: Array(values))
            ranges.insert(row.range, of: "\(row.run.gateway):\(row.run.epoch)")
        }
        return ranges
    }

    private func integer(_ text: String) throws(LedgerFailure) -> Int64 {
        guard case .integer(let number)? = try engine.query(text, []).first?.first else { return 0 }
        return number
    }
}

extension UsageTotals {
    /// Adds another's counts; a sum that does not fit stays at the largest number.
    fileprivate mutating func addCounts(of other: UsageTotals) {
        func sum(_ left: Int64, _ right: Int64) -> Int64 {
            let (sum, overflow) = left.addingReportingOverflow(right)
            return overflow ? .max : sum
        }
        records = sum(records, other.records)
        streams = sum(streams, other.streams)
        inputTokens = sum(inputTokens, other.inputTokens)
        outputTokens = sum(outputTokens, other.outputTokens)
        bytesOut = sum(bytesOut, other.bytesOut)
        durationMilliseconds = sum(durationMilliseconds, other.durationMilliseconds)
    }
}

extension ModelUsage {
    fileprivate init(_ model: String, _ totals: UsageTotals) {
        self.model = model
        records = totals.records
        streams = totals.streams
        inputTokens = totals.inputTokens
        outputTokens = totals.outputTokens
        bytesOut = totals.bytesOut
        durationMilliseconds = totals.durationMilliseconds
    }
}
