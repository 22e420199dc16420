import Metering
import Pricing

/// Reads the running totals of periods.
struct PeriodReading {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    func periods(
        _ keys: Set<PeriodKey>
    ) throws(LedgerFailure) -> [PeriodKey: BatchKnowledge.OpenPeriod] {
        let values = keys.map(\.values)
        let names = ["account_id", "period"]
        let answers = try engine.read([
            LedgerRead(PeriodRow.table, by: names, values),
            LedgerRead(PeriodProviderRow.table, by: names, values),
            LedgerRead(DayModelRow.table, by: names, values),
            LedgerRead(AlertRow.table, by: names, values),
        ])
        var parts: [PeriodKey: Parts] = [:]
        for values in answers[0] {
            let row = try PeriodRow(stored: values)
            parts[row.key] = Parts(row: row)
        }
        for values in answers[1] {
            let row = try PeriodProviderRow(stored: values)
            parts[row.key]?.providers[row.provider] = PeriodBook.Provider(
                tokens: row.tokens,
                tier: Int(row.tier),
                discountBasisPoints: row.discountBasisPoints
            )
        }
        for values in answers[2] {
            let row = try DayModelRow(stored: values)
            let model = PeriodBook.Model(provider: row.model.provider)
            parts[row.key]?.models[row.name, default: model].totals.add(row.model.totals)
        }
        for values in answers[3] {
            let row = try AlertRow(stored: values)
            if let level = row.quotaLevel { parts[row.key]?.alerts.insert(level) }
        }
        return parts.mapValues(\.open)
    }

    private struct Parts {
        let row: PeriodRow
        var providers: [String: PeriodBook.Provider] = [:]
        var models: [String: PeriodBook.Model] = [:]
        var alerts: Set<QuotaLevel> = []

        var open: BatchKnowledge.OpenPeriod {
            BatchKnowledge.OpenPeriod(
                row: row,
                book: PeriodBook(
                    mode: row.mode,
                    providers: providers,
                    models: models,
                    balance: row.balance,
                    firedAlerts: alerts
                )
            )
        }
    }
}
