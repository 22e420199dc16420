import Metering
import Reactor

/// A meter stream in memory: delivers in order, first what was delivered and never acknowledged
/// since the last `rewind`.
package final class MemoryUsageSource: UsageSource {
    package enum Step: Hashable, Sendable {
        case next, settle
    }

    /// What happened, and what is still there.
    package struct State: Sendable {
        package var waiting: [DeliveredRecord] = []
        package var pending: [DeliveredRecord] = []
        /// Pending entries up to this place were delivered since the last `rewind`.
        package var redelivered = 0
        package var acknowledged: [String] = []
        package var setAside: [String: String] = [:]
        package var published: [String: Int64] = [:]
        package var steps: [Step] = []
    }

    private let guarded: Guarded<State>
    private let fault: @Sendable (Step) -> UsageSourceError?
    private let whenEmpty: @Sendable () -> Void
    private let whenRead: @Sendable (Int) -> Void

    /// Makes a stream that holds the records.
    ///
    /// - Parameters:
    ///   - records: all that will ever come.
    ///   - fault: asked before each step; an error makes the step fail.
    ///   - whenEmpty: told when a `next` that waits finds nothing.
    ///   - whenRead: told after each `next` how many records are with the reader.
    package init(
        _ records: [DeliveredRecord],
        fault: @escaping @Sendable (Step) -> UsageSourceError? = { _ in nil },
        whenEmpty: @escaping @Sendable () -> Void,
        whenRead: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        guarded = Guarded(State(waiting: records))
        self.fault = fault
        self.whenEmpty = whenEmpty
        self.whenRead = whenRead
    }

    package var state: State { guarded.withLock { $0 } }

    package func rewind() async { guarded.withLock { $0.redelivered = 0 } }

    package func next(
        limit: Int,
        waits: Bool
    ) async throws(UsageSourceError) -> [DeliveredRecord] {
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
        whenRead(guarded.withLock(\.redelivered))
        if batch.isEmpty, waits { whenEmpty() }
        return batch
    }

    package func settle(_ records: SettledRecords) async throws(UsageSourceError) -> String? {
        try begin(.settle)
        guarded.withLock { state in
            for refused in records.refused {
                state.setAside[refused.record.entryID] = refused.reason
            }
            for run in records.committed {
                state.published["\(run.gateway):\(run.epoch)"] = run.through
            }
            state.acknowledge(records.stored + records.refused.map(\.record.entryID))
        }
        return nil
    }

    private func begin(_ step: Step) throws(UsageSourceError) {
        guarded.withLock { $0.steps.append(step) }
        if let error = fault(step) { throw error }
    }
}

extension MemoryUsageSource.State {
    fileprivate mutating func acknowledge(_ entryIDs: [String]) {
        let ids = Set(entryIDs)
        redelivered -= pending.prefix(redelivered).count { ids.contains($0.entryID) }
        pending.removeAll { ids.contains($0.entryID) }
        acknowledged += entryIDs
    }
}
