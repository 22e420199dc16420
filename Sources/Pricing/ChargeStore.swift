import Metering

/// Where charges are kept: the ledger, as billing sees it.
///
/// What is stored stays stored, through crashes and power cuts, once a call has returned.
package protocol ChargeStore: Sendable {
    /// Stores a batch, all or nothing, in order.
    ///
    /// `record_id` is the key: an entry whose record is stored already changes nothing. So after
    /// any error, also one that leaves open whether the batch was committed, the same batch is
    /// simply stored again.
    ///
    /// - Returns: one outcome per entry, and how far each gateway named in the batch is complete.
    /// - Throws: `ChargeStoreError`; the batch must be offered again, never dropped.
    func store(_ entries: [BillingEntry]) async throws(ChargeStoreError) -> StoreReceipt

    /// How far every gateway that was ever stored is complete.
    func committedSequences() async throws(ChargeStoreError) -> [CommittedSequence]
}

/// A record as it was judged: rated or refused.
package enum BillingEntry: Sendable {
    case rated(RatedRecord)
    case rejected(DeliveredRecord, RecordRejection)

    package var delivered: DeliveredRecord {
        switch self {
        case .rated(let rated): rated.delivered
        case .rejected(let delivered, _): delivered
        }
    }
}

package struct StoreReceipt: Equatable, Sendable {
    package let outcomes: [StoreOutcome]
    package let committed: [CommittedSequence]

    package init(outcomes: [StoreOutcome], committed: [CommittedSequence]) {
        self.outcomes = outcomes
        self.committed = committed
    }
}

/// What the store did with an entry.
package enum StoreOutcome: Equatable, Sendable {
    case accepted
    /// The same record was stored before; nothing changed.
    case duplicate
    /// The record is not billed, and noted as set aside: for the entry's own reason, or because it
    /// contradicts what is stored.
    case setAside(RecordRejection)
}

/// Up to which number every record of one run of a gateway is stored or set aside.
package struct CommittedSequence: Hashable, Sendable {
    package let gateway: String
    package let epoch: Int64
    /// 0: not even the first.
    package let through: Int64

    package init(gateway: String, epoch: Int64, through: Int64) {
        self.gateway = gateway
        self.epoch = epoch
        self.through = through
    }
}

/// Why a batch could not be stored; whatever it is, nothing of the batch may be acknowledged.
package enum ChargeStoreError: Error, Equatable, Sendable {
    /// Someone else holds the store, longer than it was worth waiting.
    case busy
    case diskFull
    case readOnly
    /// The store's contents cannot be trusted; the text says what was found.
    case damaged(String)
    /// The store was written by a newer program.
    case newerSchema(found: Int64, supported: Int64)
    case closed
    /// What was asked contradicts what is stored; the text says how.
    case refused(String)
    /// It cannot be reached or used at the moment, whatever it is asked for; the text says why.
    case unavailable(String)
    /// Anything else, in the store's own words: it may be due to what was asked.
    case failed(String)
}

/// Which record of which run of which gateway this is; nil where it does not say so properly.
package struct RecordOrigin: Hashable, Sendable {
    package let gateway: String
    package let epoch: Int64
    /// From 1.
    package let sequence: Int64

    package init?(_ fields: [String: String]) {
        guard let gateway = fields["gateway"], MeterIdentifier.isValid(gateway),
            case .number(let epoch) = IntegerText(fields["epoch"] ?? ""),
            case .number(let sequence) = IntegerText(fields["seq"] ?? ""),
            (1..<Int64.max).contains(sequence)
        else { return nil }
        self.gateway = gateway
        self.epoch = epoch
        self.sequence = sequence
    }
}
