/// What kind of metric a family is.
package enum MetricKind: String, Sendable {
    case counter
    case gauge
    case histogram
}

/// Metrics in Prometheus' text form: families in the order of their first sample, each with its
/// `HELP` and `TYPE` once, wherever its samples come from.
///
/// Source: the text-based exposition format, version 0.0.4.
package struct PrometheusText: Sendable {
    /// Label names and their values.
    package typealias Labels = KeyValuePairs<String, String>

    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private struct Family {
        let name: String
        let kind: MetricKind
        let help: String
        var samples: [UInt8] = []
    }

    private var families: [Family] = []
    private var places: [String: Int] = [:]

    package init() {}

    /// The whole text.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        for family in families {
            output.append(contentsOf: "# HELP \(family.name) ".utf8)
            Self.appendEscaped(family.help, quotes: false, to: &output)
            output.append(contentsOf: "\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8)
            output.append(contentsOf: family.samples)
        }
        return output
    }

    /// Adds a sample of something that only grows.
    ///
    /// - Parameters:
    ///   - name: ends in `_total`.
    ///   - help: one sentence; that of the family's first sample stands.
    ///   - labels: at most a few values each: every combination is a series of its own.
    ///   - value: since the process started.
    package mutating func counter(
        _ name: String,
        help: String,
        labels: Labels = [:],
        value: some BinaryInteger
    ) {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total")
        let place = place(name, .counter, help)
        append(name, labels, String(value), to: place)
    }

    /// Adds a sample of something that grows in fractions, such as seconds.
    ///
    /// - Parameters:
    ///   - name: ends in `_total`.
    ///   - help: one sentence; that of the family's first sample stands.
    ///   - labels: at most a few values each: every combination is a series of its own.
    ///   - value: since the process started.
    package mutating func counter(
        _ name: String,
        help: String,
        labels: Labels = [:],
        value: Double
    ) {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total")
        let place = place(name, .counter, help)
        append(name, labels, Self.number(value), to: place)
    }

    /// Adds a sample of something that rises and falls.
    package mutating func gauge(
        _ name: String,
        help: String,
        labels: Labels = [:],
        value: some BinaryInteger
    ) {
        let place = place(name, .gauge, help)
        append(name, labels, String(value), to: place)
    }

    /// Adds a sample of something that rises and falls in fractions.
    package mutating func gauge(
        _ name: String,
        help: String,
        labels: Labels = [:],
        value: Double
    ) {
        let place = place(name, .gauge, help)
        append(name, labels, Self.number(value), to: place)
    }

    /// Adds a distribution of durations.
    ///
    /// - Parameters:
    ///   - name: ends in `_seconds`, the unit in which it is shown.
    ///   - help: one sentence; that of the family's first sample stands.
    ///   - labels: at most a few values each; `le` is taken.
    ///   - value: the distribution since the process started.
    package mutating func histogram(
        _ name: String,
        help: String,
        labels: Labels = [:],
        value: LatencyBuckets
    ) {
        precondition(name.hasSuffix("_seconds"), "a histogram of durations is shown in seconds")
        let place = place(name, .histogram, help)
        let pairs = labels.map { ($0.key, $0.value) }
        var count: UInt64 = 0
        for (bound, inBucket) in zip(LatencyBuckets.boundsMicroseconds, value.counts) {
            count += inBucket
            let bound = Self.number(Double(bound) / 1_000_000)
            append("\(name)_bucket", pairs + [("le", bound)], String(count), to: place)
        }
        append("\(name)_bucket", pairs + [("le", "+Inf")], String(value.count), to: place)
        append("\(name)_sum", pairs, Self.number(value.sumSeconds), to: place)
        append("\(name)_count", pairs, String(value.count), to: place)
    }

    private mutating func place(_ name: String, _ kind: MetricKind, _ help: String) -> Int {
        if let place = places[name] {
            precondition(families[place].kind == kind, "a family has one kind")
            return place
        }
        precondition(Self.isName(name), "a metric's name is of letters, digits, _ and :")
        families.append(Family(name: name, kind: kind, help: help))
        places[name] = families.count - 1
        return families.count - 1
    }

    private mutating func append(
        _ name: String,
        _ labels: Labels,
        _ value: String,
        to place: Int
    ) {
        append(name, labels.map { ($0.key, $0.value) }, value, to: place)
    }

    private mutating func append(
        _ name: String,
        _ labels: [(String, String)],
        _ value: String,
        to place: Int
    ) {
        var line = Array(name.utf8)
        for (index, (label, text)) in labels.enumerated() {
            precondition(Self.isName(label), "a label's name is of letters, digits and _")
            line.append(contentsOf: "\(index == 0 ? "{" : ",")\(label)=\"".utf8)
            Self.appendEscaped(text, quotes: true, to: &line)
            line.append(0x22)
        }
        line.append(contentsOf: "\(labels.isEmpty ? "" : "}") \(value)\n".utf8)
        families[place].samples.append(contentsOf: line)
    }

    private static func appendEscaped(_ text: String, quotes: Bool, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case 0x0A: output.append(contentsOf: #"\n"#.utf8)
            case 0x5C: output.append(contentsOf: #"\\"#.utf8)
            case 0x22 where quotes: output.append(contentsOf: #"\""#.utf8)
            default: output.append(byte)
            }
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        guard value.isFinite else { return value < 0 ? "-Inf" : "+Inf" }
        if abs(value) < 1e15, let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    private static func isName(_ name: String) -> Bool {
        let isStart = { (byte: UInt8) in
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
                || byte == 0x3A
        }
        guard let first = name.utf8.first, isStart(first) else { return false }
        return name.utf8.allSatisfy { isStart($0) || (0x30...0x39).contains($0) }
    }
}
