import Metering
import StreamBytes

/// What is known of a segment without reading it.
struct Segment {
    let number: Int64
    /// Of everything in it that is stored for certain; what follows does not count.
    var byteCount: Int
    /// The numbers of its records, one element for each run.
    private(set) var spans: [SequenceSpan] = []

    init(number: Int64, byteCount: Int) {
        self.number = number
        self.byteCount = byteCount
    }

    mutating func note(_ run: GatewayRun, _ sequence: Int64) {
        if let last = spans.indices.last, spans[last].run == run {
            spans[last].first = min(spans[last].first, sequence)
            spans[last].last = max(spans[last].last, sequence)
        } else {
            spans.append(SequenceSpan(run: run, first: sequence, last: sequence))
        }
    }

    /// How many of its numbers are not released.
    func waitingCount(_ released: [GatewayRun: Int64]) -> Int64 {
        spans.reduce(0) { $0 + $1.waitingCount(after: released[$1.run] ?? 0) }
    }
}

/// Numbers of one run that follow one another.
struct SequenceSpan: Equatable {
    let run: GatewayRun
    var first: Int64
    var last: Int64

    func waitingCount(after released: Int64) -> Int64 { max(0, last - max(first - 1, released)) }
}

/// When records were stored, as far as it takes to say how old the oldest is that waits.
///
/// It keeps a mark for each second, and fewer when there are many.
struct AgeMarks {
    private static let limit = 1_024

    private var marks: [(run: GatewayRun, first: Int64, at: WallTime)] = []
    private var spacingMilliseconds: Int64 = 1_000

    /// The record `sequence` and those after it were stored at that time.
    mutating func note(_ run: GatewayRun, from sequence: Int64, at time: WallTime) {
        if let last = marks.last, last.run == run,
            time.milliseconds - last.at.milliseconds < spacingMilliseconds,
            time >= last.at
        {
            return
        }
        marks.append((run, sequence, time))
        guard marks.count > Self.limit else { return }
        spacingMilliseconds *= 2
        marks = marks.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
    }

    /// Forgets marks of which every record is released.
    ///
    /// - Parameter isReleased: whether a run is released up to a number, or whole for `Int64.max`.
    mutating func drop(where isReleased: (_ run: GatewayRun, _ through: Int64) -> Bool) {
        while let oldest = marks.first {
            let next = marks.dropFirst().first
            let through = next?.run == oldest.run ? (next?.first ?? .max) - 1 : Int64.max
            guard isReleased(oldest.run, through) else { break }
            marks.removeFirst()
        }
        if marks.isEmpty { spacingMilliseconds = 1_000 }
    }

    var oldest: WallTime? { marks.first?.at }
}
