import StreamBytes

/// How far a stream's counters had come at a few instants of the last minutes, so that what
/// happened since can be told.
struct RecentTotals {
    private struct Mark {
        var at: MonotonicTime
        var events: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private static let spacing = Duration.seconds(30)
    private var marks: [3 of Mark]

    init(openedAt: MonotonicTime) { marks = [3 of Mark](repeating: Mark(at: openedAt)) }

    /// Call when the counters are about to grow.
    mutating func note(events: UInt64, bytes: UInt64, at now: MonotonicTime) {
        guard now - marks[2].at >= Self.spacing else { return }
        marks[0] = marks[1]
        marks[1] = marks[2]
        marks[2] = Mark(at: now, events: events, bytes: bytes)
    }

    /// What was counted in about `period`, and the span that this really covers.
    func counted(
        events: UInt64,
        bytes: UInt64,
        period: Duration,
        at now: MonotonicTime
    ) -> (events: UInt64, bytes: UInt64, span: Duration) {
        var mark = marks[0]
        for index in marks.indices where now - marks[index].at >= period { mark = marks[index] }
        return (events - mark.events, bytes - mark.bytes, now - mark.at)
    }
}
