import Foundation
import TestSupport
import Testing

extension EndToEndTests {
    /// The certificates of the public listener, as `openssl s_client` and `curl` see them.
    @Suite struct CertificateTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        private func put(_ certificate: TestCertificate, as name: String) throws {
            for (from, to) in [
                (certificate.file, "\(name).pem"), (certificate.keyFile, "\(name).key"),
            ] {
                let data = FileManager.default.contents(atPath: from) ?? Data()
                try data.write(to: URL(fileURLWithPath: scratch.path(to)), options: .atomic)
            }
        }

        private func configuration(_ names: String...) -> String {
            let pairs = names.map {
                "  - { certificate: \(scratch.path($0)).pem, key: \(scratch.path($0)).key }\n"
            }
            return "tls:\n" + pairs.joined()
        }

        /// What `openssl s_client` says of a connection on which it sends nothing.
        private func handshake(_ weir: RunningWeir, _ options: String...) throws -> String {
            let run = try ProgramRun(
                "openssl",
                ["s_client", "-connect", "127.0.0.1:\(weir.port)"] + options
            )
            return run.output + run.errors
        }

        /// The certificate in PEM that a client is shown that asks for a host.
        private func shown(_ weir: RunningWeir, for host: String) throws -> String? {
            let lines = try handshake(weir, "-servername", host).split(separator: "\n")
            guard let start = lines.firstIndex(of: "-----BEGIN CERTIFICATE-----"),
                let end = lines.firstIndex(of: "-----END CERTIFICATE-----")
            else { return nil }
            return lines[start...end].joined(separator: "\n")
        }

        private func pem(_ certificate: TestCertificate) throws -> String {
            try String(contentsOfFile: certificate.file, encoding: .utf8)
                .trimmingCharacters(in: .newlines)
        }

        @Test func `the printed line works with the certificate that weir makes itself`()
            async throws
        {
            let data = scratch.path("data")
            let weir = try await RunningWeir.start(data: data, options: ["--tls"])
            #expect(weir.url.hasPrefix("https://127.0.0.1:"))
            let answer = try await output(of: "sh", ["-c", weir.curlLine])
            #expect(answer.hasSuffix("data: [DONE]\n\n"))

            let certificate = "\(data)/tls/localhost.pem"
            let head = try await output(
                of: "curl",
                ["-si", "--cacert", certificate, "https://localhost:\(weir.port)/healthz"]
            ).lowercased()
            #expect(head.contains("x-content-type-options: nosniff"))
            // Browsers would insist on TLS for everything else on this machine, too.
            #expect(!head.contains("strict-transport-security"))
            let admin = try await output(of: "curl", ["-si", "\(weir.admin)/metrics"])
            #expect(admin.contains("X-Content-Type-Options: nosniff"))
            #expect(admin.contains("weir_certificate_days_left{file=\"\(certificate)\"} 8"))
            let made = try String(contentsOfFile: certificate, encoding: .utf8)
            try await weir.stop()

            let again = try await RunningWeir.start(data: data, options: ["--tls"])
            #expect(try String(contentsOfFile: certificate, encoding: .utf8) == made)
            try await again.stop()
        }

        @Test func `the host chooses the certificate, and clients come back by ticket`()
            async throws
        {
            let first = try TestCertificate("DNS:a.example", "IP:127.0.0.1")
            let second = try TestCertificate("DNS:*.b.example")
            try put(first, as: "first")
            try put(second, as: "second")
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: configuration("first", "second")
            )

            #expect(try shown(weir, for: "a.example") == pem(first))
            #expect(try shown(weir, for: "www.b.example") == pem(second))
            #expect(try shown(weir, for: "c.example") == pem(first))
            let head = try await output(
                of: "curl",
                ["-si", "--cacert", first.file, "\(weir.url)/healthz"]
            ).lowercased()
            #expect(head.contains("strict-transport-security: max-age=31536000"))
            for version in ["-tls1_2", "-tls1_3"] {
                let said = try handshake(weir, version, "-reconnect")
                #expect(said.contains("New, TLSv1."))
            }
            let resumed = try handshake(weir, "-tls1_2", "-reconnect")
            #expect(resumed.ranges(of: "Reused, TLSv1.2").count == 5)
            for version in ["-tls1", "-tls1_1"] {
                let said = try handshake(weir, version, "-cipher", "ALL:@SECLEVEL=0")
                #expect(said.contains("Cipher is (NONE)"))
            }
            try await weir.stop()
        }

        @Test func `certificates change on their own while streams go on`() async throws {
            let replay = try await RunningReplay.start([
                "--dir", Place.recordedBodies, "--pace", "40",
            ])
            let model = "openai/chat-long-text-no-usage"
            let first = try TestCertificate("IP:127.0.0.1", "DNS:a.example")
            try put(first, as: "one")
            let weir = try await RunningWeir.start(
                data: scratch.path("data"),
                configuration: configuration("one") + """
                    providers:
                      - { name: replay, dialect: openai, baseURL: "\(replay.url)/v1" }
                    models:
                      - name: \(model)
                        price: free
                        route: [{ provider: replay, model: \(model) }]

                    """
            )
            let streams = try (0..<10).map { _ in
                try RunningProgram("curl", weir.asking(model) + ["--cacert", first.file])
            }
            for stream in streams {
                try await eventually("a first event") {
                    stream.output.contains("data: ").whenTrue
                }
            }

            let second = try TestCertificate("IP:127.0.0.1", "DNS:a.example")
            try put(second, as: "one")
            try await eventually("the new certificate") {
                try (shown(weir, for: "a.example") == pem(second)).whenTrue
            }

            #expect(streams.allSatisfy { $0.status == nil })
            let recorded = try #require(RecordedAnswer.named(model))
            for stream in streams {
                #expect(try await stream.end() == 0)
                #expect(digest(text(ofChunks: stream.output)) == recorded.textDigest)
            }
            #expect(weir.log.contains { $0.contains("certificates_read") })
            try await weir.stop()
        }

        @Test func `an expired certificate keeps it from starting`() async throws {
            let folder = scratch.path
            _ = try ProgramRun(
                "bash",
                [
                    "-c",
                    """
                    cd \(folder) && openssl req -new -newkey ec \
                    -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout old.key -out old.csr \
                    -subj /CN=old && openssl x509 -req -in old.csr -signkey old.key -days -1 \
                    -out old.pem
                    """,
                ]
            )
            let weir = try RunningWeir.run(
                data: scratch.path("data"),
                configuration: configuration("old")
            )
            #expect(try await weir.end() == 1)
            #expect(
                weir.errors.contains("the certificate in \(scratch.path("old.pem")) expired on ")
            )
        }
    }
}
