import StreamBytes

/// How busy a reactor is, from the CPU time that its thread has used.
package struct LoadGauge: Sendable {
    /// In thousandths: a mean in which the last four seconds count most, because a choice lasts for
    /// the whole stream, and a crowd that comes at once is soon served.
    package var permille: Int { sum / Self.weight }

    private var sum = 0
    private var readAt: MonotonicTime?
    private var cpuNanoseconds: Int64 = 0

    private static let weight = 8
    private static let intervalNanoseconds: Int64 = 500_000_000

    package init() {}

    /// Whether the last reading is old.
    package func isDue(at now: MonotonicTime) -> Bool {
        guard let readAt else { return true }
        return now.nanoseconds &- readAt.nanoseconds >= Self.intervalNanoseconds
    }

    /// Call when a reading is due, with the CPU time used so far.
    package mutating func read(cpuNanoseconds cpu: Int64, at now: MonotonicTime) {
        defer {
            readAt = now
            cpuNanoseconds = cpu
        }
        guard let readAt, now > readAt else { return }
        let elapsed = now.nanoseconds - readAt.nanoseconds
        let share = (cpu - cpuNanoseconds) * 1_000 / elapsed
        // A reading stands for all the time since the last, which may be long.
        let weight = Int(min(max(1, elapsed / Self.intervalNanoseconds), Int64(Self.weight)))
        sum += weight * (Int(min(max(0, share), 1_000)) - sum / Self.weight)
    }
}
