import Metering
import Pricing
import Reactor
import StreamBytes

/// Where the ledger is, and what it may take.
package struct SQLiteLedgerConfiguration: Sendable {
    /// The database file; its folder must exist.
    package var path: String
    /// How long a write waits for another process's lock before it fails as busy.
    package var busyMilliseconds: Int32 = 2_000
    /// The most pages of 4 KiB that the file may have; nil: as many as SQLite allows.
    package var pageLimit: Int64?

    package init(path: String) { self.path = path }
}

/// The ledger in one SQLite file, on a thread of its own.
///
/// Write-ahead log with `synchronous=FULL`: what `store` returned is on the disk. After an error
/// other than a lock's the file is opened anew at the next call, so that what the handle believed
/// before does not matter.
package actor SQLiteLedger: ChargeStore {
    private nonisolated let thread: BlockingThread
    private let configuration: SQLiteLedgerConfiguration
    private var database: LedgerDatabase?
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Names the file; `open` opens it.
    ///
    /// - Parameters:
    ///   - configuration: where the file is.
    ///   - thread: does the waiting; to be stopped only after `close`.
    package init(_ configuration: SQLiteLedgerConfiguration, on thread: BlockingThread) {
        self.configuration = configuration
        self.thread = thread
    }

    /// Opens the file, or makes it; the other calls do the same where it has not been done.
    package func open() throws(ChargeStoreError) { _ = try opened() }

    /// Closes the file; every call after it fails.
    package func close() {
        isClosed = true
        database = nil
    }

    package func store(_ entries: [BillingEntry]) throws(ChargeStoreError) -> StoreReceipt {
        let database = try opened()
        return try run { () throws(SQLiteFailure) in
            try database.transaction { () throws(SQLiteFailure) in try database.store(entries) }
        }
    }

    package func committedSequences() throws(ChargeStoreError) -> [CommittedSequence] {
        let database = try opened()
        return try run { () throws(SQLiteFailure) in try database.committedSequences() }
    }

    /// What the status pages show, where `now` says which day is today in UTC.
    package func summary(at now: WallTime) throws(ChargeStoreError) -> LedgerSummary {
        let database = try opened()
        let day = CalendarMonth.dayText(of: now)
        return try run { () throws(SQLiteFailure) in try database.summary(day: day) }
    }

    /// Totals of each model, over all that is stored, in the order of their names.
    package func usageByModel() throws(ChargeStoreError) -> [ModelUsage] {
        let database = try opened()
        return try run { () throws(SQLiteFailure) in try database.usageByModel() }
    }

    /// An account's totals in a period, one per provider, in the order of their names.
    package func totals(
        account: String,
        period: CalendarMonth
    ) throws(ChargeStoreError) -> [ProviderPeriodTotal] {
        let database = try opened()
        return try run { () throws(SQLiteFailure) in
            try database.totals(account: account, period: period.description)
        }
    }

    private func opened() throws(ChargeStoreError) -> LedgerDatabase {
        guard !isClosed else { throw .closed }
        if let database { return database }
        let database = try LedgerDatabase(configuration)
        self.database = database
        return database
    }

    private func run<Result>(
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(ChargeStoreError) -> Result {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            let failure = ChargeStoreError(error)
            if failure != .busy { database = nil }
            throw failure
        }
    }
}

extension LedgerDatabase {
    /// Stores a batch; call inside a transaction.
    fileprivate func store(_ entries: [BillingEntry]) throws(SQLiteFailure) -> StoreReceipt {
        var changes = TotalChanges()
        var outcomes: [StoreOutcome] = []
        for entry in entries { outcomes.append(try store(entry, &changes)) }
        try totals.write(changes)
        let origins = entries.compactMap { RecordOrigin($0.delivered.fields) }
        return StoreReceipt(outcomes: outcomes, committed: try sequences.add(origins))
    }

    private func store(
        _ entry: BillingEntry,
        _ changes: inout TotalChanges
    ) throws(SQLiteFailure) -> StoreOutcome {
        switch entry {
        case .rejected(let delivered, let rejection):
            return try setAside(delivered, rejection)
        case .rated(let rated):
            guard let number = try writes.insert(rated) else {
                if try writes.isStored(rated.record) { return .duplicate }
                return try setAside(
                    rated.delivered,
                    RecordRejection(.duplicateConflict, "record_id")
                )
            }
            guard try totals.add(rated, to: &changes) else {
                try writes.delete(number: number)
                return try setAside(
                    rated.delivered,
                    RecordRejection(.totalOutOfRange, "record_id")
                )
            }
            try writes.insertCharge(rated, number: number)
            return .accepted
        }
    }

    private func setAside(
        _ delivered: DeliveredRecord,
        _ rejection: RecordRejection
    ) throws(SQLiteFailure) -> StoreOutcome {
        try writes.insertRejected(delivered, rejection)
        return .setAside(rejection)
    }
}
