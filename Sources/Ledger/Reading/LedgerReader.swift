import Metering
import Pricing
import Reactor

/// Reads the ledger for people, beside whoever writes to it, on a thread and a connection of its own.
///
/// It connects when it is first asked, and anew after an error.
package actor LedgerReader {
    /// Who asks does not wait longer, and whoever asks next not behind them.
    private static let limit = Duration.seconds(60)

    private nonisolated let thread: BlockingThread
    private let database: LedgerDatabase
    private var engine: (any LedgerEngine)?
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - database: where the ledger is; it need not be there yet.
    ///   - thread: does the waiting; to be stopped only after `close`.
    package init(_ database: LedgerDatabase, on thread: BlockingThread) {
        self.database = database
        self.thread = thread
    }

    /// Closes the connection; every call after it fails.
    package func close() {
        isClosed = true
        engine = nil
    }

    package func usage(_ query: UsageQuery) throws(ChargeStoreError) -> UsageReport {
        try reading { (engine) throws(LedgerFailure) in try UsageReading(engine).report(query) }
    }

    /// What an account's month costs as it stands; nil where the account has no records in it.
    package func period(
        _ period: CalendarMonth,
        of account: String
    ) throws(ChargeStoreError) -> AccountPeriod? {
        let key = PeriodKey(account: account, period: period.description)
        return try reading { (engine) throws(LedgerFailure) in
            guard let open = try PeriodReading(engine).periods([key])[key],
                let prices = try PriceListBooking(engine).stored()
            else { return nil }
            return AccountPeriod(
                statement: PeriodStatement(open.book),
                prices: prices.closingList(of: period),
                closedAtMilliseconds: open.row.closedAtMilliseconds
            )
        }
    }

    private func reading<Result>(
        _ body: (any LedgerEngine) throws(LedgerFailure) -> Result
    ) throws(ChargeStoreError) -> Result {
        guard !isClosed else { throw .closed }
        do throws(LedgerFailure) {
            let engine = try opened()
            try engine.beginReading(within: Self.limit)
            defer { engine.rollback() }
            return try body(engine)
        } catch {
            engine = nil
            throw error.error
        }
    }

    private func opened() throws(LedgerFailure) -> any LedgerEngine {
        if let engine { return engine }
        let engine = try database.open(.reading)
        self.engine = engine
        return engine
    }
}

/// An account's month, as it stands.
package struct AccountPeriod: Sendable {
    package let statement: PeriodStatement
    /// Those in force at its last instant.
    package let prices: PriceList
    /// Nil: it is open.
    package let closedAtMilliseconds: Int64?
}

extension LedgerDatabase {
    /// Adds usage up, on the calling thread, beside whoever writes.
    ///
    /// - Throws: `ChargeStoreError` when the ledger cannot be read.
    package func usage(_ query: UsageQuery) throws(ChargeStoreError) -> UsageReport {
        do throws(LedgerFailure) {
            let engine = try open(.reading)
            try engine.beginReading(within: nil)
            defer { engine.rollback() }
            return try UsageReading(engine).report(query)
        } catch {
            throw error.error
        }
    }
}
