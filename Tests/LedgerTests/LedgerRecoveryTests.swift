import FoundationEssentials
import Ledger
import Pricing
import Reactor
import StreamBytes
import TestSupport
import Testing

/// Which errors of a database are worth waiting, with what real databases answer.
@Suite struct LedgerRecoveryTests {
    /// What opening a ledger there fails with, and whether that may pass.
    private func failure(
        of database: LedgerDatabase
    ) async throws -> (error: ChargeStoreError, mayPass: Bool) {
        let thread = try BlockingThread(name: "ledger-test")
        defer { thread.stop() }
        let ledger = DatabaseLedger(
            database,
            on: thread,
            wallClock: { WallTime(milliseconds: BillingSamples.noon) }
        )
        let prices = try BillingSamples.prices()
        var failure: ChargeStoreError?
        do throws(ChargeStoreError) {
            _ = try await ledger.open(prices)
        } catch {
            failure = error
        }
        await ledger.close()
        let error = try #require(failure)
        return (error, database.mayPass(error))
    }

    private func server(_ url: String) -> LedgerDatabase {
        .postgresql(PostgreSQLLedgerConfiguration(url: url))
    }

    private func file(_ path: String) -> LedgerDatabase {
        .sqlite(SQLiteLedgerConfiguration(path: path))
    }

    @Test func `a server that is away, or starts, or is full, is waited for`() async throws {
        let folder = try ScratchFolder()
        let absent = try await failure(of: server("postgresql://weir@/x?host=\(folder.path)"))
        #expect(absent.mayPass, "\(absent.error)")
        let refused = try await failure(of: server("postgresql://weir@127.0.0.1:1/x"))
        #expect(refused.mayPass, "\(refused.error)")

        let url = try PostgreSQLServer.database()
        try PostgreSQLServer.run("CREATE ROLE busy LOGIN CONNECTION LIMIT 0", at: url)
        let full = try await failure(of: server(url.asked(by: "busy")))
        #expect(full.mayPass, "\(full.error)")
    }

    @Test func `what a server refuses for good is not waited for`() async throws {
        let postgres = try PostgreSQLServer()
        let url = try postgres.makeDatabase()
        try postgres.run(
            "CREATE ROLE guest LOGIN PASSWORD 'right'; CREATE ROLE locked NOLOGIN",
            in: "postgres"
        )
        let urls = [
            postgres.url("nothing"), "postgresql://weir@/x?colour=blue",
            url.asked(by: "nobody"), url.asked(by: "locked"), url.asked(by: "guest"),
        ]
        for url in urls {
            let found = try await failure(of: server(url))
            #expect(!found.mayPass, "\(found.error)")
        }

        let file = try postgres.run("SHOW hba_file", in: "postgres")
        try postgres.run(
            """
            COPY (VALUES ('local all guest scram-sha-256'), ('local all weir trust')) TO '\(file)';
            SELECT pg_reload_conf()
            """,
            in: "postgres"
        )
        for words in ["guest", "guest:wrong", "stranger"] {
            let found = try await failure(of: server(url.asked(by: words)))
            #expect(!found.mayPass, "\(found.error)")
        }
    }

    @Test func `a file that another program holds is waited for, one that cannot be opened not`()
        async throws
    {
        let folder = try ScratchFolder()
        let path = folder.path("ledger.db")
        let holder = try SQLiteConnection(path: path, busyMilliseconds: 0)
        try holder.execute("CREATE TABLE t (a)")
        try holder.execute("BEGIN EXCLUSIVE")
        let held = try await failure(of: file(path))
        #expect(held.error == .busy)
        #expect(held.mayPass)

        let missing = try await failure(of: file(folder.path("missing/ledger.db")))
        #expect(!missing.mayPass, "\(missing.error)")
        let directory = try await failure(of: file(folder.path))
        #expect(!directory.mayPass, "\(directory.error)")
        try Data(repeating: 0x5A, count: 8_192).write(to: URL(filePath: folder.path("other")))
        let other = try await failure(of: file(folder.path("other")))
        #expect(!other.mayPass, "\(other.error)")
        #expect(file(path).mayPass(.diskFull))
        #expect(!file(path).mayPass(.readOnly))
        #expect(server("").mayPass(.readOnly))
        #expect(!file(path).mayPass(.newerSchema(found: 9, supported: 3)))
        #expect(!file(path).mayPass(.refused("a list")))
    }
}

extension String {
    /// A URL with another role, and perhaps a password.
    fileprivate func asked(by words: String) -> String {
        split(separator: "weir@").joined(separator: "\(words)@")
    }
}
