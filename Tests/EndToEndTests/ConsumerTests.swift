import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Somebody else's biller: the example in Python, on the records of a real gateway.
    @Suite struct ConsumerTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
        }

        private func gateway(_ replay: RunningReplay) async throws -> RunningWeir {
            try await RunningWeir.start(
                "serve",
                data: scratch.path("gateway"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: ["openai/chat-text-usage"],
                    anthropic: ["anthropic/text-emoji"],
                    prices: ["openai/chat-text-usage": "openai/gpt-4"]
                ) + accounts,
                settings: [
                    "redis.url=\(server.url)", "metering.partitions=3",
                    "metering.acknowledge=committed", "metering.groups=[elsewhere]",
                ]
            )
        }

        /// Accounts whose records are in three partitions.
        private var accounts: String {
            "accounts:\n"
                + (0..<6).map { number in
                    "  - { id: a\(number), keys: [{ id: k\(number), "
                        + "sha256: \(digest("key-\(number)")) }] }\n"
                }.joined()
        }

        @discardableResult
        private func redis(_ words: String...) async throws -> String {
            try await output(of: "redis-cli", ["-s", server.socketPath] + words)
        }

        private var store: LedgerBook { LedgerBook(path: scratch.path("records.db")) }

        /// Runs the example until nothing more comes.
        private func consume(_ options: String...) async throws -> JSONTree {
            let text = try await output(
                of: "\(repositoryRoot())/.venv/bin/python3",
                [
                    "\(repositoryRoot())/Examples/meter_consumer.py", "--redis", server.url,
                    "--partitions", "3", "--group", "elsewhere", "--store",
                    scratch.path("records.db"), "--until-idle", "1.5", "--in-place-of-weir",
                ] + options
            )
            return try #require(jsonTree(text))
        }

        private func count(_ table: String) async throws -> Int64 {
            try await store.rows("SELECT count(*) AS n FROM \(table)").first?["n"]?.integer ?? -1
        }

        @Test func `the example stores each record once, whoever had it before, and lets it go`()
            async throws
        {
            let replay = try await RunningReplay.start()
            let weir = try await gateway(replay)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<12 {
                    let model = number % 3 == 0 ? "anthropic/text-emoji" : "openai/chat-text-usage"
                    let asking = weir.asking(
                        model,
                        streams: number % 2 == 0,
                        key: "key-\(number % 6)"
                    )
                    group.addTask { try await weir.fetch(asking).status }
                }
                for try await status in group { #expect(status == 200) }
            }
            try await eventually("the records in Redis") {
                var total = 0
                for partition in 0..<3 {
                    let length = try await redis("XLEN", "weir:meter:\(partition)")
                    total += Int(length.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
                }
                return (total == 12).whenTrue
            }
            // A consumer that took what there was, and died.
            for partition in 0..<3 {
                let key = "weir:meter:\(partition)"
                try await redis("XGROUP", "CREATE", key, "elsewhere", "0", "MKSTREAM")
                let taking = ["GROUP", "elsewhere", "dead", "COUNT", "2", "STREAMS", key, ">"]
                try await output(
                    of: "redis-cli",
                    ["-s", server.socketPath, "XREADGROUP"] + taking
                )
            }
            try await redis("XADD", "weir:meter:1", "*", "v", "1", "record_id", "not one")

            let first = try await consume("--take-over", "0.2")
            #expect(first["stored"]?.integer == 12)
            #expect(first["refused"]?.integer == 1)
            #expect((first["taken_over"]?.integer ?? 0) >= 4)
            #expect(try await count("records") == 12)
            #expect(try await redis("XRANGE", "weir:dead:1", "-", "+").contains("malformed"))
            for partition in 0..<3 {
                let pending = try await redis("XPENDING", "weir:meter:\(partition)", "elsewhere")
                #expect(pending.hasPrefix("0") || pending.contains("(integer) 0"))
            }

            // The gateway forgets what the example says that it has.
            try await eventually("an empty spool") {
                let metrics = try await output(of: "curl", ["-s", "\(weir.admin)/metrics"])
                return metrics.contains("weir_spool_records 0\n").whenTrue
            }

            // All of it again, as after a loss: nothing is stored twice.
            for partition in 0..<3 {
                let key = "weir:meter:\(partition)"
                try await redis("XGROUP", "SETID", key, "elsewhere", "0")
            }
            let second = try await consume("--consumer", "another")
            #expect(second["stored"]?.integer == 0)
            #expect(second["duplicates"]?.integer == 12)
            #expect(try await count("records") == 12)

            let rows = try await store.rows("SELECT fields FROM records ORDER BY record_id")
            let records = rows.compactMap { $0["fields"]?.string }
            try await judge(records)
            let tokens = try await store.rows("SELECT sum(output_tokens) AS n FROM records")
            #expect((tokens.first?["n"]?.integer ?? 0) > 0)
            try await weir.stop()
            #expect(replay.program.status == nil)
        }

        private func judge(_ records: [String]) async throws {
            let schema = "\(repositoryRoot())/Examples/meter_record.schema.json"
            let program = try RunningProgram(
                "\(repositoryRoot())/.venv/bin/python3",
                [Place.client("check_records.py"), schema],
                input: records.map { $0 + "\n" }.joined()
            )
            #expect(try await program.end() == 0, "\(program.errors)")
            let told = jsonTree(program.output)
            #expect(told?["valid"]?.integer == Int64(records.count))
            #expect((told?["changed"]?.integer ?? 0) >= Int64(records.count * 18))
        }
    }
}
