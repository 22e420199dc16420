import StreamBytes

/// A result as a table for people and as JSON for programs.
package struct LoadReport: Sendable {
    private let result: LoadResult
    private let checked: [(text: String, holds: Bool)]

    package init(_ result: LoadResult, expectations: [Expectation]) {
        self.result = result
        checked = expectations.map { ($0.text, $0.holds(in: result)) }
    }

    /// Whether every expectation holds.
    package var isAsExpected: Bool { checked.allSatisfy(\.holds) }

    package var table: String {
        var lines = counts.map { Self.line($0.name, Self.plain($0.value)) }
        for failure in failures { lines.append(Self.line("  " + failure.name, "\(failure.count)")) }
        if let error = result.tally.connectError { lines.append("no connection: \(error)") }
        lines.append("")
        lines.append(Self.row(["milliseconds", "p50", "p95", "p99", "max", "number"]))
        for name in LoadMetric.TimeName.allCases {
            let histogram = result.histogram(name)
            let times = [0.5, 0.95, 0.99, 1].map { share in
                histogram.microseconds(at: share).map(Self.milliseconds) ?? "-"
            }
            lines.append(Self.row([Self.label(name)] + times + ["\(histogram.count)"]))
        }
        if !checked.isEmpty { lines.append("") }
        for check in checked { lines.append("\(check.holds ? "holds" : "FAILS")  \(check.text)") }
        if let interruption = result.interruption { lines.append("ended early: \(interruption)") }
        return lines.joined(separator: "\n") + "\n"
    }

    package var json: String {
        var members = counts.map { "\"\($0.name)\":\(Self.plain($0.value))" }
        let reasons = failures.map { "\"\($0.name)\":\($0.count)" }
        members.append("\"failures\":{\(reasons.joined(separator: ","))}")
        for name in LoadMetric.TimeName.allCases { members.append(times(name)) }
        let checks = checked.map { "{\"text\":\"\($0.text)\",\"holds\":\($0.holds)}" }
        members.append("\"expectations\":[\(checks.joined(separator: ","))]")
        members.append("\"interrupted\":\(result.interruption != nil)")
        return "{\(members.joined(separator: ","))}\n"
    }

    private var counts: [(name: String, value: Double)] {
        let names = LoadMetric.CountName.allCases
        return [("seconds", Double(result.elapsed.wholeMilliseconds) / 1_000)]
            + names.map { ($0.rawValue, result.count($0)) } + [("cut", Double(result.tally.cut))]
    }

    private var failures: [(name: String, count: Int)] {
        result.tally.failures.map { ($0.key.name, $0.value) }.sorted { $0.name < $1.name }
    }

    private func times(_ name: LoadMetric.TimeName) -> String {
        let histogram = result.histogram(name)
        let shares = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)]
        let values = shares.map { label, share in
            "\"\(label)\":\(histogram.microseconds(at: share).map(String.init) ?? "null")"
        }
        let all = values + ["\"count\":\(histogram.count)"]
        return "\"\(name.rawValue)_us\":{\(all.joined(separator: ","))}"
    }

    private static func label(_ name: LoadMetric.TimeName) -> String {
        switch name {
        case .byte: "first byte"
        case .first: "first event"
        case .gap: "gap"
        case .answer: "whole answer"
        }
    }

    private static func line(_ name: String, _ value: String) -> String {
        padded(name, to: 22) + value
    }

    private static func row(_ cells: [String]) -> String {
        let first = padded(cells[0], to: 14)
        return cells.dropFirst().reduce(first) { row, cell in
            row + String(repeating: " ", count: max(1, 11 - cell.count)) + cell
        }
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func milliseconds(_ microseconds: Int64) -> String {
        let rest = String(microseconds % 1_000)
        return "\(microseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// Whole numbers without decimals, others with one.
    private static func plain(_ value: Double) -> String {
        value == value.rounded() ? "\(Int64(value))" : "\((value * 10).rounded() / 10)"
    }
}
