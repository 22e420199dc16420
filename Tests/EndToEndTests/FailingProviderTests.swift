import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Providers that fail: the client, the log and the meter hear of it.
    @Suite struct FailingProviderTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private struct Failure {
            let model: String
            let path: String
            /// The status before the first event; 200 where the answer had begun.
            let status: Int
            let code: String
        }

        private static let failures =
            ["reset", "close", "garbled"].flatMap { both($0, 502, "upstream_error", nil) }
            + both("silent", 504, "upstream_timeout", "upstream_stalled")
            + both("html", 502, "upstream_error", nil)
            + both("certificate", 502, "upstream_error", "upstream_unreachable")
            + [
                Failure(
                    model: "late-reset",
                    path: "/v1/chat/completions",
                    status: 200,
                    code: "upstream_error"
                ),
                Failure(
                    model: "late-reset",
                    path: "/api/stream",
                    status: 200,
                    code: "upstream_truncated"
                ),
            ]

        /// The same failure on both paths; Weir's own events say more of some than `/v1` does.
        private static func both(
            _ model: String,
            _ status: Int,
            _ code: String,
            _ own: String?
        ) -> [Failure] {
            [
                Failure(model: model, path: "/v1/chat/completions", status: status, code: code),
                Failure(model: model, path: "/api/stream", status: 200, code: own ?? ""),
            ]
        }

        @Test func `each failure is told, logged and metered once`() async throws {
            let failing = try await FailingProvider.start(scratch)
            let replay = try await RunningReplay.start(["--fault", "rst:10e"])
            let plain = ["reset", "close", "garbled", "silent", "html"]
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: configuration(
                    providers: plain.map { ($0, "openai", "\(failing.url)/\($0)/v1") } + [
                        ("certificate", "openai", "\(failing.secureURL)/html/v1"),
                        ("late-reset", "openai", "\(replay.url)/v1"),
                    ],
                    models: (plain + ["certificate"]).map { ($0, $0, $0) }
                        + [("late-reset", "late-reset", "openai/chat-long-text-no-usage")]
                ),
                settings: ["timeouts.firstByte=2s", "timeouts.silence=2s"]
            )
            // A first request, and its charge, so that everything that stays open is open.
            _ = try await weir.fetch(weir.asking("html"))
            _ = try await weir.ledger.charges(1)
            let descriptors = try weir.program.descriptorCount
            for failure in Self.failures {
                let answer = try await weir.fetch(weir.asking(failure.model, path: failure.path))
                check(answer, failure)
            }
            try await eventually(
                "\(descriptors) open descriptors; \((try? weir.program.descriptorNames) ?? [])"
            ) {
                (try weir.program.descriptorCount <= descriptors).whenTrue
            }
            let count = Self.failures.count + 1
            let entries = try await weir.meter.entries(count)
            #expect(entries.count == count)
            #expect(Set(entries.map { $0["end"] }) == ["provider_error"])
            #expect(try await weir.ledger.charges(entries.count).count == entries.count)
            try await weir.stop()
            #expect(weir.streamEnds.count == count)
            for line in weir.streamEnds {
                #expect(jsonTree(line)?["end"]?.string == "provider_error", "\(line)")
                let reason = jsonTree(line)?["reason"]?.string ?? ""
                #expect(!reason.isEmpty, "\(line)")
                #expect(reason.contains("certificate") == line.contains("\"certificate\""))
            }
        }

        private func check(_ answer: FetchedAnswer, _ failure: Failure) {
            let label = "\(failure.model) on \(failure.path): \(answer)"
            #expect(answer.status == failure.status, "\(label)")
            #expect(!answer.body.contains("[DONE]"), "\(label)")
            let data = answer.lastData
            if failure.path == "/api/stream" {
                #expect(answer.body.contains("event: error\n"), "\(label)")
                let code = data?["code"]?.string
                #expect(code?.hasPrefix("upstream_") == true, "\(label)")
                if !failure.code.isEmpty { #expect(code == failure.code, "\(label)") }
                #expect(data?["retryable"]?.boolean != nil, "\(label)")
            } else {
                #expect(data?["error"]?["code"]?.string == failure.code, "\(label)")
                #expect(data?["error"]?["message"]?.string?.isEmpty == false, "\(label)")
            }
        }
    }
}
