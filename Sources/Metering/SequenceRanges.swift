/// Which record numbers of each run of a gateway are there, as ranges.
///
/// Numbers start at 1 and have no gaps: what lies between two ranges, or before the first one, is
/// on its way or lost.
package struct SequenceRanges: Equatable, Sendable {
    /// Numbers of one run that are not there, though later ones are.
    package struct Hole: Hashable, Sendable {
        /// `<gateway>:<epoch>`.
        package let run: String
        package let numbers: ClosedRange<Int64>

        package init(run: String, numbers: ClosedRange<Int64>) {
            self.run = run
            self.numbers = numbers
        }
    }

    /// Sorted, without overlap and not touching each other.
    private var ranges: [String: [ClosedRange<Int64>]] = [:]

    package init() {}

    /// Adds numbers of a run, each at least 1.
    ///
    /// - Parameters:
    ///   - numbers: may be there already.
    ///   - run: `<gateway>:<epoch>`.
    package mutating func insert(_ numbers: ClosedRange<Int64>, of run: String) {
        precondition(numbers.lowerBound >= 1, "record numbers start at 1")
        var merged = numbers
        var kept: [ClosedRange<Int64>] = []
        for range in ranges[run] ?? [] {
            let isApart =
                range.upperBound < merged.lowerBound - 1
                || range.lowerBound - 1 > merged.upperBound
            if isApart {
                kept.append(range)
            } else {
                merged =
                    min(
                        merged.lowerBound,
                        range.lowerBound
                    )...max(
                        merged.upperBound,
                        range.upperBound
                    )
            }
        }
        let place = kept.firstIndex { $0.lowerBound > merged.lowerBound } ?? kept.count
        kept.insert(merged, at: place)
        ranges[run] = kept
    }

    package func contains(_ number: Int64, of run: String) -> Bool {
        ranges[run]?.contains { $0.contains(number) } ?? false
    }

    /// Up to which number everything of the run is there; 0: not even the first.
    package func through(_ run: String) -> Int64 {
        guard let first = ranges[run]?.first, first.lowerBound == 1 else { return 0 }
        return first.upperBound
    }

    /// What is missing below numbers that are there, in a fixed order.
    package var holes: [Hole] {
        ranges.sorted { $0.key < $1.key }.flatMap { run, ranges in
            var next: Int64 = 1
            var holes: [Hole] = []
            for range in ranges {
                if range.lowerBound > next {
                    holes.append(Hole(run: run, numbers: next...range.lowerBound - 1))
                }
                next = range.upperBound + 1
            }
            return holes
        }
    }
}
