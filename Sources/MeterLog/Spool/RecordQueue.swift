import Metering
import Reactor

/// Finished records in memory, until the spool has them.
package final class RecordQueue: UsageSink, FinishedRecords {
    private let limit: Int
    private let queue = Guarded(Queue())

    private struct Queue {
        var records: [UsageRecord] = []
        var action: @Sendable () -> Void = {}
        var refusal: @Sendable () -> String? = { nil }
    }

    /// - Parameter limit: of records; what comes beyond it is refused.
    package init(limit: Int) { self.limit = limit }

    /// Connects the spool that empties it.
    package func connect(to spool: Spool) {
        queue.withLock { queue in
            queue.action = { [weak spool] in spool?.recordsAreWaiting() }
            queue.refusal = { [weak spool] in spool?.refusal }
        }
    }

    package func accept(_ records: [UsageRecord]) -> Bool {
        let action: (@Sendable () -> Void)? = queue.withLock { queue in
            guard queue.records.count < limit else { return nil }
            queue.records += records
            return queue.action
        }
        action?()
        return action != nil
    }

    package var refusal: String? { queue.withLock(\.refusal)() }

    package func oldest(limit: Int) -> [UsageRecord] {
        queue.withLock { Array($0.records.prefix(limit)) }
    }

    package func drop(first count: Int) { queue.withLock { $0.records.removeFirst(count) } }
}
