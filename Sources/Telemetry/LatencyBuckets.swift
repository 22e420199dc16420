/// How durations are distributed, for the exposition: a plain value, added up across threads.
package struct LatencyBuckets: Equatable, Sendable {
    /// The upper bounds of the buckets, each included, from 50 µs to two minutes: the gateway's own
    /// latency and the wait for a provider's first token both fall well inside.
    package static let boundsMicroseconds: [Int64] = [
        50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
        1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000, 120_000_000,
    ]

    /// How many fell into each bucket alone; what lies beyond the last bound stands in none.
    package private(set) var counts: [UInt64]
    /// How many there were in all.
    package private(set) var count: UInt64 = 0
    /// Their sum in whole and fractional seconds.
    package private(set) var sumSeconds = 0.0

    package init() {
        counts = [UInt64](repeating: 0, count: Self.boundsMicroseconds.count)
    }

    /// Counts `number` durations of the same length; negative ones count as zero.
    package mutating func record(microseconds: Int64, number: UInt64 = 1) {
        let microseconds = max(0, microseconds)
        count += number
        sumSeconds += Double(microseconds) * Double(number) / 1_000_000
        var low = 0
        var high = counts.count
        while low < high {
            let middle = (low + high) / 2
            if Self.boundsMicroseconds[middle] < microseconds {
                low = middle + 1
            } else {
                high = middle
            }
        }
        if low < counts.count { counts[low] += number }
    }

    /// Adds what another counted.
    package mutating func add(_ other: LatencyBuckets) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        sumSeconds += other.sumSeconds
    }
}
