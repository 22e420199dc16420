import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Alerts of what a gateway and its billing need and do not have: each is raised once and over once,
    /// as `GET /api/alerts` and the log tell it.
    @Suite struct OutageAlertTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
        }

        private func start(
            _ replay: RunningReplay,
            settings: [String]
        ) async throws -> RunningWeir {
            try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: ["openai/chat-text-usage"]
                ) + "access: { open: true }\n",
                settings: ["redis.url=\(server.url)", "alerts.interval=100ms"] + settings
            )
        }

        /// The alerts of a rule, the newest first.
        private func alerts(_ weir: RunningWeir, _ rule: String) async throws -> [JSONTree] {
            let url = "\(weir.admin)/api/alerts?rule=\(rule)"
            let answer = jsonTree(try await output(of: "curl", ["-s", url]))
            return answer?["alerts"]?.elements ?? []
        }

        private func waitUntilRaised(_ weir: RunningWeir, _ rule: String) async throws -> JSONTree {
            try await eventually("the alert \(rule); \(weir.log.suffix(5))") {
                try await alerts(weir, rule).first
            }
        }

        /// Waits until so many alerts of a rule are over, and checks that the log has a line for each
        /// begin and each end.
        private func waitUntilOver(_ weir: RunningWeir, _ rule: String, count: Int = 1) async throws
        {
            let over = try await eventually("the end of \(rule); \(weir.log.suffix(5))") {
                let alerts = try await alerts(weir, rule)
                return alerts.allSatisfy { $0["clearedAt"]?.string != nil } ? alerts : nil
            }
            #expect(over.count == count)
            for event in ["alert_raised", "alert_cleared"] {
                let lines = weir.log.filter {
                    $0.contains("\"\(event)\"") && $0.contains("\"rule\":\"\(rule)\"")
                }
                #expect(lines.count == count, "\(lines)")
            }
        }

        /// Streams an answer again and again, from one program.
        private func stream(_ weir: RunningWeir, times: Int) async throws {
            let query = "model=openai/chat-text-usage&prompt=Hello"
            let program = try RunningProgram(
                "curl",
                [
                    "-sN", "--parallel", "--parallel-max", "8", "-o", "/dev/null",
                    "\(weir.url)/api/stream?\(query)#[1-\(times)]",
                ]
            )
            try await program.end(within: .seconds(120))
        }

        @Test func `a spool that fills is told of at half and at four fifths`() async throws {
            let replay = try await RunningReplay.start()
            let weir = try await start(replay, settings: ["metering.spoolLimit=1MiB"])
            server.kill()
            var seen: [[String]] = []
            for _ in 0..<100 where seen.last?.count != 2 {
                try await stream(weir, times: 200)
                // A look of its own comes at least every tenth of a second.
                try await Task.sleep(for: .milliseconds(400))
                let limits = try await alerts(weir, "spool").compactMap { $0["limit"]?.string }
                if limits != seen.last { seen.append(limits) }
            }
            #expect(seen == [[], ["50.0 %"], ["80.0 %", "50.0 %"]])
            let severities = try await alerts(weir, "spool").compactMap { $0["severity"]?.string }
            #expect(severities == ["critical", "warning"])
            // Whoever may ask learns what it means for them, and not where the server is.
            let ready = try await output(of: "curl", ["-s", "\(weir.admin)/readyz"])
            #expect(ready.contains("meter records wait for Redis"), "\(ready)")
            #expect(!ready.contains(server.socketPath), "\(ready)")

            try server.start()
            try await waitUntilOver(weir, "spool", count: 2)
            try await weir.stop()
        }

        @Test func `billing that does not go on is told of, and the end of that`() async throws {
            let replay = try await RunningReplay.start()
            let path = scratch.path("ledger.db")
            let weir = try await start(
                replay,
                settings: ["ledger.url=sqlite:\(path)", "alerts.billing.above=1s"]
            )
            // Whoever holds the file keeps billing from writing, and nobody from reading.
            let flag = try scratch.write("held", "")
            let holder = try RunningProgram(
                "sqlite3",
                [
                    path, "BEGIN IMMEDIATE",
                    ".shell echo held; while [ -e \(flag) ]; do sleep 0.1; done",
                ]
            )
            try await eventually("the lock") { holder.output.contains("held").whenTrue }
            try await stream(weir, times: 1)
            let alert = try await waitUntilRaised(weir, "billing")
            #expect(alert["severity"]?.string == "critical")
            #expect(alert["message"]?.string?.hasPrefix("billing has not gone on for") == true)

            try FileManager.default.removeItem(atPath: flag)
            try await waitUntilOver(weir, "billing")
            #expect(try await alerts(weir, "ledger").isEmpty)
            #expect(try await LedgerBook(path: path).charges(1).count == 1)
            try await weir.stop()
        }

        @Test func `a ledger that is away is told of, also by itself when it is back`() async throws
        {
            let replay = try await RunningReplay.start()
            let postgres = try PostgreSQLServer()
            let ledger = try postgres.makeDatabase()
            let weir = try await start(
                replay,
                settings: ["ledger.url=\(ledger)", "alerts.away.above=1s"]
            )
            postgres.stop()
            let alert = try await waitUntilRaised(weir, "ledger")
            #expect(alert["severity"]?.string == "critical")
            #expect(alert["message"]?.string?.hasPrefix("the ledger has been away for") == true)
            let metrics = try await output(of: "curl", ["-s", "\(weir.admin)/metrics"])
            #expect(metrics.contains("weir_alert{rule=\"ledger\"} 1"))

            try postgres.start()
            try await waitUntilOver(weir, "ledger")
            try await eventually("the alert in the ledger") {
                let rows = try PostgreSQLServer.run(
                    "SELECT count(*) FROM weir.alerts "
                        + "WHERE rule = 'ledger' AND cleared_at_ms IS NOT NULL",
                    at: ledger
                )
                return (rows == "1").whenTrue
            }
            try await weir.stop()
        }

        @Test func `records that will never be billed are told of`() async throws {
            let replay = try await RunningReplay.start()
            let weir = try await start(replay, settings: [])
            _ = try await eventually("Redis to take a record of an unknown version") {
                let words = ["-s", server.socketPath, "XADD", "weir:meter:0", "*", "v", "9"]
                return try ProgramRun("redis-cli", words).status == 0 ? true : nil
            }
            let alert = try await waitUntilRaised(weir, "rejected")
            #expect(alert["severity"]?.string == "warning")
            #expect(
                alert["message"]?.string == "1 records of the last hour will never be billed"
            )
            #expect(weir.log.count { $0.contains("\"rule\":\"rejected\"") } == 1)
            try await weir.stop()
        }
    }
}
