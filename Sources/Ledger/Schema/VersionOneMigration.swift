import Metering
import Pricing

/// Brings a ledger of version 1 up to date: its records are booked again in the order in which they
/// were accepted, and every charge has to come out as it was.
struct VersionOneMigration {
    private static let batchLimit = 1_000
    private static let tables = [
        "records", "charges", "tier_charges", "periods", "period_charges", "day_charges",
        "day_usage", "sequences", "rejected",
    ]

    private let engine: SQLiteEngine
    private let prices: PriceBook
    private let cache = PeriodCache()

    init(_ engine: SQLiteEngine, _ prices: PriceBook) {
        self.engine = engine
        self.prices = prices
    }

    /// Does it; inside a transaction.
    ///
    /// - Parameter now: the wall clock, in milliseconds since 1970.
    /// - Throws: `LedgerFailure`; the transaction is to be rolled back then.
    func run(at now: Int64) throws(LedgerFailure) {
        try engine.execute("DROP VIEW charge_list")
        for table in Self.tables {
            try engine.execute("ALTER TABLE \(table) RENAME TO old_\(table)")
        }
        for statement in LedgerSchema.statements(.sqlite) { try engine.execute(statement) }
        try PriceListBooking(engine).add(try usedLists(), at: now)
        var last: Int64 = 0
        while let next = try bookBatch(after: last) { last = next }
        try moveRejected()
        try moveSequences()
        for table in Self.tables.reversed() { try engine.execute("DROP TABLE old_\(table)") }
    }

    private func usedLists() throws(LedgerFailure) -> [PriceList] {
        var lists: [PriceList] = []
        for values in try engine.query("SELECT DISTINCT price_list FROM old_charges", []) {
            guard case .text(let version)? = values.first else { continue }
            guard let list = prices.list(version: version) else {
                throw .refused(
                    "the ledger holds charges of the price list \(version): it has to stand among "
                        + "`prices` when the ledger is brought up to date"
                )
            }
            lists.append(list)
        }
        return lists
    }

    /// Books the next records; returns the number of the last one, nil when there were none.
    private func bookBatch(after number: Int64) throws(LedgerFailure) -> Int64? {
        let further = RecordRow.furtherTexts + RecordRow.furtherNumbers
        let columns =
            RecordRow.ratedColumns.map(\.name) + further + ["entry_id", "received_at_ms"]
        let wanted = columns.map { "old_records.\"\($0)\"" }.joined(separator: ", ")
        let rows = try engine.query(
            "SELECT \(wanted), old_charges.period, old_charges.is_late, old_charges.price_list, "
                + "old_charges.subtotal_nano, number FROM old_records "
                + "JOIN old_charges USING (number) WHERE number > $1 ORDER BY number LIMIT $2",
            [.integer(number), .integer(Int64(Self.batchLimit))]
        )
        guard case .integer(let last)? = rows.last?.last else { return nil }
        var entries: [BillingEntry] = []
        for values in rows { entries.append(.rated(try rated(values, further))) }
        var booking = BatchBooking(engine, AccountDirectory(), nil, cache, isCareful: true)
        let receipt = try booking.store(entries)
        booking.remember()
        guard receipt.outcomes.allSatisfy({ $0 == .accepted }) else {
            throw .damaged("a record of the old ledger cannot be booked again")
        }
        return last
    }

    private func rated(
        _ values: [LedgerValue],
        _ further: [String]
    ) throws(LedgerFailure) -> RatedRecord {
        var reader = RowReader(RecordRow.table, values)
        let record = try MeterRecord(&reader)
        var fields: [String: String] = [:]
        for name in further.prefix(RecordRow.furtherTexts.count) {
            fields[name] = try reader.optionalText()
        }
        for name in further.dropFirst(RecordRow.furtherTexts.count) {
            fields[name] = try reader.optionalInteger().map { String($0) }
        }
        let entryID = try reader.text()
        let received = try reader.integer()
        let period = try reader.text()
        let isLate = try reader.integer() != 0
        let version = try reader.text()
        let subtotal = try reader.integer()
        guard let list = prices.list(version: version), let month = CalendarMonth(text: period)
        else { throw .damaged("charges.period is \"\(period)\"") }
        guard list.price(of: record.model) != nil else { throw changed(version, record) }
        let rated = prices.rate(
            record,
            delivered: DeliveredRecord(
                entryID: entryID,
                receivedAtMilliseconds: received,
                fields: fields
            ),
            by: list,
            in: month,
            isLate: isLate
        )
        guard rated.charge.subtotal.nanodollars == subtotal else { throw changed(version, record) }
        return rated
    }

    private func changed(_ version: String, _ record: MeterRecord) -> LedgerFailure {
        .refused(
            "the record \(record.recordID) does not come out as it was charged: the price list "
                + "\(version) is not the one that it was rated by"
        )
    }

    private func moveRejected() throws(LedgerFailure) {
        let rows = try engine.query(
            "SELECT number, entry_id, received_at_ms, record_id, reason, field, fields "
                + "FROM old_rejected ORDER BY number",
            []
        )
        let first = try engine.numbers(rows.count)
        var rejected = LedgerRows(RejectedRow.table)
        for (index, values) in rows.enumerated() {
            rejected.append(
                [.integer(first + Int64(index))] + values.dropFirst(),
                engine.sealer
            )
        }
        try engine.write(.insert(rejected))
    }

    private func moveSequences() throws(LedgerFailure) {
        try engine.execute("DELETE FROM sequences")
        var sequences = LedgerRows(SequenceRow.table)
        for values in try engine.query(
            "SELECT gateway, epoch, first, last FROM old_sequences",
            []
        ) {
            sequences.append(values, engine.sealer)
        }
        try engine.write(.insert(sequences))
    }
}
