/// Pauses between attempts: doubled after each failure, with chance, up to a bound.
struct Backoff: Sendable {
    let first: Duration
    let longest: Duration
    private var failures = 0

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// Returns the next pause: between half of its full length and all of it.
    mutating func next(randomBits: UInt64) -> Duration {
        let full = min(longest, first * (1 << min(failures, 20)))
        failures += 1
        let fraction = Double(randomBits >> 11) / Double(1 << 53)
        return full * (0.5 + fraction / 2)
    }

    /// An attempt succeeded.
    mutating func reset() { failures = 0 }
}
