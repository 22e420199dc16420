/// What is watched, and in which unit its values come.
package enum AlertSignal: String, CaseIterable, Sendable {
    /// Thousandths of the streams that ended, over some minutes, which a provider failed.
    case errorRate = "error_rate"
    /// Milliseconds from a provider's bytes to the kernel's acceptance, the mean over some minutes.
    case latency
    /// Streams of the last hour whose client left or was cut.
    case drops
    /// Nano-dollars of today's charges, over all accounts.
    case cost
    /// Thousandths of the room for records that wait.
    case spool
    /// Seconds for which billing has not gone on.
    case billing
    /// Records of the last hour that will never be billed.
    case rejected
    /// Records in one hole of a gateway's numbers: later ones came, these did not.
    case missing = "missing_records"
    /// How often in the last hour Redis turned out to have lost records.
    case losses = "redis_losses"
    /// Seconds for which Redis has been away.
    case redis
    /// Seconds for which the ledger has been away.
    case ledger
    /// Thousandths of an account's usual tokens of a day that it has used today.
    case usage

    /// A value as people write it.
    package func text(_ value: Int64) -> String {
        switch self {
        case .errorRate, .spool: "\(Self.tenths(value)) %"
        case .latency: "\(value) ms"
        case .drops, .rejected, .missing, .losses: "\(value)"
        case .cost: "\(Self.dollars(value)) dollars"
        case .billing, .redis, .ledger: "\(value) s"
        case .usage: "\(Self.hundredths(value)) times"
        }
    }

    /// What a value means, in a sentence.
    package func message(_ value: Int64, subject: String, limit: Int64) -> String {
        let (value, limit) = (text(value), text(limit))
        return switch self {
        case .errorRate: "\(value) of the streams that ended failed (limit \(limit))"
        case .latency: "events take \(value) on the mean to leave the gateway (limit \(limit))"
        case .drops: "\(value) connections were dropped in the last hour (limit \(limit))"
        case .cost: "today's charges are \(value) (limit \(limit))"
        case .spool: "\(value) of the spool is full (limit \(limit))"
        case .billing: "billing has not gone on for \(value)"
        case .rejected: "\(value) records of the last hour will never be billed"
        case .missing: "\(value) records never came, though later ones did: \(subject)"
        case .losses: "Redis lost records \(value) times in the last hour; all were sent again"
        case .redis: "Redis has been away for \(value)"
        case .ledger: "the ledger has been away for \(value)"
        case .usage: "\(subject) has used \(value) its usual tokens of a day (limit \(limit))"
        }
    }

    private static func tenths(_ thousandths: Int64) -> String {
        "\(thousandths / 10).\(thousandths % 10)"
    }

    private static func hundredths(_ thousandths: Int64) -> String {
        let rest = thousandths % 1_000 / 10
        return "\(thousandths / 1_000).\(rest < 10 ? "0" : "")\(rest)"
    }

    private static func dollars(_ nano: Int64) -> String {
        let cents = nano / 10_000_000
        return "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    }
}

/// How much an alert matters.
package enum AlertSeverity: String, CaseIterable, Sendable {
    case info, warning, critical
}

/// From which value on a signal is an alert.
package struct AlertRule: Equatable, Sendable {
    package let signal: AlertSignal
    /// In the signal's unit.
    package let limit: Int64
    package let severity: AlertSeverity

    package init(_ signal: AlertSignal, limit: Int64, severity: AlertSeverity) {
        precondition(limit > 0, "a limit is above what is normal")
        self.signal = signal
        self.limit = limit
        self.severity = severity
    }
}

/// A value that was seen.
package struct AlertReading: Equatable, Sendable {
    package let signal: AlertSignal
    /// The account whose value it is; empty for that of the whole process.
    package let account: String
    /// What of several things it is about; empty where there is but one.
    package let subject: String
    package let value: Int64

    package init(
        _ signal: AlertSignal,
        _ value: Int64,
        account: String = "",
        subject: String = ""
    ) {
        self.signal = signal
        self.value = value
        self.account = account
        self.subject = subject
    }
}
