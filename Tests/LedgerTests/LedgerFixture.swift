import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport

/// A ledger in a folder of its own, and the price list.
final class LedgerFixture: Sendable {
    let prices: PriceBook
    let path: String
    private let folder: ScratchFolder
    private let thread: BlockingThread

    init() throws {
        prices = try BillingSamples.prices()
        folder = try ScratchFolder()
        path = folder.path("ledger.db")
        thread = try BlockingThread(name: "ledger-test")
    }

    deinit { thread.stop() }

    func ledger(
        _ change: (inout SQLiteLedgerConfiguration) -> Void = { _ in }
    ) -> DatabaseLedger {
        var configuration = SQLiteLedgerConfiguration(path: path)
        configuration.busyMilliseconds = 20
        change(&configuration)
        return DatabaseLedger(
            .sqlite(configuration),
            on: thread,
            wallClock: { WallTime(milliseconds: BillingSamples.noon) }
        )
    }

    func entry(_ recordID: String, _ changes: [String: String] = [:]) -> BillingEntry {
        prices.settle(BillingSamples.delivered(recordID, changes))
    }

    /// Reads the file as a person would, beside the ledger.
    func value(_ query: String) throws -> String? {
        try SQLiteConnection(path: path, busyMilliseconds: 1_000).text(query)
    }

    func change(_ statements: String) throws {
        try SQLiteConnection(path: path, busyMilliseconds: 1_000).execute(statements)
    }
}
