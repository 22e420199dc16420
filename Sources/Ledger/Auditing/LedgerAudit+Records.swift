import Metering
import Pricing
import StreamBytes

extension LedgerAudit {
    /// Each record with its charge and its transactions, in the order in which they were accepted.
    func auditRecords() throws(LedgerFailure) {
        let tables = [
            ("records", RecordRow.table), ("charges", ChargeRow.table),
            ("journal", JournalRow.table),
        ]
        let columns = tables.flatMap { name, table in
            table.columns.map { "\(name).\($0.quoted)" }
        }
        let text =
            "SELECT \(columns.joined(separator: ", ")), opened.number, closed.number FROM records "
            + "LEFT JOIN charges ON charges.number = records.number "
            + "LEFT JOIN journal ON journal.number = records.number "
            + "AND journal.kind = 'adjustment' "
            + "LEFT JOIN events AS opened ON opened.number = records.number + 1 "
            + "LEFT JOIN events AS closed ON closed.number = records.number + 2 "
            + "ORDER BY records.number"
        try rows(text) { (values) throws(LedgerFailure) in
            var rest = values[...]
            var parts: [[LedgerValue]] = []
            for (_, table) in tables {
                parts.append(Array(rest.prefix(table.columns.count)))
                rest = rest.dropFirst(table.columns.count)
            }
            try audit(record: parts[0], charge: parts[1], adjustment: parts[2], events: Array(rest))
        }
    }

    private func audit(
        record stored: [LedgerValue],
        charge: [LedgerValue],
        adjustment: [LedgerValue],
        events: [LedgerValue]
    ) throws(LedgerFailure) {
        log.count(RecordRow.table)
        let checked = log.checkSeal(RecordRow.table, stored)
        guard let known = checked.row else {
            if case .integer(let number) = stored[0] { changedRecords[number] = .some(nil) }
            return forget(charge)
        }
        let row = try RecordRow(stored: known)
        if !checked.changed.isEmpty, case .integer(let number) = stored[0] {
            changedRecords[number] = row
        }
        for (offset, _) in row.events where events[Int(offset) - 1] == .null {
            log.missing(EventRow.table, [.integer(row.number + offset)])
        }
        guard charge[0] != .null else {
            log.missing(ChargeRow.table, [.integer(row.number)])
            unknown.insert(PeriodKey(account: row.record.accountID, period: ""))
            return
        }
        log.count(ChargeRow.table)
        guard let rated = rate(row, charge) else { return forget(charge) }
        let key = PeriodKey(account: row.record.accountID, period: rated.period.description)
        let mode = periods[key]?.mode ?? .wholeVolume
        books[key, default: AuditedPeriod(mode)].records += 1
        if adjustment[0] != .null { log.count(JournalRow.table) }
        let postedTier: Int?
        if mode == .graduated {
            postedTier = try auditGraduated(row, rated, key, adjustment)
        } else {
            postedTier = auditWholeVolume(row, rated, key, adjustment)
        }
        guard let postedTier else { return forget(charge) }
        let expected = ChargeRow(
            rated,
            number: row.number,
            period: key.period,
            postedTier: postedTier
        )
        log.compare(ChargeRow.table, stored: charge, expected: expected.values)
        let day = AuditedDay(
            day: row.record.endedAtMilliseconds / 86_400_000,
            key: key,
            model: row.record.model
        )
        days[day, default: PeriodBook.Model(provider: rated.provider)].totals.add(
            rated,
            graduated: nil
        )
    }

    /// The record as it has to be rated; nil, and a finding, where no list can.
    private func rate(_ row: RecordRow, _ charge: [LedgerValue]) -> RatedRecord? {
        let record = row.record
        guard let list = prices?.list(at: record.endedAtMilliseconds), let prices,
            list.price(of: record.model) != nil
        else {
            log.find(
                LedgerFinding(
                    "records",
                    key: "record_id='\(record.recordID)'",
                    column: "model",
                    stored: "'\(record.model)'",
                    remark: "no stored price list has it"
                )
            )
            return nil
        }
        var (period, isLate) = prices.period(
            endedAtMilliseconds: record.endedAtMilliseconds,
            receivedAtMilliseconds: row.receivedAtMilliseconds
        )
        // One that was booked after its period was closed belongs to the first that was not.
        let billed = charge[ChargeRow.table.position(of: "period")].month
        while isClosed(period, of: record.accountID, before: row.number)
            ?? billed.map({ period < $0 }) ?? false
        {
            period = period.next
            isLate = true
        }
        return prices.rate(
            record,
            delivered: DeliveredRecord(
                entryID: row.entryID,
                receivedAtMilliseconds: row.receivedAtMilliseconds,
                fields: [:]
            ),
            by: list,
            in: period,
            isLate: isLate
        )
    }

    /// Books the record again; returns the tier that it is posted at, nil when it cannot be booked.
    private func auditWholeVolume(
        _ row: RecordRow,
        _ rated: RatedRecord,
        _ key: PeriodKey,
        _ stored: [LedgerValue]
    ) -> Int? {
        guard let booking = books[key]?.book.add(rated) else { return nil }
        if let adjustment = booking.adjustment {
            let expected = JournalRow(
                .adjustment,
                number: row.number,
                key: key,
                provider: rated.provider,
                posting: adjustment
            )
            if stored[0] == .null {
                log.missing(JournalRow.table, expected.values)
            } else {
                log.compare(JournalRow.table, stored: stored, expected: expected.values)
            }
        } else if stored[0] != .null {
            log.unexpected(JournalRow.table, stored)
        }
        return booking.postedTier
    }

    /// How a charge was adjusted depends on what had arrived by then: the seal vouches for each
    /// transaction, and their sum has to be what the period costs.
    private func auditGraduated(
        _ row: RecordRow,
        _ rated: RatedRecord,
        _ key: PeriodKey,
        _ stored: [LedgerValue]
    ) throws(LedgerFailure) -> Int? {
        let name = row.record.model
        books[key]?.models[name, default: PeriodBook.Model(provider: rated.provider)].totals.add(
            rated,
            graduated: nil
        )
        books[key]?.providers[rated.provider, default: 0] += row.record.tokens
        let charge = rated.charge.tiers[0]
        var posted = books[key]?.posted ?? .zero
        posted.accrued += charge.charge.nanodollars
        posted.discount += charge.discount.nanodollars
        posted.penalty += charge.penalty.nanodollars
        posted.revenue -= rated.charge.subtotal.nanodollars
        if stored[0] != .null, let known = log.checkSeal(JournalRow.table, stored).row {
            posted = posted + (try JournalRow(stored: known).posting)
        }
        books[key]?.posted = posted
        return 0
    }

    /// Gives up on the totals of a period of which one record is not known any more.
    private func forget(_ charge: [LedgerValue]) {
        guard case .text(let account) = charge[ChargeRow.table.position(of: "account_id")],
            case .text(let period) = charge[ChargeRow.table.position(of: "period")]
        else { return }
        unknown.insert(PeriodKey(account: account, period: period))
    }
}

extension LedgerValue {
    /// The month that a text names; nil for any other value.
    fileprivate var month: CalendarMonth? {
        guard case .text(let text) = self else { return nil }
        return CalendarMonth(text: text)
    }
}
