import Metering
import Pricing
import Reactor
import StreamBytes

/// Turns one partition's meter records into charges, each exactly once in effect.
///
/// The order is the promise: a batch is stored, what was refused is set aside, the committed
/// numbers are published, and only then is the batch acknowledged. A crash at any point means
/// that some of it is done again, which changes nothing: the store knows each record's id. (A
/// refused record may be set aside twice.)
///
/// Nothing is dropped: a step that fails is tried again, with growing waits, until it works or the
/// task is cancelled. A record that the store does not take, though it takes others, is set aside
/// instead of holding these up.
package actor BillingActor {
    private nonisolated let executor: any SerialExecutor
    private nonisolated let board = Guarded(BillingStatus())
    private let source: any UsageSource
    private let store: any ChargeStore
    private let pace: any BillingPace
    private let configuration: BillingConfiguration
    private var prices: PriceBook
    private var batchPace: BatchPace
    private var announcedAt: MonotonicTime?

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
        batchPace = BatchPace(largest: configuration.batchLimit)
    }

    /// The counters; call from any thread.
    package nonisolated var status: BillingStatus { board.withLock { $0 } }

    /// Rates what comes from the next batch on by other lists.
    package func replacePrices(by prices: PriceBook) { self.prices = prices }

    /// Bills until the task is cancelled; then finishes what has come already, unless something
    /// fails.
    ///
    /// Run it once at a time.
    package func run() async {
        await source.rewind()
        var batch = await nextBatch(waits: true)
        while let current = batch {
            let isLast = Task.isCancelled
            // While the ledger writes, the next batch is read and rated.
            async let following = isLast ? nil : nextBatch(waits: false)
            let isBilled = await bill(current)
            batch = await following
            guard isBilled else { return }
            if batch?.isEmpty == true { batch = await nextBatch(waits: true) }
        }
    }
}

// MARK: The way of a batch

extension BillingActor {
    /// Records that belong together, and what the price lists make of them.
    private struct Batch: Sendable {
        let records: [DeliveredRecord]
        let entries: [BillingEntry]

        var isEmpty: Bool { records.isEmpty }
    }

    /// Reads and rates.
    ///
    /// - Parameter waits: whether to wait for records when there are none.
    /// - Returns: nil when there will be no more, because the task is cancelled.
    private func nextBatch(waits: Bool) async -> Batch? {
        guard !Task.isCancelled else { return nil }
        if waits { await announceIfDue() }
        let limit = batchPace.limit
        let records = await untilDone { [source] () async throws(UsageSourceError) in
            try await source.next(limit: limit, waits: waits)
        }
        guard let records else { return nil }
        if waits, records.isEmpty { board.withLock { $0.lagMilliseconds = 0 } }
        let prices = prices
        return Batch(records: records, entries: records.map { prices.settle($0) })
    }

    /// Stores a batch and says so.
    ///
    /// - Returns: false when the task was cancelled before it worked; the batch is delivered again.
    private func bill(_ batch: Batch) async -> Bool {
        guard !batch.isEmpty else { return true }
        let start = pace.now
        guard let receipt = await stored(batch.entries) else { return false }
        batchPace.stored(batch.entries.count, in: pace.now - start)
        note(receipt, of: batch.records, took: pace.now - start)
        var settled = SettledRecords()
        for (record, outcome) in zip(batch.records, receipt.outcomes) {
            if case .setAside(let rejection) = outcome {
                let reason = "\(rejection.reason.rawValue): \(rejection.field)"
                settled.refused.append((record, reason))
            } else {
                settled.stored.append(record.entryID)
            }
        }
        settled.committed = receipt.committed.map { ($0.gateway, $0.epoch, $0.through) }
        return await settle(settled)
    }

    private func settle(_ records: SettledRecords) async -> Bool {
        let outcome: String?? = await untilDone { [source] () async throws(UsageSourceError) in
            try await source.settle(records)
        }
        guard let problem = outcome else { return false }
        board.withLock { status in
            status.batches += records.stored.isEmpty && records.refused.isEmpty ? 0 : 1
            status.leftover = problem
        }
        return true
    }

    /// Tells gateways now and then how far the ledger is: what they were told may be lost, and
    /// several billers may tell it in the wrong order.
    private func announceIfDue() async {
        if let last = announcedAt, pace.now - last < configuration.announcePause { return }
        let committed = await untilStored { [store] () async throws(ChargeStoreError) in
            try await store.committedSequences()
        }
        guard let committed else { return }
        announcedAt = pace.now
        guard !committed.isEmpty else { return }
        var settled = SettledRecords()
        settled.committed = committed.map { ($0.gateway, $0.epoch, $0.through) }
        _ = await settle(settled)
    }

