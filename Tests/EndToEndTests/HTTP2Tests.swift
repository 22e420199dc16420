import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// HTTP/2 as other people's programs speak it.
    @Suite struct HTTP2Tests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private static let python = "\(repositoryRoot())/.venv/bin/python3"
        private static let model = "ollama/v1-text-utf8"
        private static let request = JSONTree.object([
            "model": .string(model), "stream": .boolean(true),
            "messages": .array([
                .object(["role": .string("user"), "content": .string("Hello")])
            ]),
        ])

        // MARK: The probe

        private func probe(
            _ certificate: TestCertificate? = nil
        ) async throws -> (program: RunningProgram, port: String) {
            var arguments = ["echo", "--listen", "127.0.0.1:0"]
            if let certificate { arguments += ["--tls", certificate.file, certificate.keyFile] }
            let program = try RunningProgram(Place.program("weir-probe"), arguments)
            let port = try await eventually("weir-probe to listen") {
                program.output.split(separator: "\n").first.flatMap {
                    $0.split(separator: ":").last.map(String.init)
                }
            }
            return (program, port)
        }

        @Test(arguments: [false, true])
        func `every case of RFC 9113 and RFC 7541 is met`(isSecure: Bool) async throws {
            let certificate = isSecure ? try TestCertificate("DNS:localhost") : nil
            let (program, port) = try await probe(certificate)
            defer { program.kill() }
            let cases = try await linesFromScript(
                Self.python,
                [Place.client("http2_conformance.py"), "127.0.0.1", port]
                    + (certificate.map { [$0.file] } ?? []),
                input: []
            )

            #expect(cases.count > 160)
            for outcome in cases {
                #expect(outcome["ok"]?.boolean == true, "\(outcome)")
            }
        }

        @Test func `each flood is cut, while others are served and the process stays small`()
            async throws
        {
            let (program, port) = try await probe()
            defer { program.kill() }
            let attacks = try await linesFromScript(
                Self.python,
                [Place.client("http2_floods.py"), "127.0.0.1", port, "\(program.processID)"],
                input: []
            )

            #expect(attacks.count == Self.codes.count)
            for attack in attacks {
                let name = attack["attack"]?.string ?? ""
                #expect(attack["code"]?.integer == Self.codes[name] ?? -1, "\(attack)")
                #expect((attack["slowest_ms"]?.integer ?? .max) < 2_000, "\(attack)")
                #expect((attack["asked"]?.integer ?? 0) > 3, "\(attack)")
                #expect((attack["resident_kib"]?.integer ?? .max) < 100_000, "\(attack)")
            }
        }

        /// What each attack is told: ENHANCE_YOUR_CALM, or the error that it is already.
        private static let codes: [String: Int64?] = [
            "rapid_reset": 11, "provoked_reset": 1, "continuation": 11, "empty_continuation": 11,
            "settings": 11, "ping": 11, "window_update": 11, "priority": 11, "empty_data": 11,
            "single_byte_data": 11, "hpack_bomb": 11, "many_streams": 11, "zero_window": 11,
            "never_reading": nil,
        ]

        @Test func `ten thousand streams on a hundred connections end without an error`()
            async throws
        {
            let (program, port) = try await probe()
            defer { program.kill() }
            let text = try await output(
                of: "h2load",
                [
                    "-n", "10000", "-c", "100", "-m", "100",
                    "http://127.0.0.1:\(port)/sse?count=5&interval=200",
                ]
            )

            #expect(text.contains("10000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(text)")
            #expect(text.contains("status codes: 10000 2xx"), "\(text)")
        }

        // MARK: The gateway

        private func gateway(
            pace: String,
            _ certificate: TestCertificate?,
            more: String = ""
        ) async throws -> (weir: RunningWeir, replay: RunningReplay) {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", pace,
            ])
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: replayConfiguration(replay.url, openAI: [Self.model]) + more,
                settings: certificate.map {
                    ["tls.certificate=\($0.file)", "tls.key=\($0.keyFile)"]
                } ?? []
            )
            return (weir, replay)
        }

        @Test(arguments: [false, true])
        func `each event comes in a frame of its own, the moment it is sent`(
            isSecure: Bool
        ) async throws {
            let certificate = isSecure ? try TestCertificate("IP:127.0.0.1") : nil
            let (weir, replay) = try await gateway(pace: "20", certificate)
            defer { replay.program.kill() }
            let streams = try await linesFromScript(
                Self.python,
                [
                    Place.client("http2_streams.py"), "\(weir.url)/v1/chat/completions", weir.key,
                    "10", certificate?.file ?? "-",
                ],
                input: [Self.request]
            )
            let recorded = try #require(RecordedAnswer.named(Self.model))

            #expect(streams.count == 10)
            for stream in streams {
                #expect(stream["status"]?.integer == 200)
                #expect(stream["text_sha256"]?.string == recorded.textDigest)
                #expect(stream["done"]?.boolean == true)
                let events = try #require(stream["events"]?.integer)
                let frames = try #require(stream["frames"]?.integer)
                // A busy machine may make two of them meet.
                #expect(frames >= events * 8 / 10, "\(stream)")
                #expect(stream["split"]?.integer == 0, "\(stream)")
                #expect((stream["milliseconds"]?.integer ?? 0) >= (events - 3) * 45, "\(stream)")
            }
            #expect(try await weir.meter.entries(10).count == 10)
            try await weir.stop()
        }

        @Test func `a page in Chromium follows more streams at once than HTTP1 lets it`()
            async throws
        {
            let certificate = try TestCertificate("IP:127.0.0.1")
            let (weir, replay) = try await gateway(
                pace: "5",
                certificate,
                more: "access: { open: true }\n"
            )
            defer { replay.program.kill() }
            let lines = try await linesFromScript(
                "python3",
                [Place.client("http2_browser.py"), weir.url, Self.model, "12"],
                input: []
            )
            let page = try #require(lines.first)
            let recorded = try #require(RecordedAnswer.named(Self.model))

            #expect(page["most"]?.integer == 12, "\(page)")
            #expect(page["errors"]?.integer == 0)
            let texts = page["texts"]?.elements.map(\.string) ?? []
            #expect(texts == [String?](repeating: recorded.textDigest, count: 12))
            try await weir.stop()
        }
    }
}
