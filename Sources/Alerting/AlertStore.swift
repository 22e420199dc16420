import StreamBytes

/// Where alerts are kept.
package protocol AlertStore: Sendable {
    /// The alerts that are open.
    func openAlerts() async throws(AlertStoreError) -> [Alert]

    /// Keeps what has happened; saying it twice changes nothing.
    func keep(_ news: [AlertDesk.News]) async throws(AlertStoreError)

    /// Reads alerts, the newest first.
    func alerts(_ query: AlertQuery) async throws(AlertStoreError) -> AlertPage
}

/// What was found.
package struct AlertPage: Equatable, Sendable {
    package let alerts: [Alert]
    /// Why there may be more than these; nil when there are not.
    package let problem: String?

    package init(_ alerts: [Alert], problem: String? = nil) {
        self.alerts = alerts
        self.problem = problem
    }
}

/// Why alerts cannot be kept or read now.
package struct AlertStoreError: Error, Equatable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Which alerts are asked for.
package struct AlertQuery: Equatable, Sendable {
    /// Nil: those of every account, and those of the process.
    package var account: String?
    package var rule: String?
    package var severity: AlertSeverity?
    package var onlyOpen = false
    /// Those raised before this instant, and of those raised at it all but the first so many.
    package var before: AlertCursor?
    package var limit = 100

    package init() {}
}

/// Where a list of alerts goes on.
package struct AlertCursor: Equatable, Sendable {
    package let raisedAt: WallTime
    /// How many raised at that instant were told already.
    package let skip: Int

    package init(raisedAt: WallTime, skip: Int) {
        self.raisedAt = raisedAt
        self.skip = skip
    }

    /// Reads what `text` wrote; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), let skip = Int(parts[1]),
            milliseconds >= 0, (0...1_000_000).contains(skip)
        else { return nil }
        raisedAt = WallTime(milliseconds: milliseconds)
        self.skip = skip
    }

    package var text: String { "\(raisedAt.milliseconds).\(skip)" }

    /// Where a list goes on that began at `before` and ended with `alerts`; nil when it is empty.
    package init?(after alerts: [Alert], before: AlertCursor?) {
        guard let last = alerts.last else { return nil }
        let same = alerts.count { $0.raisedAt == last.raisedAt }
        let isContinued = same == alerts.count && before?.raisedAt == last.raisedAt
        raisedAt = last.raisedAt
        skip = same + (isContinued ? before?.skip ?? 0 : 0)
    }
}

/// Alerts in memory, for a process that has no ledger: the last thousand.
package actor MemoryAlertStore: AlertStore {
    private static let limit = 1_000

    /// The newest first.
    private var kept: [Alert] = []

    package init() {}

    /// What has happened, in order.
    package var history: [AlertDesk.News] {
        kept.reversed().flatMap { alert -> [AlertDesk.News] in
            guard alert.clearedAt != nil else { return [.raised(alert)] }
            var raised = alert
            raised.clearedAt = nil
            return [.raised(raised), .cleared(alert)]
        }
    }

    package func openAlerts() -> [Alert] { kept.filter { $0.clearedAt == nil } }

    package func keep(_ news: [AlertDesk.News]) {
        for alert in news.map(\.alert) {
            let place = kept.firstIndex { $0.key == alert.key && $0.raisedAt == alert.raisedAt }
            if let place { kept[place] = alert } else { kept.insert(alert, at: 0) }
        }
        if kept.count > Self.limit { kept.removeLast(kept.count - Self.limit) }
    }

    package func alerts(_ query: AlertQuery) -> AlertPage { AlertPage(query.page(of: kept)) }
}

extension AlertQuery {
    /// The part of a list that is asked for.
    ///
    /// - Parameter alerts: the newest first; those of one instant always in the same order.
    /// - Returns: at most `limit` of them.
    package func page(of alerts: [Alert]) -> [Alert] {
        var skip = before?.skip ?? 0
        var page: [Alert] = []
        for alert in alerts where page.count < limit {
            guard account == nil || alert.key.account == account,
                rule == nil || alert.key.rule == rule,
                severity == nil || alert.severity == severity,
                !onlyOpen || alert.clearedAt == nil
            else { continue }
            if let before {
                guard alert.raisedAt <= before.raisedAt else { continue }
                if alert.raisedAt == before.raisedAt, skip > 0 {
                    skip -= 1
                    continue
                }
            }
            page.append(alert)
        }
        return page
    }
}
