import Metering
import Pricing
import StreamBytes

/// Closes an account's month: from then on it takes no more records, and what its invoice says is
/// frozen.
///
/// Call it inside a transaction. The account is locked first, as by whoever books for it, so that a
/// month is closed once, and between two batches.
struct PeriodClosing {
    private let engine: any LedgerEngine
    private let prices: PriceBook
    private let directory: AccountDirectory

    /// - Parameters:
    ///   - engine: in a transaction.
    ///   - prices: all lists.
    ///   - directory: the accounts' terms, which the report keeps.
    init(_ engine: any LedgerEngine, _ prices: PriceBook, _ directory: AccountDirectory) {
        self.engine = engine
        self.prices = prices
        self.directory = directory
    }

    /// Closes it.
    ///
    /// - Parameters:
    ///   - place: the account and its month.
    ///   - now: the wall clock, in milliseconds since 1970.
    /// - Returns: what it came to; nil where it was closed already, or never had a record.
    /// - Throws: `LedgerFailure`.
    func close(_ place: AccountMonth, at now: Int64) throws(LedgerFailure) -> ClosedPeriod? {
        let key = PeriodKey(account: place.account, period: place.month.description)
        try engine.lock(accounts: [key.account])
        guard let open = try PeriodReading(engine).periods([key])[key],
            open.row.closedAtMilliseconds == nil
        else { return nil }
        let report = PeriodReport(
            account: key.account,
            month: place.month,
            book: open.book,
            terms: directory.terms(of: key.account),
            prices: prices,
            closedAt: WallTime(milliseconds: now)
        )
        guard report.total.sums.charge == Int128(open.row.balance.accrued) else {
            throw .damaged("periods.accrued_nano of \(key.account) \(key.period)")
        }
        let number = try engine.numbers(1 + report.providers.count)
        let row = UsageReportRow(report, closedAt: now, number: number)
        try write(row, JournalRow.closing(report, after: number), open.row)
        return ClosedPeriod(
            place: place,
            charge: Money(nanodollars: open.row.balance.accrued),
            gross: row.gross,
            currency: row.terms.currency
        )
    }

    private func write(
        _ report: UsageReportRow,
        _ transactions: [JournalRow],
        _ open: PeriodRow
    ) throws(LedgerFailure) {
        var reports = LedgerRows(UsageReportRow.table)
        reports.append(report.values, engine.sealer)
        try engine.write(.insert(reports))
        var journal = LedgerRows(JournalRow.table)
        for transaction in transactions { journal.append(transaction.values, engine.sealer) }
        try engine.write(.insert(journal))
        var closed = open
        closed.balance = closed.balance.closed
        closed.closedAtMilliseconds = report.closedAtMilliseconds
        var periods = LedgerRows(PeriodRow.table)
        periods.append(closed.values, engine.sealer)
        try engine.write(.put(periods))
        try note(report)
    }

    /// Appends the event, and counts the account's batches up: whoever remembers its totals believes
    /// that the month is open.
    private func note(_ report: UsageReportRow) throws(LedgerFailure) {
        let account = report.key.account
        let read = LedgerRead(AccountRow.table, by: ["account_id"], [[.text(account)]])
        var head = AccountRow(id: account)
        for values in try engine.read([read])[0] { head = try AccountRow(stored: values) }
        head.batches += 1
        var events = LedgerRows(EventRow.table)
        let event = LedgerEvent(
            .periodClosed,
            at: report.closedAtMilliseconds,
            subject: report.key.period,
            detail: "gross \(report.gross) \(report.terms.currency), report sha256 "
                + report.sha256
        )
        head.append(event, number: report.number, to: &events, engine.sealer)
        try engine.write(.insert(events))
        var heads = LedgerRows(AccountRow.table)
        heads.append(head.values, engine.sealer)
        try engine.write(.put(heads))
    }
}

extension JournalRow {
    /// What closes a month: each provider's charge from accrued to receivable.
    ///
    /// - Parameters:
    ///   - report: of the month.
    ///   - number: that of the event; theirs follow it.
    /// - Returns: one transaction for each provider, in the order of their names.
    static func closing(_ report: PeriodReport, after number: Int64) -> [JournalRow] {
        let key = PeriodKey(account: report.account, period: report.month.description)
        let providers = report.providers.sorted { $0.key < $1.key }
        return providers.enumerated().map { index, provider in
            var posting = Posting.zero
            posting.receivable = Int64(clamping: provider.value.sums.charge)
            posting.accrued = -posting.receivable
            return JournalRow(
                .close,
                number: number + 1 + Int64(index),
                key: key,
                provider: provider.key,
                posting: posting
            )
        }
    }
}

extension Posting {
    /// What becomes of a month's balance when it is closed.
    var closed: Posting {
        var closed = self
        closed.receivable += accrued
        closed.accrued = 0
        return closed
    }
}
