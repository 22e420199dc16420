import Metering
import Pricing
import StreamBytes

/// Adds up usage in a stretch of time.
///
/// Whole days come from their running totals, where these tell apart what is asked for; the rest from
/// the records.
struct UsageReading {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    /// Answers a question.
    ///
    /// - Parameters:
    ///   - query: what is asked for.
    ///   - meansLimit: the most records of a stretch whose means are read.
    /// - Returns: sums, and means where these are read.
    /// - Throws: `LedgerFailure`.
    func answer(
        _ query: UsageQuery,
        meansLimit: Int64 = UsageMeansReading.recordLimit
    ) throws(LedgerFailure) -> UsageAnswer {
        let report = try report(query)
        let reading = UsageMeansReading(engine, recordLimit: meansLimit)
        return UsageAnswer(report: report, means: try reading.means(of: report))
    }

    private func report(_ query: UsageQuery) throws(LedgerFailure) -> UsageReport {
        let range = query.from..<query.to
        let previous = query.previous.from..<query.previous.to
        var found: [(values: [String], sums: UsageSums)] = []
        if !query.grouping.isEmpty {
            found = try rows(query, range, after: query.after, through: nil, query.limit + 1)
        }
        let hasMore = found.count > query.limit
        if hasMore { found.removeLast() }
        return UsageReport(
            query: query,
            rows: try withTrends(found, query, previous),
            total: try total(query, range),
            previousTotal: try total(query, previous),
            hasMore: hasMore,
            projection: try projection(query)
        )
    }

    private func total(
        _ query: UsageQuery,
        _ range: Range<WallTime>
    ) throws(LedgerFailure) -> UsageSums {
        var statement = UsageStatement(query, range, engine.dialect)
        statement.grouping = []
        return try rows(of: statement, limit: 1).first?.sums ?? UsageSums()
    }

    private func rows(
        _ query: UsageQuery,
        _ range: Range<WallTime>,
        after: [String]?,
        through: [String]?,
        _ limit: Int?
    ) throws(LedgerFailure) -> [(values: [String], sums: UsageSums)] {
        var statement = UsageStatement(query, range, engine.dialect)
        statement.after = after
        statement.through = through
        return try rows(of: statement, limit: limit)
    }

    private func rows(
        of statement: UsageStatement,
        limit: Int?
    ) throws(LedgerFailure) -> [(values: [String], sums: UsageSums)] {
        var statement = statement
        let text = statement.text(limit: limit)
        var rows: [(values: [String], sums: UsageSums)] = []
        for values in try engine.query(text, statement.values) {
            let width = statement.grouping.count
            var texts: [String] = []
            for value in values.prefix(width) {
                guard case .text(let text) = value else {
                    throw .damaged("a group of usage has no name")
                }
                texts.append(text)
            }
            rows.append((texts, try UsageSums(Array(values.dropFirst(width)))))
        }
        return rows
    }

    /// The rows with the same groups in the period before.
    private func withTrends(
        _ found: [(values: [String], sums: UsageSums)],
        _ query: UsageQuery,
        _ previous: Range<WallTime>
    ) throws(LedgerFailure) -> [UsageReport.Row] {
        var before: [[String]: UsageSums]?
        if !query.grouping.contains(.day), let last = found.last {
            before = [:]
            for row in try rows(
                query,
                previous,
                after: query.after,
                through: last.values,
                nil
            ) {
                before?[row.values] = row.sums
            }
        }
        return found.map { row in
            UsageReport.Row(
                values: row.values,
                sums: row.sums,
                previous: before.map { $0[row.values] ?? UsageSums() }
            )
        }
    }

    private func projection(_ query: UsageQuery) throws(LedgerFailure) -> UsageProjection? {
        guard var projection = UsageProjection(query.period, at: query.now),
            let prices = try PriceListBooking(engine).stored()
        else { return nil }
        let list = prices.openingList(of: query.period)
        let period = query.period.description
        var keys: [PeriodKey] = []
        if let account = query.account {
            keys = [PeriodKey(account: account, period: period)]
        } else {
            let rows = try engine.query(
                "SELECT account_id, period FROM periods WHERE period = $1",
                [.text(period)]
            )
            keys = rows.compactMap { PeriodKey($0[0], $0[1]) }
        }
        // A thousand at a time: each brings the days of its models along.
        for start in stride(from: 0, to: keys.count, by: 1_000) {
            let some = Set(keys[start..<min(start + 1_000, keys.count)])
            for open in try PeriodReading(engine).periods(some).values {
                projection.add(open.book) { list.tiers(of: $0) }
            }
        }
        return projection
    }
}

