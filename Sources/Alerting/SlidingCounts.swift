import StreamBytes

/// How much counters that only grow have grown in the last minutes.
package struct SlidingCounts: Sendable {
    private struct Mark {
        let at: MonotonicTime
        let counts: [String: Int64]
    }

    private let span: Duration
    private let spacing: Duration
    private var marks: [Mark] = []

    /// - Parameters:
    ///   - span: how far back the growth is counted.
    ///   - markLimit: how many states are kept; the span is so exact.
    package init(span: Duration, markLimit: Int = 60) {
        precondition(span > .zero && markLimit > 1, "growth is counted between two states")
        self.span = span
        spacing = span / markLimit
    }

    /// Takes the state of the counters and says how much each has grown since about `span` ago, or
    /// since the first state where that is later.
    ///
    /// A counter that has become smaller was begun anew: then all of it counts.
    package mutating func note(
        _ counts: [String: Int64],
        at now: MonotonicTime
    ) -> [String: Int64] {
        if let first = marks.first, first.counts.contains(where: { $0.value > counts[$0.key] ?? 0 })
        {
            marks = [Mark(at: now, counts: [:])]
        }
        // The youngest of those that are old enough is where the span begins.
        while marks.count > 1, now - marks[1].at >= span { marks.removeFirst() }
        let base = marks.first?.counts ?? counts
        if marks.last.map({ now - $0.at >= spacing }) ?? true {
            marks.append(Mark(at: now, counts: counts))
        }
        return counts.reduce(into: [:]) { $0[$1.key] = $1.value - (base[$1.key] ?? 0) }
    }
}
