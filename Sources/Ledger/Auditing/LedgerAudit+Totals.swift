import Metering
import Pricing
import StreamBytes

extension LedgerAudit {
    /// The running totals, against those of the records.
    func auditTotals() throws(LedgerFailure) {
        try auditPeriodRows()
        var expected: [[LedgerValue]: [LedgerValue]] = [:]
        for (key, book) in books where !unknown.contains(key) {
            for (name, provider) in providers(of: book, key) {
                let row = PeriodProviderRow(provider, name, of: key).values
                expected[Array(row.prefix(3))] = row
            }
        }
        try audit(PeriodProviderRow.table, against: expected) { PeriodKey($0[0], $0[1]) }
        expected = [:]
        for (day, model) in days where !unknown.contains(day.key) {
            let start = WallTime(milliseconds: day.day * 86_400_000)
            let text = CalendarMonth.dayText(of: start)
            let row = DayModelRow(model, day.model, of: day.key, day: text).values
            expected[Array(row.prefix(4))] = row
        }
        try audit(DayModelRow.table, against: expected) { PeriodKey($0[1], $0[2]) }
    }

    /// Compares a table with the rows that it has to have, by their keys.
    func audit(
        _ table: LedgerTable,
        against expected: [[LedgerValue]: [LedgerValue]],
        _ period: ([LedgerValue]) -> PeriodKey?
    ) throws(LedgerFailure) {
        var missing = expected
        let positions = table.keyPositions
        try rows("SELECT \(table.columnList) FROM \(table.name)") { (row) throws(LedgerFailure) in
            log.count(table)
            let key = positions.map { row[$0] }
            if let known = missing.removeValue(forKey: key) {
                log.compare(table, stored: row, expected: known)
            } else if period(row).map({ !unknown.contains($0) }) ?? true {
                log.unexpected(table, row)
            }
        }
        for row in missing.values { log.missing(table, row) }
    }

    private func auditPeriodRows() throws(LedgerFailure) {
        let table = PeriodRow.table
        try rows("SELECT \(table.columnList) FROM periods") { (stored) throws(LedgerFailure) in
            log.count(table)
            guard let key = PeriodKey(stored[0], stored[1]), !unknown.contains(key) else { return }
            guard let book = books[key], book.records > 0, let row = periods[key] else {
                return log.unexpected(table, stored)
            }
            guard !book.isNamed else { return }
            var expected = row
            expected.records = book.records
            expected.balance = balance(of: book, closed: row)
            log.compare(table, stored: stored, expected: expected.values)
            let current = openBalance(of: book)
            if book.mode == .graduated, book.posted != current {
                log.find(
                    LedgerFinding(
                        "journal",
                        key: table.keyText(stored),
                        stored: "\(book.posted.values.map(\.description))",
                        expected: "\(current.values.map(\.description))",
                        remark: "is the sum of what was posted"
                    )
                )
            }
        }
        for (key, book) in books where book.records > 0 && periods[key] == nil {
            log.missing(table, PeriodRow(key, mode: book.mode).values)
        }
    }

    private func balance(of book: AuditedPeriod, closed row: PeriodRow) -> Posting {
        let balance = openBalance(of: book)
        return row.closedAtMilliseconds == nil ? balance : balance.closed
    }

    /// The balance before the period was closed.
    func openBalance(of book: AuditedPeriod) -> Posting {
        guard book.mode == .graduated else { return book.book.balance }
        var balance = Posting.zero
        for model in book.models.values {
            let totals = model.totals
            balance.accrued += totals.graduated.charge
            balance.penalty += totals.graduated.penalty
            balance.discount += totals.subtotal - totals.graduated.charge - totals.graduated.penalty
            balance.revenue -= totals.subtotal
        }
        return balance
    }

    func providers(
        of book: AuditedPeriod,
        _ key: PeriodKey
    ) -> [String: PeriodBook.Provider] {
        guard book.mode == .graduated else { return book.book.providers }
        guard let month = CalendarMonth(text: key.period) else { return [:] }
        var providers: [String: PeriodBook.Provider] = [:]
        for (name, tokens) in book.providers {
            guard let tiers = prices?.openingList(of: month).tiers(of: name) else { continue }
            let tier = tiers.index(reachedBy: tokens)
            providers[name] = PeriodBook.Provider(
                tokens: tokens,
                tier: tier,
                discountBasisPoints: tiers[tier].discountBasisPoints
            )
        }
        return providers
    }

