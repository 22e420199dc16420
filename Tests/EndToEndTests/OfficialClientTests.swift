import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// OpenAI's own SDK, unchanged but for its address and key.
    @Suite struct OfficialClientTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private static func request(
            _ model: String,
            _ members: [String: JSONTree] = [:]
        ) -> JSONTree {
            .object(["model": .string(model)].merging(members) { $1 })
        }

        private static func streamed(
            _ model: String,
            _ members: [String: JSONTree] = [:]
        ) -> JSONTree {
            request(
                model,
                [
                    "stream": .boolean(true),
                    "stream_options": .object(["include_usage": .boolean(true)]),
                ].merging(members) { $1 }
            )
        }

        @Test func `every recorded answer comes out with its text, end and usage`() async throws {
            let replay = try await RunningReplay.start()
            let bodies = RecordedAnswer.all.filter {
                ["openai-chat", "anthropic-messages"].contains($0.format)
            }
            try #require(bodies.count > 40)
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: bodies.filter { $0.format == "openai-chat" }.map(\.name),
                    anthropic: bodies.filter { $0.format != "openai-chat" }.map(\.name)
                )
            )
            let outcomes = try await OfficialClient.ask(
                bodies.map {
                    Self.streamed(
                        $0.name,
                        ["extra_headers": .object(["Weir-Purpose": .string($0.name)])]
                    )
                },
                at: weir.url,
                key: weir.key
            )
            for (body, outcome) in zip(bodies, outcomes) { check(outcome, against: body) }

            let entries = try await weir.meter.entries(bodies.count)
            #expect(entries.count == bodies.count)
            for body in bodies {
                check(try #require(entries.first { $0["purpose"] == body.name }), against: body)
            }
            #expect(try await replay.count("requests") == bodies.count)
            try await weir.stop()
            #expect(weir.streamEnds.count == bodies.count)
        }

        private func check(_ outcome: JSONTree, against body: RecordedAnswer) {
            let name = body.name
            #expect(outcome["text_sha256"]?.string == body.textDigest, "the text of \(name)")
            guard body.isWhole else {
                #expect(outcome["error"]?.string == "APIError", "\(name) \(outcome)")
                return
            }
            #expect(outcome["error"] == nil, "\(name) \(outcome)")
            #expect(outcome["finish"]?.string == body.finish, "the end of \(name)")
            #expect(outcome["model"]?.string == name)
            // The provider's words go on unchanged, where the SDK does not look for usage, too.
            guard name != "groq/chat-xgroq-usage" else { return }
            #expect(outcome["input"]?.integer.map(Int.init) == body.input, "the input of \(name)")
            #expect(
                outcome["output"]?.integer.map(Int.init) == body.usage("output"),
                "the output of \(name)"
            )
        }

        /// Meter records have the provider's count, or one of the gateway's own that says so.
        private func check(_ entry: MeterEntry, against body: RecordedAnswer) {
            #expect(entry["end"] == (body.isWhole ? "complete" : "provider_error"), "\(body.name)")
            guard body.hasFinalUsage, let input = body.input, let output = body.usage("output")
            else {
                #expect(entry["estimated"] == "1", "\(body.name)")
                #expect(entry["usage_source"] == "counted", "\(body.name)")
                return
            }
            #expect(entry.number("input_tokens") == input, "\(body.name)")
            #expect(entry.number("output_tokens") == output, "\(body.name)")
            #expect(entry["usage_source"] == "provider", "\(body.name)")
            #expect(entry["estimated"] == "0", "\(body.name)")
        }

        @Test func `an answer in one piece is the same answer`() async throws {
            let replay = try await RunningReplay.start()
            let names = ["openai/chat-text-usage", "anthropic/text-emoji"]
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(
                    replay.url,
                    openAI: [names[0]],
                    anthropic: [names[1]]
                )
            )
            let outcomes = try await OfficialClient.ask(
                names.map { Self.request($0) },
                at: weir.url,
                key: weir.key
            )
            for (name, outcome) in zip(names, outcomes) {
                check(outcome, against: try #require(RecordedAnswer.named(name)))
            }
            let entries = try await weir.meter.entries(2)
            #expect(Set(entries.map { $0["end"] }) == ["complete"])
            try await weir.stop()
        }

        @Test(arguments: [true, false])
        func `each error is raised as the class that programs catch`(streams: Bool) async throws {
            let slow = try await RunningReplay.start(["--delay", "60000"])
            let replay = try await RunningReplay.start([])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: configuration(
                    providers: [
                        ("replay", "openai", "\(replay.url)/v1"),
                        ("replay-anthropic", "anthropic", "\(replay.url)/v1"),
                        ("slow", "openai", "\(slow.url)/v1"),
                        ("nobody", "openai", "http://127.0.0.1:1/v1"),
                    ],
                    models: Self.failing
                ),
                settings: ["timeouts.firstByte=2s", "timeouts.silence=2s"]
            )
            let cases = Self.errors(streams: streams)
            let outcomes = try await OfficialClient.ask(
                cases.map { Self.request($0.model, $0.members) },
                at: weir.url,
                key: weir.key
            )
            for (expected, outcome) in zip(cases, outcomes) {
                let label = "\(expected.model) \(outcome)"
                #expect(outcome["error"]?.string == expected.error, "\(label)")
                #expect(outcome["status"]?.integer == expected.status, "\(label)")
                #expect(outcome["code"]?.string == expected.code, "\(label)")
            }
            try await weir.stop()
        }

        private static let failing = [
            ("demo", "replay", "demo"), ("claude", "replay-anthropic", "demo"),
            ("busy", "replay", "test/429"), ("broken", "replay", "test/500"),
            ("cut", "replay", "test/cut-40"), ("stalls", "replay", "test/stall"),
            ("garbage", "replay", "test/garbage"),
            ("unknown-there", "replay", "no-such-model"),
            ("slow", "slow", "openai/chat-text-usage"), ("nobody", "nobody", "demo"),
        ]

        private struct ErrorCase {
            let model: String
            let error: String
            let status: Int64?
            let code: String
            let members: [String: JSONTree]
        }

        private static func errors(streams: Bool) -> [ErrorCase] {
            func expect(
                _ model: String,
                _ error: String,
                _ status: Int64?,
                _ code: String,
                _ members: [String: JSONTree] = [:]
            ) -> ErrorCase {
                let stream = ["stream": JSONTree.boolean(streams)]
                return ErrorCase(
                    model: model,
                    error: error,
                    status: status,
                    code: code,
                    members: stream.merging(members) { $1 }
                )
            }
            let before = [
                expect(
                    "demo",
                    "AuthenticationError",
                    401,
                    "invalid_api_key",
                    ["key": .string("weir_wrong")]
                ),
                expect("no-such-model", "NotFoundError", 404, "model_not_found"),
                expect(
                    "demo",
                    "BadRequestError",
                    400,
                    "bad_request",
                    ["messages": .string("hello")]
                ),
                expect(
                    "claude",
                    "BadRequestError",
                    400,
                    "bad_request",
                    ["logit_bias": .object(["1": .integer(1)])]
                ),
                expect("busy", "RateLimitError", 429, "rate_limit_exceeded"),
                expect("broken", "InternalServerError", 502, "upstream_error"),
                expect("nobody", "InternalServerError", 502, "upstream_error"),
                expect("slow", "InternalServerError", 504, "upstream_timeout"),
            ]
            guard streams else { return before }
            return before + [
                expect("cut", "APIError", nil, "upstream_error"),
                expect("stalls", "APIError", nil, "upstream_timeout"),
                expect("garbage", "APIError", nil, "upstream_error"),
            ]
        }
    }
}
