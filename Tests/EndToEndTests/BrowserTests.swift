import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Chromium's own `EventSource`, on pages of another origin.
    @Suite struct BrowserTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private static func page(_ name: String, _ model: String, _ more: String...) -> JSONTree {
            let members: [String: JSONTree] = ["name": .string(name), "model": .string(model)]
            return .object(
                members.merging(more.map { ($0, .boolean(true)) }) { first, _ in first }
            )
        }

        private static let pages = [
            page("closes", "ollama/v1-text-utf8", "closes"),
            page("stays-open", "ollama/v1-text-utf8"),
            page("is-cut", "ollama/v1-text-utf8", "cut"),
            page("direct", "ollama/v1-text-utf8", "direct"),
            page("fails", "test/500"),
        ]
        private static let key = "weir_key-of-a-page"

        @Test func `pages see the whole answer once, and it is billed once`() async throws {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "25",
            ])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: ["ollama/v1-text-utf8", "test/500"]
                ) + """
                    access: { open: true }
                    accounts:
                      - { id: acme, keys: [{ id: page, sha256: \(digest(Self.key)) }] }

                    """
            )
            // Long enough for a page that never closes to come back again and again.
            let outcomes = try await linesFromScript(
                "python3",
                [Place.client("browser.py"), weir.url, Self.key, "30"],
                input: Self.pages
            )
            try #require(outcomes.count == Self.pages.count)
            let text = try #require(RecordedAnswer.named("ollama/v1-text-utf8")).textDigest
            for outcome in outcomes.dropLast() {
                #expect(outcome["text_sha256"]?.string == text, "\(outcome)")
                #expect(outcome["completes"]?.integer == 1, "\(outcome)")
                #expect(outcome["starts"]?.integer == 1, "\(outcome)")
                #expect(outcome["gaps"]?.integer == 0, "\(outcome)")
                #expect(outcome["errors"]?.elements.isEmpty == true, "\(outcome)")
            }
            // It came back, was told that there is nothing more, and stopped for good.
            #expect(outcomes[0]["what"]?.string == "complete")
            #expect(outcomes[1]["what"]?.string == "closed", "\(outcomes[1])")
            #expect(outcomes[2]["cuts"]?.integer == 1)
            #expect((outcomes[2]["breaks"]?.integer ?? 0) >= 1)
            #expect(outcomes[3]["what"]?.string == "closed", "\(outcomes[3])")
            check(failure: outcomes[4])
            try await checkBooks(of: weir, replay)
        }

        /// A handler tells the gateway's own `error` from a broken connection by its data.
        private func check(failure outcome: JSONTree) {
            let errors = outcome["errors"]?.elements ?? []
            #expect(errors.count == 1, "\(outcome)")
            #expect(errors.first?["code"]?.string == "upstream_refused", "\(outcome)")
            #expect(errors.first?["message"]?.string?.isEmpty == false)
            #expect(errors.first?["retryable"]?.boolean == false, "\(outcome)")
            #expect(outcome["completes"]?.integer == 0)
        }

        private func checkBooks(of weir: RunningWeir, _ replay: RunningReplay) async throws {
            #expect(try await replay.count("requests") == Self.pages.count)
            let entries = try await weir.meter.entries(Self.pages.count)
            #expect(
                entries.map { $0["purpose"] }.sorted()
                    == ["closes", "direct", "fails", "is-cut", "stays-open"]
            )
            for entry in entries {
                let isDirect = entry["purpose"] == "direct"
                #expect(entry["account_id"] == (isDirect ? "local" : "acme"))
                #expect(entry["key_id"] == (isDirect ? "" : "page"))
            }
            let whole = entries.filter { $0["purpose"] != "fails" }
            #expect(Set(whole.map { $0["end"] }) == ["complete"])
            #expect(try await weir.ledger.charges(entries.count).count == Self.pages.count)
            try await weir.stop()
        }
    }
}
