import Metering
import Reactor

/// A meter stream in memory: delivers in order, first what was delivered and never acknowledged
/// since the last `reconnect`.
package final class MemoryUsageSource: UsageSource {
    package enum Step: Hashable, Sendable {
        case next, acknowledge, setAside, publish
    }

    /// What happened, and what is still there.
    package struct State: Sendable {
        package var waiting: [DeliveredRecord] = []
        package var pending: [DeliveredRecord] = []
        /// Pending entries from this place on were delivered on this connection.
        package var redelivered = 0
        package var acknowledged: [String] = []
        package var setAside: [String: String] = [:]
        package var published: [String: Int64] = [:]
        package var steps: [Step] = []
    }

    private let guarded: Guarded<State>
    private let fault: @Sendable (Step) -> UsageSourceError?
    private let whenEmpty: @Sendable () -> Void

    /// Makes a stream that holds the records.
    ///
    /// - Parameters:
    ///   - records: all that will ever come.
    ///   - fault: asked before each step; an error makes the step fail.
    ///   - whenEmpty: told when `next` finds nothing.
    package init(
        _ records: [DeliveredRecord],
        fault: @escaping @Sendable (Step) -> UsageSourceError? = { _ in nil },
        whenEmpty: @escaping @Sendable () -> Void
    ) {
        guarded = Guarded(State(waiting: records))
        self.fault = fault
        self.whenEmpty = whenEmpty
    }

    package var state: State { guarded.withLock { $0 } }

    /// A new consumer takes the old one's place.
    package func reconnect() { guarded.withLock { $0.redelivered = 0 } }

    package func next(limit: Int) async throws(UsageSourceError) -> [DeliveredRecord] {
        try begin(.next)
        let batch = guarded.withLock { state in
            if state.redelivered < state.pending.count {
                let batch = Array(state.pending[state.redelivered...].prefix(limit))
                state.redelivered += batch.count
                return batch
            }
            let batch = Array(state.waiting.prefix(limit))
            state.waiting.removeFirst(batch.count)
            state.pending += batch
            state.redelivered = state.pending.count
            return batch
        }
        if batch.isEmpty { whenEmpty() }
        return batch
    }

    package func acknowledge(_ entryIDs: [String]) async throws(UsageSourceError) {
        try begin(.acknowledge)
        guarded.withLock { state in
            let ids = Set(entryIDs)
            let delivered = state.pending.prefix(state.redelivered)
            state.redelivered -= delivered.count { ids.contains($0.entryID) }
            state.pending.removeAll { ids.contains($0.entryID) }
            state.acknowledged += entryIDs
        }
    }

    package func setAside(
        _ record: DeliveredRecord,
        reason: String
    ) async throws(UsageSourceError) {
        try begin(.setAside)
        guarded.withLock { $0.setAside[record.entryID] = reason }
    }

    package func publishCommitted(
        gateway: String,
        epoch: Int64,
        through sequence: Int64
    ) async throws(UsageSourceError) {
        try begin(.publish)
        guarded.withLock { $0.published["\(gateway):\(epoch)"] = sequence }
    }

    private func begin(_ step: Step) throws(UsageSourceError) {
        guarded.withLock { $0.steps.append(step) }
        if let error = fault(step) { throw error }
    }
}
