import Alerting
import Metering
import Pricing
import StreamBytes

extension DatabaseLedger: AlertStore {
    package func openAlerts() throws(AlertStoreError) -> [Alert] {
        try alerting { (engine) throws(LedgerFailure) in try AlertReading(engine).open() }
    }

    /// Several processes may watch the same: of each alert one is open, whoever raised it, and it is
    /// over when any of them says so.
    package func keep(_ news: [AlertDesk.News]) throws(AlertStoreError) {
        guard !news.isEmpty else { return }
        do throws(ChargeStoreError) {
            try transaction { (engine) throws(LedgerFailure) in
                var changes = AlertChanges(open: try AlertReading(engine).open())
                for each in news { changes.note(each) }
                try changes.write(to: engine)
            }
        } catch {
            throw AlertStoreError("\(error)")
        }
    }

    package func alerts(_ query: AlertQuery) throws(AlertStoreError) -> AlertPage {
        var conditions = ["1 = 1"]
        var values: [LedgerValue] = []
        if let account = query.account {
            values.append(.text(account))
            conditions.append("account_id = $\(values.count)")
        }
        if let before = query.before {
            values.append(.integer(before.raisedAt.milliseconds))
            conditions.append("raised_at_ms <= $\(values.count)")
        }
        if let rule = query.rule {
            values.append(.text(rule))
            conditions.append("rule = $\(values.count)")
        }
        if let severity = query.severity {
            values.append(.text(severity.rawValue))
            conditions.append("severity = $\(values.count)")
        }
        if query.onlyOpen { conditions.append("cleared_at_ms IS NULL") }
        let tail = "LIMIT \(query.limit) OFFSET \(query.before?.skip ?? 0)"
        return try alerting { [conditions, values] (engine) throws(LedgerFailure) in
            AlertPage(
                try AlertReading(engine).rows(
                    where: conditions.joined(separator: " AND "),
                    values,
                    tail: tail
                )
            )
        }
    }

    /// What each account used on a day and on the days before it.
    ///
    /// - Parameters:
    ///   - now: says which day it is, in UTC.
    ///   - days: how many days before it count.
    /// - Returns: for each account that used anything today, its tokens of today, and those of each
    ///   earlier day on which it used any.
    /// - Throws: `ChargeStoreError`.
    package func dailyTokens(
        at now: WallTime,
        days: Int
    ) throws(ChargeStoreError) -> [String: (today: Int64, before: [Int64])] {
        let today = CalendarMonth.dayText(of: now)
        let first = CalendarMonth.dayText(
            of: WallTime(milliseconds: now.milliseconds - Int64(days) * 86_400_000)
        )
        let rows = try run { (engine) throws(LedgerFailure) in
            try engine.query(
                "SELECT account_id, day, CAST(sum(input_tokens + output_tokens) AS bigint) "
                    + "FROM day_models WHERE day >= $1 AND day <= $2 GROUP BY account_id, day",
                [.text(first), .text(today)]
            )
        }
        var usage: [String: (today: Int64, before: [Int64])] = [:]
        for row in rows {
            guard case .text(let account) = row[0], case .text(let day) = row[1],
                case .integer(let tokens) = row[2]
            else { continue }
            if day == today {
                usage[account, default: (0, [])].today = tokens
            } else if tokens > 0 {
                usage[account, default: (0, [])].before.append(tokens)
            }
        }
        return usage.filter { $0.value.today > 0 }
    }

    private func alerting<Result>(
        _ body: (any LedgerEngine) throws(LedgerFailure) -> Result
    ) throws(AlertStoreError) -> Result {
        do throws(ChargeStoreError) {
            return try run(body)
        } catch {
            throw AlertStoreError("\(error)")
        }
    }
}

/// Reads alerts, the newest first.
private struct AlertReading {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    /// Those that some process raised, and nobody has called over; quotas are never over.
    func open() throws(LedgerFailure) -> [Alert] {
        try rows(where: "cleared_at_ms IS NULL AND rule NOT LIKE 'quota.%'", [])
    }

    func rows(
        where condition: String,
        _ values: [LedgerValue],
        tail: String = ""
    ) throws(LedgerFailure) -> [Alert] {
        let rows = try engine.query(
            "SELECT \(AlertRow.table.columnList) FROM alerts WHERE \(condition) "
                + "ORDER BY raised_at_ms DESC, account_id, period, rule, \"limit\", repetition, "
                + "level \(tail)",
            values
        )
        var alerts: [Alert] = []
        for values in rows { alerts.append(try AlertRow(stored: values).alert) }
        return alerts
    }
}

/// What news make of the alerts that are open.
private struct AlertChanges {
    private var open: [Alert]
    private var changed: [Alert] = []

    init(open: [Alert]) { self.open = open }

    mutating func note(_ news: AlertDesk.News) {
        switch news {
        case .raised(let alert):
            guard !open.contains(where: { $0.key == alert.key }) else { return }
            open.append(alert)
            put(alert)
        case .cleared(let alert):
            for var other in open where other.key == alert.key {
                other.clearedAt = alert.clearedAt
                put(other)
            }
            open.removeAll { $0.key == alert.key }
        }
    }

    /// A row may be written once in a batch.
    private mutating func put(_ alert: Alert) {
        changed.removeAll { $0.key == alert.key && $0.raisedAt == alert.raisedAt }
        changed.append(alert)
    }

    func write(to engine: any LedgerEngine) throws(LedgerFailure) {
        guard !changed.isEmpty else { return }
        var rows = LedgerRows(AlertRow.table)
        for alert in changed { rows.append(AlertRow(alert).values, engine.sealer) }
        try engine.write(.put(rows))
    }
}

extension AlertRow {
    /// An alert that no record raised.
    init(_ alert: Alert) {
        key = PeriodKey(
            account: alert.key.account,
            period: CalendarMonth(containing: alert.raisedAt).description
        )
        rule = alert.key.rule
        // It is part of the key: of one moment and limit there may be several subjects.
        limit = alert.key.limit + (alert.key.subject.isEmpty ? "" : " \(alert.key.subject)")
        repetition = 0
        level = 0
        raisedAtMilliseconds = alert.raisedAt.milliseconds
        severity = alert.severity.rawValue
        subject = alert.key.subject
        message = alert.message
        clearedAtMilliseconds = alert.clearedAt?.milliseconds
    }

    var alert: Alert {
        Alert(
            key: Alert.Key(
                rule: rule,
                account: key.account,
                limit: level > 0
                    ? "\(level) % of \(limit)"
                    : limit.split(separator: " ").first.map(String.init) ?? limit,
                // A quota's is the record that raised it.
                subject: level > 0 ? "" : subject
            ),
            severity: AlertSeverity(rawValue: severity) ?? .warning,
            message: message,
            raisedAt: WallTime(milliseconds: raisedAtMilliseconds),
            clearedAt: clearedAtMilliseconds.map { WallTime(milliseconds: $0) }
        )
    }
}
