import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// SIGHUP where not everything can be taken over at once.
    @Suite struct ReloadTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
        }

        /// One account with these keys, and a model.
        private func text(
            _ replay: RunningReplay,
            keys: [String],
            model: String,
            prices: String? = nil
        ) -> String {
            let lines = keys.map { "{ id: \($0), sha256: \(digest($0)) }" }
            return "accounts: [{ id: acme, keys: [\(lines.joined(separator: ", "))] }]\n"
                + (prices.map { "prices: [Config/prices.json, \"\($0)\"]\n" } ?? "")
                + configuration(
                    providers: [("replay", "openai", "\(replay.url)/v1")],
                    models: [(model, "replay", "openai/chat-text-usage")],
                    prices: [model: "openai/gpt-4"]
                )
        }

        private func start(_ ledger: String, _ configuration: String) async throws -> RunningWeir {
            try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: configuration,
                settings: ["redis.url=\(server.url)", "ledger.url=\(ledger)"]
            )
        }

        private func write(_ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.path("data") + ".yaml"))
        }

        /// A price list that is in force in ten years.
        private func laterPrices() throws -> String {
            let path = "\(repositoryRoot())/Config/prices.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try scratch.write(
                "later.json",
                text.split(separator: "\"version\": \"2026-01-01\"").joined(
                    separator: "\"version\": \"later\", \"effective_from\": \"2036-01-01\""
                )
            )
        }

        /// Has it read its configuration again, and waits for what the log says of it.
        private func reload(_ weir: RunningWeir, _ event: String, _ count: Int) async throws {
            weir.program.signal(SIGHUP)
            try await eventually("\(event); \(weir.log.suffix(5))") {
                (weir.log.count { $0.contains("\"\(event)\"") } == count).whenTrue
            }
        }

        private func status(
            _ weir: RunningWeir,
            _ model: String,
            _ key: String
        ) async throws
            -> Int
        {
            try await weir.fetch(weir.asking(model, key: key)).status
        }

        @Test func `keys and routes are taken over while the ledger is away, which is told later`()
            async throws
        {
            let replay = try await RunningReplay.start()
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            let weir = try await start(ledger, text(replay, keys: ["k1"], model: "m1"))
            #expect(try await status(weir, "m1", "k1") == 200)

            postgres.stop()
            try write(text(replay, keys: ["k1", "k2"], model: "m2"))
            try await reload(weir, "reloaded", 1)
            #expect(try await status(weir, "m2", "k2") == 200)
            #expect(try await status(weir, "m1", "k1") == 404)
            try write(text(replay, keys: ["k2"], model: "m2"))
            try await reload(weir, "reloaded", 2)
            #expect(try await status(weir, "m2", "k1") == 401)
            #expect(weir.log.count { $0.contains("\"configuration_waits\"") } == 1)

            try postgres.start()
            let query = """
                SELECT string_agg(kind || ' ' || CASE account_id WHEN '' THEN '' ELSE subject END, \
                ',' ORDER BY number) FROM weir.events WHERE kind LIKE 'conf%' OR kind LIKE 'key%'
                """
            let expected = [
                "configuration_loaded ", "key_added k1", "configuration_reloaded ",
                "key_added k2", "configuration_reloaded ", "key_removed k1",
            ]
            try await eventually("the ledger to be told") {
                let events = try? PostgreSQLServer.run(query, at: ledger)
                return (events == expected.joined(separator: ",")).whenTrue
            }
            try await eventually("both answers to be billed") {
                let count = try PostgreSQLServer.run(
                    "SELECT count(*) FROM weir.charges",
                    at: ledger
                )
                return (count == "2").whenTrue
            }
            try await weir.stop()
        }

        @Test func `a price list waits for the ledger, and everything that comes with it`()
            async throws
        {
            let replay = try await RunningReplay.start()
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            let weir = try await start(ledger, text(replay, keys: ["k1"], model: "m1"))
            postgres.stop()
            try write(
                text(replay, keys: ["k2"], model: "m2", prices: try laterPrices())
            )
            try await reload(weir, "reload_refused", 1)
            #expect(try await status(weir, "m1", "k1") == 200)
            #expect(try await status(weir, "m1", "k2") == 401)

            try postgres.start()
            try await eventually("the record to be billed") {
                let count = try? PostgreSQLServer.run(
                    "SELECT count(*) FROM weir.charges",
                    at: ledger
                )
                return (count == "1").whenTrue
            }
            try await reload(weir, "reloaded", 1)
            #expect(try await status(weir, "m2", "k2") == 200)
            let lists = "SELECT count(*) FROM weir.price_lists WHERE version = 'later'"
            #expect(try PostgreSQLServer.run(lists, at: ledger) == "1")
            try await weir.stop()
        }

        @Test func `a certificate that is refused keeps a price list out of the ledger`()
            async throws
        {
            let replay = try await RunningReplay.start()
            let weir = try await start(
                "sqlite:\(scratch.path("ledger.db"))",
                text(replay, keys: ["k1"], model: "m1")
            )
            let broken = try scratch.write("broken.pem", "nothing\n")
            try write(
                text(replay, keys: ["k2"], model: "m1", prices: try laterPrices())
                    + "tls: { certificate: \"\(broken)\", key: \"\(broken)\" }\n"
            )
            try await reload(weir, "reload_refused", 1)
            #expect(try await status(weir, "m1", "k1") == 200)
            let lists = try await LedgerBook(path: scratch.path("ledger.db"))
                .rows("SELECT version FROM price_lists")
            #expect(lists.compactMap { $0["version"]?.string } == ["2026-01-01"])
            try await weir.stop()
        }

        @Test func `a ledger that does not answer holds up no reload with a price list`()
            async throws
        {
            let replay = try await RunningReplay.start()
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            let weir = try await start(ledger, text(replay, keys: ["k1"], model: "m1"))
            let sessions = try postgres.run(
                "SELECT pid FROM pg_stat_activity WHERE datname = 'test1'",
                in: "postgres"
            )
            let pids = sessions.split(separator: "\n").compactMap { Int32($0) }
            #expect(!pids.isEmpty)
            defer { for pid in pids { kill(pid, SIGCONT) } }
            for pid in pids { kill(pid, SIGSTOP) }
            // Until then nobody knows.
            try await Task.sleep(for: .seconds(4))
            try write(text(replay, keys: ["k1"], model: "m1", prices: try laterPrices()))
            try await reload(weir, "reload_refused", 1)

            for pid in pids { kill(pid, SIGCONT) }
            try await weir.stop()
        }

        @Test func `a price list cannot go before the ledger was ever there`() async throws {
            let replay = try await RunningReplay.start()
            let later = try laterPrices()
            let weir = try await start(
                "postgresql://weir@/x?host=\(scratch.path)",
                text(replay, keys: ["k1"], model: "m1", prices: later)
            )
            try write(text(replay, keys: ["k1"], model: "m1"))
            try await reload(weir, "reload_refused", 1)
            try write(text(replay, keys: ["k2"], model: "m1", prices: later))
            try await reload(weir, "reloaded", 1)
            #expect(try await status(weir, "m1", "k2") == 200)
            try await weir.stop()
        }

        @Test func `keys are taken over before the ledger was ever there`() async throws {
            let replay = try await RunningReplay.start()
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            postgres.stop()
            let weir = try await start(ledger, text(replay, keys: ["k1"], model: "m1"))
            try write(text(replay, keys: ["k2"], model: "m1"))
            try await reload(weir, "reloaded", 1)
            #expect(try await status(weir, "m1", "k2") == 200)
            #expect(try await status(weir, "m1", "k1") == 401)

            try postgres.start()
            let query =
                "SELECT string_agg(kind || ' ' || subject, ',' ORDER BY number) "
                + "FROM weir.events WHERE kind LIKE 'key%'"
            try await eventually("the ledger to be told") {
                let events = try? PostgreSQLServer.run(query, at: ledger)
                return (events == "key_added k1,key_added k2,key_removed k1").whenTrue
            }
            try await weir.stop()
        }
    }
}
