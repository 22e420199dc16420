/// Sums over some of a model's records, in one account and one period.
package struct UsageTotals: Equatable, Sendable {
    package var records: Int64 = 0
    package var breachedRecords: Int64 = 0
    /// Records that are the first of their stream.
    package var streams: Int64 = 0
    package var inputTokens: Int64 = 0
    package var outputTokens: Int64 = 0
    package var bytesOut: Int64 = 0
    package var durationMilliseconds: Int64 = 0
    /// Nano-dollars.
    package var subtotal: Int64 = 0
    /// What they cost under each discount tier.
    package var tiers: [ChargeSum] = []
    /// What they cost where the discount is graduated; zero elsewhere.
    package var graduated = ChargeSum()

    package init() {}

    /// Adds a record; the caller has made sure that the sums fit.
    ///
    /// - Parameters:
    ///   - rated: the record.
    ///   - charge: its charge, where the account's discount is graduated.
    package mutating func add(_ rated: RatedRecord, graduated charge: TierCharge?) {
        let record = rated.record
        records += 1
        breachedRecords += rated.charge.breaches.isEmpty ? 0 : 1
        streams += record.segment == 0 ? 1 : 0
        inputTokens += record.inputTokens
        outputTokens += record.outputTokens
        bytesOut += record.bytesOut
        durationMilliseconds += record.durationMilliseconds
        subtotal += rated.charge.subtotal.nanodollars
        for (index, tier) in rated.charge.tiers.enumerated() {
            if index == tiers.count { tiers.append(ChargeSum()) }
            tiers[index].add(tier)
        }
        if let charge { graduated.add(charge) }
    }

    /// Adds other records' sums; the caller has made sure that they fit.
    package mutating func add(_ other: UsageTotals) {
        records += other.records
        breachedRecords += other.breachedRecords
        streams += other.streams
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        bytesOut += other.bytesOut
        durationMilliseconds += other.durationMilliseconds
        subtotal += other.subtotal
        for (index, tier) in other.tiers.enumerated() {
            if index == tiers.count { tiers.append(ChargeSum()) }
            tiers[index].charge += tier.charge
            tiers[index].penalty += tier.penalty
        }
        graduated.charge += other.graduated.charge
        graduated.penalty += other.graduated.penalty
    }

    package mutating func add(_ rerating: Rerating) {
        graduated.subtract(rerating.before)
        graduated.add(rerating.record.charge)
    }

    /// What the records cost in the given mode, where the provider's tokens reach the tier.
    package func current(_ mode: DiscountMode, tier: Int) -> ChargeSum {
        switch mode {
        case .graduated: graduated
        case .wholeVolume: tier < tiers.count ? tiers[tier] : ChargeSum()
        }
    }

    /// The same as a transaction.
    func posting(_ sum: ChargeSum) -> Posting {
        Posting(
            accrued: sum.charge,
            discount: subtotal - sum.penalty - sum.charge,
            penalty: sum.penalty,
            revenue: -subtotal
        )
    }
}

/// Sums of charges and of the penalties within them, in nano-dollars; with the subtotal they give
/// the discount.
package struct ChargeSum: Equatable, Sendable {
    package var charge: Int64 = 0
    package var penalty: Int64 = 0

    package init() {}

    package init(charge: Int64, penalty: Int64) {
        self.charge = charge
        self.penalty = penalty
    }

    package mutating func add(_ tier: TierCharge) {
        charge += tier.charge.nanodollars
        penalty += tier.penalty.nanodollars
    }

    mutating func subtract(_ tier: TierCharge) {
        charge -= tier.charge.nanodollars
        penalty -= tier.penalty.nanodollars
    }
}
