/// Counts by a key with few values, such as a reason: a plain value, added up across threads.
package struct CounterSet<Key: Hashable & Sendable>: Equatable, Sendable {
    package private(set) var counts: [Key: UInt64] = [:]

    package init() {}

    /// The count of `key`, 0 if it was never counted.
    package subscript(key: Key) -> UInt64 { counts[key] ?? 0 }

    /// The sum of all counts.
    package var total: UInt64 { counts.values.reduce(0, +) }

    /// Counts once more, or `number` times.
    package mutating func count(_ key: Key, _ number: UInt64 = 1) {
        counts[key, default: 0] += number
    }

    /// Adds what another counted.
    package mutating func add(_ other: CounterSet) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }
}
