/// How times are distributed: whole microseconds, told apart to 1 in 32, up to 70 minutes.
package struct LoadHistogram: Sendable, Equatable {
    private static let stepBits = 5
    private static let bucketCount = 28 << stepBits

    private var buckets = [Int](repeating: 0, count: bucketCount)
    package private(set) var count = 0
    package private(set) var maximum: Int64 = 0

    package init() {}

    package mutating func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let microseconds = max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        buckets[Self.bucket(of: microseconds)] += 1
        count += 1
        maximum = max(maximum, microseconds)
    }

    package mutating func add(_ other: LoadHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    /// The time that a share of the recorded ones does not exceed.
    ///
    /// - Parameter share: more than 0, at most 1.
    /// - Returns: microseconds, at most 3 % too large; nil when none was recorded.
    package func microseconds(at share: Double) -> Int64? {
        guard count > 0 else { return nil }
        let wanted = max(1, Int((Double(count) * share).rounded(.up)))
        var seen = 0
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= wanted { return min(maximum, Self.upperBound(of: index)) }
        }
        return maximum
    }

    private static func bucket(of value: Int64) -> Int {
        let linear = Int64(1) << (stepBits + 1)
        guard value >= linear else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - stepBits
        let index = (shift << stepBits) + Int(value >> shift)
        return min(index, bucketCount - 1)
    }

    private static func upperBound(of index: Int) -> Int64 {
        guard index >= 2 << stepBits else { return Int64(index) }
        let shift = (index >> stepBits) - 1
        return (Int64(index - (shift << stepBits) + 1) << shift) - 1
    }
}
