import Metering
import StreamBytes

extension PriceList {
    /// Rates a record that was read with this price list.
    package func rate(_ record: MeterRecord) -> Charge {
        guard let price = price(of: record.model) else {
            preconditionFailure("a record is rated by the price list that it was read with")
        }
        let usage = RatedUsage(
            isFirst: record.segment == 0,
            durationMilliseconds: record.durationMilliseconds,
            bytesOut: record.bytesOut,
            inputTokens: record.inputTokens,
            outputTokens: record.outputTokens
        )
        guard let components = ChargeComponents(usage, at: price) else {
            preconditionFailure("a price list is refused when a record at its limits overflows")
        }
        let breaches = breaches(of: record, price.guarantee)
        let penalty = breaches.isEmpty ? 0 : price.guarantee.penaltyBasisPoints
        let tiers = tiers(of: price.provider).map { tier in
            TierCharge(
                subtotal: components.subtotal,
                discountBasisPoints: tier.discountBasisPoints,
                penaltyBasisPoints: penalty
            )
        }
        return Charge(components: components, breaches: breaches, tiers: tiers)
    }

    /// The guarantees that the record did not meet; being exactly at one meets it.
    private func breaches(
        of record: MeterRecord,
        _ guarantee: ServiceGuarantee
    ) -> [ServiceBreach] {
        guard record.slaExclusion != true else { return [] }
        var breaches: [ServiceBreach] = []
        let duration = Int128(record.durationMilliseconds)
        let up = duration - Int128(record.downtimeMilliseconds)
        if up * 10_000 < Int128(guarantee.uptimeBasisPoints) * duration { breaches.append(.uptime) }
        if let latency = record.latencyMicroseconds,
            Int128(latency) > Int128(guarantee.latencyMilliseconds) * 1_000
        {
            breaches.append(.latency)
        }
        if record.busyMilliseconds >= minimumBusyMilliseconds,
            Int128(record.bytesOut) * 1_000
                < Int128(guarantee.bytesPerSecond) * Int128(record.busyMilliseconds)
        {
            breaches.append(.bandwidth)
        }
        return breaches
    }

    /// The month that a record is billed in, and whether it came too late for its own.
    ///
    /// A month takes records until its grace has passed; a later one goes to the first month that
    /// was still open when it was received.
    package func period(
        of record: MeterRecord,
        receivedAtMilliseconds received: Int64
    ) -> (billed: CalendarMonth, isLate: Bool) {
        let own = CalendarMonth(
            containing: WallTime(milliseconds: record.endedAtMilliseconds)
        )
        guard isClosed(own, at: received) else { return (own, false) }
        let opening = Int128(received) - Int128(times.graceMilliseconds)
        let open = CalendarMonth(containing: WallTime(milliseconds: Int64(clamping: opening)))
        return (open, true)
    }

    private func isClosed(_ month: CalendarMonth, at milliseconds: Int64) -> Bool {
        Int128(milliseconds) >= Int128(month.end.milliseconds) + Int128(times.graceMilliseconds)
    }
}
