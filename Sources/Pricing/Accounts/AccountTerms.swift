/// What was agreed with a customer.
package struct AccountTerms: Sendable {
    package let country: String
    package let isTaxIDValid: Bool
    package let currency: String
    /// Decimals of the currency's minor unit.
    package let currencyDecimals: Int
    /// Millionths of the currency for one dollar.
    package let exchangeRateMillionths: Int64
    package let discountMode: DiscountMode
    package let quotas: [Quota]
}

/// How a provider's volume discount reaches its records.
package enum DiscountMode: String, Sendable {
    /// The tier that the period reaches holds for all of its records.
    case wholeVolume = "whole-volume"
    /// Each token has the rate of the tier that it falls into.
    case graduated
}

/// What an account wants to be told about, each month.
package enum Quota: Hashable, Sendable {
    case tokens(Int64)
    case spend(Money)

    var name: String {
        switch self {
        case .tokens: "tokens"
        case .spend: "spend"
        }
    }
}

extension AccountTerms {
    /// The largest exchange rate: products then stay within 128 bits.
    private static let rateLimit: Int64 = 1_000_000_000_000

    /// Millionths of a rate written as digits with at most six decimals; nil for any other text.
    static func exchangeRateMillionths(_ text: String) -> Int64? {
        guard let scaled = Money(decimal: text)?.nanodollars, scaled % 1_000 == 0,
            (1...rateLimit).contains(scaled / 1_000)
        else { return nil }
        return scaled / 1_000
    }
}
