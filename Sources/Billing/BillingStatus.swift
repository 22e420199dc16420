import Metering
import Pricing

/// What billing has done since it started, and how far behind it is.
package struct BillingStatus: Equatable, Sendable {
    package internal(set) var accepted: UInt64 = 0
    package internal(set) var duplicates: UInt64 = 0
    package internal(set) var setAside: UInt64 = 0
    /// Batches that are stored and acknowledged.
    package internal(set) var batches: UInt64 = 0
    /// How long the store took for them.
    package internal(set) var storeTime = Duration.zero
    /// Failures of the meter stream, and of the ledger.
    package internal(set) var sourceFailures: UInt64 = 0
    package internal(set) var storeFailures: UInt64 = 0
    /// How long the oldest record of the last batch had waited when it was stored; 0 when there was
    /// nothing to bill.
    package internal(set) var lagMilliseconds: Int64 = 0
    /// Why the meter stream, and the ledger, cannot be used now.
    package internal(set) var sourceProblem: UsageSourceError?
    package internal(set) var storeProblem: ChargeStoreError?
    /// What of the last batch could not be said to Redis, though the batch is done; nil when all was.
    package internal(set) var leftover: String?

    package init() {}

    /// What keeps billing from going on now; nil when nothing does.
    package var problem: BillingProblem? {
        storeProblem.map { .store($0) } ?? sourceProblem.map { .source($0) }
    }

    mutating func note(_ error: UsageSourceError) {
        sourceFailures += 1
        sourceProblem = error
    }

    mutating func note(_ error: ChargeStoreError) {
        storeFailures += 1
        storeProblem = error
    }
}