    /// Graduated discounts: each record in the order of its period.
    func auditOrders() throws(LedgerFailure) {
        let table = GraduatedChargeRow.table
        let columns = table.columns.map { "graduated_charges.\($0.quoted)" }
        let text =
            "SELECT \(columns.joined(separator: ", ")), records.model, "
            + "records.input_tokens + records.output_tokens, charges.subtotal_nano, "
            + "charges.penalty_bp, charges.account_id, charges.period, charges.provider, "
            + "records.ended_at_ms FROM graduated_charges "
            + "LEFT JOIN records ON records.record_id = graduated_charges.record_id "
            + "LEFT JOIN charges ON charges.number = records.number "
            + "ORDER BY \(table.key.map { "graduated_charges.\"\($0)\"" }.joined(separator: ", "))"
        var pass = OrderPass()
        var boundaries: [[LedgerValue]: [LedgerValue]] = [:]
        try rows(text) { (row) throws(LedgerFailure) in
            log.count(table)
            let stored = try GraduatedChargeRow(stored: Array(row.prefix(table.columns.count)))
            guard row[table.columns.count] != .null else { return log.unexpected(table, row) }
            guard isInPlace(row) else { return }
            if !pass.goesOn(with: stored) {
                for row in pass.boundaryRows { boundaries[Array(row.prefix(4))] = row }
                pass = OrderPass(stored, tiers: tiers(of: stored))
            }
            try audit(stored, row, &pass)
        }
        for row in pass.boundaryRows { boundaries[Array(row.prefix(4))] = row }
        boundaries = boundaries.filter { key, _ in
            PeriodKey(key[0], key[1]).map { !unknown.contains($0) } ?? true
        }
        try audit(BoundaryRow.table, against: boundaries) { PeriodKey($0[0], $0[1]) }
        try findUnordered()
    }

    /// Whether a row stands where its record belongs.
    private func isInPlace(_ row: [LedgerValue]) -> Bool {
        let table = GraduatedChargeRow.table
        let right = row[(table.columns.count + 4)...]
        guard row.prefix(4) != right else { return true }
        for (place, value) in right.enumerated() where row[place] != value {
            log.find(
                LedgerFinding(
                    table.name,
                    key: table.keyText(row),
                    column: table.columns[place].name,
                    stored: row[place].description,
                    expected: value.description
                )
            )
        }
        // What stands around it in either order cannot be worked out.
        for start in [row[0...], right] {
            if let key = PeriodKey(start[start.startIndex], start[start.startIndex + 1]) {
                unknown.insert(key)
            }
        }
        return false
    }

    private func tiers(of row: GraduatedChargeRow) -> [DiscountTier] {
        guard let month = CalendarMonth(text: row.key.period) else { return [.none] }
        return prices?.openingList(of: month).tiers(of: row.provider) ?? [.none]
    }

    private func audit(
        _ stored: GraduatedChargeRow,
        _ row: [LedgerValue],
        _ pass: inout OrderPass
    ) throws(LedgerFailure) {
        let width = GraduatedChargeRow.table.columns.count
        var reader = RowReader(GraduatedChargeRow.table, Array(row[width...]))
        let plain = GraduatedRecord(
            place: stored.record.place,
            model: try reader.text(),
            tokens: try reader.integer(),
            subtotal: Money(nanodollars: try reader.integer()),
            penaltyBasisPoints: try reader.integer(),
            charge: stored.record.charge
        )
        let record = pass.add(plain)
        let expected = GraduatedChargeRow(record, of: stored.key, provider: stored.provider)
        if !unknown.contains(stored.key) {
            log.compare(
                GraduatedChargeRow.table,
                stored: Array(row.prefix(width)),
                expected: expected.values
            )
        }
        books[stored.key]?.models[record.model]?.totals.graduated.add(record.charge)
        let day = AuditedDay(
            day: record.place.endedAtMilliseconds / 86_400_000,
            key: stored.key,
            model: record.model
        )
        days[day]?.totals.graduated.add(record.charge)
    }

    /// Charges of graduated periods that stand in no order.
    private func findUnordered() throws(LedgerFailure) {
        let text =
            "SELECT charges.account_id, charges.period, charges.provider, records.record_id "
            + "FROM charges JOIN records ON records.number = charges.number "
            + "JOIN periods ON periods.account_id = charges.account_id "
            + "AND periods.period = charges.period WHERE periods.discount_mode = 'graduated' "
            + "AND NOT EXISTS (SELECT 1 FROM graduated_charges "
            + "WHERE graduated_charges.account_id = charges.account_id "
            + "AND graduated_charges.period = charges.period "
            + "AND graduated_charges.provider = charges.provider "
            + "AND graduated_charges.ended_at_ms = records.ended_at_ms "
            + "AND graduated_charges.record_id = records.record_id)"
        try rows(text) { (row) throws(LedgerFailure) in
            log.find(
                LedgerFinding(
                    "graduated_charges",
                    key: "record_id=\(row[3].description)",
                    remark: "the row is missing"
                )
            )
        }
    }
}

extension PeriodKey {
    /// Nil for values of another kind.
    init?(_ account: LedgerValue, _ period: LedgerValue) {
        guard case .text(let account) = account, case .text(let period) = period else {
            return nil
        }
        self.init(account: account, period: period)
    }
}

/// A pass over one provider's records of a period, in their order.
private struct OrderPass {
    private var key: PeriodKey?
    private var provider = ""
    private var order = GraduatedOrder(tiers: [.none])
    private var tokens: Int64 = 0
    private var boundaries: [GraduatedOrder.Boundary] = []

    init() {}

    init(_ row: GraduatedChargeRow, tiers: [DiscountTier]) {
        key = row.key
        provider = row.provider
        order = GraduatedOrder(tiers: tiers)
        boundaries = order.boundaries
    }

    func goesOn(with row: GraduatedChargeRow) -> Bool {
        key == row.key && provider == row.provider
    }

    /// The next record, with its charge.
    mutating func add(_ record: GraduatedRecord) -> GraduatedRecord {
        for index in boundaries.indices where boundaries[index].pivot == nil {
            let threshold = boundaries[index].tokens
            guard tokens + record.tokens > threshold || tokens >= threshold else { continue }
            boundaries[index].pivot = record.place
            boundaries[index].tokensBefore = tokens
        }
        defer { tokens += record.tokens }
        return GraduatedRecord(
            place: record.place,
            model: record.model,
            tokens: record.tokens,
            subtotal: record.subtotal,
            penaltyBasisPoints: record.penaltyBasisPoints,
            charge: order.charge(of: record, tokensBefore: tokens)
        )
    }

    var boundaryRows: [[LedgerValue]] {
        guard let key else { return [] }
        return boundaries.enumerated().map { index, boundary in
            var boundary = boundary
            if boundary.pivot == nil { boundary.tokensBefore = tokens }
            return BoundaryRow(boundary, tier: index + 1, provider, of: key).values
        }
    }
}
