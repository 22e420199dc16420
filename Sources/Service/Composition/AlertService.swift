import Alerting
import Reactor
import StreamBytes
import Telemetry

/// Watches what the process knows about itself, and tells what somebody wants to be told: in the log,
/// in the metrics, and to those who ask.
final class AlertService: Sendable {
    /// The most news that wait for a store that is away; older ones stand in the log only.
    private static let newsLimit = 1_000

    private struct State {
        var desk: AlertDesk
        var pause: Duration
        var figures = AlertFigures()
        /// What the store has not taken yet.
        var unkept: [AlertDesk.News] = []
        /// Whether the store may know of alerts that this does not.
        var isOutdated = true
        /// Whether the store failed last, which was said then.
        var isUnkept = false
        /// Alerts of the ledger's own that were told already; nil before it was looked at.
        var told: Set<String>?
        var raised: [String: Int] = [:]
    }

    private let store: any AlertStore
    private let log: any LogSink
    private let clock: @Sendable () -> MonotonicTime
    private let state: Guarded<State>

    /// - Parameters:
    ///   - store: where alerts are kept.
    ///   - configuration: what to be told of.
    ///   - clock: the monotonic clock.
    ///   - log: gets a line for each alert that begins or ends.
    init(
        store: any AlertStore,
        configuration: AlertConfiguration,
        clock: @escaping @Sendable () -> MonotonicTime,
        log: any LogSink
    ) {
        self.store = store
        self.clock = clock
        self.log = log
        state = Guarded(
            State(
                desk: AlertDesk(
                    configuration.rules,
                    clearsBelow: configuration.clearBelow.thousandths
                ),
                pause: configuration.interval
            )
        )
    }

    /// Watches until the task is cancelled.
    ///
    /// - Parameter look: tells what is known now.
    func run(_ look: @Sendable () async -> AlertSnapshot) async {
        while !Task.isCancelled {
            await resume()
            note(await look(), at: WallTime.now)
            await keep()
            await tellOfQuotas()
            try? await Task.sleep(for: state.withLock(\.pause))
        }
    }

    /// Goes by other rules from now on.
    func use(_ configuration: AlertConfiguration) {
        let news = state.withLock { state in
            state.pause = configuration.interval
            return state.desk.replace(
                rules: configuration.rules,
                clearsBelow: configuration.clearBelow.thousandths,
                at: WallTime.now
            )
        }
        tell(news)
    }

    /// Goes on with the alerts that an earlier run raised.
    ///
    /// As long as the store cannot say which they are, they are raised again: that the ledger is away
    /// may be the very thing to tell of.
    private func resume() async {
        let isDue = state.withLock { state in
            defer { state.isOutdated = false }
            return state.isOutdated
        }
        guard isDue else { return }
        let open = try? await store.openAlerts()
        state.withLock { state in
            guard let open else {
                state.isOutdated = true
                return
            }
            state.desk.resume(open)
        }
    }

    /// Call when the store knows of earlier runs, and did not before.
    func storeIsThere() {
        state.withLock { state in
            state.isOutdated = true
            state.told = nil
        }
    }

    private func note(_ snapshot: AlertSnapshot, at now: WallTime) {
        let instant = clock()
        tell(
            state.withLock { state in
                let readings = state.figures.readings(of: snapshot, at: instant)
                let complete = AlertFigures.complete(of: snapshot)
                return state.desk.note(readings, complete: complete, at: now)
            }
        )
    }

    private func tell(_ news: [AlertDesk.News]) {
        for each in news { log.write(LogLine(each)) }
        state.withLock { state in
            for case .raised(let alert) in news { state.raised[alert.key.rule, default: 0] += 1 }
            state.unkept += news
        }
    }

    private func keep() async {
        let (news, lostCount) = state.withLock { state in
            let lostCount = max(0, state.unkept.count - Self.newsLimit)
            state.unkept.removeFirst(lostCount)
            return (state.unkept, lostCount)
        }
        if lostCount > 0 {
            log.write(LogLine(.error, "alerts_lost").with("count", lostCount))
        }
        guard !news.isEmpty else { return }
        do throws(AlertStoreError) {
            try await store.keep(news)
            state.withLock { state in
                state.unkept.removeFirst(news.count)
                state.isUnkept = false
            }
        } catch {
            let isNew = state.withLock { state in
                defer { state.isUnkept = true }
                return !state.isUnkept
            }
            if isNew { log.write(LogLine(.warning, "alerts_wait").with("reason", error.reason)) }
        }
    }

    /// The ledger raises alerts of quotas itself, together with the record that reaches them.
    private func tellOfQuotas() async {
        var query = AlertQuery()
        query.limit = 500
        guard let page = try? await store.alerts(query), page.problem == nil else { return }
        let quotas = page.alerts.filter { $0.key.rule.hasPrefix("quota.") }
        let fresh = state.withLock { state -> [Alert] in
            // Those that the store had before are no news.
            guard !state.isOutdated else { return [] }
            let known = state.told
            state.told = Set(quotas.map(\.text))
            return known.map { known in quotas.filter { !known.contains($0.text) } } ?? []
        }
        for alert in fresh.reversed() { log.write(LogLine(.raised(alert))) }
        state.withLock { state in
            for alert in fresh { state.raised[alert.key.rule, default: 0] += 1 }
        }
    }

    func writeMetrics(to text: inout PrometheusText) {
        let (open, raised) = state.withLock { ($0.desk.openAlerts, $0.raised) }
        for severity in AlertSeverity.allCases {
            text.gauge(
                "weir_alerts_open",
                help: "Alerts that are open, by severity.",
                labels: ["severity": severity.rawValue],
                value: open.count { $0.severity == severity }
            )
        }
        for signal in AlertSignal.allCases {
            text.gauge(
                "weir_alert",
                help: "How many alerts of a rule are open.",
                labels: ["rule": signal.rawValue],
                value: open.count { $0.key.rule == signal.rawValue }
            )
        }
        for (rule, count) in raised.sorted(by: { $0.key < $1.key }) {
            text.counter(
                "weir_alerts_raised_total",
                help: "Alerts that were raised, by rule.",
                labels: ["rule": rule],
                value: count
            )
        }
    }
}

extension Alert {
    fileprivate var text: String {
        "\(key.rule) \(key.account) \(key.limit) \(key.subject) \(raisedAt.milliseconds)"
    }
}

extension LogLine {
    fileprivate init(_ news: AlertDesk.News) {
        let alert = news.alert
        switch news {
        case .raised:
            self.init(alert.severity == .info ? .info : .warning, "alert_raised")
        case .cleared: self.init(.info, "alert_cleared")
        }
        add("rule", alert.key.rule)
        add("severity", alert.severity.rawValue)
        add("account", alert.key.account.isEmpty ? nil : alert.key.account)
        add("subject", alert.key.subject.isEmpty ? nil : alert.key.subject)
        add("message", alert.message)
    }
}
