import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Many streams at once: nothing is lost, doubled or mixed up on the way or in the books.
    @Suite struct ManyStreamsTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private static let openAI = [
            "openai/chat-text-usage", "ollama/v1-text-utf8", "deepseek/chat-emoji",
        ]
        private static let anthropic = ["anthropic/text-emoji", "anthropic/thinking"]
        private static let names = openAI + anthropic

        private static func books(
            _ replay: RunningReplay
        ) -> String {
            let prices = [
                "openai/chat-text-usage": "openai/gpt-4",
                "anthropic/text-emoji": "anthropic/claude-3-sonnet",
            ]
            return replayConfiguration(
                replay.url,
                openAI: openAI,
                anthropic: anthropic,
                prices: prices
            ) + "access: { open: true }\n"
        }

        private static func answers(times: Int) throws -> [JSONTree] {
            try names.map { name in
                let recorded = try #require(RecordedAnswer.named(name))
                return .object([
                    "model": .string(name), "text_sha256": .string(recorded.textDigest),
                    "times": .integer(Int64(times)),
                ])
            }
        }

        /// Reads many answers to their ends.
        private func readAll(
            _ weir: RunningWeir,
            times: Int,
            atOnce: Int
        ) async throws -> JSONTree {
            let results = try await linesFromScript(
                "python3",
                [Place.client("many.py"), weir.url, "\(atOnce)"],
                input: try Self.answers(times: times)
            )
            return try #require(results.first)
        }

        private func check(_ sums: JSONTree, _ count: Int) throws {
            let wrong = sums["wrong"]?.elements ?? []
            try #require(wrong.isEmpty, "\(wrong.count) went wrong: \(wrong.prefix(3))")
            try #require(sums["answers"]?.integer == Int64(count))
            // A provider's own chunks reach every client byte for byte the same.
            for name in Self.openAI { #expect(sums["bodies"]?[name]?.integer == 1, "\(name)") }
        }

        private func check(_ totals: LedgerTotals, against sums: JSONTree, _ count: Int) {
            #expect(totals.records == count)
            #expect(totals.different == count)
            #expect(sums["bytes"]?.integer == Int64(totals.bytes))
            #expect(sums["input_tokens"]?.integer == Int64(totals.inputTokens))
            #expect(sums["output_tokens"]?.integer == Int64(totals.outputTokens))
        }

        @Test func `a thousand streams at once are whole, and so are their bills`() async throws {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "10",
            ])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: Self.books(replay)
            )
            let sums = try await readAll(weir, times: 200, atOnce: 1_000)
            try check(sums, 1_000)
            #expect((sums["most_open"]?.integer ?? 0) > 900)

            let totals = try await weir.ledger.totals(of: 1_000, within: .seconds(120))
            check(totals, against: sums, 1_000)
            let entries = try await weir.meter.entries()
            #expect(LedgerTotals(entries) == totals)
            #expect(Set(entries.map { $0["connection_id"] }).count == 1_000)
            #expect(Set(entries.map { $0["end"] }) == ["complete"])
            #expect(entries.map { $0.number("seq") }.sorted() == Array(1...1_000))
            #expect(try await replay.count("finished") == 1_000)
            try await weir.stop()
        }

        @Test func `what the load tool counts is what is billed`() async throws {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "20",
            ])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: Self.books(replay)
            )
            let report = scratch.path("report.json")
            try await output(
                of: Place.program("weir-load"),
                [
                    weir.url, "-n", "200", "--once", "--model", Self.openAI[1], "--json", report,
                    "--expect", "completed=200,lost=0,failed=0",
                ]
            )
            let data = FileManager.default.contents(atPath: report) ?? Data()
            let counted = try #require(JSONTree(parsing: [UInt8](data)))
            let totals = try await weir.ledger.totals(of: 200)
            let recorded = try #require(RecordedAnswer.named(Self.openAI[1]))
            #expect(counted["bytes"]?.integer == Int64(totals.bytes))
            #expect(totals.different == 200)
            #expect(totals.inputTokens == 200 * (recorded.input ?? 0))
            #expect(totals.outputTokens == 200 * (recorded.usage("output") ?? 0))
            try await weir.stop()
        }

        @Test func `billing that is killed in the middle books everything exactly once`()
            async throws
        {
            let redis = try RedisServer()
            defer { redis.stop() }
            try await eventually("redis-server") {
                let pong = try? await MeterBook(socket: redis.socketPath).command("PING")
                return (pong == "PONG\n").whenTrue
            }
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "100",
            ])
            let settings = [
                "redis.url=\(redis.url)", "ledger.url=sqlite:\(scratch.path("ledger.db"))",
            ]
            let gateway = try await RunningWeir.start(
                "serve",
                data: scratch.path("gateway"),
                configuration: Self.books(replay),
                settings: settings
            )
            func bill() async throws -> RunningWeir {
                try await RunningWeir.start(
                    "bill",
                    data: scratch.path("billing"),
                    configuration: Self.books(replay),
                    settings: settings
                )
            }
            var biller = try await bill()
            let ledger = LedgerBook(path: scratch.path("ledger.db"))
            async let load = readAll(gateway, times: 120, atOnce: 60)
            for booked in [40, 160, 320] {
                _ = try await ledger.totals(of: booked, within: .seconds(120))
                biller.program.kill()
                try await biller.program.end()
                biller = try await bill()
            }
            let sums = try await load
            try check(sums, 600)

            let totals = try await ledger.totals(of: 600, within: .seconds(120))
            check(totals, against: sums, 600)
            let entries = try await MeterBook(socket: redis.socketPath).entries()
            let charges = try await ledger.charges()
            #expect(
                charges.compactMap { $0["record_id"]?.string }.sorted()
                    == entries.map { $0["record_id"] }.sorted()
            )
            try await gateway.stop()
            try await biller.stop()
            #expect(try await ledger.totals(of: 600) == totals)
        }
    }
}
