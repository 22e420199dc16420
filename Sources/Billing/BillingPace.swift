import StreamBytes

/// Time and chance, as billing needs them; simulations bring their own.
package protocol BillingPace: Sendable {
    /// Waits, or returns at once when the task is cancelled.
    func wait(_ duration: Duration) async

    func randomBits() -> UInt64

    var wallClock: WallTime { get }

    /// The monotonic clock.
    var now: MonotonicTime { get }
}

/// The machine's own time and chance.
package struct SystemBillingPace: BillingPace {
    private let readWallClock: @Sendable () -> WallTime
    private let readClock: @Sendable () -> MonotonicTime

    /// Takes the clocks from the caller.
    ///
    /// - Parameters:
    ///   - wallClock: reads the wall clock; called from any thread.
    ///   - clock: reads the monotonic clock; likewise.
    package init(
        wallClock: @escaping @Sendable () -> WallTime,
        clock: @escaping @Sendable () -> MonotonicTime
    ) {
        readWallClock = wallClock
        readClock = clock
    }

    package func wait(_ duration: Duration) async {
        // The only error is cancellation, which the caller sees for itself.
        try? await Task.sleep(for: duration)
    }

    package func randomBits() -> UInt64 { .random(in: .min ... .max) }

    package var wallClock: WallTime { readWallClock() }

    package var now: MonotonicTime { readClock() }
}
