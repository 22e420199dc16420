/// What billing has done since it started, and how far behind it is.
package struct BillingStatus: Equatable, Sendable {
    package internal(set) var accepted: UInt64 = 0
    package internal(set) var duplicates: UInt64 = 0
    package internal(set) var setAside: UInt64 = 0
    /// Batches that are stored and acknowledged.
    package internal(set) var batches: UInt64 = 0
    /// Failures of the meter stream, and of the ledger.
    package internal(set) var sourceFailures: UInt64 = 0
    package internal(set) var storeFailures: UInt64 = 0
    /// How long the oldest record of the last batch had waited when it was stored; 0 when there was
    /// nothing to bill.
    package internal(set) var lagMilliseconds: Int64 = 0
    /// What keeps billing from going on now; nil when nothing does.
    package internal(set) var problem: BillingProblem?

    package init() {}
}
