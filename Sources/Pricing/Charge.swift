/// What one record costs: its components, and its charge under every discount tier.
///
/// Which tier holds is known only when the period's tokens are, so all are kept.
package struct Charge: Equatable, Sendable {
    package let components: ChargeComponents
    package let breaches: [ServiceBreach]
    /// One per entry of `PriceList.tiers(of:)`, so never empty.
    package let tiers: [TierCharge]

    package var subtotal: Money { components.subtotal }
}

/// A record's charge under one discount tier.
package struct TierCharge: Equatable, Sendable {
    package let discountBasisPoints: Int64
    package let discount: Money
    package let net: Money
    package let penalty: Money
    package let charge: Money

    init(subtotal: Money, discountBasisPoints: Int64, penaltyBasisPoints: Int64) {
        self.init(
            subtotal: subtotal,
            discount: subtotal.portion(basisPoints: discountBasisPoints),
            discountBasisPoints: discountBasisPoints,
            penaltyBasisPoints: penaltyBasisPoints
        )
    }

    /// A charge of which the discount was worked out otherwise.
    package init(
        subtotal: Money,
        discount: Money,
        discountBasisPoints: Int64 = 0,
        penaltyBasisPoints: Int64
    ) {
        self.discountBasisPoints = discountBasisPoints
        self.discount = discount
        net = subtotal - discount
        penalty = net.portion(basisPoints: penaltyBasisPoints)
        charge = net - penalty
    }
}

/// A guarantee that a record did not meet, in the order of listing.
package enum ServiceBreach: String, Sendable {
    case uptime, latency, bandwidth
}

/// The quantities that prices are multiplied with.
struct RatedUsage {
    let isFirst: Bool
    let durationMilliseconds: Int64
    let bytesOut: Int64
    let inputTokens: Int64
    let outputTokens: Int64
}

/// The seven parts of a record's price, each rounded once.
package struct ChargeComponents: Equatable, Sendable {
    package let streamTime: Money
    package let streamBytes: Money
    package let bandwidthPremium: Money
    package let tokensIn: Money
    package let tokensOut: Money
    package let infraBase: Money
    package let infraTime: Money
    package let subtotal: Money

    /// Nil when a part or the sum does not fit into `Money`.
    init?(_ usage: RatedUsage, at price: ModelPrice) {
        let premiumBytes = max(0, usage.bytesOut - price.premiumThresholdBytes)
        guard
            let streamTime = price.perSecond.times(usage.durationMilliseconds, per: 1_000),
            let streamBytes = price.perMegabyte.times(usage.bytesOut, per: 1_000_000),
            let bandwidthPremium = price.premiumPerKilobyte.times(premiumBytes, per: 1_000),
            let tokensIn = price.perThousandInputTokens.times(usage.inputTokens, per: 1_000),
            let tokensOut = price.perThousandOutputTokens.times(usage.outputTokens, per: 1_000),
            let infraTime = price.perHour.times(usage.durationMilliseconds, per: 3_600_000)
        else { return nil }
        let infraBase = usage.isFirst ? price.base : .zero
        let rest = [streamBytes, bandwidthPremium, tokensIn, tokensOut, infraBase, infraTime]
        var sum: Money? = streamTime
        for part in rest { sum = sum?.adding(part) }
        guard let subtotal = sum else { return nil }
        self.streamTime = streamTime
        self.streamBytes = streamBytes
        self.bandwidthPremium = bandwidthPremium
        self.tokensIn = tokensIn
        self.tokensOut = tokensOut
        self.infraBase = infraBase
        self.infraTime = infraTime
        self.subtotal = subtotal
    }
}

extension Money {
    /// The price of `count` things where it is the price of `unit` of them; nil beyond `Money`.
    fileprivate func times(_ count: Int64, per unit: Int128) -> Money? {
        let exact = Int128(nanodollars) * Int128(count)
        return Int64(exactly: exact.roundedQuotient(by: unit)).map(Money.init(nanodollars:))
    }
}
