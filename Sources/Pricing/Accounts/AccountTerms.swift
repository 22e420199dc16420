/// What was agreed with a customer.
package struct AccountTerms: Sendable {
    package let country: String
    package let isTaxIDValid: Bool
    /// ISO 4217.
    package let currency: String
    /// Millionths of the currency for one dollar.
    package let exchangeRateMillionths: Int64
    package let discountMode: DiscountMode
    package let quotas: [Quota]

    package init(
        country: String,
        isTaxIDValid: Bool,
        currency: String,
        exchangeRateMillionths: Int64,
        discountMode: DiscountMode = .wholeVolume,
        quotas: [Quota] = []
    ) {
        self.country = country
        self.isTaxIDValid = isTaxIDValid
        self.currency = currency
        self.exchangeRateMillionths = exchangeRateMillionths
        self.discountMode = discountMode
        self.quotas = quotas
    }

    /// Those of an account with which nothing was agreed: dollars, and no tax.
    package static let none = AccountTerms(
        country: "",
        isTaxIDValid: false,
        currency: "USD",
        exchangeRateMillionths: 1_000_000
    )
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

    /// Reads a quota as it is written in configurations and cases.
    ///
    /// Nil for a metric that is not known, and for a limit that is no number of it: a whole number
    /// of `tokens`, dollars with at most nine decimals of `spend`.
    package init?(metric: String, limit: String) {
        switch metric {
        case "tokens":
            guard case .number(let tokens) = IntegerText(limit) else { return nil }
            self = .tokens(tokens)
        case "spend":
            guard let money = Money(decimal: limit) else { return nil }
            self = .spend(money)
        default: return nil
        }
    }

    /// The limit as it is written.
    package var limitText: String {
        switch self {
        case .tokens(let tokens): String(tokens)
        case .spend(let money): money.description
        }
    }

    package var name: String {
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
    package static func exchangeRateMillionths(_ text: String) -> Int64? {
        guard let scaled = Money(decimal: text)?.nanodollars, scaled % 1_000 == 0,
            (1...rateLimit).contains(scaled / 1_000)
        else { return nil }
        return scaled / 1_000
    }
}
