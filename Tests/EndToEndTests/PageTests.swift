import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// The page at `/`, in Chromium, and the files that it is made of.
    @Suite struct PageTests {
        private let scratch: ScratchFolder
        private static let hostile = #"<img src=x onerror="window.ran=1"><script>ran=1</script>"#

        init() throws { scratch = try ScratchFolder() }

        /// A recorded answer whose text is markup.
        private static var body: String {
            let text = String(decoding: JSONTree.string(hostile).encoded ?? [], as: UTF8.self)
            return #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","#
                + #""choices":[{"index":0,"delta":{"content":\#(text)},"finish_reason":null}]}"#
                + "\n\n"
                + #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","#
                + #""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
                + "\n\ndata: [DONE]\n\n"
        }

        @Test func `it streams an answer, sealed or not, and shows a provider's text as text`()
            async throws
        {
            let file = try scratch.write("hostile.sse", Self.body)
            let replay = try await RunningReplay.start(["--body", file])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(replay.url, openAI: ["hostile"])
            )
            let shown = try await linesFromScript(
                "python3",
                [Place.client("page.py"), weir.url, weir.key],
                input: ["", "hybrid"].map {
                    .object(["model": .string("hostile"), "seal": .string($0)])
                }
            )
            try #require(shown.count == 2)
            for (outcome, sealing) in zip(shown, ["none", "aes-256-gcm"]) {
                #expect(outcome["answer"]?.string == Self.hostile)
                #expect(outcome["elements"]?.integer == 0)
                #expect(outcome["ran"]?.boolean == false)
                #expect(outcome["states"]?.elements.last?.string == "ended", "\(outcome)")
                #expect(outcome["figures"]?["Sealing"]?.string == sealing)
                #expect(outcome["figures"]?["Finish"]?.string == "stop")
                #expect(outcome["problem"]?.string == "")
                #expect(outcome["complaints"]?.elements.isEmpty == true, "\(outcome)")
                #expect(outcome["unlabelled"]?.integer == 0)
                // The key does not stay in the address.
                #expect(outcome["hash"]?.string == "")
            }
            try await weir.stop()
        }

        @Test func `it shows that a connection was lost and an answer failed`() async throws {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            let shown = try await linesFromScript(
                "python3",
                [Place.client("page.py"), weir.url, weir.key],
                input: [
                    .object([
                        "model": .string("demo"), "seal": .string("hybrid"), "cut": .boolean(true),
                    ]),
                    .object(["model": .string("test/cut-40")]),
                ]
            )
            try #require(shown.count == 2)
            #expect(shown[0]["states"]?.elements.map(\.string).contains("reconnecting") == true)
            #expect(shown[0]["states"]?.elements.last?.string == "ended", "\(shown[0])")
            #expect(shown[0]["figures"]?["Reconnects"]?.string == "1")
            #expect(shown[1]["states"]?.elements.last?.string == "failed", "\(shown[1])")
            #expect(shown[1]["problem"]?.string?.hasPrefix("upstream_truncated") == true)
            try await weir.stop()
        }

        @Test func `its files are kept by browsers and run nothing else`() async throws {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            for (path, type) in [
                ("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css"),
                ("/weir.js", "text/javascript"),
            ] {
                let head = try await output(of: "curl", ["-sI", "\(weir.url)\(path)"])
                let fields = head.lowercased()
                #expect(head.contains(" 200 "), "\(head)")
                #expect(fields.contains("content-type: \(type); charset=utf-8"), "\(head)")
                #expect(fields.contains("content-security-policy: default-src 'none'"), "\(head)")
                let tag = head.split(separator: "\r\n").first {
                    $0.lowercased().hasPrefix("etag: ")
                }
                let known = try #require(tag?.dropFirst(6))
                let again = try await output(
                    of: "curl",
                    ["-s", "-i", "-H", "If-None-Match: \(known)", "\(weir.url)\(path)"]
                )
                #expect(again.contains(" 304 "), "\(again)")
                #expect(again.hasSuffix("\r\n\r\n"), "\(again)")
            }
            // A module of another origin is loaded by the rules of CORS.
            let foreign = try await output(
                of: "curl",
                ["-sI", "-H", "Origin: http://localhost:1234", "\(weir.url)/weir.js"]
            )
            #expect(
                foreign.lowercased().contains("access-control-allow-origin: http://localhost:1234")
            )
            let html = try await output(of: "curl", ["-s", "\(weir.url)/"])
            #expect(!html.contains("<script>") && !html.contains(" style="))
            try await weir.stop()
        }
    }
}
