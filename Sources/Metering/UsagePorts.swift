/// Where the streams of a gateway keep what they use: counters while a stretch runs, its record when
/// it is over.
///
/// What is kept outlives the process.
package protocol UsageSink: AnyObject, Sendable {
    /// Why no new stream may start now; nil when one may. Call from any thread.
    var refusal: String? { get }

    /// Takes a slot for a stretch that begins; call from any thread.
    ///
    /// - Parameter opening: what names the stretch.
    /// - Returns: nil when no slot is free: the stretch must not begin.
    func begin(_ opening: UsageRecord) -> MeterSlot?

    /// Keeps the counters of a running stretch; cheap enough for every event.
    func save(_ counters: StretchCounters, in slot: inout MeterSlot)

    /// Keeps how many bytes of a running stretch are about to be in flight, before they are handed to
    /// the kernel; holds until counters are saved.
    func note(inFlightBytes: UInt64, in slot: MeterSlot)

    /// Takes the record of a stretch that is over, for good; the slot is not the caller's any more.
    func finish(_ record: UsageRecord, in slot: MeterSlot)
}

/// The right to one slot.
package struct MeterSlot: Sendable {
    package let number: UInt32
    /// How often counters were saved in it.
    package var generation: UInt64 = 0

    package init(number: UInt32) { self.number = number }
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
    /// Forgets what was delivered and not settled, so that it comes again; call it first.
    func rewind() async

    /// Returns records that have not come since the last `rewind`: first those that were delivered
    /// to this consumer before and never acknowledged, then those that another one left, then new
    /// ones.
    ///
    /// - Parameters:
    ///   - limit: how many at most.
    ///   - waits: whether to wait for some, at most a few seconds.
    /// - Returns: none when there are none.
    /// - Throws: `UsageSourceError`; the caller waits and tries again.
    func next(limit: Int, waits: Bool) async throws(UsageSourceError) -> [DeliveredRecord]

    /// Says what has become of records that came: first puts the refused ones aside, then publishes
    /// how far gateways are complete, then acknowledges.
    ///
    /// What cannot be set aside now is not acknowledged: it comes again, later.
    ///
    /// - Returns: why something of it is left to do, though the records are acknowledged; nil when
    ///   nothing is.
    /// - Throws: `UsageSourceError`; the same is said again then, which does no harm.
    func settle(_ records: SettledRecords) async throws(UsageSourceError) -> String?
}

/// What has become of some records.
package struct SettledRecords: Sendable {
    /// Entries that are stored for good.
    package var stored: [String] = []
    /// Records that will never be billed, and why.
    package var refused: [(record: DeliveredRecord, reason: String)] = []
    /// Up to which number everything of a gateway's run is stored or set aside.
    package var committed: [(gateway: String, epoch: Int64, through: Int64)] = []

    package init() {}
}

/// Why the meter stream cannot be used now.
package enum UsageSourceError: Error, Equatable, Sendable {
    case unavailable(String)
    /// The server answered with an error; its first word and the rest.
    case refused(String)
}

/// One run of a gateway; its records are numbered from 1 without gap.
package struct GatewayRun: Hashable, Sendable {
    /// The longest name of a gateway, in bytes.
    package static let nameByteLimit = 32

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

/// The finished records of a gateway that nobody else has yet, in numbered order, for the one who
/// sends them on.
package protocol UsageBacklog: Sendable {
    /// Takes the records that follow those of the last call.
    ///
    /// - Parameter limit: about how many, at least 1.
    /// - Returns: none when there are no more yet.
    /// - Throws: `UsageBacklogError`; the same records come at the next call.
    func next(limit: Int) async throws(UsageBacklogError) -> [BacklogEntry]

    /// Begins again with the oldest record that is not released.
    func rewind() async

    /// Forgets the records of a run up to a number: they are safe elsewhere.
    func release(_ run: GatewayRun, through sequence: Int64) async throws(UsageBacklogError)

    /// The runs that have records here, with the number up to which they are released.
    func waitingRuns() async -> [(run: GatewayRun, released: Int64)]

    /// Has `action` called, on any thread, when `next` may have more.
    func onGrowth(_ action: @escaping @Sendable () -> Void)
}

/// Why waiting records cannot be read or released now.
package struct UsageBacklogError: Error, Equatable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Where finished records stand until they are in the spool.
package protocol FinishedRecords: Sendable {
    /// The oldest records, in the order in which they were finished.
    func oldest(limit: Int) -> [UsageRecord]

    /// Forgets so many of the oldest: they are stored.
    func drop(first count: Int)
}
