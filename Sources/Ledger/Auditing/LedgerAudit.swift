import Cryptography
import Metering
import Pricing

/// Works out again, from the records, everything that follows from them, and checks the seals of the
/// rest.
///
/// It reads the rows as they come: its memory grows with the accounts and their days, never with the
/// records.
final class LedgerAudit {
    let engine: any LedgerEngine
    let log: AuditLog
    var prices: PriceBook?
    /// The stored rows of `periods`, as they were.
    var periods: [PeriodKey: PeriodRow] = [:]
    /// The numbers of the events that closed periods, where their reports are known.
    var closings: [PeriodKey: Int64] = [:]
    var books: [PeriodKey: AuditedPeriod] = [:]
    var days: [AuditedDay: PeriodBook.Model] = [:]
    /// Periods of which something cannot be worked out, because a record is not known.
    var unknown: Set<PeriodKey> = []
    /// Records that were changed, as they were; nil where that is not known.
    var changedRecords: [Int64: RecordRow?] = [:]

    init(_ engine: any LedgerEngine, _ log: AuditLog) {
        self.engine = engine
        self.log = log
    }

    /// Does all of it; inside a transaction that reads.
    func run() -> AuditReport {
        section("database") { () throws(LedgerFailure) in
            for text in try engine.damage() { log.find(LedgerFinding("database", remark: text)) }
        }
        section("price_lists") { () throws(LedgerFailure) in try auditPriceLists() }
        section("periods") { () throws(LedgerFailure) in try loadPeriods() }
        section("usage_reports") { () throws(LedgerFailure) in try loadClosings() }
        section("records") { () throws(LedgerFailure) in try auditRecords() }
        section("charges") { () throws(LedgerFailure) in try findStrays() }
        section("graduated_charges") { () throws(LedgerFailure) in try auditOrders() }
        section("periods") { () throws(LedgerFailure) in try auditTotals() }
        section("usage_reports") { () throws(LedgerFailure) in try auditReports() }
        section("streams") { () throws(LedgerFailure) in try auditStreams() }
        section("events") { () throws(LedgerFailure) in try auditEvents() }
        section("account_keys") { () throws(LedgerFailure) in try auditKeys() }
        for table in [RejectedRow.table, AlertRow.table, SequenceRow.table] {
            section(table.name) { () throws(LedgerFailure) in try auditSeals(table) }
        }
        return log.report
    }

    /// What cannot be read is a finding, and the next part goes on.
    private func section(_ name: String, _ body: () throws(LedgerFailure) -> Void) {
        do throws(LedgerFailure) {
            try body()
        } catch {
            log.find(LedgerFinding(name, remark: "it cannot be read: \(error.error)"))
        }
    }

    func rows(
        _ text: String,
        _ body: ([LedgerValue]) throws(LedgerFailure) -> Void
    ) throws(LedgerFailure) {
        let cursor = try engine.cursor(text)
        while let row = try cursor.next() { try body(row) }
    }

    private func auditSeals(_ table: LedgerTable) throws(LedgerFailure) {
        try rows("SELECT \(table.columnList) FROM \(table.name)") { (row) throws(LedgerFailure) in
            log.count(table)
            _ = log.checkSeal(table, row)
        }
    }

    private func auditPriceLists() throws(LedgerFailure) {
        let table = PriceListRow.table
        var lists: [PriceList] = []
        try rows("SELECT \(table.columnList) FROM price_lists") { (row) throws(LedgerFailure) in
            log.count(table)
            guard let known = log.checkSeal(table, row).row else { return }
            let stored = try PriceListRow(stored: known)
            let hash = SHA256Digest(of: stored.body).hexadecimal
            if hash != stored.sha256 {
                log.find(
                    LedgerFinding(
                        table.name,
                        key: table.keyText(known),
                        column: "sha256",
                        stored: stored.sha256,
                        expected: hash
                    )
                )
            }
            lists.append(try stored.list())
        }
        guard !lists.isEmpty else { return }
        prices = try? PriceBook(lists)
        if prices == nil {
            log.find(LedgerFinding(table.name, remark: "the lists contradict each other"))
        }
    }

    private func loadPeriods() throws(LedgerFailure) {
        let table = PeriodRow.table
        try rows("SELECT \(table.columnList) FROM periods") { (row) throws(LedgerFailure) in
            let checked = log.checkSeal(table, row)
            guard let known = checked.row else { return }
            let period = try PeriodRow(stored: known)
            periods[period.key] = period
            books[period.key] = AuditedPeriod(period.mode, isNamed: !checked.changed.isEmpty)
        }
    }

    /// Rows that belong to no record.
    private func findStrays() throws(LedgerFailure) {
        let strays: [(LedgerTable, String, Int)] = [
            (ChargeRow.table, "", 0),
            (JournalRow.table, "kind = 'adjustment' AND ", 0),
            (EventRow.table, "kind = 'stream_opened' AND ", 1),
            (EventRow.table, "kind = 'stream_closed' AND ", 2),
        ]
        for (table, condition, offset) in strays {
            try rows(
                "SELECT \(table.columnList) FROM \(table.name) WHERE \(condition)NOT EXISTS "
                    + "(SELECT 1 FROM records WHERE records.number = "
                    + "\(table.name).number - \(offset))"
            ) { (row) throws(LedgerFailure) in log.unexpected(table, row) }
        }
    }
}

/// A period as it is worked out again.
struct AuditedPeriod {
    /// Holds everything where the discount is whole-volume, and the counts where it is graduated.
    var book: PeriodBook
    let mode: DiscountMode
    var records: Int64 = 0
    /// What was posted, where the discount is graduated.
    var posted = Posting.zero
    var models: [String: PeriodBook.Model] = [:]
    var providers: [String: Int64] = [:]
    /// A column of its stored row was found changed already.
    var isNamed = false

    init(_ mode: DiscountMode, isNamed: Bool = false) {
        self.mode = mode
        self.isNamed = isNamed
        book = PeriodBook(mode: .wholeVolume)
    }
}

struct AuditedDay: Hashable {
    /// Days since 1970 UTC.
    let day: Int64
    let key: PeriodKey
    let model: String
}
