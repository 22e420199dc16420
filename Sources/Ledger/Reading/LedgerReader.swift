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

    package func usage(_ query: UsageQuery) throws(ChargeStoreError) -> UsageAnswer {
        try reading { (engine) throws(LedgerFailure) in try UsageReading(engine).answer(query) }
    }

    /// What an account's month comes to, as JSON: what was frozen when it was closed, and until then
    /// as it stands.
    ///
    /// - Parameters:
    ///   - month: which one.
    ///   - account: whose.
    ///   - terms: those of the account now; a month that is closed keeps those that it had.
    /// - Returns: nil where the account has no records in the month.
    /// - Throws: `ChargeStoreError`.
    package func report(
        of month: CalendarMonth,
        _ account: String,
        terms: AccountTerms
    ) throws(ChargeStoreError) -> String? {
        let key = PeriodKey(account: account, period: month.description)
        return try reading { (engine) throws(LedgerFailure) -> String? in
            guard let open = try PeriodReading(engine).periods([key])[key] else { return nil }
            guard open.row.closedAtMilliseconds == nil else {
                let table = UsageReportRow.table
                let read = LedgerRead(table, by: table.key, [key.values])
                guard let frozen = try engine.read([read])[0].first else {
                    throw .damaged("the report of \(key.account) \(key.period) is missing")
                }
                return try UsageReportRow(stored: frozen).body
            }
            guard let prices = try PriceListBooking(engine).stored() else { return nil }
            return PeriodReport(
                account: account,
                month: month,
                book: open.book,
                terms: terms,
                prices: prices,
                closedAt: nil
            ).json
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

extension LedgerDatabase {
    /// Adds usage up, on the calling thread, beside whoever writes.
    ///
    /// - Parameters:
    ///   - query: what is asked for.
    ///   - meansLimit: the most records of a stretch whose means are read; nil: as many as usual.
    /// - Returns: sums, and means where these are read.
    /// - Throws: `ChargeStoreError` when the ledger cannot be read.
    package func usage(
        _ query: UsageQuery,
        meansLimit: Int64? = nil
    ) throws(ChargeStoreError) -> UsageAnswer {
        do throws(LedgerFailure) {
            let engine = try open(.reading)
            try engine.beginReading(within: nil)
            defer { engine.rollback() }
            return try UsageReading(engine).answer(
                query,
                meansLimit: meansLimit ?? UsageMeansReading.recordLimit
            )
        } catch {
            throw error.error
        }
    }
}
