import FoundationEssentials
import Ledger
import Pricing
import StreamBytes
import Testing

@Suite struct LedgerFailureTests {
    private let fixture: LedgerFixture

    init() throws { fixture = try LedgerFixture() }

    private func failure(of ledger: DatabaseLedger) async -> ChargeStoreError? {
        do throws(ChargeStoreError) {
            _ = try await ledger.open(fixture.prices)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a ledger of a newer program is refused and left as it is`() async throws {
        let ledger = fixture.file()
        _ = try await ledger.open(fixture.prices)
        await ledger.close()
        try fixture.change("PRAGMA user_version = 4")

        let newer = fixture.file()
        #expect(await failure(of: newer) == .newerSchema(found: 4, supported: 3))
        await newer.close()
        #expect(try fixture.row("PRAGMA user_version") == "4")
    }

    @Test func `another program's database is refused and left as it is`() async throws {
        try fixture.change("CREATE TABLE theirs (a); PRAGMA user_version = 0")
        let ledger = fixture.file()
        guard case .failed = await failure(of: ledger) else {
            Issue.record("it was taken")
            return
        }
        await ledger.close()
        #expect(try fixture.row("SELECT count(*) FROM sqlite_schema") == "1")
    }

    @Test func `a file that is no database is called damaged`() async throws {
        try Data(repeating: 0x5A, count: 8_192).write(to: URL(filePath: fixture.path))
        let ledger = fixture.file()
        guard case .damaged = await failure(of: ledger) else {
            Issue.record("it was taken")
            return
        }
        await ledger.close()
    }

    @Test func `a folder that is not there is an error, not a crash`() async throws {
        let ledger = fixture.file { $0.path += "-missing/ledger.db" }
        guard case .unavailable = await failure(of: ledger) else {
            Issue.record("it was opened")
            return
        }
        await ledger.close()
    }

    @Test func `another's lock is waited for a while, and then called busy`() async throws {
        let ledger = fixture.file()
        _ = try await ledger.open(fixture.prices)
        let other = try SQLiteConnection(path: fixture.path, busyMilliseconds: 0)
        try other.execute("BEGIN IMMEDIATE")

        await #expect(throws: ChargeStoreError.busy) {
            _ = try await ledger.store([fixture.entry("r1")])
        }
        try other.execute("ROLLBACK")

        #expect(try await ledger.store([fixture.entry("r1")]).outcomes == [.accepted])
        await ledger.close()
    }

    @Test func `a full disk stores nothing of the batch, and the batch fits once there is room`()
        async throws
    {
        let batch = (0..<2_000).map { fixture.entry("r\($0)") }
        let small = fixture.file { $0.pageLimit = 100 }
        await #expect(throws: ChargeStoreError.diskFull) { _ = try await small.store(batch) }
        #expect(try await small.counts() == LedgerCounts(records: 0, rejected: 0))
        await small.close()
        #expect(try fixture.row("SELECT count(*) FROM records") == "0")

        let large = fixture.file()
        let receipt = try await large.store(batch)
        await large.close()
        #expect(receipt.outcomes.allSatisfy { $0 == .accepted })
        #expect(try fixture.row("SELECT count(*) FROM charges") == "2000")
        #expect(try fixture.row("PRAGMA integrity_check") == "ok")
    }

    @Test func `a statement that takes too long is interrupted, and the next one is not`() throws {
        let connection = try SQLiteConnection(path: fixture.path, busyMilliseconds: 0)
        let endless = """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n
            """
        connection.interruptStatements(after: .milliseconds(20))
        let failure = #expect(throws: SQLiteFailure.self) { try connection.integer(endless) }
        #expect(failure?.code == 9)

        connection.interruptStatements(after: nil)
        #expect(try connection.integer("SELECT 7") == 7)
    }

    @Test func `a closed ledger says so`() async throws {
        let ledger = fixture.file()
        await ledger.close()
        await #expect(throws: ChargeStoreError.closed) { _ = try await ledger.store([]) }
    }

    @Test func `what was stored is there after the process is gone without closing`() async throws {
        do {
            let ledger = fixture.file()
            _ = try await ledger.store([fixture.entry("r1")])
            // Another handle on the files as they are now: what a killed process leaves behind.
            #expect(try fixture.row("SELECT count(*) FROM charges") == "1")
            await ledger.close()
        }
        let again = fixture.file()
        #expect(try await again.store([fixture.entry("r1")]).outcomes == [.duplicate])
        await again.close()
    }
}
