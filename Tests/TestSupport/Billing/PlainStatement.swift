import Metering
import Pricing

/// What a period costs, worked out from all of its records at once and in the plainest way: what
/// running totals are compared with.
package struct PlainStatement: Equatable, Sendable {
    package struct Sums: Equatable, Sendable {
        package var records: Int64 = 0
        package var breachedRecords: Int64 = 0
        package var subtotal: Int128 = 0
        package var discount: Int128 = 0
        package var penalty: Int128 = 0

        package var charge: Int128 { subtotal - discount - penalty }
    }

    package private(set) var models: [String: Sums] = [:]
    package private(set) var tokens: [String: Int64] = [:]

    package init(of records: [RatedRecord], mode: DiscountMode) {
        for (provider, members) in Dictionary(grouping: records, by: \.provider) {
            let total = members.reduce(0) { $0 + $1.record.tokens }
            tokens[provider] = total
            var number: Int64 = 0
            for rated in members.sorted(by: { $0.place < $1.place }) {
                let count = rated.record.tokens
                let (shares, divisor) =
                    mode == .wholeVolume
                    ? (Int128(rated.tiers.rate(atLeast: total)), Int128(10_000))
                    : rated.tiers.shares(after: number, count)
                number += count
                add(rated, shares, divisor)
            }
        }
    }

    package var charge: Int128 { models.values.reduce(0) { $0 + $1.charge } }

    private mutating func add(_ rated: RatedRecord, _ shares: Int128, _ divisor: Int128) {
        let subtotal = Int128(rated.charge.subtotal.nanodollars)
        let discount = Self.rounded(subtotal * shares, divisor)
        let net = subtotal - discount
        var sums = models[rated.record.model] ?? Sums()
        sums.records += 1
        sums.breachedRecords += rated.charge.breaches.isEmpty ? 0 : 1
        sums.subtotal += subtotal
        sums.discount += discount
        sums.penalty += Self.rounded(net * Int128(rated.penaltyBasisPoints), 10_000)
        models[rated.record.model] = sums
    }

    /// Half up; nothing here is negative.
    private static func rounded(_ exact: Int128, _ divisor: Int128) -> Int128 {
        (2 * exact + divisor) / (2 * divisor)
    }
}

extension [DiscountTier] {
    fileprivate func rate(atLeast tokens: Int64) -> Int64 {
        last { tokens >= $0.tokens }?.discountBasisPoints ?? 0
    }

    /// The sum of the tokens' rates, and what to divide by; tokens are numbered from `before` + 1.
    fileprivate func shares(after before: Int64, _ count: Int64) -> (Int128, Int128) {
        guard count > 0 else { return (Int128(rate(atLeast: before)), 10_000) }
        var shares: Int128 = 0
        var number = before
        while number < before + count {
            // Tokens up to the next tier's have one rate.
            let rate = last { number + 1 > $0.tokens }?.discountBasisPoints ?? 0
            let next = first { $0.tokens > number }?.tokens ?? .max
            let end = Swift.min(next, before + count)
            shares += Int128(end - number) * Int128(rate)
            number = end
        }
        return (shares, 10_000 * Int128(count))
    }
}
