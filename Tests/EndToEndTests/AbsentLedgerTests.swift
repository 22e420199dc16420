import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Processes that bill, and whose ledger is away when they start.
    @Suite struct AbsentLedgerTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
        }

        private func biller(_ ledger: String) throws -> RunningProgram {
            try RunningWeir.run(
                "bill",
                data: scratch.path("data"),
                settings: [
                    "redis.url=\(server.url)", "ledger.url=\(ledger)",
                    "metering.partitions=1", "alerts.interval=100ms", "alerts.away.above=1s",
                ]
            )
        }

        private func lines(_ program: RunningProgram, _ words: String...) -> [String] {
            program.errors.split(separator: "\n").map(String.init).filter { line in
                words.allSatisfy { line.contains("\"\($0)\"") }
            }
        }

        /// Waits until a line of the log has these words.
        private func line(_ program: RunningProgram, _ words: String...) async throws {
            try await eventually("\(words); \(program.errors.suffix(800))") {
                let lines = program.errors.split(separator: "\n")
                return lines.contains { line in words.allSatisfy { line.contains("\"\($0)\"") } }
                    .whenTrue
            }
        }

        @Test func `a biller waits for its database, says so once, and bills when it is there`()
            async throws
        {
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            postgres.stop()
            try MeterFeed(server, partitions: 1).write(1..<51)
            let biller = try biller(ledger)
            try await line(biller, "billing", "waiting")
            try await line(biller, "alert_raised", "ledger")

            try postgres.start()
            try await line(biller, "billing", "working")
            try await eventually("the records; \(biller.errors.suffix(800))") {
                let count = try? PostgreSQLServer.run(
                    "SELECT count(*) FROM weir.charges",
                    at: ledger
                )
                return (count == "50").whenTrue
            }
            let open =
                "SELECT count(*) FROM weir.alerts WHERE rule = 'ledger' AND cleared_at_ms IS NULL"
            let all = "SELECT count(*) FROM weir.alerts WHERE rule = 'ledger'"
            try await eventually("the end of the alert in the ledger") {
                let counts = try [all, open].map { try PostgreSQLServer.run($0, at: ledger) }
                return (counts == ["1", "0"]).whenTrue
            }
            biller.signal(SIGTERM)
            #expect(try await biller.end() == 0)
            #expect(lines(biller, "billing", "waiting").count == 1)
            #expect(lines(biller, "billing", "working").count == 1)
            #expect(lines(biller, "alert_raised", "ledger").count == 1)
            #expect(lines(biller, "alert_cleared", "ledger").count == 1)
        }

        @Test func `told to end while it waits, it ends`() async throws {
            let absent = try biller("postgresql://weir@/x?host=\(scratch.path)")
            try await line(absent, "billing", "waiting")
            absent.signal(SIGTERM)
            #expect(try await absent.end(within: .seconds(8)) == 0)

            // One that takes connections and never says a word.
            let script = """
                import socket, time
                listener = socket.create_server(("127.0.0.1", 0))
                print(listener.getsockname()[1], flush=True)
                time.sleep(600)
                """
            let silent = try RunningProgram("python3", ["-c", script])
            let port = try await eventually("the silent server") { Int(silent.output.dropLast()) }
            let waiting = try biller("postgresql://weir@127.0.0.1:\(port)/x")
            try await line(waiting, "started")
            waiting.signal(SIGTERM)
            #expect(try await waiting.end(within: .seconds(8)) == 0)
        }

        @Test func `what waiting cannot cure ends it with its reason, at once or later`()
            async throws
        {
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            let reasons = [
                (ledger.split(separator: "weir@").joined(separator: "nobody@"), "role \"nobody\""),
                (postgres.url("nothing"), "database \"nothing\" does not exist"),
                ("sqlite:\(scratch.path("missing/ledger.db"))", "unable to open database file"),
            ]
            for (ledger, reason) in reasons {
                let refused = try biller(ledger)
                #expect(try await refused.end() == 1)
                #expect(refused.errors.contains(reason), "\(refused.errors)")
                #expect(lines(refused, "started").isEmpty)
            }

            let first = try biller(ledger)
            try await line(first, "started")
            first.signal(SIGTERM)
            #expect(try await first.end() == 0)
            try PostgreSQLServer.run("UPDATE weir.ledger_version SET version = 9", at: ledger)
            postgres.stop()
            let late = try biller(ledger)
            try await line(late, "billing", "waiting")
            try postgres.start()
            #expect(try await late.end() == 1)
            #expect(late.errors.contains("it has version 9"), "\(late.errors)")
        }

        @Test func `a gateway serves while its ledger is away, and bills afterwards`() async throws
        {
            let path = scratch.path("ledger.db")
            let flag = scratch.path("held")
            try Data().write(to: URL(fileURLWithPath: flag))
            let holder = try RunningProgram(
                "sqlite3",
                [
                    path, "CREATE TABLE t (a)", "DROP TABLE t", "BEGIN EXCLUSIVE",
                    ".shell echo held; while [ -e \(flag) ]; do sleep 0.1; done",
                ]
            )
            try await eventually("the lock") { holder.output.contains("held").whenTrue }
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                settings: [
                    "redis.url=\(server.url)", "ledger.url=sqlite:\(path)",
                    "alerts.interval=100ms", "alerts.away.above=1s",
                ]
            )
            #expect(try await weir.fetch(weir.asking("gpt-3.5-turbo")).status == 200)
            let ready = try await output(of: "curl", ["-s", "\(weir.admin)/readyz"])
            #expect(ready.contains("billing waits for the ledger"), "\(ready)")
            #expect(!ready.contains(path), "\(ready)")
            let alerts = "\(weir.admin)/api/alerts?rule=ledger"
            try await eventually("the alert") {
                let answer = jsonTree(try await output(of: "curl", ["-s", alerts]))
                return (answer?["alerts"]?.elements.isEmpty == false).whenTrue
            }

            try FileManager.default.removeItem(atPath: flag)
            _ = try await LedgerBook(path: path).charges(1)
            let over = try await eventually("the end of the alert") {
                let answer = jsonTree(try await output(of: "curl", ["-s", alerts]))
                let alerts = answer?["alerts"]?.elements ?? []
                return alerts.allSatisfy { $0["clearedAt"]?.string != nil } ? alerts : nil
            }
            #expect(over.count == 1)
            #expect(weir.log.count { $0.contains("\"billing\"") && $0.contains("waiting") } == 1)
            let later = try await output(of: "curl", ["-s", "\(weir.admin)/readyz"])
            #expect(!later.contains("billing waits"), "\(later)")
            try await weir.stop()
        }
    }
}
