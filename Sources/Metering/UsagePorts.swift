/// Where gateways hand finished records over.
package protocol UsageSink: Sendable {
    /// Takes the records, in order, at once and for good; call from any thread.
    ///
    /// - Returns: false when the sink is full: the caller keeps them and offers them again.
    func accept(_ records: [UsageRecord]) -> Bool

    /// Whether new streams may be started, with the reason why not.
    var refusal: String? { get }
}

/// A record as it was delivered: an entry of the meter stream.
package struct DeliveredRecord: Sendable {
    /// The stream's entry id, `<milliseconds>-<number>`.
    package let entryID: String
    /// When the stream first took the entry: the time in its id.
    package let receivedAtMilliseconds: Int64
    package let fields: [String: String]

    package init(entryID: String, receivedAtMilliseconds: Int64, fields: [String: String]) {
        self.entryID = entryID
        self.receivedAtMilliseconds = receivedAtMilliseconds
        self.fields = fields
    }
}

/// Where billing gets records from: one partition of the meter stream, read as a consumer group.
package protocol UsageSource: Sendable {
    /// Waits for records, at most a few seconds; first those delivered before and never
    /// acknowledged. An empty answer means that none came in time.
    ///
    /// - Throws: `UsageSourceError`; the caller waits and tries again.
    func next(limit: Int) async throws(UsageSourceError) -> [DeliveredRecord]

    /// Tells the group that these entries are in the ledger or set aside.
    func acknowledge(_ entryIDs: [String]) async throws(UsageSourceError)

    /// Puts a rejected record aside, with the reason, before it is acknowledged.
    func setAside(_ record: DeliveredRecord, reason: String) async throws(UsageSourceError)

    /// Publishes up to which sequence everything of this gateway and epoch is in the ledger or set
    /// aside.
    func publishCommitted(
        gateway: String,
        epoch: Int64,
        through sequence: Int64
    ) async throws(UsageSourceError)
}

/// Why the meter stream cannot be used now.
package enum UsageSourceError: Error, Equatable, Sendable {
    case unavailable(String)
    /// The server answered with an error; its first word and the rest.
    case refused(String)
}

/// One run of a gateway; its records are numbered from 1 without gap.
package struct GatewayRun: Hashable, Sendable {
    package let gateway: String
    /// Larger at each start of the gateway.
    package let epoch: Int64

    package init(gateway: String, epoch: Int64) {
        self.gateway = gateway
        self.epoch = epoch
    }
}

/// What waits in a gateway's spool under one number.
package enum BacklogEntry: Equatable, Sendable {
    case record(UsageRecord)
    /// The record of this number cannot be read any more.
    case lost(GatewayRun, sequence: Int64)
}
