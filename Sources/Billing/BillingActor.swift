import Metering
import Pricing
import Reactor
import StreamBytes

/// What keeps billing from going on.
package enum BillingProblem: Equatable, Sendable {
    case source(UsageSourceError)
    case store(ChargeStoreError)
}

/// What an operator can decide about billing.
package struct BillingConfiguration: Sendable {
    /// The most records that are rated and stored at once.
    package let batchLimit: Int
    /// The wait after a first failure.
    package let shortestWait: Duration
    /// The longest wait between two tries.
    package let longestWait: Duration

    package init(
        batchLimit: Int = 500,
        shortestWait: Duration = .milliseconds(100),
        longestWait: Duration = .seconds(10)
    ) {
        precondition(batchLimit > 0, "a batch holds at least one record")
        precondition(
            .zero < shortestWait && shortestWait <= longestWait,
            "waits grow from above zero"
        )
        self.batchLimit = batchLimit
        self.shortestWait = shortestWait
        self.longestWait = longestWait
    }
}

/// Turns one partition's meter records into charges, each exactly once in effect.
///
/// The order is the promise: a batch is stored, what was refused is set aside, the committed
/// numbers are published, and only then is the batch acknowledged. A crash at any point means
/// that some of it is done again, which changes nothing: the store knows each record's id. (A
/// refused record may be set aside twice.)
///
/// Nothing is dropped: a step that fails is tried again, with growing waits, until it works or the
/// task is cancelled.
package actor BillingActor {
    private nonisolated let executor: any SerialExecutor
    private nonisolated let board = Guarded(BillingStatus())
    private let source: any UsageSource
    private let store: any ChargeStore
    private let pace: any BillingPace
    private let configuration: BillingConfiguration
    private var prices: PriceBook

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes the actor; `run` does the work.
    ///
    /// - Parameters:
    ///   - executor: where rating happens; it should not be one that serves streams.
    ///   - source: one partition of the meter stream.
    ///   - store: the ledger.
    ///   - prices: the price lists to begin with.
    ///   - pace: time and chance.
    ///   - configuration: sizes and waits.
    package init(
        on executor: any SerialExecutor,
        source: any UsageSource,
        store: any ChargeStore,
        prices: PriceBook,
        pace: any BillingPace,
        configuration: BillingConfiguration = BillingConfiguration()
    ) {
        self.executor = executor
        self.source = source
        self.store = store
        self.prices = prices
        self.pace = pace
        self.configuration = configuration
    }

    /// The counters; call from any thread.
    package nonisolated var status: BillingStatus { board.withLock { $0 } }

    /// Rates what comes from the next batch on by other lists.
    package func replacePrices(by prices: PriceBook) { self.prices = prices }

    /// Bills until the task is cancelled; ends between two batches, or in a wait after a failure.
    ///
    /// Run it once at a time.
    package func run() async {
        await announceCommitted()
        while !Task.isCancelled { await billNextBatch() }
    }

    /// Tells gateways again how far the ledger is: what was told before may be lost.
    private func announceCommitted() async {
        let committed = await untilStored { [store] () async throws(ChargeStoreError) in
            try await store.committedSequences()
        }
        for sequence in committed ?? [] { guard await publish(sequence) else { return } }
    }

    private func billNextBatch() async {
        let limit = configuration.batchLimit
        let batch = await untilDone { [source] () async throws(UsageSourceError) in
            try await source.next(limit: limit)
        }
        guard let batch else { return }
        guard !batch.isEmpty else { return board.withLock { $0.lagMilliseconds = 0 } }
        let prices = prices
        let entries = batch.map { prices.settle($0) }
        let receipt = await untilStored { [store] () async throws(ChargeStoreError) in
            try await store.store(entries)
        }
        guard let receipt else { return }
        precondition(
            receipt.outcomes.count == entries.count,
            "a store answers for every entry of a batch"
        )
        note(receipt, of: batch)
        await finish(batch, receipt)
    }

    /// What follows a commit; where it is cut short, the batch is delivered again.
    private func finish(_ batch: [DeliveredRecord], _ receipt: StoreReceipt) async {
        for (record, outcome) in zip(batch, receipt.outcomes) {
            guard case .setAside(let rejection) = outcome else { continue }
            let reason = "\(rejection.reason.rawValue): \(rejection.field)"
            let isDone = await succeeds { [source] () async throws(UsageSourceError) in
                try await source.setAside(record, reason: reason)
            }
            guard isDone else { return }
        }
        for sequence in receipt.committed { guard await publish(sequence) else { return } }
        let ids = batch.map(\.entryID)
        let isDone = await succeeds { [source] () async throws(UsageSourceError) in
            try await source.acknowledge(ids)
        }
        if isDone { board.withLock { $0.batches += 1 } }
    }

    /// Publishes how far a gateway is complete.
    ///
    /// - Returns: false when the task was cancelled before it worked.
    private func publish(_ committed: CommittedSequence) async -> Bool {
        await succeeds { [source] () async throws(UsageSourceError) in
            try await source.publishCommitted(
                gateway: committed.gateway,
                epoch: committed.epoch,
                through: committed.through
            )
        }
    }

    private func note(_ receipt: StoreReceipt, of batch: [DeliveredRecord]) {
        let oldest = batch.map(\.receivedAtMilliseconds).min() ?? 0
        let (lag, overflow) = pace.wallClock.milliseconds.subtractingReportingOverflow(oldest)
        board.withLock { status in
            status.lagMilliseconds = overflow ? 0 : max(0, lag)
            for outcome in receipt.outcomes {
                switch outcome {
                case .accepted: status.accepted += 1
                case .duplicate: status.duplicates += 1
                case .setAside: status.setAside += 1
                }
            }
        }
    }
}

extension BillingActor {
    private func untilDone<Result: Sendable>(
        _ step: () async throws(UsageSourceError) -> Result
    ) async -> Result? {
        await retried(step) { status, error in
            status.sourceFailures += 1
            status.problem = .source(error)
        }
    }

    /// Whether the step worked before the task was cancelled.
    private func succeeds(_ step: () async throws(UsageSourceError) -> Void) async -> Bool {
        let done: Void? = await untilDone(step)
        return done != nil
    }

    private func untilStored<Result: Sendable>(
        _ step: () async throws(ChargeStoreError) -> Result
    ) async -> Result? {
        await retried(step) { status, error in
            status.storeFailures += 1
            status.problem = .store(error)
        }
    }

    /// Tries a step until it works; nil when the task was cancelled before that.
    private func retried<Result: Sendable, Failure: Error>(
        _ step: () async throws(Failure) -> Result,
        noting note: (inout BillingStatus, Failure) -> Void
    ) async -> Result? {
        var backoff = Backoff(
            shortest: configuration.shortestWait,
            longest: configuration.longestWait
        )
        while true {
            do throws(Failure) {
                let result = try await step()
                board.withLock { $0.problem = nil }
                return result
            } catch {
                board.withLock { note(&$0, error) }
                guard !Task.isCancelled else { return nil }
                await pace.wait(backoff.next(randomBits: pace.randomBits()))
                guard !Task.isCancelled else { return nil }
            }
        }
    }
}