    private func note(_ receipt: StoreReceipt, of records: [DeliveredRecord], took: Duration) {
        let oldest = records.map(\.receivedAtMilliseconds).min() ?? 0
        let (lag, overflow) = pace.wallClock.milliseconds.subtractingReportingOverflow(oldest)
        board.withLock { status in
            status.lagMilliseconds = overflow ? 0 : max(0, lag)
            status.storeTime += took
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

// MARK: Storing

extension BillingActor {
    /// Stores the entries, together where the store takes them so.
    ///
    /// - Returns: nil when the task was cancelled before it worked.
    private func stored(_ entries: [BillingEntry]) async -> StoreReceipt? {
        await stored(entries, tries: configuration.wholeTries)
    }

    // A batch that fails so often, for reasons of the store's own, is halved.
    private func stored(_ entries: [BillingEntry], tries: Int) async -> StoreReceipt? {
        var left = tries
        let whole: StoreReceipt?? = await retried { [store] () async throws(ChargeStoreError) in
            do throws(ChargeStoreError) {
                return try await store.store(entries)
            } catch {
                guard error.canBeOneRecord else { throw error }
                left -= 1
                guard left <= 0 else { throw error }
                return nil
            }
        } noting: {
            $0.note($1)
        }
        guard let outcome = whole else { return nil }
        if let receipt = outcome {
            board.withLock { $0.storeProblem = nil }
            precondition(
                receipt.outcomes.count == entries.count,
                "a store answers for every entry of a batch"
            )
            return receipt
        }
        board.withLock { $0.storeFailures += 1 }
        return entries.count > 1 ? await storedInHalves(entries) : await storedAsRefused(entries)
    }

    private func storedInHalves(_ entries: [BillingEntry]) async -> StoreReceipt? {
        let middle = entries.count / 2
        guard let first = await stored(Array(entries[..<middle]), tries: 1),
            let second = await stored(Array(entries[middle...]), tries: 1)
        else { return nil }
        return first.followed(by: second)
    }

    /// Notes a record as refused by the ledger, if the ledger takes that note and, after it, still
    /// not the record: so it is the record that is at fault, and not the ledger.
    private func storedAsRefused(_ entries: [BillingEntry]) async -> StoreReceipt? {
        let rejection = RecordRejection(.refusedByLedger, "record_id")
        let notes = entries.map { BillingEntry.rejected($0.delivered.stripped, rejection) }
        let note = await untilStored { [store] () async throws(ChargeStoreError) in
            try await store.store(notes)
        }
        guard let note else { return nil }
        do throws(ChargeStoreError) {
            return try await store.store(entries)
        } catch {
            guard error.canBeOneRecord else { return await stored(entries, tries: 1) }
            return note
        }
    }
}

extension ChargeStoreError {
    /// Whether it may be due to something about one record, and not to the store.
    fileprivate var canBeOneRecord: Bool {
        guard case .failed = self else { return false }
        return true
    }
}

extension StoreReceipt {
    fileprivate func followed(by later: StoreReceipt) -> StoreReceipt {
        let renewed = Set(later.committed.map { "\($0.gateway):\($0.epoch)" })
        return StoreReceipt(
            outcomes: outcomes + later.outcomes,
            committed: committed.filter { !renewed.contains("\($0.gateway):\($0.epoch)") }
                + later.committed
        )
    }
}

extension DeliveredRecord {
    /// What says which record it is, and nothing else that a store might choke on.
    fileprivate var stripped: DeliveredRecord {
        let names = ["gateway", "epoch", "seq", "record_id"]
        return DeliveredRecord(
            entryID: entryID,
            receivedAtMilliseconds: receivedAtMilliseconds,
            fields: fields.filter { names.contains($0.key) && MeterIdentifier.isValid($0.value) }
        )
    }
}

// MARK: Trying again

extension BillingActor {
    private func untilDone<Result: Sendable>(
        _ step: () async throws(UsageSourceError) -> Result
    ) async -> Result? {
        let result = await retried(step) { $0.note($1) }
        if result != nil { board.withLock { $0.sourceProblem = nil } }
        return result
    }

    private func untilStored<Result: Sendable>(
        _ step: () async throws(ChargeStoreError) -> Result
    ) async -> Result? {
        let result = await retried(step) { $0.note($1) }
        if result != nil { board.withLock { $0.storeProblem = nil } }
        return result
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
                return try await step()
            } catch {
                board.withLock { note(&$0, error) }
                guard !Task.isCancelled else { return nil }
                await pace.wait(backoff.next(randomBits: pace.randomBits()))
                guard !Task.isCancelled else { return nil }
            }
        }
    }
}
