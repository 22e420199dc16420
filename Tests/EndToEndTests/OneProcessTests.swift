import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// The life and death of `weir up` and of its private Redis.
    @Suite struct OneProcessTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private func ask(_ weir: RunningWeir, _ model: String = "gpt-4") throws -> RunningProgram {
            try RunningProgram("curl", weir.asking(model))
        }

        /// The process of the private Redis, as the log last named it.
        private func redisProcess(of weir: RunningWeir) throws -> Int32 {
            let line = weir.log.last { $0.contains("\"child_started\"") } ?? ""
            return Int32(try #require(jsonTree(line)?["pid"]?.integer))
        }

        /// Whether a process is there and no zombie.
        private func isAlive(_ process: Int32) -> Bool {
            let path = "/proc/\(process)/stat"
            guard let data = FileManager.default.contents(atPath: path) else { return false }
            let state = String(decoding: data, as: UTF8.self).split(separator: ")").last?
                .trimmingCharacters(in: .whitespaces).first
            return state != "Z"
        }

        @Test func `killed, it leaves no Redis behind and starts again on its data`() async throws {
            let first = try await RunningWeir.start(data: scratch.path("data"))
            let redis = try redisProcess(of: first)
            #expect(try await ask(first).end() == 0)
            _ = try await first.ledger.charges(1)
            first.program.kill()

            try await eventually("the end of redis-server", within: .seconds(15)) {
                (!isAlive(redis)).whenTrue
            }
            let second = try await RunningWeir.start(data: scratch.path("data"))
            #expect(try await ask(second).end() == 0)

            let entries = try await second.meter.entries(2)
            #expect(Set(entries.map { $0["record_id"] }).count == 2)
            #expect(Set(entries.map { $0["gateway"] }).count == 1)
            #expect(Set(entries.map { $0["epoch"] }).count == 2)
            let totals = try await second.ledger.totals(of: 2)
            #expect(totals == LedgerTotals(entries))
            try await second.stop()
        }

        @Test func `a killed Redis comes back, and neither stream nor record is lost`() async throws
        {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            let redis = try redisProcess(of: weir)
            let running = try ask(weir, "gpt-4")
            try await eventually("the first event") { running.output.contains("data:").whenTrue }
            let short = try ask(weir, "claude-3-sonnet")
            kill(redis, SIGKILL)

            #expect(try await running.end() == 0)
            #expect(try await short.end() == 0)
            let recorded = try #require(RecordedAnswer.named("ollama/v1-text-utf8"))
            #expect(digest(text(ofChunks: running.output)) == recorded.textDigest)
            #expect(running.output.hasSuffix("data: [DONE]\n\n"))
            let entries = try await weir.meter.entries(2)
            #expect(try await weir.ledger.totals(of: 2) == LedgerTotals(entries))
            #expect(entries.map { $0["seq"] } == ["1", "2"])
            #expect(try redisProcess(of: weir) != redis)
            try await weir.stop()
        }

        @Test func `a second start on the same data is refused and names it`() async throws {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            let second = try RunningWeir.run(data: scratch.path("data"))

            #expect(try await second.end() == 1)
            #expect(second.errors.contains(scratch.path("data")))
            #expect(second.errors.contains("\(weir.program.processID)"))
            #expect(second.output.isEmpty)
            try await weir.stop()
        }

        @Test func `a dialect that is not served is refused by name`() async throws {
            let configuration = """
                providers: [{ name: g, dialect: gemini, baseURL: "http://127.0.0.1:9/v1" }]
                models: [{ name: m, price: free, route: [{ provider: g, model: x }] }]
                """
            let weir = try RunningWeir.run(
                data: scratch.path("data"),
                configuration: configuration
            )

            #expect(try await weir.end() == 1)
            #expect(weir.errors.contains("g speaks gemini"))
        }

        @Test func `told to end, it lets a stream finish and refuses new ones`() async throws {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            let running = try ask(weir)
            try await eventually("the first event") { running.output.contains("data:").whenTrue }
            weir.program.signal(SIGTERM)
            try await eventually("the listener's end") {
                try await (ask(weir).end() == 7).whenTrue
            }

            #expect(try await running.end() == 0)
            #expect(running.output.hasSuffix("data: [DONE]\n\n"))
            #expect(try await weir.program.end() == 0)
            #expect(try await weir.ledger.charges().count == 1)
        }

        @Test func `told twice, it ends at once`() async throws {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            let running = try ask(weir, "test/silent-60s")
            try await eventually("the first event") { running.output.contains("data:").whenTrue }
            weir.program.signal(SIGTERM)
            try await eventually("the drain") {
                weir.log.contains { $0.contains("\"stopping\"") }.whenTrue
            }
            let secondAt = ContinuousClock.now
            weir.program.signal(SIGTERM)

            #expect(try await weir.program.end() == 0)
            #expect(ContinuousClock.now - secondAt < .seconds(12))
            try await running.end()
            let end = try #require(weir.streamEnds.first)
            #expect(jsonTree(end)?["end"]?.string == "drain")
            #expect(try await weir.ledger.charges().count == 1)
        }

        @Test func `a broken configuration changes nothing, a good one does`()
            async throws
        {
            let good = "access: { open: true }\nlimits: { body: 1MiB }\n"
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: good
            )
            let file = scratch.path("data") + ".yaml"
            try Data("access: { open: true }\nlimits:\n  streems: 0\n".utf8)
                .write(to: URL(fileURLWithPath: file))
            weir.program.signal(SIGHUP)

            let line = try await eventually("the refusal") {
                weir.log.first { $0.contains("\"reload_refused\"") }
            }
            #expect(line.contains("\(file):3:3"), "\(line)")
            #expect(line.contains("limits.streams") || line.contains("streams"), "\(line)")
            #expect(try await weir.fetch(weir.asking("gpt-3.5-turbo")).status == 200)

            try Data("access: { open: false }\n".utf8).write(to: URL(fileURLWithPath: file))
            weir.program.signal(SIGHUP)
            try await eventually("the new configuration") {
                weir.log.contains { $0.contains("\"reloaded\"") }.whenTrue
            }
            #expect(try await weir.fetch(weir.asking("gpt-3.5-turbo")).status == 401)
            try await weir.stop()
        }
    }
}
