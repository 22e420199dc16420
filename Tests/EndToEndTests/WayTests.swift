import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Every way that an answer may take to a client: content coding, TLS, version of HTTP, sealing.
    @Suite struct WayTests {
        private let scratch: ScratchFolder
        private let certificate: TestCertificate
        private static let key = "weir_key-of-both"
        private static let python = "\(repositoryRoot())/.venv/bin/python3"

        init() throws {
            scratch = try ScratchFolder()
            certificate = try TestCertificate("IP:127.0.0.1")
        }

        /// What a client chooses.
        private struct Way: CustomStringConvertible {
            let client: String
            let coding: String
            let isSecure: Bool
            let version: String
            let isSealed: Bool

            static let codings = ["identity", "gzip", "deflate", "br"]

            static let all: [Way] = ["curl", "node", "httpx"].flatMap { client in
                codings.flatMap { coding in
                    [(false, "1.1"), (false, "2"), (true, "1.1"), (true, "2")].flatMap { way in
                        [false, true].map {
                            Way(
                                client: client,
                                coding: coding,
                                isSecure: way.0,
                                version: way.1,
                                isSealed: $0
                            )
                        }
                    }
                }
            }

            var description: String {
                "\(client) \(coding) HTTP/\(version)"
                    + (isSecure ? " over TLS" : "") + (isSealed ? ", sealed" : "")
            }
        }

        // MARK: The gateways

        /// One that speaks TLS and one that does not; the provider ends with the last reference.
        private struct Parts {
            let plain: RunningWeir
            let secure: RunningWeir
            let provider: RunningProgram

            func gateway(_ way: Way) -> RunningWeir { way.isSecure ? secure : plain }

            func stop() async throws {
                try await plain.stop()
                try await secure.stop()
            }
        }

        private func start(_ provider: RunningProgram, _ text: String) async throws -> Parts {
            Parts(
                plain: try await gateway("plain", text, isSecure: false),
                secure: try await gateway("secure", text, isSecure: true),
                provider: provider
            )
        }

        private func gateway(
            _ name: String,
            _ text: String,
            isSecure: Bool,
            settings: [String] = []
        ) async throws -> RunningWeir {
            let account = "{ id: local, keys: [{ id: k, sha256: \(digest(Self.key)) }] }"
            let tls = ["tls.certificate=\(certificate.file)", "tls.key=\(certificate.keyFile)"]
            return try await .start(
                data: scratch.path(name),
                configuration: text + "accounts: [\(account)]\n",
                settings: (isSecure ? tls : []) + settings
            )
        }

        private func input(
            _ way: Way,
            _ parts: Parts,
            _ members: [String: JSONTree]
        ) -> JSONTree {
            let own: [String: JSONTree] = [
                "client": .string(way.client), "coding": .string(way.coding),
                "version": .string(way.version), "isSealed": .boolean(way.isSealed),
                "url": .string(parts.gateway(way).url),
                "authority": .string(way.isSecure ? certificate.file : ""),
            ]
            return .object(own.merging(members) { $1 })
        }

        // MARK: Whole answers

        @Test func `every recorded answer comes byte by byte, whichever way it takes`() async throws
        {
            let replay = try await RunningReplay.start()
            let names = Self.recorded
            try #require(names.count > 40)
            let parts = try await start(replay.program, Self.recordings(of: replay))
            let models = JSONTree.array(names.map(JSONTree.string))
            let outcomes = try await linesFromScript(
                Self.python,
                [Place.client("matrix.py"), Self.key],
                input: Way.all.map { input($0, parts, ["models": models]) },
                within: .seconds(230)
            )
            try #require(outcomes.count == Way.all.count)
            let reference = outcomes[0]["bodies"]?.elements ?? []
            #expect(Set(reference.compactMap(\.string)).count > 35)
            for (way, outcome) in zip(Way.all, outcomes) {
                let head = JSONTree.object([
                    "coding": .string(way.coding), "version": .string(way.version),
                    "status": .integer(200),
                ])
                #expect(outcome["heads"]?.elements == [head], "\(way)")
                #expect(outcome["bodies"]?.elements == reference, "\(way)")
            }
            try await parts.stop()
        }

        /// A page cannot choose the coding; gateways that know one only leave it no choice.
        @Test func `every recorded answer comes byte by byte to pages in Chromium`() async throws {
            let replay = try await RunningReplay.start()
            let models = JSONTree.array(Self.recorded.map(JSONTree.string))
            var gateways: [RunningWeir] = []
            var cells: [JSONTree] = []
            var ways: [JSONTree] = []
            for (coding, isSecure) in Way.codings.flatMap({ [($0, false), ($0, true)] }) {
                let weir = try await gateway(
                    "\(coding)-\(isSecure)",
                    Self.recordings(of: replay),
                    isSecure: isSecure,
                    settings: ["stream.compression=[\(coding == "identity" ? "" : coding)]"]
                )
                gateways.append(weir)
                for version in isSecure ? ["1.1", "2"] : ["1.1"] {
                    ways.append(.array([.string(version), .string(coding)]))
                    cells.append(
                        .object([
                            "url": .string(weir.url), "version": .string(version),
                            "coding": .string(coding), "models": models,
                        ])
                    )
                }
            }
            let outcomes = try await linesFromScript(
                "python3",
                [Place.client("matrix_browser.py"), Self.key],
                input: cells,
                within: .seconds(200)
            )
            try #require(outcomes.count == 12)
            let reference = try await reference(of: gateways[0])
            let texts = Self.recorded.map { RecordedAnswer.named($0)?.textDigest }
            for (way, outcome) in zip(ways, outcomes) {
                // A busy gateway may choose to send as is, and only that.
                let found = outcome["ways"]?.elements ?? []
                #expect(found.contains(way), "\(found)")
                let asIs = JSONTree.array([way.elements[0], .string("identity")])
                #expect(found.allSatisfy { $0 == way || $0 == asIs }, "\(found)")
                #expect(outcome["bodies"]?.elements == reference, "\(way)")
                #expect(outcome["sealed"]?.elements.map(\.string) == texts, "\(way)")
            }
            for weir in gateways { try await weir.stop() }
        }

        /// What curl gets without coding, TLS, HTTP/2 and sealing.
        private func reference(of weir: RunningWeir) async throws -> [JSONTree] {
            let outcomes = try await linesFromScript(
                Self.python,
                [Place.client("matrix.py"), Self.key],
                input: [
                    .object([
                        "client": .string("curl"), "coding": .string("identity"),
                        "version": .string("1.1"), "isSealed": .boolean(false),
                        "url": .string(weir.url), "authority": .string(""),
                        "models": .array(Self.recorded.map(JSONTree.string)),
                    ])
                ]
            )
            return outcomes.first?["bodies"]?.elements ?? []
        }

        private static var recorded: [String] {
            RecordedAnswer.all.filter {
                ["openai-chat", "anthropic-messages"].contains($0.format)
            }.map(\.name)
        }

        private static func recordings(of replay: RunningReplay) -> String {
            let bodies = RecordedAnswer.all
            return replayConfiguration(
                replay.url,
                openAI: bodies.filter { $0.format == "openai-chat" }.map(\.name),
                anthropic: bodies.filter { $0.format == "anthropic-messages" }.map(\.name)
            )
        }

        // MARK: The moment

        @Test func `each event can be read before the next is sent, whichever way it takes`()
            async throws
        {
            let provider = try RunningProgram("python3", [Place.client("lockstep.py"), "provide"])
            let address = try await eventually("the provider; \(provider.errors)") {
                provider.output.split(separator: "\n").first.map(String.init)
            }
            let parts = try await start(
                provider,
                configuration(
                    providers: [("p", "openai", "http://\(address)/v1")],
                    models: [("m", "p", "m")]
                )
            )
            let paths = ["/v1/chat/completions", "/api/stream"]
            let outcomes = try await linesFromScript(
                Self.python,
                [Place.client("lockstep.py"), "read", Self.key, address],
                input: Way.all.enumerated().map { number, way in
                    // Neighbours differ in sealing: both paths see both.
                    let path = JSONTree.string(paths[(number / 2 + number) % 2])
                    return input(way, parts, ["path": path])
                }
            )
            try #require(outcomes.count == Way.all.count)
            for (way, outcome) in zip(Way.all, outcomes) {
                let label = "\(way): \(outcome)"
                #expect(outcome["coding"]?.string == way.coding, "\(label)")
                #expect(outcome["version"]?.string == way.version, "\(label)")
                #expect(outcome["isWhole"]?.boolean == true, "\(label)")
                #expect(outcome["ended"]?.boolean == true, "\(label)")
                #expect(outcome["events"]?.integer == 60, "\(label)")
            }
            for weir in [parts.plain, parts.secure] {
                checkMeter(of: try await weir.meter.entries(Way.all.count / 2))
                try await checkStatistics(of: weir)
            }
            try await parts.stop()
        }

        /// Meter records count what was sent and what it stands for.
        private func checkMeter(of entries: [MeterEntry]) {
            for coding in Way.codings {
                let coded = entries.filter { $0["coding"] == coding }
                #expect(coded.count == Way.all.count / 8)
                #expect(coded.count { $0["sealing"] == "none" } == Way.all.count / 16)
                for entry in coded {
                    let (sent, raw) = (entry.number("bytes_out"), entry.number("bytes_raw"))
                    #expect(raw > 5_000, "\(entry)")
                    if coding == "identity" {
                        #expect(sent == raw, "\(entry)")
                    } else if entry["sealing"] == "none" {
                        #expect(sent * 2 < raw, "\(entry)")
                    } else {
                        #expect(sent < raw, "\(entry)")
                    }
                }
            }
        }

        private func checkStatistics(of weir: RunningWeir) async throws {
            let statistics = jsonTree(
                try await output(of: "curl", ["-s", "\(weir.admin)/api/stream/stats"])
            )
            for coding in Way.codings {
                #expect(
                    statistics?["codings"]?[coding]?.integer == Int64(Way.all.count / 8),
                    "\(String(describing: statistics?["codings"]))"
                )
            }
            #expect(statistics?["overCompressionBudget"]?.integer == 0)
        }
    }
}
