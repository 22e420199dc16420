import Metering
import Reactor

/// Numbers the records of this gateway without gap and hands them to metering, in order.
///
/// A record that metering cannot take now waits here; new streams are refused meanwhile, so what
/// waits is at most one record for each stream that is open and each that ends.
package final class UsageJournal: Sendable {
    private let sink: any UsageSink
    private let gateway: String
    private let epoch: Int64
    private let state = Guarded(State())

    private struct State {
        var lastSequence: Int64 = 0
        var waiting: [UsageRecord] = []
    }

    /// - Parameters:
    ///   - sink: takes the records.
    ///   - gateway: names this gateway for good.
    ///   - epoch: larger at each start.
    package init(sink: any UsageSink, gateway: String, epoch: Int64) {
        self.sink = sink
        self.gateway = gateway
        self.epoch = epoch
    }

    /// Why no new stream may start; nil when one may.
    package var refusal: String? {
        if state.withLock({ !$0.waiting.isEmpty }) {
            return "the meter takes no records; streams that could not be metered are refused"
        }
        return sink.refusal
    }

    /// Whether records wait here, so that those which can be put off should be.
    var isBlocked: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// Numbers the record and hands it on.
    ///
    /// Call from any thread.
    func add(_ record: UsageRecord) {
        state.withLock { state in
            state.lastSequence += 1
            var record = record
            record.gateway = gateway
            record.epoch = epoch
            record.sequence = state.lastSequence
            state.waiting.append(record)
            if sink.accept(state.waiting) { state.waiting = [] }
        }
    }

    /// Offers what waits again.
    ///
    /// - Returns: how many records wait still.
    package func flush() -> Int {
        state.withLock { state in
            if !state.waiting.isEmpty, sink.accept(state.waiting) { state.waiting = [] }
            return state.waiting.count
        }
    }
}
