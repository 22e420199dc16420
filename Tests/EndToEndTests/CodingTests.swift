import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Content codings, read by other people's decoders.
    @Suite struct CodingTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        @Test func `beyond its budget brotli yields to gzip, and the status says so`() async throws
        {
            let replay = try await RunningReplay.start(["--pace", "20"])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: ["openai/chat-text-utf8-no-usage"]
                ),
                settings: ["stream.compressionBudget=1MB"]
            )
            let asking =
                weir.asking("openai/chat-text-utf8-no-usage", path: "/api/stream")
                + ["--compressed", "-H", "Accept-Encoding: br, gzip;q=0.5"]
            async let first = weir.fetch(asking)
            async let second = weir.fetch(asking)
            let bodies = try await [first.body, second.body]

            #expect(bodies.allSatisfy { $0.contains("event: complete") })
            let entries = try await weir.meter.entries(2)
            #expect(Set(entries.map { $0["coding"] }) == ["br", "gzip"])
            for entry in entries {
                let metrics = jsonTree(
                    try await output(
                        of: "curl",
                        ["-s", "\(weir.admin)/api/stream/\(entry["connection_id"])/metrics"]
                    )
                )
                #expect(metrics?["coding"]?.string == entry["coding"])
                let reason = entry["coding"] == "br" ? "preferred" : "budget"
                #expect(metrics?["codingReason"]?.string == reason)
            }
            let text = try await output(
                of: "curl",
                ["-s", "--compressed", "\(weir.admin)/metrics"]
            )
            #expect(
                text.contains(#"weir_coded_bodies_total{coding="gzip",reason="budget"} 1"#),
                "\(text.split(separator: "\n").filter { $0.contains("cod") })"
            )
            try await weir.stop()
        }

        @Test func `a provider that codes although it was asked not to is told apart by name`()
            async throws
        {
            let replay = try await RunningReplay.start(["--coding", "br"])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: ["openai/chat-text-utf8-no-usage"]
                )
            )

            let answer = try await weir.fetch(
                weir.asking("openai/chat-text-utf8-no-usage", path: "/v1/chat/completions")
            )

            #expect(answer.body.contains("its answer is encoded as br, unasked"))
            try await weir.stop()
        }

        @Test func `answers in one piece are coded when they are large`() async throws {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            func head(_ path: String, _ more: String...) async throws -> String {
                try await output(
                    of: "curl",
                    ["-s", "-o", "/dev/null", "-D", "-", "-H", "Accept-Encoding: gzip"] + more + [
                        path
                    ]
                ).lowercased()
            }
            let large = try await head("\(weir.admin)/metrics")
            #expect(large.contains("content-encoding: gzip\r\n"))
            #expect(large.contains("vary: accept-encoding\r\n"))
            let small = try await head("\(weir.url)/healthz")
            #expect(!small.contains("content-encoding"))
            #expect(small.contains("vary: accept-encoding\r\n"))
            let foreign = try await head("\(weir.url)/healthz", "-H", "Origin: http://localhost:1")
            #expect(foreign.contains("vary: origin, accept-encoding\r\n"))
            try await weir.stop()
        }

        @Test func `an empty list of codings switches them off`() async throws {
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                settings: ["stream.compression=[]"]
            )
            let answer = try await output(
                of: "curl",
                weir.asking("gpt-4") + ["-D", "-", "-H", "Accept-Encoding: gzip, br"]
            )
            #expect(answer.contains("data: [DONE]"))
            #expect(!answer.lowercased().contains("content-encoding"))
            #expect(!answer.lowercased().contains("vary"))
            try await weir.stop()
        }
    }
}
