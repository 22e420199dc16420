import Metering
import StreamBytes

/// What a month will have cost when it is over, if it goes on as it did.
///
/// Usage is extended, and what comes out is rated. Where a discount tier is reached on the way, a
/// token may cost less than today.
package struct UsageProjection: Equatable, Sendable {
    /// What is used of one provider, by all accounts that were added.
    package struct Provider: Equatable, Sendable {
        package fileprivate(set) var tokens: Int128 = 0
        package fileprivate(set) var projectedTokens: Int128 = 0
        package fileprivate(set) var charge: Int128 = 0
        package fileprivate(set) var projectedCharge: Int128 = 0
        /// The discounts that hold now and will hold, in hundredths of a percent, where one account
        /// was added; where it is graduated, that of the last token.
        package fileprivate(set) var discountBasisPoints: Int64?
        package fileprivate(set) var projectedDiscountBasisPoints: Int64?
    }

    package let period: CalendarMonth
    /// How much of the month is over, in milliseconds.
    package let elapsed: Int64
    package private(set) var providers: [String: Provider] = [:]
    private let whole: Int64
    private var accounts = 0

    /// Begins without any account; nil unless the month runs.
    ///
    /// - Parameters:
    ///   - period: the month.
    ///   - now: the wall clock.
    package init?(_ period: CalendarMonth, at now: WallTime) {
        let start = period.start.milliseconds
        guard now.milliseconds > start, now < period.end else { return nil }
        self.period = period
        elapsed = now.milliseconds - start
        whole = period.end.milliseconds - start
    }

    package var charge: Int128 { providers.values.reduce(0) { $0 + $1.charge } }
    package var projectedCharge: Int128 { providers.values.reduce(0) { $0 + $1.projectedCharge } }

    /// Adds an account's month.
    ///
    /// - Parameters:
    ///   - book: its totals.
    ///   - tiers: the discount tiers of a provider in the month.
    package mutating func add(_ book: PeriodBook, tiers: (String) -> [DiscountTier]) {
        accounts += 1
        for (name, used) in book.providers {
            let tiers = tiers(name)
            let tokens = extended(Int128(used.tokens))
            let reached = tiers.index(reachedBy: Int64(clamping: tokens))
            var provider = providers[name] ?? Provider()
            provider.tokens += Int128(used.tokens)
            provider.projectedTokens += tokens
            let isFirst = providers[name] == nil && accounts == 1
            provider.discountBasisPoints = isFirst ? used.discountBasisPoints : nil
            provider.projectedDiscountBasisPoints =
                isFirst ? tiers[reached].discountBasisPoints : nil
            for model in book.models.values where model.provider == name {
                let totals = model.totals
                provider.charge += Int128(totals.current(book.mode, tier: used.tier).charge)
                provider.projectedCharge += extended(
                    book.mode == .graduated
                        ? Self.graduated(totals, tokens, tiers)
                        : Int128(totals.current(book.mode, tier: reached).charge)
                )
            }
            providers[name] = provider
        }
    }

    private func extended(_ amount: Int128) -> Int128 {
        (amount * Int128(whole)).roundedQuotient(by: Int128(elapsed))
    }

    /// What the records would cost with the mean discount of so many tokens.
    private static func graduated(
        _ totals: UsageTotals,
        _ tokens: Int128,
        _ tiers: [DiscountTier]
    ) -> Int128 {
        let full = totals.tiers.first ?? ChargeSum()
        guard tokens > 0 else { return Int128(full.charge) }
        var shares: Int128 = 0
        for (index, tier) in tiers.enumerated() {
            let end = index + 1 < tiers.count ? Int128(tiers[index + 1].tokens) : tokens
            let within = max(0, min(tokens, end) - Int128(tier.tokens))
            shares += within * Int128(tier.discountBasisPoints)
        }
        // Hundredths of a percent, in millionths: the product with an amount stays within 128 bits.
        let mean = (shares * 1_000_000).roundedQuotient(by: tokens)
        return (Int128(full.charge) * (10_000_000_000 - mean)).roundedQuotient(by: 10_000_000_000)
    }
}
