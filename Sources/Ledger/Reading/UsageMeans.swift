import Pricing
import StreamBytes

/// What usage took on the mean; each in microseconds, and nil where nothing says it.
package struct UsageMean: Equatable, Sendable {
    /// Of the records that have one: how long events took to leave the gateway.
    package let latency: Int64?
    /// Of the streams that have one: from their start to their first token.
    package let firstToken: Int64?

    package init(latency: Int64? = nil, firstToken: Int64? = nil) {
        self.latency = latency
        self.firstToken = firstToken
    }
}

/// The means of a report.
package struct UsageMeans: Equatable, Sendable {
    /// In the order of the report's rows.
    package let rows: [UsageMean]
    package let total: UsageMean
}

/// Reads means from the records of a stretch: days have no sums of them.
struct UsageMeansReading {
    /// Of stretches with more records, whosoever they are, they are not read: each is looked at.
    static let recordLimit: Int64 = 200_000

    private let engine: any LedgerEngine
    private let recordLimit: Int64

    init(_ engine: any LedgerEngine, recordLimit: Int64) {
        self.engine = engine
        self.recordLimit = recordLimit
    }

    /// Reads the means of a report.
    ///
    /// - Returns: nil where its stretch has more than `recordLimit` records.
    /// - Throws: `LedgerFailure`.
    func means(of report: UsageReport) throws(LedgerFailure) -> UsageMeans? {
        guard try canRead(report.query) else { return nil }
        var rows: [[String]: UsageMean] = [:]
        if let last = report.rows.last {
            rows = try read(report.query, report.query.grouping, through: last.values)
        }
        return UsageMeans(
            rows: report.rows.map { rows[$0.values] ?? UsageMean() },
            total: try read(report.query, [], through: [])[[]] ?? UsageMean()
        )
    }

    private func canRead(_ query: UsageQuery) throws(LedgerFailure) -> Bool {
        let rows = try engine.query(
            "SELECT count(*) FROM (SELECT 1 FROM records WHERE ended_at_ms >= $1 "
                + "AND ended_at_ms < $2 LIMIT $3) AS stretch",
            [
                .integer(query.from.milliseconds), .integer(query.to.milliseconds),
                .integer(recordLimit + 1),
            ]
        )
        guard case .integer(let count)? = rows.first?.first else { return false }
        return count <= recordLimit
    }

    private func read(
        _ query: UsageQuery,
        _ grouping: [UsageQuery.Dimension],
        through last: [String]
    ) throws(LedgerFailure) -> [[String]: UsageMean] {
        var statement = UsageMeansStatement(query, grouping, engine.dialect)
        let text = statement.text(through: last)
        var means: [[String]: UsageMean] = [:]
        for row in try engine.query(text, statement.values) {
            var names: [String] = []
            for value in row.prefix(grouping.count) {
                guard case .text(let name) = value else {
                    throw .damaged("a group of usage has no name")
                }
                names.append(name)
            }
            means[names] = UsageMean(
                latency: try Self.mean(row[grouping.count]),
                firstToken: try Self.mean(row[grouping.count + 1])
            )
        }
        return means
    }

    private static func mean(_ value: LedgerValue) throws(LedgerFailure) -> Int64? {
        switch value {
        case .null: return nil
        case .integer(let number): return number
        default: throw .damaged("a mean of usage is no number")
        }
    }
}

/// The statement that reads means; its values are collected while its text is written.
private struct UsageMeansStatement {
    private let query: UsageQuery
    private let grouping: [UsageQuery.Dimension]
    private let dialect: LedgerSchema.Dialect
    private(set) var values: [LedgerValue] = []

    init(
        _ query: UsageQuery,
        _ grouping: [UsageQuery.Dimension],
        _ dialect: LedgerSchema.Dialect
    ) {
        self.query = query
        self.grouping = grouping
        self.dialect = dialect
    }

    /// A stream counts where its first record does, as in the sums.
    mutating func text(through last: [String]) -> String {
        let keys = grouping.map { "\"g_\($0.rawValue)\"" }
        let columns =
            zip(grouping, keys).map { "\($0.recordColumn(dialect)) AS \($1)" }
            + ["t.latency_us AS latency", "s.first_token_us AS token"]
        let (first, end) = (bind(query.from), bind(query.to))
        var source =
            "SELECT \(columns.joined(separator: ", ")) FROM records AS t "
            + "JOIN charges AS c ON c.number = t.number "
            + "LEFT JOIN streams AS s ON t.segment = 0 "
            + "AND s.connection_id = t.connection_id AND s.account_id = t.account_id "
            + "WHERE t.ended_at_ms >= \(first) AND t.ended_at_ms < \(end)"
        if let account = query.account { source += " AND t.account_id = \(bind(.text(account)))" }
        let means = ["latency", "token"].map { "CAST(round(avg(\($0))) AS bigint)" }
        var text = "SELECT \((keys + means).joined(separator: ", ")) FROM (\(source)) AS used"
        guard !keys.isEmpty else { return text }
        let list = keys.joined(separator: ", ")
        text += " WHERE (\(list)) <= (\(bind(last)))"
        if let after = query.after { text += " AND (\(list)) > (\(bind(after)))" }
        return text + " GROUP BY \(list)"
    }

    private mutating func bind(_ time: WallTime) -> String { bind(.integer(time.milliseconds)) }

    private mutating func bind(_ texts: [String]) -> String {
        texts.map { bind(.text($0)) }.joined(separator: ", ")
    }

    private mutating func bind(_ value: LedgerValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }
}
