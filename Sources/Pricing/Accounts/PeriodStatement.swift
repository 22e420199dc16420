/// Sums of charges; 128 bits, so that no number of records overflows them.
struct ChargeSums: Equatable, Sendable {
    var records = 0
    var breachedRecords = 0
    var subtotal: Int128 = 0
    var discount: Int128 = 0
    var penalty: Int128 = 0
    var charge: Int128 = 0

    mutating func add(_ charge: TierCharge, of rated: RatedRecord) {
        records += 1
        breachedRecords += rated.charge.breaches.isEmpty ? 0 : 1
        subtotal += Int128(rated.charge.subtotal.nanodollars)
        discount += Int128(charge.discount.nanodollars)
        penalty += Int128(charge.penalty.nanodollars)
        self.charge += Int128(charge.charge.nanodollars)
    }
}

/// What a period costs, as its records stand.
struct PeriodStatement: Sendable {
    struct Provider: Equatable, Sendable {
        var tokens: Int64
        var discountBasisPoints: Int64
    }

    private(set) var providers: [String: Provider] = [:]
    private(set) var models: [String: ChargeSums] = [:]
    private(set) var total = ChargeSums()

    /// Adds up the accepted records of one period, in any order.
    init(of records: [RatedRecord], mode: DiscountMode) {
        for (name, members) in Dictionary(grouping: records, by: \.provider) {
            add(members, of: name, mode: mode)
        }
    }

    private mutating func add(_ records: [RatedRecord], of provider: String, mode: DiscountMode) {
        guard let tiers = records.first?.tiers else { return }
        let tokens = records.reduce(0) { $0 + $1.record.tokens }
        let tier = tiers.index(reachedBy: tokens)
        providers[provider] = Provider(
            tokens: tokens,
            discountBasisPoints: tiers[tier].discountBasisPoints
        )
        switch mode {
        case .wholeVolume:
            for rated in records { add(rated.charge.tiers[tier], of: rated) }
        case .graduated:
            var before: Int64 = 0
            for rated in records.sorted(by: Self.isBefore) {
                add(rated.graduatedCharge(tokensBefore: before), of: rated)
                before += rated.record.tokens
            }
        }
    }

    private mutating func add(_ charge: TierCharge, of rated: RatedRecord) {
        models[rated.record.model, default: ChargeSums()].add(charge, of: rated)
        total.add(charge, of: rated)
    }

    /// The order in which a period's tokens are numbered; ids are ASCII, so this compares bytes.
    private static func isBefore(_ left: RatedRecord, _ right: RatedRecord) -> Bool {
        (left.record.endedAtMilliseconds, left.record.recordID)
            < (right.record.endedAtMilliseconds, right.record.recordID)
    }
}

extension RatedRecord {
    /// The charge where each token has the rate of the tier that it falls into: token k that of
    /// the last tier with k > its tokens.
    fileprivate func graduatedCharge(tokensBefore before: Int64) -> TierCharge {
        let penalty = charge.breaches.isEmpty ? 0 : penaltyBasisPoints
        guard record.tokens > 0 else {
            let rate = tiers[tiers.index(reachedBy: before)].discountBasisPoints
            return TierCharge(
                subtotal: charge.subtotal,
                discountBasisPoints: rate,
                penaltyBasisPoints: penalty
            )
        }
        let after = before + record.tokens
        var shares: Int128 = 0
        for (index, tier) in tiers.enumerated() {
            let end = index + 1 < tiers.count ? tiers[index + 1].tokens : .max
            let inTier = max(0, min(after, end) - max(before, tier.tokens))
            shares += Int128(inTier) * Int128(tier.discountBasisPoints)
        }
        let exact = Int128(charge.subtotal.nanodollars) * shares
        let discount = exact.roundedQuotient(by: 10_000 * Int128(record.tokens))
        return TierCharge(
            subtotal: charge.subtotal,
            discount: Money(nanodollars: Int64(discount)),
            penaltyBasisPoints: penalty
        )
    }
}
