import Metering

extension PriceList {
    /// Rates a record that was read with this price list.
    ///
    /// - Parameters:
    ///   - record: the record.
    ///   - tiers: the discount tiers of its provider in the period that it is billed in.
    /// - Returns: the charge, under each of the tiers.
    package func rate(_ record: MeterRecord, tiers: [DiscountTier]) -> Charge {
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
        let charges = tiers.map { tier in
            TierCharge(
                subtotal: components.subtotal,
                discountBasisPoints: tier.discountBasisPoints,
                penaltyBasisPoints: penalty
            )
        }
        return Charge(components: components, breaches: breaches, tiers: charges)
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
}
