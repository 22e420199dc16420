/// How long to wait after each failure in a row: doubling, bounded, and spread by chance.
struct Backoff {
    private let shortest: Duration
    private let longest: Duration
    private var failures = 0

    init(shortest: Duration, longest: Duration) {
        self.shortest = shortest
        self.longest = longest
    }

    /// The next wait: between half of the doubled one and all of it, so that those who failed
    /// together do not come back together.
    mutating func next(randomBits: UInt64) -> Duration {
        let doubled = shortest * (1 << min(failures, 20))
        failures += 1
        let whole = min(doubled, longest)
        return whole / 2 + whole / 2 * Double(randomBits >> 40) / Double(1 << 24)
    }

    mutating func succeeded() { failures = 0 }
}
