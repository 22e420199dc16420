import Billing
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport

/// A pace without waiting: counts the waits and can be asked to end the run.
final class InstantPace: BillingPace {
    private let waits = Guarded<[Duration]>([])
    private let onWait: @Sendable () -> Void

    init(onWait: @escaping @Sendable () -> Void = {}) { self.onWait = onWait }

    var waited: [Duration] { waits.withLock { $0 } }
    var wallClock: WallTime { WallTime(milliseconds: BillingSamples.noon + 5_000) }

    var now: MonotonicTime { MonotonicTime(nanoseconds: 1) }

    func wait(_ duration: Duration) async {
        waits.withLock { $0.append(duration) }
        onWait()
    }

    func randomBits() -> UInt64 { 0 }
}

/// Ends a run from anywhere, also before it has begun.
final class StopSwitch: Sendable {
    private let state = Guarded<(task: Task<Void, Never>?, isOff: Bool)>((nil, false))

    func control(_ task: Task<Void, Never>) {
        let isOff = state.withLock { state in
            state.task = task
            return state.isOff
        }
        if isOff { task.cancel() }
    }

    func off() {
        let task = state.withLock { state in
            state.isOff = true
            return state.task
        }
        task?.cancel()
    }
}

extension BillingActor {
    /// Runs until the switch is used.
    nonisolated func run(until stop: StopSwitch) async {
        let task = Task { await self.run() }
        stop.control(task)
        await task.value
    }
}

/// A charge store in memory that can be made to fail before or after it has stored.
actor MemoryChargeStore: ChargeStore {
    enum Fault: Sendable {
        case before(ChargeStoreError)
        /// It is stored, but the caller cannot know.
        case after(ChargeStoreError)
    }

    private(set) var stored: [String: RatedRecord] = [:]
    private(set) var batchSizes: [Int] = []
    /// One for each call; nil: none.
    private var faults: [Fault?]
    private let known: [CommittedSequence]
    /// Records that make it fail whenever they are to be billed.
    private let poison: Set<String>
    /// Called before each batch.
    private let beforeStoring: @Sendable () async -> Void

    init(
        faults: [Fault?] = [],
        known: [CommittedSequence] = [],
        poison: Set<String> = [],
        beforeStoring: @escaping @Sendable () async -> Void = {}
    ) {
        self.faults = faults.reversed()
        self.known = known
        self.poison = poison
        self.beforeStoring = beforeStoring
    }

    func committedSequences() -> [CommittedSequence] { known }

    func store(_ entries: [BillingEntry]) async throws(ChargeStoreError) -> StoreReceipt {
        await beforeStoring()
        let fault = faults.popLast() ?? nil
        for case .rated(let rated) in entries where poison.contains(rated.record.recordID) {
            throw .failed("malformed")
        }
        if case .before(let error) = fault { throw error }
        batchSizes.append(entries.count)
        let outcomes = entries.map { outcome($0) }
        if case .after(let error) = fault { throw error }
        let origins = entries.compactMap { RecordOrigin($0.delivered.fields) }
        let committed = origins.map(\.sequence).max().map {
            [CommittedSequence(gateway: "g", epoch: 1, through: $0)]
        }
        return StoreReceipt(outcomes: outcomes, committed: committed ?? [])
    }

    private func outcome(_ entry: BillingEntry) -> StoreOutcome {
        switch entry {
        case .rejected(_, let rejection): return .setAside(rejection)
        case .rated(let rated):
            guard let known = stored[rated.record.recordID] else {
                stored[rated.record.recordID] = rated
                return .accepted
            }
            return known.record == rated.record
                ? .duplicate : .setAside(RecordRejection(.duplicateConflict, "record_id"))
        }
    }
}
