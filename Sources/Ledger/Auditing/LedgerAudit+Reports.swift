import Metering
import Pricing
import StreamBytes

extension LedgerAudit {
    /// Where in the order of its account's numbers each month was closed, as its report says.
    func loadClosings() throws(LedgerFailure) {
        let table = UsageReportRow.table
        // What is wrong with them is said when they are audited.
        let silent = AuditLog(findingLimit: 0) { _, _ in }
        try rows("SELECT \(table.columnList) FROM usage_reports") { (row) throws(LedgerFailure) in
            guard let known = silent.checkSeal(table, row).row else { return }
            let report = try UsageReportRow(stored: known)
            closings[report.key] = report.number
        }
    }

    /// Whether a month took no more records when a number was given; nil where that is not known.
    func isClosed(
        _ period: CalendarMonth,
        of account: String,
        before number: Int64
    ) -> Bool? {
        let key = PeriodKey(account: account, period: period.description)
        guard periods[key]?.closedAtMilliseconds != nil else { return false }
        return closings[key].map { $0 < number }
    }

    /// The reports of closed months, and the transactions that closed them, against what the records
    /// say.
    func auditReports() throws(LedgerFailure) {
        let table = UsageReportRow.table
        let columns = table.columns.map { "usage_reports.\($0.quoted)" }.joined(separator: ", ")
        var pass = ReportPass(closed: periods.filter { $0.value.closedAtMilliseconds != nil }.keys)
        try rows(
            "SELECT \(columns), events.number FROM usage_reports "
                + "LEFT JOIN events ON events.number = usage_reports.number"
        ) { (row) throws(LedgerFailure) in
            log.count(table)
            try audit(report: Array(row.dropLast()), event: row.last ?? .null, &pass)
        }
        for key in pass.unreported { log.missing(table, key.values) }
        try auditClosings(&pass)
    }

    private func audit(
        report stored: [LedgerValue],
        event: LedgerValue,
        _ pass: inout ReportPass
    ) throws(LedgerFailure) {
        let table = UsageReportRow.table
        let checked = log.checkSeal(table, stored)
        guard let known = checked.row else {
            // It is named already, and what it says cannot be relied on.
            if let key = PeriodKey(stored[0], stored[1]) { pass.skip(key) }
            return
        }
        let row = try UsageReportRow(stored: known)
        pass.unreported.remove(row.key)
        if event == .null { log.missing(EventRow.table, [.integer(row.number)]) }
        guard let closedAt = periods[row.key]?.closedAtMilliseconds else {
            return log.find(
                LedgerFinding(
                    table.name,
                    key: table.keyText(known),
                    remark: "is of a month that is not closed"
                )
            )
        }
        guard let report = report(of: row, closedAt) else { return pass.skip(row.key) }
        log.compare(
            table,
            stored: known + [.bytes(checked.seal)],
            expected: UsageReportRow(report, closedAt: closedAt, number: row.number).values
        )
        for transaction in JournalRow.closing(report, after: row.number) {
            let values = transaction.values
            pass.transactions[Array(values.prefix(2))] = values
        }
    }

    /// The report as it follows from the records; nil where these are not all known.
    private func report(of row: UsageReportRow, _ closedAt: Int64) -> PeriodReport? {
        guard !unknown.contains(row.key), let prices,
            let month = CalendarMonth(text: row.key.period), let book = book(of: row.key)
        else { return nil }
        return PeriodReport(
            account: row.key.account,
            month: month,
            book: book,
            terms: row.terms,
            prices: prices,
            closedAt: WallTime(milliseconds: closedAt)
        )
    }

    private func book(of key: PeriodKey) -> PeriodBook? {
        guard let book = books[key], book.mode == .graduated else { return books[key]?.book }
        return PeriodBook(
            mode: .graduated,
            providers: providers(of: book, key),
            models: book.models,
            balance: openBalance(of: book),
            firedAlerts: []
        )
    }

    private func auditClosings(_ pass: inout ReportPass) throws(LedgerFailure) {
        let table = JournalRow.table
        try rows(
            "SELECT \(table.columnList) FROM journal WHERE kind <> 'adjustment'"
        ) { (stored) throws(LedgerFailure) in
            log.count(table)
            let checked = log.checkSeal(table, stored)
            // A changed kind is named, and its record misses the adjustment.
            guard let known = checked.row, known[1] == .text(JournalRow.Kind.close.rawValue)
            else { return }
            let row = try JournalRow(stored: known)
            let seal = LedgerValue.bytes(checked.seal)
            if let expected = pass.transactions.removeValue(forKey: Array(known.prefix(2))) {
                log.compare(table, stored: known + [seal], expected: expected)
            } else if !pass.isSkipped(row.key) {
                log.unexpected(table, known)
            }
        }
        for row in pass.transactions.values { log.missing(table, row) }
    }
}

/// What is left to be found while the reports are read.
private struct ReportPass {
    /// Closed months of which no report was seen.
    var unreported: Set<PeriodKey>
    /// By number and kind.
    var transactions: [[LedgerValue]: [LedgerValue]] = [:]
    /// Months of which nothing can be said.
    private var skipped: Set<PeriodKey> = []

    init(closed: some Sequence<PeriodKey>) { unreported = Set(closed) }

    mutating func skip(_ key: PeriodKey) {
        unreported.remove(key)
        skipped.insert(key)
    }

    /// Without its report, nobody knows what the transactions of a month should be.
    func isSkipped(_ key: PeriodKey) -> Bool { skipped.contains(key) || unreported.contains(key) }
}
