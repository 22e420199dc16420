import Ledger
import Pricing
import Reactor
import Service
import StreamBytes
import TestSupport
import Testing

/// When months are closed, and what is said of it.
@Suite struct PeriodCloserTests {
    /// 2026-02-04 00:00 UTC, when January closes.
    private static let closing = WallTime(milliseconds: 1_770_163_200_000)

    private let scratch: ScratchFolder
    private let path: String
    private let log = CollectedLog()

    init() throws {
        scratch = try ScratchFolder()
        path = scratch.path("ledger.db")
    }

    private func withLedger(
        _ accounts: [String],
        _ body: (DatabaseLedger) async throws -> Void
    ) async throws {
        let thread = try BlockingThread(name: "ledger-test")
        defer { thread.stop() }
        let ledger = DatabaseLedger(
            .sqlite(SQLiteLedgerConfiguration(path: path)),
            on: thread,
            wallClock: { Self.closing }
        )
        let prices = try await ledger.open(BillingSamples.prices())
        let entries = accounts.map {
            prices.settle(BillingSamples.delivered("r-\($0)", ["account_id": $0]))
        }
        _ = try await ledger.store(entries)
        try await body(ledger)
        await ledger.close()
    }

    @Test func `a month waits until all that was received in its grace is booked`() async throws {
        try await withLedger(["acme"]) { ledger in
            let through = Guarded(WallTime(milliseconds: Self.closing.milliseconds - 1))
            let closer = PeriodCloser(ledger, log: log) { through.withLock(\.self) }
            let early = try await closer.turn()
            #expect(log.events == ["period_waits"])
            through.withLock { $0 = Self.closing }
            let closed = try await closer.turn()
            let again = try await closer.turn()
            #expect([early, closed, again] == [0, 1, 0])
            #expect(log.events == ["period_waits", "period_closed"])
        }
    }

    @Test func `an account whose books are wrong keeps no other one's month open`() async throws {
        try await withLedger(["a", "b"]) { ledger in
            try SQLiteConnection(path: path, busyMilliseconds: 1_000).execute(
                "UPDATE period_providers SET tier = 1 WHERE account_id = 'a'"
            )
            let closer = PeriodCloser(ledger, log: log) { Self.closing }
            #expect(try await closer.turn() == 1)
            #expect(log.events == ["period_close", "period_closed"])
        }
    }

    @Test func `without knowing what is booked, nothing is closed`() async throws {
        struct Away: Error {}
        try await withLedger(["acme"]) { ledger in
            let closer = PeriodCloser(ledger, log: log) { throw Away() }
            await #expect(throws: Away.self) { _ = try await closer.turn() }
            #expect(log.events.isEmpty)
        }
    }
}
