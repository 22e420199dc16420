import HTTPWire
import Providers
import Reactor
import Replay
import ReplayProvider
import StreamBytes
import TestSupport
import Testing

/// Providers that are reached by HTTPS.
struct SecureProviderTests {
    private let certificate: TestCertificate
    private let security: ServerSecurity

    init() throws {
        certificate = try TestCertificate("DNS:good.example")
        security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile
        )
    }

    /// Asks a replay provider for an answer.
    private func ask(
        host: String = "good.example",
        asksSecurely: Bool = true,
        answersSecurely: Bool = true,
        trusting authorityFile: String?,
        body: String = #"{"model":"openai/chat-text-usage","stream":true}"#
    ) async throws -> ReceivedAnswer {
        var answer = ReceivedAnswer()
        try await ProviderBench.run(trusting: authorityFile) { bench, group in
            let server = try ReplayServer(
                on: .v4(0x7f00_0001, port: 0),
                of: group,
                security: answersSecurely ? security : nil
            )
            defer { server.abort() }
            answer = await bench.ask(
                server.address.port,
                host: host,
                isSecure: asksSecurely,
                body: Array(body.utf8)
            )
        }
        return answer
    }

    @Test func `a trusted provider's stream arrives as it was recorded`() async throws {
        let recorded = try #require(EmbeddedBodies.named("openai/chat-text-usage"))

        let answer = try await ask(trusting: certificate.file)

        #expect(answer.head?.status == 200)
        #expect(answer.body == recorded.bytes)
        #expect(answer.end == .complete)
    }

    @Test func `a trusted provider's whole answer arrives`() async throws {
        let answer = try await ask(
            trusting: certificate.file,
            body: #"{"model":"openai/chat-text-usage"}"#
        )

        #expect(JSONTree(parsing: answer.body)?["object"]?.string == "chat.completion")
        #expect(answer.end == .complete)
    }

    @Test func `a certificate that nobody vouches for is refused`() async throws {
        let answer = try await ask(trusting: nil)

        #expect(answer.head == nil)
        #expect(answer.end == .failed(.unreachable(.tls("self-signed certificate"))))
        #expect(answer.trouble == "TLS failed: self-signed certificate")
    }

    @Test func `a certificate for another host is refused`() async throws {
        let answer = try await ask(host: "other.example", trusting: certificate.file)

        #expect(
            answer.trouble
                == "TLS failed: host name mismatch: the certificate is not for other.example"
        )
    }

    @Test func `a missing file of authorities is named`() async throws {
        let answer = try await ask(trusting: "/nowhere.pem")

        let expected = "TLS failed: cannot read the authorities in /nowhere.pem"
        #expect(answer.trouble?.hasPrefix(expected) == true)
    }

    @Test func `a provider that speaks TLS refuses plain HTTP in words`() async throws {
        let answer = try await ask(asksSecurely: false, trusting: nil)

        #expect(answer.end == .complete)
        #expect(answer.head?.status == 400)
        #expect(answer.text.contains("HTTPS"))
    }

    @Test func `TLS with a provider that speaks plain HTTP is named as that`() async throws {
        let answer = try await ask(answersSecurely: false, trusting: certificate.file)

        #expect(answer.trouble == "TLS failed: the peer does not speak TLS")
    }

    @Test func `a handshake that is never answered counts as connecting`() async throws {
        try await ProviderBench.run { bench, group in
            let silent = RawProvider([])
            let address = try group.listen(on: .v4(0x7f00_0001, port: 0), acceptor: silent)

            let answer = await bench.ask(
                address.port,
                isSecure: true,
                adjust: { $0.connect = .milliseconds(100) }
            )

            #expect(answer.end == .failed(.connectTimedOut))
            await silent.closeAll()
        }
    }
}
