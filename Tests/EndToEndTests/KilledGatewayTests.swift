import Foundation
import TestSupport
import Testing

extension EndToEndTests {
    /// A gateway that is killed with streams open, again and again over the same data.
    @Suite struct KilledGatewayTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        /// One answer as its client saw it.
        private struct Seen {
            let stream: String
            let byteCount: Int
        }

        private static let model = "openai/chat-long-text-no-usage"

        /// Clients that read to the end, whenever that comes.
        private func clients(_ weir: RunningWeir, _ count: Int) throws -> [RunningProgram] {
            try (0..<count).map { number in
                let path = number.isMultiple(of: 3) ? "/api/stream" : "/v1/chat/completions"
                let headers = scratch.path("head-\(UUID().uuidString)")
                return try RunningProgram(
                    "curl",
                    weir.asking(Self.model, path: path) + [
                        "-D", headers, "-w", "%{stderr}\(headers)",
                    ]
                )
            }
        }

        private func seen(_ client: RunningProgram) async throws -> Seen {
            try await client.end()
            let head = try String(contentsOfFile: client.errors, encoding: .utf8)
            let line = head.split(whereSeparator: \.isNewline).first {
                $0.lowercased().hasPrefix("weir-stream:")
            }
            return Seen(
                stream: line?.split(separator: " ").last.map(String.init) ?? "",
                byteCount: client.output.utf8.count
            )
        }

        @Test func `each stream has its last record once, with no more than was sent`()
            async throws
        {
            let redis = try RedisServer()
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "40",
            ])
            let book = MeterBook(socket: redis.socketPath)
            var seen: [Seen] = []
            for round in 0..<3 {
                let weir = try await RunningWeir.start(
                    "serve",
                    data: scratch.path("data"),
                    configuration: replayConfiguration(replay.url, openAI: [Self.model])
                        + "access: { open: true }\n",
                    settings: ["redis.url=\(redis.url)", "metering.interval=1s"]
                )
                let clients = try clients(weir, 12)
                // All are in the middle, some of them a few times longer than the interval.
                try await eventually("answers to flow") {
                    let least = [1_500, 4_000, 9_000][round]
                    return clients.allSatisfy { $0.output.utf8.count > least }.whenTrue
                }
                weir.program.kill()
                try await weir.program.end()
                for client in clients { seen.append(try await self.seen(client)) }
            }
            let last = try await RunningWeir.start(
                "serve",
                data: scratch.path("data"),
                configuration: replayConfiguration(replay.url, openAI: [Self.model])
                    + "access: { open: true }\n",
                settings: ["redis.url=\(redis.url)"]
            )
            let whole = try clients(last, 3)
            for client in whole { seen.append(try await self.seen(client)) }
            let entries = try await eventually("the last record of every stream") {
                let entries = try await book.entries()
                let ends = entries.filter { !["interval", "period"].contains($0["end"]) }
                return Set(ends.map { $0["connection_id"] }).count >= seen.count ? entries : nil
            }
            try await last.stop()

            try check(entries, against: seen)
        }

        private func check(_ entries: [MeterEntry], against seen: [Seen]) throws {
            // What was sent to Redis twice is the same twice.
            let byID = Dictionary(grouping: entries) { $0["record_id"] }
            for (id, copies) in byID {
                #expect(Set(copies.map(\.fields)).count == 1, "\(id)")
            }
            let records = byID.values.compactMap(\.first)
            let streams = Dictionary(grouping: records) { $0["connection_id"] }
            #expect(Set(streams.keys) == Set(seen.map(\.stream)))
            var interruptedCount = 0
            for answer in seen {
                let stretches = (streams[answer.stream] ?? []).sorted {
                    $0.number("segment") < $1.number("segment")
                }
                #expect(stretches.map { $0.number("segment") } == Array(0..<stretches.count))
                let last = try #require(stretches.last)
                #expect(stretches.dropLast().allSatisfy { $0["end"] == "interval" })
                let bytes = stretches.reduce(0) { $0 + $1.number("bytes_out") }
                let inFlight = max(0, last.number("in_flight"))
                #expect(bytes <= answer.byteCount, "\(answer.stream)")
                #expect(answer.byteCount <= bytes + inFlight, "\(answer.stream)")
                #expect(last.number("output_tokens") > 0)
                guard last["end"] == "interrupted" else {
                    #expect(last["end"] == "complete")
                    #expect(bytes == answer.byteCount)
                    continue
                }
                interruptedCount += 1
                #expect(last["estimated"] == "1")
                #expect(last["in_flight"] != "")
            }
            #expect(interruptedCount == 36)
            try checkNumbers(records)
        }

        /// Each run's numbers are gapless.
        private func checkNumbers(_ records: [MeterEntry]) throws {
            let runs = Dictionary(grouping: records) { "\($0["gateway"]):\($0["epoch"])" }
            #expect(Set(records.map { $0["gateway"] }).count == 1)
            for (run, records) in runs {
                let numbers = records.map { $0.number("seq") }.sorted()
                #expect(numbers == Array(1...numbers.count), "\(run)")
            }
        }
    }
}
