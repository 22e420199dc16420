/// Counts of non-negative numbers in buckets that widen with the number.
///
/// Sum, count, smallest and largest are exact (the sum saturates); percentiles are interpolated in
/// a bucket. When one of the 16-bit counts is full, all are halved: percentiles then weigh what
/// came later more. Nothing allocates.
package struct LogHistogram<let bucketCount: Int>: Sendable {
    package private(set) var sum: UInt64 = 0
    package private(set) var count: UInt32 = 0
    private var smallest: UInt32 = .max
    /// 0 when nothing was recorded.
    package private(set) var maximum: UInt32 = 0
    private let unitShift: UInt8
    private let stepBits: UInt8
    private var buckets = [bucketCount of UInt16](repeating: 0)

    /// Makes an empty histogram.
    ///
    /// - Parameters:
    ///   - unitShift: numbers are told apart in steps of 2 to this power.
    ///   - stepBits: each doubling is split into 2 to this power buckets.
    package init(unitShift: UInt8, stepBits: UInt8) {
        self.unitShift = unitShift
        self.stepBits = stepBits
    }

    package var minimum: UInt32 { count == 0 ? 0 : smallest }

    /// The mean, rounded to the nearest; 0 when nothing was recorded.
    package var mean: UInt64 { count == 0 ? 0 : (sum + UInt64(count) / 2) / UInt64(count) }

    /// Records `value` `times` times.
    package mutating func record(_ value: UInt32, times: UInt32 = 1) {
        guard times > 0 else { return }
        let (product, overflow) = UInt64(value).multipliedReportingOverflow(by: UInt64(times))
        sum = overflow ? .max : sum.addingSaturating(product)
        count = count.addingSaturating(times)
        smallest = min(smallest, value)
        maximum = max(maximum, value)
        add(times, toBucketAt: index(of: value))
    }

    /// About the smallest number that at least `permille` thousandths do not exceed.
    package func percentile(permille: UInt32) -> UInt32 {
        var total: UInt64 = 0
        for index in buckets.indices { total += UInt64(buckets[index]) }
        guard total > 0 else { return 0 }
        let rank = max(1, (total * UInt64(permille) + 999) / 1_000)
        var seen: UInt64 = 0
        for index in buckets.indices {
            let inBucket = UInt64(buckets[index])
            if seen + inBucket >= rank {
                let value = interpolated(bucket: index, rank: rank - seen, of: inBucket)
                return min(max(value, smallest), maximum)
            }
            seen += inBucket
        }
        return maximum
    }

    private mutating func add(_ times: UInt32, toBucketAt index: Int) {
        var left = times
        while UInt32(buckets[index]).addingSaturating(left) > UInt32(UInt16.max) {
            for each in buckets.indices { buckets[each] = buckets[each] / 2 + buckets[each] % 2 }
            left = left / 2 + left % 2
        }
        buckets[index] += UInt16(left)
    }

    private func index(of value: UInt32) -> Int {
        let steps = value >> UInt32(unitShift)
        guard steps >> UInt32(stepBits) > 0 else { return min(Int(steps), bucketCount - 1) }
        let octave = UInt32(31 - steps.leadingZeroBitCount)
        let step = (steps >> (octave - UInt32(stepBits))) & (1 << UInt32(stepBits) - 1)
        let index = Int((octave - UInt32(stepBits) + 1) << UInt32(stepBits) + step)
        return min(index, bucketCount - 1)
    }

    /// The smallest number of a bucket; one past the last bucket is where that ends.
    private func lowerBound(of index: Int) -> UInt64 {
        let steps = 1 << Int(stepBits)
        guard index >= steps else { return UInt64(index) << UInt64(unitShift) }
        let doubling = UInt64(index >> Int(stepBits)) - 1
        return UInt64(steps + index & (steps - 1)) << (doubling + UInt64(unitShift))
    }

    private func interpolated(bucket index: Int, rank: UInt64, of inBucket: UInt64) -> UInt32 {
        let low = lowerBound(of: index)
        let isLast = index == bucketCount - 1
        let high = isLast ? max(low, UInt64(maximum)) : lowerBound(of: index + 1) - 1
        return UInt32(clamping: low + (high - low) * rank / inBucket)
    }
}

/// Latencies in microseconds: steps of 4 µs, four buckets to a doubling, up to 8 s.
package typealias LatencyHistogram = LogHistogram<80>

/// Gaps in milliseconds: one bucket to a doubling, up to 17 minutes.
package typealias GapHistogram = LogHistogram<21>

extension LogHistogram where bucketCount == 80 {
    package init() { self.init(unitShift: 2, stepBits: 2) }
}

extension LogHistogram where bucketCount == 21 {
    package init() { self.init(unitShift: 0, stepBits: 0) }
}

extension UnsignedInteger where Self: FixedWidthInteger {
    func addingSaturating(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
