import StreamBytes

/// Everything that turns a meter record into money; one version of it.
package struct PriceList: Sendable {
    package let version: String
    /// When it comes into force; a list that does not say so is in force from the beginning.
    package let effectiveFrom: WallTime
    /// The list itself as JSON: its known keys in the order of their names, without spaces.
    package let text: String
    package internal(set) var models: [String: ModelPrice]
    /// By provider, ascending; a provider without entry has no discounts.
    package let discountTiers: [String: [DiscountTier]]
    package let limits: RecordLimits
    package let times: TimeRules
    /// Decimals of each currency's minor unit.
    package let currencyDecimals: [String: Int]
    /// Shares of a quota, in percent, at which an alert fires; in the order of firing.
    package let alertLevels: [Int64]
    package let taxes: TaxRules
    /// The least time with unsent bytes for which bandwidth is judged.
    package let minimumBusyMilliseconds: Int64

    /// The tiers that a provider's records are charged at: first the one without discount.
    package func tiers(of provider: String) -> [DiscountTier] {
        [.none] + (discountTiers[provider] ?? [])
    }

    /// The price of a model, by its exact bytes: canonically equivalent spellings do not count.
    package func price(of model: String) -> ModelPrice? {
        guard let price = models[model], price.model.utf8.elementsEqual(model.utf8) else {
            return nil
        }
        return price
    }
}

/// What a model costs, in nano-dollars per unit.
package struct ModelPrice: Sendable {
    package let model: String
    package let provider: String
    package let perSecond: Money
    /// For 10^6 bytes.
    package let perMegabyte: Money
    package let premiumThresholdBytes: Int64
    /// For each 10^3 bytes above the threshold.
    package let premiumPerKilobyte: Money
    package let perThousandInputTokens: Money
    package let perThousandOutputTokens: Money
    /// Once per stream.
    package let base: Money
    package let perHour: Money
    package let guarantee: ServiceGuarantee
}

/// What is promised for a model, and what breaking it costs.
package struct ServiceGuarantee: Sendable {
    package let uptimeBasisPoints: Int64
    package let latencyMilliseconds: Int64
    package let bytesPerSecond: Int64
    package let penaltyBasisPoints: Int64
}

/// A discount on all of a provider's records of a period, once they hold so many tokens.
package struct DiscountTier: Hashable, Sendable {
    package static let none = Self(tokens: 0, discountBasisPoints: 0)

    package let tokens: Int64
    package let discountBasisPoints: Int64
}

/// The largest values that a record may carry, inclusive; the smallest are 0.
package struct RecordLimits: Sendable {
    package let segment: Int64
    package let endedAtMilliseconds: ClosedRange<Int64>
    package let durationMilliseconds: Int64
    package let bytesOut: Int64
    package let inputTokens: Int64
    package let outputTokens: Int64
    package let downtimeMilliseconds: Int64
    package let busyMilliseconds: Int64
    package let latencyMicroseconds: Int64
}

extension [DiscountTier] {
    /// The last tier that so many tokens reach, where the first one asks for none.
    package func index(reachedBy tokens: Int64) -> Int {
        lastIndex { tokens >= $0.tokens } ?? 0
    }
}

/// When a record is still taken, and into which period.
package struct TimeRules: Sendable {
    /// How long after its end a period still takes records.
    package let graceMilliseconds: Int64
    package let maximumAgeMilliseconds: Int64
    package let maximumFutureMilliseconds: Int64
}
