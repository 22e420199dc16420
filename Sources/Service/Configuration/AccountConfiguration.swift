import Cryptography

/// Who pays for streams, and how.
package struct AccountConfiguration: Equatable, Sendable {
    /// Which of a provider's tiers a volume discount applies to.
    package enum DiscountMode: String, CaseIterable, Sendable {
        /// The tier reached applies to the whole period.
        case wholeVolume = "whole-volume"
        /// Each token has the rate of its own tier.
        case graduated
    }

    /// 1 to 64 of `A-Z a-z 0-9 . _ : -`.
    package var id = ""
    /// ISO 3166-1, two letters.
    package var country = "FR"
    /// ISO 4217, three letters.
    package var currency = "USD"
    /// Units of the currency per US dollar: a decimal number, as written.
    package var fx = "1"
    package var vatIdValid = false
    package var discountMode = DiscountMode.wholeVolume
    package var quotas: [QuotaConfiguration] = []
    package var keys: [KeyConfiguration] = []
    /// The password under which clients may have their answers sealed; nil: none.
    package var sealingPassword: Secret?
    /// A file that holds the same; read when the configuration is.
    package var sealingPasswordFile: String?

    package init() {}
}

/// An amount per month whose use is watched.
package struct QuotaConfiguration: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Input and output tokens.
        case tokens
        /// US dollars.
        case spend
    }

    package var kind = Kind.tokens
    /// A decimal number, as written; whole for tokens.
    package var limit = ""

    package init() {}
}

/// An API key that stands in the configuration, by its hash.
package struct KeyConfiguration: Equatable, Sendable {
    /// 1 to 64 of `A-Z a-z 0-9 . _ : -`; stands in meter records.
    package var id = ""
    /// The SHA-256 of the whole key.
    package var sha256 = SHA256Digest(of: "")

    package init() {}
}
