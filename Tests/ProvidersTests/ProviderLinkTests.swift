import HTTPWire
import Providers
import Reactor
import StreamBytes
import TestSupport
import Testing

/// Links to raw providers, over plain TCP and over TLS.
struct ProviderLinkTests {
    private let certificate: TestCertificate
    private let security: ServerSecurity

    init() throws {
        certificate = try TestCertificate("DNS:good.example", "DNS:two.example")
        security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile,
            protocols: [.http1]
        )
    }

    private func withProvider(
        _ replies: [RawReply],
        isSecure: Bool = false,
        _ body: (RawProvider, ProviderBench, UInt16) async throws -> Void
    ) async throws {
        try await ProviderBench.run(trusting: certificate.file) { bench, group in
            let provider = RawProvider(replies, security: isSecure ? security : nil)
            let address = try group.listen(on: .v4(0x7f00_0001, port: 0), acceptor: provider)
            try await body(provider, bench, address.port)
            await provider.closeAll()
        }
    }

    // MARK: Whole answers, and connections that are kept

    @Test(arguments: [false, true])
    func `answers of every framing arrive, and what can be kept is used again`(
        isSecure: Bool
    ) async throws {
        let replies = [RawReply.counted, .chunked, .counted, .untilClose, .counted]
        try await withProvider(replies, isSecure: isSecure) { provider, bench, port in
            for _ in replies {
                let answer = await bench.ask(port, isSecure: isSecure)
                #expect(answer.text == "whole")
                #expect(answer.end == .complete)
            }
            #expect(provider.requestCount == 5)
            #expect(provider.connectionCount == 2)
        }
    }

    @Test(arguments: [false, true])
    func `a kept connection that the provider closed is replaced`(isSecure: Bool) async throws {
        try await withProvider([.counted, .counted], isSecure: isSecure) { provider, bench, port in
            _ = await bench.ask(port, isSecure: isSecure)
            await provider.closeAll()

            let answer = await bench.ask(port, isSecure: isSecure)

            #expect(answer.end == .complete)
            #expect(provider.requestCount == 2)
            #expect(provider.connectionCount == 2)
        }
    }

    @Test(arguments: [RawReply.End.closes, .resets], [false, true])
    func `a request that meets the end of a kept connection is sent again`(
        end: RawReply.End,
        isSecure: Bool
    ) async throws {
        let replies = [RawReply.counted, RawReply(text: "", end: end), .counted]
        try await withProvider(replies, isSecure: isSecure) { provider, bench, port in
            _ = await bench.ask(port, isSecure: isSecure)

            let answer = await bench.ask(port, isSecure: isSecure)

            #expect(answer.text == "whole")
            #expect(answer.end == .complete)
            #expect(provider.requestCount == 3)
            #expect(provider.connectionCount == 2)
        }
    }

    @Test func `a request is sent again once only`() async throws {
        let silent = RawReply(text: "", end: .closes)
        try await withProvider([.counted, silent, silent, .counted]) { provider, bench, port in
            _ = await bench.ask(port)

            let answer = await bench.ask(port)

            #expect(answer.end == .failed(.noAnswer))
            #expect(provider.requestCount == 3)
        }
    }

    @Test func `bytes behind an answer make its connection useless`() async throws {
        let excessive = RawReply(text: RawReply.counted.text + "more")
        try await withProvider([excessive, .counted]) { provider, bench, port in
            #expect(await bench.ask(port).text == "whole")
            #expect(await bench.ask(port).text == "whole")
            #expect(provider.connectionCount == 2)
        }
    }

    @Test(arguments: [RawReply.End.keeps, .closes])
    func `an answer to half a request arrives, and its connection is not used again`(
        end: RawReply.End
    ) async throws {
        var refusal = RawReply(text: "HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        refusal.end = end
        refusal.isEarly = true
        try await withProvider([refusal, .counted]) { provider, bench, port in
            let large = [UInt8](repeating: 0x20, count: 32_000_000)

            let answer = await bench.ask(port, body: large)

            #expect(answer.head?.status == 413)
            #expect(answer.text == "no")
            #expect(answer.end == .complete)
            // The kernel ends a connection that takes nothing, but not so soon.
            let next = await bench.ask(port, adjust: { $0.firstByte = .seconds(5) })
            #expect(next.text == "whole")
            #expect(provider.connectionCount == 2)
        }
    }

    // MARK: Broken answers

    @Test(arguments: [
        RawReply(text: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwhole", end: .closes),
        RawReply(text: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwhole", end: .resets),
        RawReply(
            text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n",
            end: .closes
        ),
    ])
    func `an answer that is cut is not whole`(reply: RawReply) async throws {
        try await withProvider([reply]) { _, bench, port in
            #expect(await bench.ask(port).end == .truncated)
        }
    }

    @Test func `a body that lasts until the end is not ended by a reset`() async throws {
        try await withProvider([.untilClose.ending(.keeps)]) { provider, bench, port in
            let answer = await bench.ask(port, onBody: { provider.resetAll() })
            #expect(answer.text == "whole")
            #expect(answer.end == .truncated)
        }
    }

    @Test func `a body that lasts until the end is not ended without the end of TLS`()
        async throws
    {
        let reply = RawReply.untilClose.ending(.drops)
        try await withProvider([reply], isSecure: true) { _, bench, port in
            let answer = await bench.ask(port, isSecure: true)
            #expect(answer.text == "whole")
            #expect(answer.end == .truncated)
        }
    }

    @Test(arguments: [
        RawReply(text: "", end: .closes), RawReply(text: "HTTP/1.1 200 OK\r\nserv", end: .closes),
        RawReply(text: "", end: .resets),
    ])
    func `an end before the whole head is no answer`(reply: RawReply) async throws {
        try await withProvider([reply]) { _, bench, port in
            #expect(await bench.ask(port).end == .failed(.noAnswer))
        }
    }

    @Test func `what is no HTTP is not used`() async throws {
        try await withProvider([RawReply(text: "220 mail ready\r\n\r\n")]) { _, bench, port in
            let answer = await bench.ask(port)
            #expect(answer.trouble?.hasPrefix("its answer cannot be used: ") == true)
        }
    }

    // MARK: Time, names and addresses

    @Test func `a provider that says nothing is given up`() async throws {
        try await withProvider([]) { _, bench, port in
            let answer = await bench.ask(port, adjust: { $0.firstByte = .milliseconds(100) })
            #expect(answer.end == .failed(.firstByteTimedOut))
            #expect(answer.trouble == "no answer in time")
        }
    }

    @Test func `a provider that falls silent is given up`() async throws {
        let begun = RawReply(text: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwhole")
        try await withProvider([begun]) { _, bench, port in
            let answer = await bench.ask(port, adjust: { $0.silence = .milliseconds(100) })
            #expect(answer.text == "whole")
            #expect(answer.end == .failed(.silent))
        }
    }

    @Test func `a port where nobody listens is named as that`() async throws {
        try await ProviderBench.run { bench, _ in
            let answer = await bench.ask(1)
            #expect(answer.end == .failed(.unreachable(.refused)))
            #expect(answer.trouble == "it refuses connections")
        }
    }

    @Test(arguments: [false, true])
    func `another address of the host is tried`(isSecure: Bool) async throws {
        try await withProvider([.counted], isSecure: isSecure) { _, bench, port in
            let answer = await bench.ask(port, host: "two.example", isSecure: isSecure)
            #expect(answer.end == .complete)
        }
    }

    @Test func `a name without addresses is named as that`() async throws {
        let resolver = try Resolver(lookUp: { _ in .failure(.notFound) })
        defer { resolver.stop() }
        try await ProviderBench.run(resolver: SlowNames(resolver: resolver)) { bench, _ in
            let answer = await bench.ask(80, host: "no.example")
            #expect(answer.end == .failed(.nameNotFound))
            #expect(answer.trouble == "its host name cannot be resolved")
        }
    }

    @Test func `a field that would end the head is not sent`() async throws {
        try await withProvider([.counted]) { provider, bench, port in
            let answer = await bench.ask(port, field: "x\r\ny: z")
            #expect(answer.end == .failed(.unsendable))
            #expect(provider.connectionCount == 0)
        }
    }

    // MARK: Threads

    @Test func `a link that is called on another thread ends the process`() async {
        await #expect(processExitsWith: .failure) {
            // Whatever else goes wrong looks like a link that let the call pass.
            try? await ProviderBench.run { bench, _ in
                let request = ProviderRequest(
                    endpoint: ProviderEndpoint(
                        host: "good.example",
                        port: 1,
                        isSecure: false,
                        authorityFile: nil
                    ),
                    path: "/",
                    fields: [:],
                    body: [],
                    timeouts: ProviderTimeouts()
                )
                let link = await withCheckedContinuation { continuation in
                    bench.reactor.perform {
                        continuation.resume(
                            returning: bench.pool.start(request, receiver: Deaf())
                        )
                    }
                }
                let handler: any SocketHandler = link
                handler.socketIsReady(.isReadable)
            }
        }
    }
}

/// Hears nothing of its answer.
private final class Deaf: ProviderReceiver {
    func providerAnswered(_ head: ResponseHead) {}
    func providerSent(_ bytes: [UInt8], _ range: Range<Int>) {}
    func providerReadEnded() {}
    func providerEnded(_ end: ProviderEnd) {}
}
