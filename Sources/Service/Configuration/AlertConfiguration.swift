import Alerting

/// What to be told of.
package struct AlertConfiguration: Equatable, Sendable {
    /// A limit and how much it matters that it is reached.
    package struct Limit<Value: Equatable & Sendable>: Equatable, Sendable {
        package var above: Value
        package var severity: AlertSeverity

        init(_ above: Value, _ severity: AlertSeverity) {
            self.above = above
            self.severity = severity
        }
    }

    /// Two shares of the spool.
    package struct SpoolLimits: Equatable, Sendable {
        package var warning = Share(thousandths: 500)
        package var critical = Share(thousandths: 800)
    }

    /// How often everything is looked at.
    package var interval = Duration.seconds(5)
    /// Where a value has to be, as a share of its limit, for its alert to be over.
    package var clearBelow = Share(thousandths: 800)
    /// Failed streams among those that ended in five minutes.
    package var errorRate = Limit(Share(thousandths: 50), .warning)
    /// The gateway's own latency, the mean over five minutes.
    package var latency = Limit(Duration.seconds(5), .warning)
    /// Connections dropped in an hour.
    package var drops = Limit(100, .warning)
    /// Dollars of one day; 0: any.
    package var cost = Limit("0", .critical)
    package var spool = SpoolLimits()
    /// How long billing may stand still.
    package var billing = Limit(Duration.seconds(60), .critical)
    /// How long Redis or the ledger may be away.
    package var away = Limit(Duration.seconds(30), .critical)
    /// Records of an hour that will never be billed.
    package var rejected = Limit(1, .warning)
    /// How often in an hour Redis may lose records, though they are sent again.
    package var losses = Limit(1, .warning)
    /// How long a record may be missing though later ones came.
    package var missing = Limit(Duration.seconds(150), .critical)
    /// How many times its usual tokens of a day an account may use.
    package var usage = Limit("3", .warning)

    package init() {}
}

/// A part of a whole.
package struct Share: Equatable, Sendable {
    package let thousandths: Int64
}

extension AlertConfiguration {
    static var section: Section<AlertConfiguration> {
        let whole = Share(thousandths: 0)...Share(thousandths: 1_000)
        return Section(
            .value("interval", \.interval, .duration(.milliseconds(100)...(.seconds(60)))),
            .value("clearBelow", \.clearBelow, .share(Share(thousandths: 1)...whole.upperBound)),
            .section("errorRate", \.errorRate, limit(.share(whole))),
            .section("latency", \.latency, limit(.duration(.zero...(.seconds(3_600))))),
            .section("drops", \.drops, limit(.number(0...1_000_000_000))),
            .section("cost", \.cost, limit(.dollars)),
            .section(
                "spool",
                \.spool,
                Section(
                    .value("warning", \.warning, .share(whole)),
                    .value("critical", \.critical, .share(whole))
                )
            ),
            .section("billing", \.billing, limit(.duration(.zero...(.seconds(86_400))))),
            .section("away", \.away, limit(.duration(.zero...(.seconds(86_400))))),
            .section("rejected", \.rejected, limit(.number(0...1_000_000_000))),
            .section("losses", \.losses, limit(.number(0...1_000_000_000))),
            .section("missing", \.missing, limit(.duration(.zero...(.seconds(86_400))))),
            .section("usage", \.usage, limit(.times))
        )
    }

    private static func limit<Value>(_ form: ValueForm<Value>) -> Section<Limit<Value>> {
        Section(.value("above", \.above, form), .value("severity", \.severity, .word))
    }

    /// What the values mean; a limit of nothing is no limit.
    package var rules: [AlertRule] {
        let limits: [(AlertSignal, Int64, AlertSeverity)] = [
            (.errorRate, errorRate.above.thousandths, errorRate.severity),
            (.latency, latency.above.wholeMilliseconds, latency.severity),
            (.drops, Int64(drops.above), drops.severity),
            (.cost, cost.above.thousandths * 1_000_000, cost.severity),
            (.spool, spool.warning.thousandths, .warning),
            (.spool, spool.critical.thousandths, .critical),
            (.billing, billing.above.wholeMilliseconds / 1_000, billing.severity),
            (.redis, away.above.wholeMilliseconds / 1_000, away.severity),
            (.ledger, away.above.wholeMilliseconds / 1_000, away.severity),
            (.rejected, Int64(rejected.above), rejected.severity),
            (.losses, Int64(losses.above), losses.severity),
            (.missing, missing.above > .zero ? 1 : 0, missing.severity),
            (.usage, usage.above.thousandths, usage.severity),
        ]
        return limits.filter { $0.1 > 0 }.map { AlertRule($0.0, limit: $0.1, severity: $0.2) }
    }
}

extension String {
    /// A number with at most three decimals, in thousandths.
    fileprivate var thousandths: Int64 {
        let parts = split(separator: ".", omittingEmptySubsequences: false)
        let decimals = parts.count > 1 ? String(parts[1]) : ""
        let padded = decimals + String(repeating: "0", count: max(0, 3 - decimals.utf8.count))
        return (Int64(parts[0]) ?? 0) * 1_000 + (Int64(padded) ?? 0)
    }
}

extension ValueForm where Value == Share {
    /// A share in percent with at most one decimal.
    static func share(_ range: ClosedRange<Share>) -> ValueForm {
        ValueForm(
            expectation: "a share such as 5%, from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Share(text).flatMap { range.contains($0) ? $0 : nil } },
            text: \.description
        )
    }
}

extension Share: Comparable, CustomStringConvertible {
    fileprivate init?(_ text: String) {
        guard text.hasSuffix("%") else { return nil }
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]), (0...100).contains(whole),
            parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        guard parts.count == 2 else {
            thousandths = whole * 10
            return
        }
        guard parts[1].utf8.count == 1, let tenth = Int64(parts[1]) else { return nil }
        thousandths = whole * 10 + tenth
    }

    package var description: String {
        thousandths % 10 == 0 ? "\(thousandths / 10)%" : "\(thousandths / 10).\(thousandths % 10)%"
    }

    package static func < (left: Share, right: Share) -> Bool {
        left.thousandths < right.thousandths
    }
}

extension ValueForm where Value == String {
    /// A number from 0 on with at most three decimals.
    private static func decimal(_ expectation: String) -> ValueForm {
        text.limited(to: expectation) { text in
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count <= 2 && parts[0].utf8.count <= 9
                && parts.allSatisfy {
                    !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
                }
                && (parts.count < 2 || parts[1].utf8.count <= 3)
        }
    }

    static var dollars: ValueForm { decimal("an amount of dollars such as 250 or 0.5; 0: any") }
    static var times: ValueForm { decimal("how many times, such as 3 or 2.5; 0: any") }
}
