import Billing
import Gateway
import Reactor
import Telemetry

/// What status pages are told of metering and billing, whichever of them this process has.
final class StatusBoard: Sendable {
    private struct Parts {
        var gateway: GatewayService?
        var meter: MeterService?
        var access: LedgerAccess?
        var billing: BillingService?
        var keeping: StreamKeeping?
        var alerts: AlertService?
    }

    private let parts = Guarded(Parts())

    func connect(gateway: GatewayService) { parts.withLock { $0.gateway = gateway } }

    func connect(meter: MeterService) { parts.withLock { $0.meter = meter } }

    /// Where billing waits for the ledger as long as there is none.
    func connect(access: LedgerAccess) { parts.withLock { $0.access = access } }

    func connect(billing: BillingService) { parts.withLock { $0.billing = billing } }

    func connect(keeping: StreamKeeping) { parts.withLock { $0.keeping = keeping } }

    func connect(alerts: AlertService) { parts.withLock { $0.alerts = alerts } }

    /// What is known of this process now.
    func snapshot() async -> AlertSnapshot {
        let parts = parts.withLock { $0 }
        var snapshot = AlertSnapshot()
        snapshot.figures = await parts.gateway?.core.figures()
        snapshot.spoolThousandths = parts.meter?.spoolThousandths
        snapshot.lossCount = parts.meter?.lossCount
        if let billing = parts.billing {
            await billing.describe(&snapshot)
        } else if let access = parts.access {
            snapshot.isLedgerAway = access.isAway
            snapshot.isBillingStuck = access.isAway
        }
        let redis =
            [parts.meter?.isRedisAway, parts.keeping.map { $0.state.problem != nil }]
            + [snapshot.isRedisAway]
        let known = redis.compactMap(\.self)
        snapshot.isRedisAway = known.isEmpty ? nil : known.contains(true)
        return snapshot
    }

    var overview: BillingOverview {
        let (meter, billing, access) = parts.withLock { ($0.meter, $0.billing, $0.access) }
        var overview = billing?.status ?? BillingOverview()
        if billing == nil, access?.isAway == true {
            overview.warnings.append(BillingProblem.ledgerWarning)
        }
        if let meter {
            overview.meterLag = meter.waiting
            if meter.isWaiting { overview.warnings.append("meter records wait for Redis") }
        }
        return overview
    }

    func writeMetrics(to text: inout PrometheusText) {
        let parts = parts.withLock { $0 }
        parts.gateway?.writeMetrics(to: &text)
        parts.meter?.writeMetrics(to: &text)
        parts.billing?.writeMetrics(to: &text)
        parts.keeping?.writeMetrics(to: &text)
        parts.alerts?.writeMetrics(to: &text)
    }
}
