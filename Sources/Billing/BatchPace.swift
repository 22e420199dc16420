/// How many records the next batch may have: as many as the ledger stores in a short time.
///
/// A batch costs one commit whatever its size, so large ones are cheap; but what is in a batch
/// waits for all of it, and is done again when it fails.
struct BatchPace {
    /// A commit that takes longer makes batches smaller.
    static let longCommit = Duration.milliseconds(1_000)
    /// One that takes less lets a full batch be followed by a larger one.
    static let shortCommit = Duration.milliseconds(400)
    /// The smallest limit.
    static let smallest = 50

    private let largest: Int
    private(set) var limit: Int

    /// - Parameter largest: at least 1.
    init(largest: Int) {
        self.largest = largest
        limit = min(largest, 4 * Self.smallest)
    }

    /// Call when a batch is stored.
    mutating func stored(_ count: Int, in time: Duration) {
        if time > Self.longCommit {
            limit = max(min(Self.smallest, largest), limit / 2)
        } else if time < Self.shortCommit, count >= limit {
            limit = min(largest, limit * 2)
        }
    }
}
