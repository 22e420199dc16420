import Metering
import Pricing
import Reactor
import StreamBytes

/// The ledger, on a thread of its own.
///
/// What `store` returned is on the disk. After an error other than a lock's the connection is opened
/// anew at the next call, so that what it believed before does not matter.
package actor DatabaseLedger: ChargeStore {
    /// How often a transaction that another one was in the way of is tried again at once.
    private static let tryLimit = 5

    private nonisolated let thread: BlockingThread
    private let database: LedgerDatabase
    private var engine: (any LedgerEngine)?
    private(set) var directory: AccountDirectory
    private(set) var prices: PriceBook?
    let wallClock: @Sendable () -> WallTime
    private let cache = PeriodCache()
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Names the database; `open` opens it.
    ///
    /// - Parameters:
    ///   - database: where it is.
    ///   - thread: does the waiting; to be stopped only after `close`.
    ///   - directory: the accounts' terms to begin with.
    ///   - wallClock: reads it; called on the thread.
    package init(
        _ database: LedgerDatabase,
        on thread: BlockingThread,
        directory: AccountDirectory = AccountDirectory(),
        wallClock: @escaping @Sendable () -> WallTime
    ) {
        self.database = database
        self.thread = thread
        self.directory = directory
        self.wallClock = wallClock
    }

    /// Opens the database, makes its tables or brings them up to date, and stores the price lists
    /// that it does not have.
    ///
    /// - Parameter prices: the configured lists.
    /// - Returns: what records are to be rated by: these and the lists that are stored.
    /// - Throws: `ChargeStoreError`; `refused` where a list contradicts what was booked.
    package func open(_ prices: PriceBook) throws(ChargeStoreError) -> PriceBook {
        let known = self.prices
        self.prices = prices
        do throws(ChargeStoreError) {
            let now = wallClock().milliseconds
            let book = try transaction { (engine) throws(LedgerFailure) in
                try PriceListBooking(engine).adopt(prices, at: now)
            }
            self.prices = book
            return book
        } catch {
            self.prices = known
            throw error
        }
    }

    /// Closes the connection; every call after it fails.
    package func close() {
        isClosed = true
        engine = nil
    }

    /// What was agreed with the accounts, from the next batch on; a month that has begun keeps its
    /// discount mode.
    package func use(_ directory: AccountDirectory) { self.directory = directory }

    /// Uses price lists that the database has: what another connection's `open` returned.
    ///
    /// The database is opened only at the next call that needs it.
    package func use(_ prices: PriceBook) { self.prices = prices }

    package func store(_ entries: [BillingEntry]) throws(ChargeStoreError) -> StoreReceipt {
        do throws(LedgerFailure) {
            return try store(entries, isCareful: false)
        } catch  where error.remedy == .carefully {
            return try reported { () throws(LedgerFailure) in
                try store(entries, isCareful: true)
            }
        } catch {
            throw error.error
        }
    }

    private func store(
        _ entries: [BillingEntry],
        isCareful: Bool
    ) throws(LedgerFailure) -> StoreReceipt {
        do throws(LedgerFailure) {
            return try attempt { (engine) throws(LedgerFailure) in
                var booking = BatchBooking(engine, directory, prices, cache, isCareful: isCareful)
                let receipt = try committed(engine) { () throws(LedgerFailure) in
                    try booking.store(entries)
                }
                booking.remember()
                return receipt
            }
        } catch {
            cache.forget()
            throw error
        }
    }

    package func committedSequences() throws(ChargeStoreError) -> [CommittedSequence] {
        try run { (engine) throws(LedgerFailure) in
            try LedgerReading(engine).committedSequences()
        }
    }

    /// Which record numbers of every run of a gateway are stored or set aside.
    package func sequenceRanges() throws(ChargeStoreError) -> SequenceRanges {
        try run { (engine) throws(LedgerFailure) in try LedgerReading(engine).sequenceRanges() }
    }

    /// What the status pages show, where `now` says which day is today in UTC.
    package func summary(at now: WallTime) throws(ChargeStoreError) -> LedgerSummary {
        let day = CalendarMonth.dayText(of: now)
        return try run { (engine) throws(LedgerFailure) in
            try LedgerReading(engine).summary(day: day)
        }
    }

    /// How many records are booked and how many set aside, over all that is stored.
    package func counts() throws(ChargeStoreError) -> LedgerCounts {
        try run { (engine) throws(LedgerFailure) in try LedgerReading(engine).counts() }
    }

    /// Totals of each model, over all that is stored, in the order of their names.
    package func usageByModel() throws(ChargeStoreError) -> [ModelUsage] {
        try run { (engine) throws(LedgerFailure) in try LedgerReading(engine).usageByModel() }
    }

    /// An account's totals in a period, one per provider, in the order of their names.
    package func totals(
        account: String,
        period: CalendarMonth
    ) throws(ChargeStoreError) -> [ProviderPeriodTotal] {
        let key = PeriodKey(account: account, period: period.description)
        return try run { (engine) throws(LedgerFailure) in try LedgerReading(engine).totals(key) }
    }

    // MARK: Connections

    /// Runs `body` in one transaction: all of it is stored for good, or nothing.
    func transaction<Result>(
        _ body: (any LedgerEngine) throws(LedgerFailure) -> Result
    ) throws(ChargeStoreError) -> Result {
        try run { (engine) throws(LedgerFailure) in
            try committed(engine) { () throws(LedgerFailure) in try body(engine) }
        }
    }

    private func committed<Result>(
        _ engine: any LedgerEngine,
        _ body: () throws(LedgerFailure) -> Result
    ) throws(LedgerFailure) -> Result {
        try engine.begin()
        do throws(LedgerFailure) {
            let result = try body()
            try engine.commit()
            return result
        } catch {
            engine.rollback()
            throw error
        }
    }

    func run<Result>(
        _ body: (any LedgerEngine) throws(LedgerFailure) -> Result
    ) throws(ChargeStoreError) -> Result {
        try reported { () throws(LedgerFailure) in try attempt(body) }
    }

    private func reported<Result>(
        _ body: () throws(LedgerFailure) -> Result
    ) throws(ChargeStoreError) -> Result {
        do throws(LedgerFailure) {
            return try body()
        } catch {
            throw error.error
        }
    }

    /// Runs `body`, again where another transaction was in its way.
    private func attempt<Result>(
        _ body: (any LedgerEngine) throws(LedgerFailure) -> Result
    ) throws(LedgerFailure) -> Result {
        guard !isClosed else { throw LedgerFailure(.closed, .keep) }
        var tries = 1
        while true {
            do throws(LedgerFailure) {
                let engine = try opened()
                return try body(engine)
            } catch {
                if error.remedy == .reopen { engine = nil }
                guard error.remedy == .again, tries < Self.tryLimit else { throw error }
                tries += 1
            }
        }
    }

    private func opened() throws(LedgerFailure) -> any LedgerEngine {
        if let engine { return engine }
        let engine = try OverlappedEngine(
            database.open(.writing(prices, at: wallClock().milliseconds))
        )
        self.engine = engine
        return engine
    }
}
