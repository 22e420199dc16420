import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// A month that is over, as accounts and operators find it.
    @Suite struct ClosedPeriodTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
        }

        private func start() async throws -> RunningWeir {
            try await RunningWeir.start(
                data: scratch.path("data"),
                settings: ["redis.url=\(server.url)"]
            )
        }

        /// Writes a record as Redis took it in January 2026.
        private func feed() async throws {
            let fields = [
                ("v", "1"), ("record_id", "feed:1:1"), ("account_id", "local"),
                ("connection_id", "c1"), ("segment", "0"), ("model", "openai/gpt-4"),
                ("ended_at_ms", "1768478400000"), ("duration_ms", "60000"),
                ("bytes_out", "500000"), ("input_tokens", "1000"), ("output_tokens", "500"),
                ("downtime_ms", "0"), ("busy_ms", "0"), ("gateway", "feed"), ("epoch", "1"),
                ("seq", "1"),
            ]
            let words = ["-s", server.socketPath, "XADD", "weir:meter:0", "1768478401000-0"]
            let command = words + fields.flatMap { [$0.0, $0.1] }
            _ = try await eventually("Redis to take the record") {
                try ProgramRun("redis-cli", command).output.hasPrefix("1768478401000") ? true : nil
            }
        }

        private func bill(_ weir: RunningWeir, key: String) async throws -> JSONTree? {
            let url = "\(weir.url)/api/billing/accounts/local/periods/2026-01"
            let field = "Authorization: Bearer \(key)"
            return jsonTree(try await output(of: "curl", ["-s", url, "-H", field]))
        }

        @Test func `a month is closed once all of it is billed, and its bill stays as it is`()
            async throws
        {
            try await feed()
            let first = try await start()
            _ = try await first.ledger.charges(1)
            try await first.stop()

            let weir = try await start()
            let closed = try await eventually("the month to be closed") {
                let answer = try await bill(weir, key: weir.key)
                return answer?["status"]?.string == "closed" ? answer : nil
            }
            #expect(closed["charge"]?.string == "0.084333333")
            #expect(closed["closedAt"]?.string?.hasSuffix("Z") == true)
            #expect(closed["invoice"]?["gross"]?.string == "0.08")
            let lines = (first.log + weir.log).filter { $0.contains("\"period_closed\"") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("\"gross\":\"0.08 USD\"") == true, "\(lines)")
            try await weir.stop()

            let verified = try await output(
                of: Place.program("weir"),
                ["ledger", "verify", "--data", scratch.path("data")]
            )
            #expect(verified.hasPrefix("sound: "))
        }

        @Test func `starts, reloads and keys stand in the ledger's chains`() async throws {
            let first = try await start()
            try await first.stop()
            let weir = try await start()
            weir.program.signal(SIGHUP)
            let events = try await eventually("the reload to be noted") {
                let rows = try await weir.ledger.rows(
                    "SELECT account_id, kind, subject FROM events "
                        + "WHERE kind LIKE 'configuration%' OR kind LIKE 'key%' ORDER BY number"
                )
                return rows.count < 5 ? nil : rows
            }
            try await weir.stop()
            // The key of the second run is its own.
            #expect(
                events.compactMap { $0["kind"]?.string } == [
                    "configuration_loaded", "key_added", "configuration_loaded", "key_added",
                    "configuration_reloaded",
                ]
            )
            #expect(
                events.filter { $0["account_id"]?.string == "local" }.map { $0["subject"]?.string }
                    == ["local", "run"]
            )
        }
    }
}
