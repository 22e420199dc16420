import Metering
import Reactor

/// Hands the records of this gateway to metering, in order.
///
/// A record that metering cannot take now waits here; new streams are refused meanwhile, so what
/// waits is at most one record for each stream that is open and each that ends.
package final class UsageJournal: Sendable {
    private let sink: any UsageSink
    private let waiting = Guarded<[UsageRecord]>([])

    /// - Parameter sink: takes the records.
    package init(sink: any UsageSink) { self.sink = sink }

    /// Why no new stream may start; nil when one may.
    package var refusal: String? {
        if isBlocked {
            return "the meter takes no records; streams that could not be metered are refused"
        }
        return sink.refusal
    }

    /// Whether records wait here, so that those which can be put off should be.
    var isBlocked: Bool { waiting.withLock { !$0.isEmpty } }

    /// Hands the record on.
    ///
    /// Call from any thread.
    func add(_ record: UsageRecord) {
        waiting.withLock { waiting in
            waiting.append(record)
            if sink.accept(waiting) { waiting = [] }
        }
    }

    /// Offers what waits again.
    ///
    /// - Returns: how many records wait still.
    package func flush() -> Int {
        waiting.withLock { waiting in
            if !waiting.isEmpty, sink.accept(waiting) { waiting = [] }
            return waiting.count
        }
    }
}