/// The statement that adds usage up; its values are collected while its text is written.
private struct UsageStatement {
    private static let dayMilliseconds: Int64 = 86_400_000
    private static let sums = [
        "records", "streams", "breached", "input_tokens", "output_tokens", "bytes_out",
        "duration_ms", "subtotal", "penalty", "charge",
    ]

    var grouping: [UsageQuery.Dimension]
    var after: [String]?
    var through: [String]?
    private(set) var values: [LedgerValue] = []
    private let account: String?
    private let range: Range<WallTime>
    private let dialect: LedgerSchema.Dialect

    init(_ query: UsageQuery, _ range: Range<WallTime>, _ dialect: LedgerSchema.Dialect) {
        grouping = query.grouping
        account = query.account
        self.range = range
        self.dialect = dialect
    }

    mutating func text(limit: Int?) -> String {
        values = []
        let parts = sources().joined(separator: " UNION ALL ")
        let keys = grouping.map { "\"g_\($0.rawValue)\"" }
        let sums = Self.sums.map { "CAST(COALESCE(sum(\($0)), 0) AS bigint)" }
        var text = "SELECT \((keys + sums).joined(separator: ", ")) FROM (\(parts)) AS used"
        guard !keys.isEmpty else { return text }
        let list = keys.joined(separator: ", ")
        var conditions: [String] = []
        if let after { conditions.append("(\(list)) > (\(bind(after)))") }
        if let through { conditions.append("(\(list)) <= (\(bind(through)))") }
        if !conditions.isEmpty { text += " WHERE \(conditions.joined(separator: " AND "))" }
        text += " GROUP BY \(list) ORDER BY \(list)"
        if let limit { text += " LIMIT \(limit)" }
        return text
    }

    private mutating func bind(_ texts: [String]) -> String {
        texts.map { bind(.text($0)) }.joined(separator: ", ")
    }

