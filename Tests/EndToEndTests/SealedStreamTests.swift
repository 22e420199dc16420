import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Sealed answers, opened by Weir's own client in Chromium and by an independent one in Python, as
    /// they are and as a proxy on the way would like them to be.
    @Suite struct SealedStreamTests {
        private let scratch: ScratchFolder
        private static let key = "weir_key-of-acme"
        private static let model = "ollama/v1-text-utf8"
        private static let sharedKey = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
        private static let password = "correct horse battery stäple"

        init() throws { scratch = try ScratchFolder() }

        /// A gateway and its provider, which ends with the last reference to it.
        private struct Parts {
            let weir: RunningWeir
            let replay: RunningReplay
        }

        private func start() async throws -> Parts {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "200",
            ])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(replay.url, openAI: [Self.model]) + """
                    accounts:
                      - { id: acme, sealingPassword: "\(Self.password)",
                          keys: [{ id: k, sha256: \(digest(Self.key)) }] }
                    sealing:
                      keys: [{ id: k1, account: acme, key: "\(Self.sharedKey)" }]
                      rotate: { events: 5, interval: 10m }

                    """,
                // Those who noticed something do not come back for the rest.
                settings: ["drain.deadline=1s"]
            )
            return Parts(weir: weir, replay: replay)
        }

        // MARK: Scenarios

        private static let hybrid = JSONTree.object(["mode": .string("hybrid")])
        private static let shared = JSONTree.object([
            "mode": .string("shared"), "keyId": .string("k1"), "key": .string(sharedKey),
        ])
        private static let passwordSeal = JSONTree.object([
            "mode": .string("password"), "password": .string(password),
        ])

        private static func scenario(
            _ name: String,
            _ seal: JSONTree?,
            _ members: [String: JSONTree] = [:]
        ) -> JSONTree {
            var scenario: [String: JSONTree] = ["name": .string(name), "model": .string(model)]
            if let seal { scenario["seal"] = seal }
            return .object(scenario.merging(members) { $1 })
        }

        private static func with(_ more: [String: JSONTree], _ seal: JSONTree) -> JSONTree {
            guard case .object(let members) = seal else { return seal }
            return .object(members.merging(more) { $1 })
        }

        /// What leaves the answer whole.
        private static let whole = [
            scenario("hybrid", hybrid),
            scenario("shared, padded", with(["pad": .integer(64)], shared)),
            scenario("compressed", with(["compress": .boolean(true)], hybrid)),
            scenario("password", passwordSeal),
            scenario("hybrid, cut three times", hybrid, ["way": .string("cut-three-times")]),
            scenario("shared, cut", shared, ["way": .string("cut")]),
        ]

        /// What only a browser's client does.
        private static let wholeInBrowsers = [
            scenario("plain", nil),
            scenario("plain, cut", nil, ["way": .string("cut")]),
            scenario("by a token, cut", hybrid, ["way": .string("cut"), "token": .boolean(true)]),
            scenario("goes on elsewhere", hybrid, ["goesOnElsewhere": .integer(20)]),
            scenario("P-256", hybrid, ["curve": .string("p-256")]),
        ]

        private static let wholeInPython = [
            scenario("P-256", hybrid, ["curve": .string("p-256")]),
            scenario("ChaCha20", hybrid, ["algorithm": .string("chacha20-poly1305")]),
            scenario("OpenAI's format", hybrid, ["openAI": .boolean(true)]),
            scenario(
                "OpenAI's format, compressed and padded",
                with(["compress": .boolean(true), "pad": .integer(32)], passwordSeal),
                ["openAI": .boolean(true)]
            ),
        ]

        /// The same in OpenAI's format, for the client that speaks it.
        private static let tamperedInPython = [
            "flipped", "dropped", "repeated", "reordered", "in-the-next-epoch", "other-salt",
            "other-model", "chunk-in-clear",
        ].map { way in
            scenario(way, hybrid, ["way": .string(way), "openAI": .boolean(true)])
        }

        /// What a proxy on the way may do to a sealed answer; each must be noticed.
        private static let tampered =
            [
                "flipped", "shortened", "dropped", "repeated", "repeated-under-the-next-number",
                "reordered", "renumbered", "in-a-later-epoch", "in-the-next-epoch",
                "in-an-earlier-epoch", "renamed", "gap-claimed", "end-in-clear", "chunk-in-clear",
                "never-sealed", "other-salt", "other-cipher", "other-attachment", "other-model",
                "told-again",
            ].map { scenario($0, shared, ["way": .string($0)]) } + [
                scenario("other-public-key", hybrid, ["way": .string("other-public-key")]),
                scenario("few-rounds", passwordSeal, ["way": .string("few-rounds")]),
                scenario(
                    "old-answer",
                    shared,
                    ["way": .string("old-answer"), "asksTwice": .boolean(true)]
                ),
                scenario(
                    "wrong key",
                    .object([
                        "mode": .string("shared"), "keyId": .string("k1"),
                        "key": .string("QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="),
                    ])
                ),
                scenario(
                    "wrong password",
                    .object([
                        "mode": .string("password"), "password": .string("another password"),
                    ])
                ),
            ]

        private static let truncated = [
            scenario("truncated", shared, ["way": .string("cut-for-good")])
        ]

        // MARK: Tests

        @Test func `Chromium opens what is whole and notices what is not`() async throws {
            let parts = try await start()
            let outcomes = try await linesFromScript(
                "python3",
                [Place.client("sealed_browser.py"), parts.weir.url, Self.key, "chromium"],
                input: Self.whole + Self.wholeInBrowsers + Self.tampered + Self.truncated
            )
            try check(outcomes, whole: Self.whole + Self.wholeInBrowsers)
            try await checkRecords(of: parts.weir, Self.whole + Self.wholeInBrowsers)
            try await parts.weir.stop()
        }

        @Test(.enabled(if: hasNode20))
        func `node opens what is whole and notices what is not`() async throws {
            let parts = try await start()
            let outcomes = try await linesFromScript(
                "python3",
                [Place.client("sealed_browser.py"), parts.weir.url, Self.key, "node"],
                input: Self.whole + Self.wholeInBrowsers + Self.tampered + Self.truncated
            )
            try check(outcomes, whole: Self.whole + Self.wholeInBrowsers)
            try await parts.weir.stop()
        }

        /// Debian's node is older; where there is a newer one, it is used.
        private static let hasNode20: Bool = {
            let run = try? ProgramRun("node", ["--version"])
            let major = run?.output.dropFirst().split(separator: ".").first.flatMap { Int($0) }
            return (major ?? 0) >= 20
        }()

        @Test func `Python opens what is whole and notices what is not`() async throws {
            let parts = try await start()
            let whole = Self.whole + Self.wholeInPython
            let tampered = Self.tampered + Self.tamperedInPython
            let outcomes = try await linesFromScript(
                "\(repositoryRoot())/.venv/bin/python3",
                [Place.client("sealed_python.py"), parts.weir.url, Self.key],
                input: whole + tampered + Self.truncated
            )
            try check(outcomes, whole: whole, tampered: tampered)
            try await parts.weir.stop()
        }

        @Test(arguments: ["/v1/chat/completions", "/api/stream"])
        func `the load tool opens what is sealed, and counts what is not as failed`(
            path: String
        ) async throws {
            let parts = try await start()
            func load(_ seal: String) async throws -> (status: Int32, output: String) {
                let program = try RunningProgram(
                    Place.program("weir-load"),
                    [
                        parts.weir.url + path, "-n", "5", "--once", "--model", Self.model,
                        "--key", Self.key, "--seal", seal,
                        "--expect", "completed=5,failed=0,missing=0",
                    ]
                )
                return (try await program.end(), program.output)
            }
            let right = try await load("k1:\(Self.sharedKey)")
            #expect(right.status == 0, "\(right)")
            let wrong = try await load("k1:\(Self.sharedKey.replacing("QUFB", with: "QUFC"))")
            #expect(wrong.status == 1)
            #expect(wrong.output.contains("bad_seal"), "\(wrong)")
            let entries = try await parts.weir.meter.entries(10)
            #expect(entries.allSatisfy { $0["sealing"] == "aes-256-gcm" })
            try await parts.weir.stop()
        }

        @Test func `another implementation makes and opens the same vectors`() async throws {
            let outcomes = try await linesFromScript(
                "\(repositoryRoot())/.venv/bin/python3",
                [
                    Place.client("sealing_vectors.py"), "check",
                    "\(repositoryRoot())/Tests/Fixtures/sealing",
                ],
                input: []
            )
            #expect(outcomes.dropLast().map { $0["opened"]?.integer } == [8, 8, 8, 8, 8])
            #expect(outcomes.last?["same"]?.boolean == true)
        }

        // MARK: Checks

        private func check(
            _ outcomes: [JSONTree],
            whole: [JSONTree],
            tampered: [JSONTree] = tampered
        ) throws {
            try #require(outcomes.count == whole.count + tampered.count + Self.truncated.count)
            let text = try #require(RecordedAnswer.named(Self.model)).textDigest
            for (scenario, outcome) in zip(whole, outcomes) {
                #expect(outcome["name"] == scenario["name"])
                #expect(outcome["code"] == .null, "\(outcome)")
                #expect(outcome["text"]?.string.map(digest) == text, "\(outcome)")
                #expect(outcome["finish"]?.string == "stop", "\(outcome)")
            }
            let others = outcomes.dropFirst(whole.count)
            for (scenario, outcome) in zip(tampered, others) {
                #expect(outcome["name"] == scenario["name"])
                #expect(outcome["code"]?.string == "tampered", "\(outcome)")
                #expect(outcome["finish"] == nil, "\(outcome)")
                #expect(outcome["text"]?.string?.contains("forged") == false, "\(outcome)")
            }
            for outcome in others.dropFirst(tampered.count) {
                #expect(outcome["code"]?.string == "stream_gone", "\(outcome)")
                #expect(outcome["finish"] == nil, "\(outcome)")
            }
        }

        private func checkRecords(of weir: RunningWeir, _ whole: [JSONTree]) async throws {
            let entries = try await weir.meter.entries(whole.count)
            #expect(Set(entries.map { $0["sealing"] }) == ["none", "aes-256-gcm"])
            #expect(entries.count { $0["sealing"] == "none" } == 2)
        }
    }
}
