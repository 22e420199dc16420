/// One balanced transaction of the books, in nano-dollars: debits are positive, credits negative,
/// and the five add up to zero.
package struct Posting: Equatable, Sendable {
    package static let zero = Posting()

    /// What the account owes and no invoice asks for yet.
    package var accrued: Int64 = 0
    /// What volume discounts gave up.
    package var discount: Int64 = 0
    /// What broken guarantees cost.
    package var penalty: Int64 = 0
    /// What was earned before both; a credit.
    package var revenue: Int64 = 0
    /// What invoices ask for.
    package var receivable: Int64 = 0

    package init() {}

    package init(
        accrued: Int64,
        discount: Int64,
        penalty: Int64,
        revenue: Int64,
        receivable: Int64 = 0
    ) {
        self.accrued = accrued
        self.discount = discount
        self.penalty = penalty
        self.revenue = revenue
        self.receivable = receivable
    }

    /// The transaction of a charge.
    init(_ charge: TierCharge, subtotal: Money) {
        accrued = charge.charge.nanodollars
        discount = charge.discount.nanodollars
        penalty = charge.penalty.nanodollars
        revenue = -subtotal.nanodollars
    }

    package var isBalanced: Bool {
        [accrued, discount, penalty, revenue, receivable].reduce(Int128(0)) { $0 + Int128($1) } == 0
    }

    package static func + (left: Self, right: Self) -> Self {
        Self(
            accrued: left.accrued + right.accrued,
            discount: left.discount + right.discount,
            penalty: left.penalty + right.penalty,
            revenue: left.revenue + right.revenue,
            receivable: left.receivable + right.receivable
        )
    }
}
