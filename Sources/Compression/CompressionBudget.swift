import Synchronization

/// The memory that encoders hold beyond the kilobyte that every compressed stream is allowed.
///
/// May be used by several threads; the limit comes with each call, because a reload changes it.
package final class CompressionBudget: Sendable {
    private let used = Atomic<Int>(0)

    package init() {}

    /// Bytes reserved now.
    package var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Reserves memory.
    ///
    /// - Returns: false when `limit` would be exceeded; nothing is reserved then.
    package func reserve(_ byteCount: Int, limit: Int) -> Bool {
        let sum = used.add(byteCount, ordering: .relaxed).newValue
        if sum <= limit { return true }
        release(byteCount)
        return false
    }

    /// Gives reserved memory back.
    package func release(_ byteCount: Int) {
        let rest = used.subtract(byteCount, ordering: .relaxed).newValue
        precondition(rest >= 0, "only what was reserved is given back")
    }
}
