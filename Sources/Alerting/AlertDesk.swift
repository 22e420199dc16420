import StreamBytes

/// Decides when an alert is raised and when it is over.
///
/// An alert latches: it is raised once when its value reaches the limit, and is over only when the
/// value has fallen clearly below it, so that a value that hovers there makes no noise.
package struct AlertDesk: Sendable {
    package enum News: Equatable, Sendable {
        case raised(Alert)
        case cleared(Alert)

        package var alert: Alert {
            switch self {
            case .raised(let alert), .cleared(let alert): alert
            }
        }
    }

    private var rules: [AlertRule]
    /// Thousandths of a limit below which an alert is over.
    private var clearsBelow: Int64
    private var open: [Alert.Key: Alert] = [:]

    /// - Parameters:
    ///   - rules: what is an alert; several for one signal are its levels.
    ///   - clearsBelow: thousandths of a limit below which an alert is over.
    package init(_ rules: [AlertRule], clearsBelow: Int64 = 800) {
        precondition((1...1_000).contains(clearsBelow), "an alert is over at or below its limit")
        self.rules = rules
        self.clearsBelow = clearsBelow
    }

    /// The alerts that are open, the oldest first.
    package var openAlerts: [Alert] {
        open.values.sorted {
            ($0.raisedAt, $0.key.rule, $0.key.account, $0.key.limit, $0.key.subject)
                < ($1.raisedAt, $1.key.rule, $1.key.account, $1.key.limit, $1.key.subject)
        }
    }

    /// Takes over alerts that an earlier run raised, unless this one raised them too; those of other
    /// rules are left alone.
    package mutating func resume(_ alerts: [Alert]) {
        let known = Set(rules.map { Self.text($0) })
        for alert in alerts where known.contains(alert.key.text) && open[alert.key] == nil {
            open[alert.key] = alert
        }
    }

    /// Goes by other rules from now on.
    ///
    /// - Returns: the alerts whose rule is gone, as over.
    package mutating func replace(
        rules: [AlertRule],
        clearsBelow: Int64 = 800,
        at now: WallTime
    ) -> [News] {
        self.rules = rules
        self.clearsBelow = clearsBelow
        let known = Set(rules.map { Self.text($0) })
        return openAlerts.filter { !known.contains($0.key.text) }.map { clear($0, at: now) }
    }

    /// Takes what was seen; what was not seen this time stays as it is.
    ///
    /// - Parameters:
    ///   - readings: what was seen.
    ///   - complete: signals of which everything was seen: what they do not name is over.
    ///   - now: the wall clock.
    /// - Returns: what is to be told.
    package mutating func note(
        _ readings: [AlertReading],
        complete: Set<AlertSignal> = [],
        at now: WallTime
    ) -> [News] {
        let seen = Set(readings.map { Seen($0.signal.rawValue, $0.account, $0.subject) })
        let names = Set(complete.map(\.rawValue))
        var news = openAlerts.filter { alert in
            let key = alert.key
            return names.contains(key.rule)
                && !seen.contains(Seen(key.rule, key.account, key.subject))
        }.map { clear($0, at: now) }
        for reading in readings {
            for rule in rules where rule.signal == reading.signal {
                if let change = judge(reading, by: rule, at: now) { news.append(change) }
            }
        }
        return news
    }

    private struct Seen: Hashable {
        let rule: String
        let account: String
        let subject: String

        init(_ rule: String, _ account: String, _ subject: String) {
            (self.rule, self.account, self.subject) = (rule, account, subject)
        }
    }

    private mutating func judge(
        _ reading: AlertReading,
        by rule: AlertRule,
        at now: WallTime
    ) -> News? {
        let key = Alert.Key(
            rule: rule.signal.rawValue,
            account: reading.account,
            limit: String(rule.limit),
            subject: reading.subject
        )
        if let alert = open[key] {
            // A limit that is small has nothing between itself and what is normal.
            let (product, overflow) = rule.limit.multipliedReportingOverflow(by: clearsBelow)
            let bound = overflow ? rule.limit / 1_000 * clearsBelow : product / 1_000
            return reading.value < max(bound, 1) ? clear(alert, at: now) : nil
        }
        guard reading.value >= rule.limit else { return nil }
        let alert = Alert(
            key: key,
            severity: rule.severity,
            message: rule.signal.message(
                reading.value,
                subject: reading.subject.isEmpty ? reading.account : reading.subject,
                limit: rule.limit
            ),
            raisedAt: now
        )
        open[key] = alert
        return .raised(alert)
    }

    private mutating func clear(_ alert: Alert, at now: WallTime) -> News {
        open[alert.key] = nil
        var alert = alert
        alert.clearedAt = now
        return .cleared(alert)
    }

    private static func text(_ rule: AlertRule) -> String {
        "\(rule.signal.rawValue) \(rule.limit)"
    }
}

extension Alert.Key {
    /// Which rule it is of.
    fileprivate var text: String { "\(rule) \(limit)" }
}
