import Pricing

/// What is answered to who asks for usage: sums, and means beside them.
package struct UsageAnswer: Equatable, Sendable {
    package let report: UsageReport
    /// Nil where it is of too many records to look at each.
    package let means: UsageMeans?

    /// The report's object, with the member `means`.
    package var json: String {
        "\(report.json.dropLast()),\"means\":\(means?.json ?? "null")}"
    }

    /// The report's lines, with two more columns.
    package var csv: [String] {
        let cells = (lines ?? []).map { [$0.latency, $0.firstToken].map { $0.map(String.init) } }
        return report.csv.enumerated().map { place, line in
            guard place > 0 else { return line + ",latency_us,first_token_us" }
            let cells = place <= cells.count ? cells[place - 1] : [nil, nil]
            return line + cells.map { ",\($0 ?? "")" }.joined()
        }
    }

    /// The report's table, with two more columns where there are means.
    package var table: [String] {
        guard let means else { return report.table }
        let cells =
            [["LATENCY", "FIRST TOKEN"]]
            + ((report.query.grouping.isEmpty ? [] : means.rows) + [means.total]).map {
                [$0.latency.milliseconds, $0.firstToken.milliseconds]
            }
        let widths = [0, 1].map { column in cells.map { $0[column].count }.max() ?? 0 }
        return report.table.enumerated().map { place, line in
            guard place < cells.count else { return line }
            return zip(cells[place], widths).reduce(line) { line, cell in
                line + "  " + String(repeating: " ", count: cell.1 - cell.0.count) + cell.0
            }
        }
    }

    /// The means of the lines of `csv`.
    private var lines: [UsageMean]? {
        report.query.grouping.isEmpty ? means.map { [$0.total] } : means?.rows
    }
}

extension UsageMeans {
    fileprivate var json: String {
        "{\(total.members),\"rows\":[\(rows.map { "{\($0.members)}" }.joined(separator: ","))]}"
    }
}

extension UsageMean {
    fileprivate var members: String {
        func number(_ value: Int64?) -> String { value.map { String($0) } ?? "null" }
        return "\"latencyUs\":\(number(latency)),\"firstTokenUs\":\(number(firstToken))"
    }
}

extension Int64? {
    /// Microseconds as people read them.
    fileprivate var milliseconds: String {
        map { "\($0 / 1_000).\($0 % 1_000 / 100) ms" } ?? "-"
    }
}
