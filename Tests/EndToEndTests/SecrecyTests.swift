import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// What is confided to the gateway turns up nowhere else.
    @Suite struct SecrecyTests {
        private let scratch: ScratchFolder
        private static let canary = "canary-7f3a91d2c4b8"

        init() throws { scratch = try ScratchFolder() }

        @Test func `keys and prompts are in no log, metric, error, Redis or ledger`() async throws {
            let failing = try await FailingProvider.start(scratch)
            let replay = try await RunningReplay.start([])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: Self.configuration(failing, replay),
                settings: ["timeouts.firstByte=2s", "timeouts.silence=2s"]
            )
            var answers: [String] = []
            for arguments in Self.requests(to: weir) {
                answers.append(try await weir.fetch(arguments).body)
            }
            // A provider that repeats the request tells its client nothing new; others, it must not.
            try await weir.fetch(weir.asking("echo", prompt: Self.canary)).expectRefusal()

            let entries = try await weir.meter.entries(6)
            #expect(entries.allSatisfy { !"\($0.fields)".contains(Self.canary) })
            answers += try await remains(of: weir)
            try await weir.stop()
            answers += [weir.program.output, weir.program.errors]
            answers += try files(below: scratch.path("data"))
            for text in answers {
                #expect(!text.contains(Self.canary), "\(text.prefix(2_000))")
            }
        }

        private static func configuration(
            _ failing: FailingProvider,
            _ replay: RunningReplay
        ) -> String {
            """
            providers:
              - { name: key-echo, dialect: openai, baseURL: "\(failing.url)/key-echo/v1",
                  apiKey: \(canary) }
              - { name: echo, dialect: openai, baseURL: "\(failing.url)/echo/v1" }
              - { name: silent, dialect: openai, baseURL: "\(failing.url)/silent/v1",
                  apiKey: \(canary) }
              - { name: replay, dialect: openai, baseURL: "\(replay.url)/v1", apiKey: \(canary) }
            models:
              - { name: key-echo, price: free, route: [{ provider: key-echo, model: x }] }
              - { name: echo, price: free, route: [{ provider: echo, model: x }] }
              - { name: silent, price: free, route: [{ provider: silent, model: x }] }
              - { name: good, price: free, route: [{ provider: replay, model: demo }] }
            """
        }

        private static func requests(to weir: RunningWeir) -> [[String]] {
            let canary = canary
            let prompts = ["key-echo", "silent", "good"].map { weir.asking($0, prompt: canary) }
            return prompts + [
                weir.asking("good", path: "/api/stream", prompt: canary),
                weir.asking("good", prompt: canary, streams: false),
                weir.asking("key-echo", path: "/api/stream", prompt: canary),
                weir.asking("good", key: canary),
                weir.asking("no-such-model", prompt: canary),
                ["-s", "\(weir.url)/v1/models", "-H", "x-api-key: \(canary)"],
                ["-s", "\(weir.url)/api/stream?token=t0-\(canary)"],
                [
                    "-s", "\(weir.url)/api/stream?model=good&prompt=\(canary)",
                    "-H", "Authorization: Bearer \(canary)",
                ],
                [
                    "-s", "\(weir.url)/v1/chat/completions",
                    "-H", "Authorization: Bearer \(weir.key)",
                    "-d", #"{"model":"good","messages":[{"role":"user","content":"\#(canary)"}"#,
                ],
            ]
        }

        /// Metrics, status bodies, and everything in Redis.
        private func remains(of weir: RunningWeir) async throws -> [String] {
            var texts: [String] = []
            for path in ["/metrics", "/api/stream/stats", "/api/stream/active"] {
                texts.append(try await output(of: "curl", ["-s", "\(weir.admin)\(path)"]))
            }
            let keys = try await weir.meter.command("--scan").split(separator: "\n").map(
                String.init
            )
            #expect(keys.contains("weir:meter:0"))
            for key in keys {
                texts += [key, try await weir.meter.command("DUMP", key)]
            }
            return texts
        }

        /// Every file that the process has written.
        private func files(below folder: String) throws -> [String] {
            let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
            #expect(paths.contains("ledger.db"))
            return paths.compactMap { FileManager.default.contents(atPath: "\(folder)/\($0)") }
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

extension FetchedAnswer {
    fileprivate func expectRefusal() { #expect((400...599).contains(status), "\(self)") }
}
