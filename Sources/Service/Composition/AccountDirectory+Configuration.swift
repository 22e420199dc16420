import Ledger
import Pricing

extension AccountDirectory {
    /// The terms of the configured accounts.
    init(_ accounts: [AccountConfiguration]) {
        var terms: [String: AccountTerms] = [:]
        for account in accounts { terms[account.id] = AccountTerms(account) }
        self.init(terms)
    }
}

extension AccountTerms {
    /// Values that are no numbers were refused when the configuration was read.
    init(_ account: AccountConfiguration) {
        self.init(
            country: account.country,
            isTaxIDValid: account.vatIdValid,
            currency: account.currency,
            exchangeRateMillionths: AccountTerms.exchangeRateMillionths(account.fx) ?? 1_000_000,
            discountMode: account.discountMode == .graduated ? .graduated : .wholeVolume,
            quotas: account.quotas.compactMap {
                Quota(metric: $0.kind.rawValue, limit: $0.limit)
            }
        )
    }
}

/// Why the ledger cannot be used, in one sentence.
package struct LedgerRefused: Error, CustomStringConvertible {
    package let description: String
    /// Whether it may pass, so that waiting is worth it.
    let mayPass: Bool

    init(_ error: ChargeStoreError, at place: String, mayPass: Bool = false) {
        self.init(error.explanation, at: place, mayPass: mayPass)
    }

    package init(_ reason: String, at place: String, mayPass: Bool) {
        description = "the ledger \(place): \(reason)"
        self.mayPass = mayPass
    }
}

extension ChargeStoreError {
    var explanation: String {
        switch self {
        case .busy: "another program holds it"
        case .diskFull: "the disk is full"
        case .readOnly: "it cannot be written to"
        case .damaged(let what): "it is damaged: \(what)"
        case .newerSchema(let found, let supported):
            "it has version \(found), and this program knows versions up to \(supported): "
                + "use a newer weir"
        case .closed: "it is closed"
        case .refused(let reason): reason
        case .unavailable(let reason): reason
        case .failed(let reason): reason
        }
    }
}
