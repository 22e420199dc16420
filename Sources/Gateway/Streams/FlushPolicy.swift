import StreamBytes

/// Decides when events leave: at once while the line is idle; together when they come faster than
/// the client takes them.
package struct FlushPolicy: Sendable {
    package enum Decision: Equatable, Sendable {
        case now
        /// More may gather until then.
        case wait(until: MonotonicTime)
    }

    /// So many waiting bytes leave without further delay.
    package let byteLimit: Int
    /// The longest that an event waits for others once the line has room.
    package let delay: Duration
    /// Set while the line could not take everything that was offered.
    private var oldestWaitingAt: MonotonicTime?

    package init(byteLimit: Int, delay: Duration) {
        self.byteLimit = byteLimit
        self.delay = delay
    }

    /// Call when events came while earlier bytes still waited for the kernel.
    package mutating func eventsCameWhileBusy(at now: MonotonicTime) {
        if oldestWaitingAt == nil { oldestWaitingAt = now }
    }

    /// Call when the line can take bytes.
    package mutating func lineHasRoom(waitingBytes: Int, at now: MonotonicTime) -> Decision {
        guard let oldest = oldestWaitingAt, waitingBytes < byteLimit, now < oldest + delay else {
            oldestWaitingAt = nil
            return .now
        }
        return .wait(until: oldest + delay)
    }
}
