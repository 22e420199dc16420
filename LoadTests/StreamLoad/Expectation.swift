import StreamBytes

/// Something that must hold at the end, such as `first_p99<500ms`.
package struct Expectation: Sendable, Equatable {
    package enum Relation: String, Sendable, CaseIterable {
        // The longer ones first, because the shorter ones begin them.
        case atMost = "<="
        case atLeast = ">="
        case below = "<"
        case above = ">"
        case equal = "="
    }

    package let text: String
    package let metric: LoadMetric
    package let relation: Relation
    /// In the metric's unit.
    package let bound: Double

    /// Reads expectations with commas between them.
    ///
    /// - Throws: `LoadOptionError.badValue`, with the one that is not understood.
    package static func list(parsing text: String) throws(LoadOptionError) -> [Expectation] {
        var list: [Expectation] = []
        for part in text.split(separator: ",") {
            guard let expectation = Expectation(String(part)) else {
                throw .badValue("--expect", String(part))
            }
            list.append(expectation)
        }
        guard !list.isEmpty else { throw .badValue("--expect", text) }
        return list
    }

    private init?(_ text: String) {
        let text = text.filter { $0 != " " }
        for relation in Relation.allCases {
            guard let place = text.firstRange(of: relation.rawValue) else { continue }
            let value = String(text[place.upperBound...])
            guard let metric = LoadMetric(parsing: String(text[..<place.lowerBound])),
                let bound = metric.isTime
                    ? Duration(parsing: value).map({ Double($0.wholeNanoseconds) / 1_000 })
                    : Double(value)
            else { return nil }
            self.text = text
            self.metric = metric
            self.relation = relation
            self.bound = bound
            return
        }
        return nil
    }

    /// Whether it holds; a time of which nothing was measured is missing, and so does not.
    package func holds(in result: LoadResult) -> Bool {
        guard let value = metric.value(in: result) else { return false }
        return switch relation {
        case .atMost: value <= bound
        case .atLeast: value >= bound
        case .below: value < bound
        case .above: value > bound
        case .equal: value == bound
        }
    }
}

/// A figure of a result that can be expected: a count, or a time at a percentile.
package enum LoadMetric: Sendable, Equatable {
    case count(CountName)
    case time(TimeName, share: Double)

    package enum CountName: String, Sendable, CaseIterable {
        case opened
        case completed
        case failed
        case lost
        case missing
        case events
        case bytes
        case rawBytes = "raw_bytes"
        case coded
        case eventsPerSecond = "events_per_second"
    }

    package enum TimeName: String, Sendable, CaseIterable {
        case byte
        case first
        case gap
        case answer
    }

    /// Reads `lost`, `first_p99` or `gap_max`.
    package init?(parsing text: String) {
        if let name = CountName(rawValue: text) {
            self = .count(name)
            return
        }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let name = TimeName(rawValue: String(parts[0])) else { return nil }
        switch parts[1] {
        case "max": self = .time(name, share: 1)
        default:
            guard parts[1].first == "p", let percent = Double(parts[1].dropFirst()),
                percent > 0, percent <= 100
            else { return nil }
            self = .time(name, share: percent / 100)
        }
    }

    package var isTime: Bool {
        if case .time = self { true } else { false }
    }

    /// The figure; times in microseconds, nil when none was measured.
    package func value(in result: LoadResult) -> Double? {
        switch self {
        case .count(let name): result.count(name)
        case .time(let name, let share):
            result.histogram(name).microseconds(at: share).map(Double.init)
        }
    }
}

/// What a load test measured.
package struct LoadResult: Sendable {
    package let tally: LoadTally
    /// From the first connection to the end.
    package let elapsed: Duration
    /// Nil for a run to its planned end; otherwise why it ended early.
    package let interruption: String?

    package init(tally: LoadTally, elapsed: Duration, interruption: String? = nil) {
        self.tally = tally
        self.elapsed = elapsed
        self.interruption = interruption
    }

    package func histogram(_ name: LoadMetric.TimeName) -> LoadHistogram {
        switch name {
        case .byte: tally.firstByte
        case .first: tally.firstEvent
        case .gap: tally.gap
        case .answer: tally.answer
        }
    }

    package func count(_ name: LoadMetric.CountName) -> Double {
        switch name {
        case .opened: Double(tally.opened)
        case .completed: Double(tally.completed)
        case .failed: Double(tally.failed)
        case .lost: Double(tally.lost)
        case .missing: Double(tally.missingEvents)
        case .events: Double(tally.events)
        case .bytes: Double(tally.bytes)
        case .rawBytes: Double(tally.rawBytes)
        case .coded: Double(tally.coded)
        case .eventsPerSecond:
            Double(tally.events) / max(1e-9, Double(elapsed.wholeNanoseconds) / 1e9)
        }
    }
}
