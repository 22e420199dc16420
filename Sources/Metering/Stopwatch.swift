import StreamBytes

/// Adds up the time in which something was the case.
struct Stopwatch: Sendable {
    private var totalNanoseconds: Int64 = 0
    /// `Int64.min` while stopped.
    private var since = Int64.min

    var isRunning: Bool { since != .min }

    /// Starts it; a running one goes on.
    mutating func start(at now: MonotonicTime) {
        if !isRunning { since = now.nanoseconds }
    }

    mutating func stop(at now: MonotonicTime) {
        guard isRunning else { return }
        add(now.nanoseconds &- since)
        since = .min
    }

    mutating func add(_ nanoseconds: Int64) {
        totalNanoseconds &+= max(0, nanoseconds)
    }

    /// The time so far, in nanoseconds.
    func elapsed(at now: MonotonicTime) -> Int64 {
        totalNanoseconds &+ (isRunning ? max(0, now.nanoseconds &- since) : 0)
    }

    /// Takes the whole milliseconds out, at most `limit`, and goes on from zero.
    ///
    /// The limit keeps a part from being longer than the whole where clocks were read in a
    /// different order.
    mutating func takeMilliseconds(at now: MonotonicTime, limit: Int64) -> Int64 {
        let taken = min(elapsed(at: now) / 1_000_000, limit)
        totalNanoseconds = 0
        if isRunning { since = now.nanoseconds }
        return taken
    }
}
