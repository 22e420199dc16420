import Pricing

/// What was agreed with each account, as the configuration has it.
package struct AccountDirectory: Sendable {
    private let terms: [String: AccountTerms]

    package init(_ terms: [String: AccountTerms] = [:]) { self.terms = terms }

    /// The terms of an account; those of nobody where it is not known.
    package func terms(of account: String) -> AccountTerms { terms[account] ?? .none }
}
