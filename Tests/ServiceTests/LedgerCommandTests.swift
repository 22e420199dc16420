import Ledger
import Reactor
import Service
import StreamBytes
import TestSupport
import Testing

/// `weir ledger verify`, as it is called.
struct LedgerCommandTests {
    private let scratch: ScratchFolder
    private let path: String

    init() async throws {
        scratch = try ScratchFolder()
        path = scratch.path("ledger.db")
        let thread = try BlockingThread(name: "ledger-test")
        let ledger = DatabaseLedger(
            .sqlite(SQLiteLedgerConfiguration(path: path)),
            on: thread,
            wallClock: { WallTime(milliseconds: BillingSamples.noon) }
        )
        let prices = try await ledger.open(BillingSamples.prices())
        _ = try await ledger.store([prices.settle(BillingSamples.delivered("r1"))])
        await ledger.close()
        thread.stop()
    }

    private func weir(_ arguments: String...) -> (status: Int32, output: String) {
        weir(arguments)
    }

    private func weir(_ arguments: [String]) -> (status: Int32, output: String) {
        let output = Guarded("")
        let console = Console(
            output: { text in output.withLock { $0 += text } },
            errors: { text in output.withLock { $0 += text } }
        )
        let status = WeirCommand(console: console).run(arguments)
        return (status, output.withLock { $0 })
    }

    private func verify() -> (status: Int32, output: String) {
        weir("ledger", "verify", "--config", "/dev/null", "--set", "ledger.url=sqlite:\(path)")
    }

    @Test func `sound books are said to be sound`() {
        let answer = verify()
        #expect(answer.status == 0)
        #expect(answer.output.hasPrefix("sound: "))
        #expect(answer.output.contains("1 of them records"))
    }

    @Test func `what was changed is named, and the status says so`() throws {
        let connection = try SQLiteConnection(path: path, busyMilliseconds: 1_000)
        try connection.execute("UPDATE records SET purpose = 'other'")
        let answer = verify()
        #expect(answer.status == 1)
        #expect(answer.output.contains("column purpose: is 'other', should be NULL"))
    }

    @Test func `a charge is explained, and a record that is not there is an error`() throws {
        let place = ["--config", "/dev/null", "--set", "ledger.url=sqlite:\(path)"]
        let explained = weir(["explain", "r1"] + place)
        #expect(explained.status == 0)
        #expect(explained.output.contains("record      r1: account acme"))
        #expect(explained.output.hasSuffix("0.084333333 - 0.000000000 = 0.084333333\n"))

        let unknown = weir(["explain", "r2"] + place)
        #expect(unknown.status == 1)
        #expect(unknown.output == "weir: the ledger has no record r2\n")
        #expect(weir("explain").status == 2)

        try SQLiteConnection(path: path, busyMilliseconds: 1_000).execute(
            "UPDATE charges SET penalty_bp = 7"
        )
        let changed = weir(["explain", "r1"] + place)
        #expect(changed.status == 1)
        #expect(changed.output.contains("charges.penalty_bp is 7, should be 0"))
    }

    @Test func `wrong usage and a ledger that is not there are told apart`() {
        #expect(weir("ledger", "burn").status == 2)
        let answer = weir("ledger", "verify", "--set", "ledger.url=sqlite:/none/ledger.db")
        #expect(answer.status == 1)
        #expect(answer.output.contains("the ledger sqlite:/none/ledger.db: "))
    }
}
