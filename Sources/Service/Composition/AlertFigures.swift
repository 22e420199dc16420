import Alerting
import Gateway
import StreamBytes

/// What a process knows about itself at one moment, as far as somebody may want to be told of it;
/// nil is unknown.
package struct AlertSnapshot: Sendable {
    package var figures: GatewayFigures?
    package var spoolThousandths: Int64?
    package var isBillingStuck: Bool?
    package var isRedisAway: Bool?
    package var isLedgerAway: Bool?
    /// Records set aside since the process started.
    package var rejectedCount: Int64?
    /// Holes in the numbers of gateways, by name, that are too old to be filled soon; nil while it is
    /// too early to say.
    package var missing: [(name: String, count: Int64)]?
    /// How often Redis lost records since the process started.
    package var lossCount: Int64?
    package var costTodayNanodollars: Int64?
    /// Each account's tokens of today, and of the days before on which it used any.
    package var dailyTokens: [String: (today: Int64, before: [Int64])] = [:]

    package init() {}
}

/// Turns what is known into values that rules look at.
package struct AlertFigures: Sendable {
    /// Fewer ended streams say nothing about a rate.
    package static let fewestStreams: Int64 = 20
    /// Fewer earlier days say nothing about what is usual.
    package static let fewestDays = 3
    /// Less than this many tokens a day is no surge, whatever is usual.
    package static let fewestTokens: Int64 = 10_000
    /// More holes than these are not named.
    package static let mostHoles = 100

    private var recent = SlidingCounts(span: .seconds(300))
    private var lastHour = SlidingCounts(span: .seconds(3_600))
    /// Since when something is as it should not be.
    private var since: [AlertSignal: MonotonicTime] = [:]

    package init() {}

    /// Call every few seconds.
    package mutating func readings(
        of snapshot: AlertSnapshot,
        at now: MonotonicTime
    ) -> [AlertReading] {
        var readings: [AlertReading] = []
        if let figures = snapshot.figures { add(figures, to: &readings, at: now) }
        if let spool = snapshot.spoolThousandths { readings.append(AlertReading(.spool, spool)) }
        let states: [(AlertSignal, Bool?)] = [
            (.billing, snapshot.isBillingStuck), (.redis, snapshot.isRedisAway),
            (.ledger, snapshot.isLedgerAway),
        ]
        for (signal, isBad) in states {
            guard let isBad else { continue }
            readings.append(AlertReading(signal, seconds(signal, isBad, at: now)))
        }
        let known = [(AlertSignal.rejected, snapshot.rejectedCount), (.losses, snapshot.lossCount)]
        let counts = known.compactMap { signal, count in count.map { (signal.rawValue, $0) } }
        let growth = lastHour.note(Dictionary(uniqueKeysWithValues: counts), at: now)
        for (signal, count) in known where count != nil {
            readings.append(AlertReading(signal, growth[signal.rawValue] ?? 0))
        }
        for hole in snapshot.missing?.prefix(Self.mostHoles) ?? [] {
            readings.append(AlertReading(.missing, hole.count, subject: hole.name))
        }
        if let cost = snapshot.costTodayNanodollars { readings.append(AlertReading(.cost, cost)) }
        for (account, tokens) in snapshot.dailyTokens.sorted(by: { $0.key < $1.key }) {
            if let usage = Self.usage(tokens.today, tokens.before) {
                readings.append(AlertReading(.usage, usage, account: account))
            }
        }
        return readings
    }

    /// The signals of which `readings` names everything that is not as it should be.
    package static func complete(of snapshot: AlertSnapshot) -> Set<AlertSignal> {
        var signals: Set<AlertSignal> = []
        if snapshot.missing != nil { signals.insert(.missing) }
        if snapshot.isLedgerAway == false { signals.insert(.usage) }
        return signals
    }

    private mutating func add(
        _ figures: GatewayFigures,
        to readings: inout [AlertReading],
        at now: MonotonicTime
    ) {
        let growth = recent.note(
            figures.values.filter { $0.key.hasPrefix("end.") || $0.key.hasPrefix("latency") },
            at: now
        )
        let ended = growth.reduce(0) { $1.key.hasPrefix("end.") ? $0 + $1.value : $0 }
        let failed = growth["end.provider_error"] ?? 0
        let isEnough = ended >= Self.fewestStreams
        readings.append(AlertReading(.errorRate, isEnough ? failed * 1_000 / ended : 0))
        let events = growth["latencyCount"] ?? 0
        let latency = events == 0 ? 0 : (growth["latencyUs"] ?? 0) / events / 1_000
        readings.append(AlertReading(.latency, latency))
        readings.append(AlertReading(.drops, figures.values["dropsLastHour"] ?? 0))
    }

    private mutating func seconds(
        _ signal: AlertSignal,
        _ isBad: Bool,
        at now: MonotonicTime
    ) -> Int64 {
        guard isBad else {
            since[signal] = nil
            return 0
        }
        let start = since[signal] ?? now
        since[signal] = start
        return (now - start).wholeMilliseconds / 1_000
    }

    /// Thousandths of the usual day that today has been; nil where nothing is usual yet.
    private static func usage(_ today: Int64, _ before: [Int64]) -> Int64? {
        guard before.count >= fewestDays else { return nil }
        guard today >= fewestTokens else { return 0 }
        let usual = before.reduce(Int128(0)) { $0 + Int128($1) } / Int128(before.count)
        return Int64(clamping: Int128(today) * 1_000 / max(1, usual))
    }
}
