import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes

/// The ledger as billing writes it: over several connections where the database can use them, so that
/// it works on one partition's batch while the next batch of another is made ready.
///
/// A partition always has the same one, and each has a thread of its own.
struct PartitionLedgers: Sendable {
    private let ledgers: [DatabaseLedger]
    private let threads: [BlockingThread]

    /// Opens nothing yet.
    ///
    /// - Parameter configuration: says where the ledger is, how many partitions there are, and what
    ///   was agreed with the accounts.
    /// - Throws: `SocketError` when the system has no more threads.
    init(_ configuration: WeirConfiguration) throws(SocketError) {
        let database = configuration.ledgerDatabase
        let count = min(configuration.metering.partitions, database.writerLimit)
        var threads: [BlockingThread] = []
        for _ in 0..<count { threads.append(try BlockingThread(name: "weir-ledger")) }
        self.threads = threads
        ledgers = threads.map { thread in
            DatabaseLedger(
                database,
                on: thread,
                directory: AccountDirectory(configuration.accounts),
                wallClock: { WallTime.now }
            )
        }
    }

    /// The one that does whatever belongs to no partition.
    var main: DatabaseLedger { ledgers[0] }

    /// The one that books a partition's records.
    subscript(partition: Int) -> DatabaseLedger { ledgers[partition % ledgers.count] }

    /// Has the ledger take price lists, over one connection; the others open once they are needed.
    ///
    /// - Returns: see `DatabaseLedger.open`.
    /// - Throws: `ChargeStoreError`; nothing has changed then, in the ledger and here.
    func open(_ prices: PriceBook) async throws(ChargeStoreError) -> PriceBook {
        let book = try await main.open(prices)
        for ledger in ledgers.dropFirst() { await ledger.use(book) }
        return book
    }

    /// Uses other terms from the next batch on.
    func use(_ directory: AccountDirectory) async {
        for ledger in ledgers { await ledger.use(directory) }
    }

    /// Closes the connections and ends the threads.
    func close() async {
        for ledger in ledgers { await ledger.close() }
        for thread in threads { thread.stop() }
    }
}
