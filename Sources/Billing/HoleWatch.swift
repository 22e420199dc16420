import Metering
import StreamBytes

/// Tells numbers that are late from numbers that are lost.
///
/// Records of one gateway take several ways to the ledger, so later numbers may arrive before
/// earlier ones. What is missing for longer than that can explain is told once, and told once more
/// when it has come after all.
package struct HoleWatch: Sendable {
    package enum News: Equatable, Sendable {
        case missing(SequenceRanges.Hole)
        case filled(SequenceRanges.Hole)
    }

    private let patience: Duration
    private var firstAt: MonotonicTime?
    /// Whether all that is missing for long enough has been told: not soon after a start.
    package private(set) var isSettled = false
    /// Since when the number that a hole begins with is missing; holes shrink from either side.
    private var seen: [SequenceRanges.Hole: MonotonicTime] = [:]
    private var told: Set<SequenceRanges.Hole> = []

    /// - Parameter patience: how long a number may be missing.
    package init(patience: Duration) { self.patience = patience }

    /// What is missing and has been told.
    package var missing: [SequenceRanges.Hole] {
        told.sorted { ($0.run, $0.numbers.lowerBound) < ($1.run, $1.numbers.lowerBound) }
    }

    /// Call now and then with all that is missing at the moment.
    package mutating func note(_ holes: [SequenceRanges.Hole], at now: MonotonicTime) -> [News] {
        firstAt = firstAt ?? now
        if let firstAt, now - firstAt >= patience { isSettled = true }
        var news: [News] = []
        for hole in told where !holes.contains(where: { hole.overlaps($0) }) {
            news.append(.filled(hole))
        }
        told = told.filter { hole in holes.contains { hole.overlaps($0) } }
        var seen: [SequenceRanges.Hole: MonotonicTime] = [:]
        for hole in holes {
            // What is left of a hole has been missing as long as the hole.
            let since = self.seen.filter { $0.key.overlaps(hole) }.values.min() ?? now
            seen[hole] = since
            let isTold = told.contains { $0.overlaps(hole) }
            if !isTold, now - since >= patience {
                told.insert(hole)
                news.append(.missing(hole))
            }
        }
        self.seen = seen
        return news
    }
}

extension SequenceRanges.Hole {
    fileprivate func overlaps(_ other: Self) -> Bool {
        run == other.run && numbers.overlaps(other.numbers)
    }
}