    private mutating func bind(_ value: LedgerValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    private mutating func sources() -> [String] {
        let day = Self.dayMilliseconds
        let (start, end) = (range.lowerBound.milliseconds, range.upperBound.milliseconds)
        let (firstDay, lastDay) = ((start + day - 1) / day * day, end / day * day)
        let needsRecords = grouping.contains { [.purpose, .user, .key].contains($0) }
        guard !needsRecords, firstDay < lastDay else { return [records(start, end)] }
        var sources = [days(firstDay, lastDay)]
        if start < firstDay { sources.append(records(start, firstDay)) }
        if lastDay < end { sources.append(records(lastDay, end)) }
        return sources
    }

    /// The totals of whole days.
    private mutating func days(_ start: Int64, _ end: Int64) -> String {
        let keys = grouping.map { dimension in
            let column =
                switch dimension {
                case .provider: "t.provider"
                case .model: "t.model"
                case .account: "t.account_id"
                case .day: "t.day"
                case .purpose, .user, .key: "''"
                }
            return "\(column) AS \"g_\(dimension.rawValue)\""
        }
        let mode = "CASE p.discount_mode WHEN 'graduated' THEN"
        let sums = [
            "t.records AS records", "t.streams AS streams", "t.breached_records AS breached",
            "t.input_tokens AS input_tokens", "t.output_tokens AS output_tokens",
            "t.bytes_out AS bytes_out", "t.duration_ms AS duration_ms",
            "t.subtotal_nano AS subtotal",
            "\(mode) t.graduated_penalty_nano ELSE "
                + "\(TierColumns.current("penalty", of: "t", at: "v.tier")) END AS penalty",
            "\(mode) t.graduated_charge_nano ELSE "
                + "\(TierColumns.current("charge", of: "t", at: "v.tier")) END AS charge",
        ]
        let first = bind(.text(Self.dayText(start)))
        let last = bind(.text(Self.dayText(end)))
        return "SELECT \((keys + sums).joined(separator: ", ")) FROM day_models AS t "
            + "JOIN periods AS p ON p.account_id = t.account_id AND p.period = t.period "
            + "JOIN period_providers AS v ON v.account_id = t.account_id "
            + "AND v.period = t.period AND v.provider = t.provider "
            + "WHERE t.day >= \(first) AND t.day < \(last)" + ofAccount("t")
    }

    private mutating func records(_ start: Int64, _ end: Int64) -> String {
        let keys = grouping.map { "\($0.recordColumn(dialect)) AS \"g_\($0.rawValue)\"" }
        let sums = [
            "1 AS records", "CASE WHEN t.segment = 0 THEN 1 ELSE 0 END AS streams",
            "CASE WHEN c.sla_breaches = '' THEN 0 ELSE 1 END AS breached",
            "t.input_tokens AS input_tokens", "t.output_tokens AS output_tokens",
            "t.bytes_out AS bytes_out", "t.duration_ms AS duration_ms",
            "c.subtotal_nano AS subtotal",
            "COALESCE(g.penalty_nano, \(TierColumns.current("penalty", of: "c", at: "v.tier"))) "
                + "AS penalty",
            "COALESCE(g.charge_nano, \(TierColumns.current("charge", of: "c", at: "v.tier"))) "
                + "AS charge",
        ]
        let (first, last) = (bind(.integer(start)), bind(.integer(end)))
        return "SELECT \((keys + sums).joined(separator: ", ")) FROM records AS t "
            + "JOIN charges AS c ON c.number = t.number "
            + "JOIN period_providers AS v ON v.account_id = c.account_id "
            + "AND v.period = c.period AND v.provider = c.provider "
            + "LEFT JOIN graduated_charges AS g ON g.account_id = c.account_id "
            + "AND g.period = c.period AND g.provider = c.provider "
            + "AND g.ended_at_ms = t.ended_at_ms AND g.record_id = t.record_id "
            + "WHERE t.ended_at_ms >= \(first) AND t.ended_at_ms < \(last)" + ofAccount("t")
    }

    private mutating func ofAccount(_ table: String) -> String {
        account.map { " AND \(table).account_id = \(bind(.text($0)))" } ?? ""
    }

    private static func dayText(_ milliseconds: Int64) -> String {
        CalendarMonth.dayText(of: WallTime(milliseconds: milliseconds))
    }
}

extension UsageQuery.Dimension {
    /// What tells records `t` with their charges `c` apart.
    func recordColumn(_ dialect: LedgerSchema.Dialect) -> String {
        switch self {
        case .provider: "c.provider"
        case .model: "t.model"
        case .account: "t.account_id"
        case .day: dialect.day("t.ended_at_ms")
        case .purpose: "COALESCE(t.purpose, '')"
        case .user: "COALESCE(t.\"user\", '')"
        case .key: "COALESCE(t.key_id, '')"
        }
    }
}

extension LedgerSchema.Dialect {
    /// The day of a column in milliseconds, in UTC.
    func day(_ column: String) -> String {
        switch self {
        case .sqlite: "strftime('%Y-%m-%d', \(column) / 1000, 'unixepoch')"
        case .postgresql:
            "to_char(to_timestamp(\(column) / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') "
                + "COLLATE \"C\""
        }
    }
}

extension UsageSums {
    /// Ten whole numbers, in the order of the statement's columns.
    fileprivate init(_ values: [LedgerValue]) throws(LedgerFailure) {
        var numbers: [Int64] = []
        for value in values {
            guard case .integer(let number) = value else {
                throw .damaged("a sum of usage is no number")
            }
            numbers.append(number)
        }
        guard numbers.count == 10 else { throw .damaged("a sum of usage is missing") }
        self.init()
        records = numbers[0]
        streams = numbers[1]
        breachedRecords = numbers[2]
        inputTokens = numbers[3]
        outputTokens = numbers[4]
        bytesOut = numbers[5]
        durationMilliseconds = numbers[6]
        subtotal = numbers[7]
        penalty = numbers[8]
        charge = numbers[9]
    }
}
