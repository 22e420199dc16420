import Reactor
import StreamBytes

/// An engine that inserts on a thread of its own, in order, while its caller makes the next rows.
///
/// Whatever else is asked of it waits for that, and fails in its place where it failed.
final class OverlappedEngine: LedgerEngine {
    /// The engine behind it.
    ///
    /// Proof for `@unchecked Sendable`: it is used on the thread, and by the caller only after
    /// `waitUntilIdle`, so never by both.
    private final class Lent: @unchecked Sendable {
        let engine: any LedgerEngine
        init(_ engine: any LedgerEngine) { self.engine = engine }
    }

    let dialect: LedgerSchema.Dialect
    /// The caller's alone: what is inserted has its seals.
    let sealer: RowSealer
    let recordsPerInsert: Int
    private let lent: Lent
    private let thread: BlockingThread
    private let failure = Guarded<LedgerFailure?>(nil)

    /// Lends it an engine, which nobody else uses from then on.
    init(_ engine: any LedgerEngine) throws(LedgerFailure) {
        dialect = engine.dialect
        sealer = engine.sealer
        recordsPerInsert = engine.recordsPerInsert
        lent = Lent(engine)
        do throws(SocketError) {
            thread = try BlockingThread(name: "ledger-writer")
        } catch {
            throw LedgerFailure(.unavailable("no thread: \(error)"), .reopen)
        }
    }

    deinit { thread.stop() }

    func insert(_ rows: LedgerRows, _ end: String) {
        guard !rows.isEmpty else { return }
        thread.perform { [lent, failure] in
            guard failure.withLock({ $0 == nil }) else { return }
            do throws(LedgerFailure) {
                try lent.engine.insert(rows, end)
            } catch {
                failure.withLock { $0 = error }
            }
        }
    }

    func begin() throws(LedgerFailure) { try idle().begin() }
    func commit() throws(LedgerFailure) { try idle().commit() }

    func rollback() {
        thread.waitUntilIdle()
        failure.withLock { $0 = nil }
        lent.engine.rollback()
    }

    func beginReading(within limit: Duration?) throws(LedgerFailure) {
        try idle().beginReading(within: limit)
    }

    func lock(accounts: [String]) throws(LedgerFailure) { try idle().lock(accounts: accounts) }
    func lock(runs: [GatewayRun]) throws(LedgerFailure) { try idle().lock(runs: runs) }
    func numbers(_ count: Int) throws(LedgerFailure) -> Int64 { try idle().numbers(count) }

    func delete(
        from table: LedgerTable,
        where columns: [String],
        are keys: [[LedgerValue]]
    ) throws(LedgerFailure) {
        try idle().delete(from: table, where: columns, are: keys)
    }

    func read(_ reads: [LedgerRead]) throws(LedgerFailure) -> [[[LedgerValue]]] {
        try idle().read(reads)
    }

    func query(
        _ text: String,
        _ values: [LedgerValue]
    ) throws(LedgerFailure) -> [[LedgerValue]] {
        try idle().query(text, values)
    }

    func cursor(_ text: String) throws(LedgerFailure) -> any LedgerCursor {
        try idle().cursor(text)
    }

    func damage() throws(LedgerFailure) -> [String] { try idle().damage() }

    /// The engine, once nothing is left to insert.
    private func idle() throws(LedgerFailure) -> any LedgerEngine {
        thread.waitUntilIdle()
        let failed = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        if let failed { throw failed }
        return lent.engine
    }
}
