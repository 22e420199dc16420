/// Pauses between attempts: doubled after each failure in a row, up to a bound, and spread by chance.
package struct Backoff: Sendable {
    private let shortest: Duration
    private let longest: Duration
    private var failures = 0

    package init(shortest: Duration, longest: Duration) {
        self.shortest = shortest
        self.longest = longest
    }

    /// Returns the next pause.
    ///
    /// It is between half of its full length and all of it, so that those who failed together do not
    /// come back together.
    package mutating func next(randomBits: UInt64) -> Duration {
        let full = min(longest, shortest * (1 << min(failures, 20)))
        failures += 1
        let fraction = Double(randomBits >> 11) / Double(1 << 53)
        return full * (0.5 + fraction / 2)
    }

    package mutating func succeeded() { failures = 0 }
}
