import Metering
import Pricing

/// What an operator can decide about billing.
package struct BillingConfiguration: Sendable {
    /// The most records that are rated and stored at once.
    package let batchLimit: Int
    /// The wait after a first failure.
    package let shortestWait: Duration
    /// The longest wait between two tries.
    package let longestWait: Duration
    /// How often the store may fail a whole batch, for reasons of its own, before the batch is
    /// taken apart.
    package let wholeTries: Int
    /// How long gateways are not told again how far the ledger is, when nothing changes.
    package let announcePause: Duration

    package init(
        batchLimit: Int = 2_000,
        shortestWait: Duration = .milliseconds(100),
        longestWait: Duration = .seconds(10),
        wholeTries: Int = 3,
        announcePause: Duration = .seconds(15)
    ) {
        precondition(batchLimit > 0, "a batch holds at least one record")
        precondition(
            .zero < shortestWait && shortestWait <= longestWait,
            "waits grow from above zero"
        )
        precondition(wholeTries > 0, "a batch is tried before it is taken apart")
        self.batchLimit = batchLimit
        self.shortestWait = shortestWait
        self.longestWait = longestWait
        self.wholeTries = wholeTries
        self.announcePause = announcePause
    }
}

/// What keeps billing from going on.
package enum BillingProblem: Equatable, Sendable {
    case source(UsageSourceError)
    case store(ChargeStoreError)
}
