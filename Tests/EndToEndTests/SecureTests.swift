import Foundation
import TestSupport
import Testing

extension EndToEndTests {
    /// TLS towards providers and towards clients.
    @Suite struct SecureTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private static let model = "ollama/v1-text-utf8"

        private func configuration(_ url: String, trusting file: String) -> String {
            """
            providers:
              - { name: trusted, dialect: openai, baseURL: "\(url)/v1", authorityFile: "\(file)" }
              - { name: stranger, dialect: openai, baseURL: "\(url)/v1" }
            models:
              - name: \(Self.model)
                price: free
                route: [{ provider: trusted, model: \(Self.model) }]
              - name: stranger
                price: free
                route: [{ provider: stranger, model: \(Self.model) }]

            """
        }

        private func put(_ certificate: TestCertificate) throws {
            for (from, to) in [
                (certificate.file, "server.pem"), (certificate.keyFile, "server.key"),
            ] {
                let data = FileManager.default.contents(atPath: from) ?? Data()
                try data.write(to: URL(fileURLWithPath: scratch.path(to)))
            }
        }

        @Test func `answers come over TLS, go out over TLS, and certificates can be renewed`()
            async throws
        {
            let provider = try TestCertificate("IP:127.0.0.1")
            let replay = try await RunningReplay.start([
                "--tls", provider.file, provider.keyFile,
            ])
            #expect(replay.url.hasPrefix("https://"))
            let first = try TestCertificate("IP:127.0.0.1")
            try put(first)
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: configuration(replay.url, trusting: provider.file),
                settings: [
                    "tls.certificate=\(scratch.path("server.pem"))",
                    "tls.key=\(scratch.path("server.key"))",
                ]
            )
            #expect(weir.url.hasPrefix("https://"))
            func ask(
                _ model: String,
                trusting certificate: TestCertificate
            ) async throws
                -> FetchedAnswer
            {
                try await weir.fetch(weir.asking(model) + ["--cacert", certificate.file])
            }

            let answer = try await ask(Self.model, trusting: first)
            let recorded = try #require(RecordedAnswer.named(Self.model))
            #expect(digest(text(ofChunks: answer.body)) == recorded.textDigest)
            // The same provider, whose certificate nobody vouches for.
            #expect(try await ask("stranger", trusting: first).status == 502)

            let second = try TestCertificate("IP:127.0.0.1")
            try put(second)
            #expect(try await ask(Self.model, trusting: first).status == 200)
            weir.program.signal(SIGHUP)
            try await eventually("the new certificate") {
                try await (ask(Self.model, trusting: second).status == 200).whenTrue
            }
            #expect(try await ask(Self.model, trusting: first).status == 0)
            try await weir.stop()
        }

        @Test func `without its certificate it does not start`() async throws {
            let weir = try RunningWeir.run(
                data: scratch.path("data"),
                settings: [
                    "tls.certificate=\(scratch.path("none.pem"))",
                    "tls.key=\(scratch.path("none.key"))",
                ]
            )
            #expect(try await weir.end() == 1)
            #expect(weir.output.isEmpty)
            #expect(weir.errors.contains(scratch.path("none.pem")))
        }
    }
}
