import Metering
import Pricing
import StreamBytes

/// Books one batch: reads what it needs to know, decides in memory, and writes what follows.
///
/// Call it inside a transaction. The accounts of the batch are locked first and its gateways last,
/// each in the order of their names, so that two writers wait for each other and never in a circle.
struct BatchBooking {
    private let engine: any LedgerEngine
    private let directory: AccountDirectory
    private let prices: PriceBook?
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
    init(_ engine: any LedgerEngine, _ directory: AccountDirectory, _ prices: PriceBook?) {
        self.engine = engine
        self.directory = directory
        self.prices = prices
        knowledge = BatchKnowledge(engine, directory)
    }

    mutating func store(_ entries: [BillingEntry]) throws(LedgerFailure) -> StoreReceipt {
        let rated = entries.compactMap(\.rated)
        try engine.lock(accounts: Set(rated.map(\.record.accountID)).sorted())
        nextNumber = try engine.numbers(entries.count)
        try knowledge.load(rated)
        var outcomes: [StoreOutcome] = []
        outcomes.reserveCapacity(entries.count)
        for entry in entries { outcomes.append(try store(entry)) }
        try changes.write(to: engine, knowledge)
        let origins = entries.compactMap { RecordOrigin($0.delivered.fields) }
        return StoreReceipt(
            outcomes: outcomes,
            committed: try SequenceBooking(engine).add(origins)
        )
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
            guard let booking = knowledge.book(billed) else {
                return setAside(
                    rated.delivered,
                    RecordRejection(.totalOutOfRange, "record_id")
                )
            }
            fresh[id] = billed.record
            accept(billed, booking)
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

    private mutating func accept(_ rated: RatedRecord, _ booking: Booking) {
        let number = takeNumber()
        let key = knowledge.key(of: rated)
        let row = RecordRow(rated, number: number)
        changes.records.append(row.values)
        changes.charges.append(ChargeRow(rated, number: number, period: key.period).values)
        changes.journal.append(
            JournalRow(
                .charge,
                number: number,
                key: key,
                provider: rated.provider,
                tier: booking.tier,
                posting: booking.posting
            ).values
        )
        if let adjustment = booking.adjustment {
            changes.journal.append(
                JournalRow(
                    .adjustment,
                    number: number,
                    key: key,
                    provider: rated.provider,
                    tier: booking.tier,
                    posting: adjustment
                ).values
            )
        }
        for alert in booking.alerts {
            let received = rated.delivered.receivedAtMilliseconds
            changes.alerts.append(AlertRow(alert, of: key, at: received).values)
        }
        changes.note(rated, booking, of: key)
        knowledge.addToStream(row)
        noteEvents(of: row)
    }

    private mutating func noteEvents(of row: RecordRow) {
        for event in row.events {
            knowledge.append(event, of: row.record.accountID, to: &changes.events)
        }
    }

    private mutating func setAside(
        _ delivered: DeliveredRecord,
        _ rejection: RecordRejection
    ) -> StoreOutcome {
        let row = RejectedRow(delivered, rejection, number: takeNumber())
        changes.rejected.append(row.values)
        return .setAside(rejection)
    }

    private mutating func takeNumber() -> Int64 {
        defer { nextNumber += 1 }
        return nextNumber
    }
}

extension BillingEntry {
    fileprivate var rated: RatedRecord? {
        guard case .rated(let rated) = self else { return nil }
        return rated
    }
}

extension RecordRow {
    /// What the record says that happened to its stream.
    var events: [LedgerEvent] {
        var events: [LedgerEvent] = []
        if record.segment == 0 {
            let started = record.endedAtMilliseconds - record.durationMilliseconds
            events.append(
                LedgerEvent(
                    .streamOpened,
                    at: number("started_at_ms") ?? started,
                    subject: record.connectionID,
                    detail: "model \(record.model)" + (text("key_id").map { ", key \($0)" } ?? "")
                )
            )
        }
        if let end = text("end"), end != "interval", end != "period" {
            events.append(
                LedgerEvent(
                    .streamClosed,
                    at: record.endedAtMilliseconds,
                    subject: record.connectionID,
                    detail: end
                )
            )
        }
        return events
    }
}
