import Metering
import Pricing
import StreamBytes

/// Books one batch: reads what it needs to know, decides in memory, and writes what follows.
///
/// Call it inside a transaction. The accounts of the batch are locked first and its gateways last,
/// each in the order of their names, so that two writers wait for each other and never in a circle.
struct BatchBooking {
    private let engine: any LedgerEngine
    private let prices: PriceBook?
    private let sealer: RowSealer
    private var knowledge: BatchKnowledge
    private var changes = BatchChanges()
    /// Records of this batch that were accepted.
    private var fresh: [String: MeterRecord] = [:]
    private var nextNumber: Int64 = 0

    /// Begins a batch.
    ///
    /// - Parameters:
    ///   - engine: in a transaction.
    ///   - directory: the accounts' terms.
    ///   - prices: rate records whose period was closed before they were booked; nil: no period is.
    ///   - cache: the totals that the batches before left.
    ///   - isCareful: every id is looked up, whatever its number says.
    init(
        _ engine: any LedgerEngine,
        _ directory: AccountDirectory,
        _ prices: PriceBook?,
        _ cache: PeriodCache,
        isCareful: Bool
    ) {
        self.engine = engine
        self.prices = prices
        sealer = engine.sealer
        knowledge = BatchKnowledge(engine, directory, prices, cache, isCareful: isCareful)
    }

    /// Remembers the totals; call after the commit.
    func remember() { knowledge.remember() }

    mutating func store(_ entries: [BillingEntry]) throws(LedgerFailure) -> StoreReceipt {
        let accounts = Set(entries.lazy.compactMap { $0.rated?.record.accountID })
        try engine.lock(accounts: accounts.sorted())
        nextNumber = try engine.numbers(entries.count * Self.numbersPerEntry)
        let origins = entries.map { RecordOrigin($0.delivered.fields) }
        let sequences = SequenceBooking(engine, origins.compactMap(\.self))
        try knowledge.load(entries, origins, sequences)
        var outcomes: [StoreOutcome] = []
        outcomes.reserveCapacity(entries.count)
        for entry in entries {
            outcomes.append(try store(entry))
            if changes.records.count == engine.recordsPerInsert { try writeRecords() }
        }
        try writeRecords()
        knowledge.countBatch()
        try changes.write(to: engine, knowledge)
        return StoreReceipt(outcomes: outcomes, committed: try sequences.add())
    }

    private mutating func writeRecords() throws(LedgerFailure) {
        try changes.writeRecords(to: engine)
        try knowledge.streams.write(to: engine)
    }

    private mutating func store(_ entry: BillingEntry) throws(LedgerFailure) -> StoreOutcome {
        switch entry {
        case .rejected(let delivered, let rejection): return setAside(delivered, rejection)
        case .rated(let rated):
            let id = rated.record.recordID
            if let known = fresh[id] ?? knowledge.records[id] {
                guard known != rated.record else { return .duplicate }
                return setAside(
                    rated.delivered,
                    RecordRejection(.duplicateConflict, "record_id")
                )
            }
            let billed = try open(rated)
            let key = knowledge.key(of: billed)
            guard let booking = knowledge.book(billed, in: key) else {
                return setAside(
                    rated.delivered,
                    RecordRejection(.totalOutOfRange, "record_id")
                )
            }
            fresh[id] = billed.record
            accept(billed, booking, of: key)
            return .accepted
        }
    }

    /// The record in a period that is still open: one that was received in time and booked after
    /// its period was closed belongs to the next one.
    private mutating func open(_ rated: RatedRecord) throws(LedgerFailure) -> RatedRecord {
        guard let prices, let list = prices.list(version: rated.priceListVersion) else {
            return rated
        }
        var period = rated.period
        while try knowledge.isClosed(period, of: rated.record.accountID) { period = period.next }
        guard period != rated.period else { return rated }
        return prices.rate(
            rated.record,
            delivered: rated.delivered,
            by: list,
            in: period,
            isLate: true
        )
    }

    private mutating func accept(_ rated: RatedRecord, _ booking: Booking, of key: PeriodKey) {
        let number = takeNumber()
        let row = RecordRow(rated, number: number)
        changes.records.append(row, sealer)
        changes.charges.append(
            ChargeRow(
                rated,
                number: number,
                period: key.period,
                postedTier: booking.postedTier
            )
        )
        if let adjustment = booking.adjustment {
            changes.journal.append(
                JournalRow(
                    .adjustment,
                    number: number,
                    key: key,
                    provider: rated.provider,
                    posting: adjustment
                ).values,
                sealer
            )
        }
        for alert in booking.alerts {
            let received = rated.delivered.receivedAtMilliseconds
            changes.alerts.append(AlertRow(alert, of: key, at: received).values, sealer)
        }
        changes.note(rated, booking, of: key)
        knowledge.addToStream(row)
        noteEvents(of: row)
    }

    private mutating func noteEvents(of row: RecordRow) {
        for (offset, event) in row.events {
            knowledge.append(
                event,
                number: row.number + offset,
                of: row.record.accountID,
                to: &changes.events
            )
        }
    }

    private mutating func setAside(
        _ delivered: DeliveredRecord,
        _ rejection: RecordRejection
    ) -> StoreOutcome {
        let row = RejectedRow(delivered, rejection, number: takeNumber())
        changes.rejected.append(row.values, sealer)
        return .setAside(rejection)
    }

    private mutating func takeNumber() -> Int64 {
        defer { nextNumber += Int64(Self.numbersPerEntry) }
        return nextNumber
    }

    /// One for the record, and one for each of its events, right behind it.
    private static let numbersPerEntry = 3
}

extension BillingEntry {
    var rated: RatedRecord? {
        guard case .rated(let rated) = self else { return nil }
        return rated
    }
}

extension RecordRow {
    /// What the record says that happened to its stream, each with its distance from the record's
    /// own number.
    var events: [(offset: Int64, event: LedgerEvent)] {
        var events: [(Int64, LedgerEvent)] = []
        if record.segment == 0 {
            let started = record.endedAtMilliseconds - record.durationMilliseconds
            let opened = LedgerEvent(
                .streamOpened,
                at: startedAtMilliseconds ?? started,
                subject: record.connectionID,
                detail: "model \(record.model)" + (keyID.map { ", key \($0)" } ?? "")
            )
            events.append((1, opened))
        }
        if let end, end != "interval", end != "period" {
            let closed = LedgerEvent(
                .streamClosed,
                at: record.endedAtMilliseconds,
                subject: record.connectionID,
                detail: end
            )
            events.append((2, closed))
        }
        return events
    }
}
