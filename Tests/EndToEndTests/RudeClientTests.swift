import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Clients that end their side of the connection before the answer has ended.
    @Suite struct RudeClientTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private static let model = "ollama/v1-text-utf8"

        /// A gateway before a provider of so many events a second, and what became of a client.
        private func outcome(
            _ manner: String,
            pace: String
        ) async throws -> (client: JSONTree, weir: RunningWeir) {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", pace,
            ])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(replay.url, openAI: [Self.model])
            )
            let lines = try await linesFromScript(
                "python3",
                [Place.client("rude.py"), weir.url, weir.key, Self.model, manner, replay.url],
                input: []
            )
            return (try #require(lines.first), weir)
        }

        @Test func `a half-closed client gets its whole answer`() async throws {
            let (client, weir) = try await outcome("half-close", pace: "50")

            #expect(client["status"]?.integer == 200)
            #expect(client["done"]?.boolean == true)
            let recorded = try #require(RecordedAnswer.named(Self.model))
            #expect(client["text_sha256"]?.string == recorded.textDigest)
            let entries = try await weir.meter.entries(1)
            #expect(entries.map { $0["end"] } == ["complete"])
            try await weir.stop()
        }

        @Test func `a client that vanishes ends the provider's work within a second`() async throws
        {
            // Slow enough that the answer is far from its end.
            let (client, weir) = try await outcome("vanish", pace: "3")

            #expect((client["milliseconds"]?.integer ?? .max) < 1_000, "\(client)")
            let entries = try await weir.meter.entries(1)
            #expect(entries.map { $0["end"] } == ["client_gone"])
            #expect(entries.first?["estimated"] == "1")
            try await weir.stop()
            #expect(weir.streamEnds.count == 1)
        }
    }
}
