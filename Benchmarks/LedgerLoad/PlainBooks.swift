import Metering
import Pricing

/// The books in memory, without a database: each account's periods.
package struct PlainBooks {
    package struct Key: Hashable, Comparable {
        package let account: String
        package let period: String

        package static func < (left: Self, right: Self) -> Bool {
            (left.account, left.period) < (right.account, right.period)
        }
    }

    package private(set) var periods: [Key: PeriodBook] = [:]
    private let modes: @Sendable (String) -> DiscountMode

    /// - Parameter mode: the discount mode of an account.
    package init(mode: @escaping @Sendable (String) -> DiscountMode = { _ in .wholeVolume }) {
        modes = mode
    }

    /// Books a record that was not booked before; false where it does not fit.
    @discardableResult
    package mutating func add(_ rated: RatedRecord) -> Bool {
        let account = rated.record.accountID
        let key = Key(account: account, period: rated.period.description)
        return periods[key, default: PeriodBook(mode: modes(account))].add(rated) != nil
    }

    /// One line per account, period and provider: what was used, the tier, the charge.
    package var lines: [String] {
        periods.sorted { $0.key < $1.key }.flatMap { key, book in
            book.providers.sorted { $0.key < $1.key }.map { name, provider in
                let models = book.models.values.filter { $0.provider == name }
                let records = models.reduce(Int64(0)) { $0 + $1.totals.records }
                let charge = models.reduce(Int64(0)) {
                    $0 + $1.totals.current(book.mode, tier: provider.tier).charge
                }
                return "\(key.account) \(key.period) \(name) \(records) \(provider.tokens) "
                    + "\(provider.tier) \(Money(nanodollars: charge))"
            }
        }
    }
}
