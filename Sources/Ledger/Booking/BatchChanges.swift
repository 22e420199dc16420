import Metering
import Pricing
import StreamBytes

/// What a batch writes.
struct BatchChanges {
    var records = LedgerRows(RecordRow.table)
    var charges = LedgerRows(ChargeRow.table)
    var journal = LedgerRows(JournalRow.table)
    var alerts = LedgerRows(AlertRow.table)
    var events = LedgerRows(EventRow.table)
    var rejected = LedgerRows(RejectedRow.table)
    private var days: [DayKey: PeriodBook.Model] = [:]
    private var graduated: [GraduatedKey: GraduatedRecord] = [:]

    private struct DayKey: Hashable {
        /// Days since 1970 UTC.
        let day: Int64
        let period: PeriodKey
        let model: String
    }

    private struct GraduatedKey: Hashable {
        let period: PeriodKey
        let provider: String
        let place: RecordPlace
    }

    /// Notes what a booked record adds to its day, and what it changed for others.
    mutating func note(_ rated: RatedRecord, _ booking: Booking, of key: PeriodKey) {
        let isGraduated = booking.graduated != nil
        let day = dayKey(rated.place, key, rated.record.model)
        days[day, default: PeriodBook.Model(provider: rated.provider)].totals.add(
            rated,
            graduated: isGraduated ? booking.charge : nil
        )
        guard let own = booking.graduated else { return }
        for rerating in booking.rerated {
            let day = dayKey(rerating.record.place, key, rerating.record.model)
            days[day, default: PeriodBook.Model(provider: rated.provider)].totals.add(rerating)
            keep(rerating.record, key, rated.provider)
        }
        keep(own, key, rated.provider)
    }

    /// Writes the rows that single records have, as far as there are any.
    mutating func writeRecords(to engine: any LedgerEngine) throws(LedgerFailure) {
        for rows in [records, charges, journal, events] { try engine.write(.insert(rows)) }
        records = LedgerRows(RecordRow.table)
        charges = LedgerRows(ChargeRow.table)
        journal = LedgerRows(JournalRow.table)
        events = LedgerRows(EventRow.table)
    }

    /// Writes the rest.
    func write(
        to engine: any LedgerEngine,
        _ knowledge: BatchKnowledge
    ) throws(LedgerFailure) {
        try engine.write(.insert(alerts))
        try engine.write(.insertIfAbsent(rejected))
        try writeDays(to: engine)
        try writePeriods(knowledge, to: engine)
        var accounts = LedgerRows(AccountRow.table)
        for (id, row) in knowledge.accounts where knowledge.counted.contains(id) {
            accounts.append(row.values, engine.sealer)
        }
        try engine.write(.put(accounts))
    }

    private func writeDays(to engine: any LedgerEngine) throws(LedgerFailure) {
        var rows = LedgerRows(DayModelRow.table)
        var names: [Int64: String] = [:]
        for (key, model) in days {
            let start = WallTime(milliseconds: key.day * Self.dayMilliseconds)
            let day = names[key.day] ?? CalendarMonth.dayText(of: start)
            names[key.day] = day
            rows.append(DayModelRow(model, key.model, of: key.period, day: day).values)
        }
        try engine.write(.add(rows, columns: DayModelRow.sums))
    }

    private func writePeriods(
        _ knowledge: BatchKnowledge,
        to engine: any LedgerEngine
    ) throws(LedgerFailure) {
        var periods = LedgerRows(PeriodRow.table)
        var providers = LedgerRows(PeriodProviderRow.table)
        var boundaries = LedgerRows(BoundaryRow.table)
        for (key, open) in knowledge.periods where open.isTouched {
            var row = open.row
            row.balance = open.book.balance
            periods.append(row.values, engine.sealer)
            for name in open.touchedProviders {
                guard let provider = open.book.providers[name] else { continue }
                providers.append(PeriodProviderRow(provider, name, of: key).values)
                for (index, boundary) in (provider.order?.boundaries ?? []).enumerated() {
                    boundaries.append(
                        BoundaryRow(boundary, tier: index + 1, name, of: key).values
                    )
                }
            }
        }
        var charges = LedgerRows(GraduatedChargeRow.table)
        for (key, record) in graduated {
            charges.append(
                GraduatedChargeRow(record, of: key.period, provider: key.provider).values
            )
        }
        for rows in [periods, providers, boundaries, charges] {
            try engine.write(.put(rows))
        }
    }

    private mutating func keep(_ record: GraduatedRecord, _ key: PeriodKey, _ provider: String) {
        graduated[GraduatedKey(period: key, provider: provider, place: record.place)] = record
    }

    private func dayKey(_ place: RecordPlace, _ period: PeriodKey, _ model: String) -> DayKey {
        // No record ends before 1970.
        DayKey(
            day: place.endedAtMilliseconds / Self.dayMilliseconds,
            period: period,
            model: model
        )
    }

    private static let dayMilliseconds: Int64 = 86_400_000
}
