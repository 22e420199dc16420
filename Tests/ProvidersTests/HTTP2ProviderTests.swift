import HTTPServer
import HTTPWire
import Providers
import Reactor
import TestSupport
import Testing

/// Providers that are spoken to in HTTP/2.
struct HTTP2ProviderTests {
    private func withProvider(
        streamLimit: Int = 128,
        _ body: (ProviderBench, SharedProvider, ProviderEndpoint) async throws -> Void
    ) async throws {
        try await ProviderBench.run { bench, group in
            let provider = SharedProvider(of: group) { $0.http2.streamLimit = streamLimit }
            defer { provider.registry.abort() }
            let endpoint = ProviderEndpoint(
                host: "good.example",
                port: try provider.listen(with: group),
                isSecure: false,
                authorityFile: nil,
                http2: .priorKnowledge
            )
            try await body(bench, provider, endpoint)
        }
    }

    @Test func `requests share one connection, those too that come before it is open`() async throws
    {
        try await withProvider { bench, provider, endpoint in
            let calls = (0..<50).map { TestCall(bench, to: endpoint, "body \($0)") }
            for (number, call) in calls.enumerated() {
                #expect(await eventually { call.answer.end == .complete })
                #expect(call.answer.text == "body \(number)")
                #expect(call.answer.head?.status == 200)
            }
            #expect(provider.connectionCount == 1)
        }
    }

    @Test func `a long request and a long answer arrive whole`() async throws {
        try await withProvider { bench, _, endpoint in
            let text = String(repeating: "0123456789", count: 60_000)
            let call = TestCall(bench, to: endpoint, text)

            #expect(await eventually { call.answer.end != nil })
            #expect(call.answer.text == text)
        }
    }

    @Test func `beyond what the provider takes at once another connection is opened`() async throws
    {
        try await withProvider(streamLimit: 2) { bench, provider, endpoint in
            let first = TestCall(bench, to: endpoint, "settled")
            #expect(await eventually { first.answer.end == .complete })
            let calls = (0..<5).map { TestCall(bench, to: endpoint, "hold \($0)") }
            #expect(await eventually { provider.requestCount == 6 })
            #expect(provider.connectionCount == 3)

            provider.answerHeld("done", isWhole: true)
            for call in calls { #expect(await eventually { call.answer.end == .complete }) }
        }
    }

    @Test func `requests that a provider refuses are sent again on another connection`()
        async throws
    {
        // All at once: the limit is not known yet.
        try await withProvider(streamLimit: 3) { bench, provider, endpoint in
            let calls = (0..<6).map { TestCall(bench, to: endpoint, "hold \($0)") }
            #expect(await eventually { provider.requestCount == 6 })
            #expect(provider.connectionCount > 1)

            provider.answerHeld("done", isWhole: true)
            for call in calls { #expect(await eventually { call.answer.end == .complete }) }
        }
    }

    @Test func `a stream that is held back holds its provider back, and no other stream`()
        async throws
    {
        try await withProvider { bench, provider, endpoint in
            let slow = TestCall(bench, to: endpoint, "hold", pausesAtOnce: true)
            #expect(await eventually { provider.requestCount == 1 })
            let text = String(repeating: "x", count: 1_000_000)
            provider.answerHeld(text)
            #expect(await eventually { !slow.answer.body.isEmpty })
            for _ in 0..<20 {
                let quick = TestCall(bench, to: endpoint, String(repeating: "q", count: 100_000))
                #expect(await eventually { quick.answer.end == .complete })
            }
            let body = try #require(provider.bodies.first)
            // The windows of the stream, and what each side has in hand.
            #expect(body.waitingCount > 750_000)
            #expect(slow.answer.body.count < 200_000)

            slow.resume()
            body.finish("end")
            #expect(await eventually { slow.answer.end == .complete })
            #expect(slow.answer.text == text + "end")
            #expect(provider.connectionCount == 1)
        }
    }

    @Test func `a request that is given up resets its stream, and no other`() async throws {
        try await withProvider { bench, provider, endpoint in
            let calls = (0..<2).map { _ in TestCall(bench, to: endpoint, "hold") }
            #expect(await eventually { provider.requestCount == 2 })
            provider.answerHeld("first")
            #expect(await eventually { calls.allSatisfy { $0.answer.text == "first" } })

            calls[0].cancel()
            #expect(await eventually { provider.bodies.contains { $0.end == .clientGone } })
            for body in provider.bodies where body.end == nil { body.finish("second") }
            #expect(await eventually { calls[1].answer.end == .complete })
            #expect(calls[1].answer.text == "firstsecond")
            #expect(calls[0].answer.end == nil)
            #expect(provider.connectionCount == 1)
        }
    }

    @Test func `a lost connection ends all that was open on it`() async throws {
        try await withProvider { bench, provider, endpoint in
            let answered = TestCall(bench, to: endpoint, "hold")
            #expect(await eventually { provider.requestCount == 1 })
            provider.answerHeld("begun")
            #expect(await eventually { answered.answer.text == "begun" })
            let unanswered = TestCall(bench, to: endpoint, "hold")
            #expect(await eventually { provider.requestCount == 2 })

            provider.registry.abort()
            #expect(await eventually { answered.answer.end == .truncated })
            #expect(await eventually { unanswered.answer.end == .failed(.noAnswer) })
            let next = TestCall(bench, to: endpoint, "next")
            #expect(await eventually { next.answer.end == .complete })
            #expect(provider.connectionCount == 2)
        }
    }

    @Test func `a provider that goes away ends what it has taken, and the next goes elsewhere`()
        async throws
    {
        try await withProvider { bench, provider, endpoint in
            let running = TestCall(bench, to: endpoint, "hold")
            #expect(await eventually { provider.requestCount == 1 })
            provider.answerHeld("begun ")
            #expect(await eventually { running.answer.text == "begun " })
            // New connections of this registry would be ended at once, so another one serves them.
            provider.registry.drain()
            let body = try #require(provider.bodies.first)
            body.finish("done")

            #expect(await eventually { running.answer.end == .complete })
            #expect(running.answer.text == "begun done")
            #expect(await eventually { provider.registry.count == 0 })
        }
    }

    @Test func `a silent provider is given up, and its stream with it`() async throws {
        try await withProvider { bench, provider, endpoint in
            let call = TestCall(bench, to: endpoint, "hold") { $0.firstByte = .milliseconds(50) }
            #expect(await eventually { call.answer.end == .failed(.firstByteTimedOut) })
            let next = TestCall(bench, to: endpoint, "next")
            #expect(await eventually { next.answer.end == .complete })
            #expect(provider.connectionCount == 1)
        }
    }

    @Test(arguments: [true, false])
    func `TLS decides which version is spoken`(offersHTTP2: Bool) async throws {
        let certificate = try TestCertificate("DNS:good.example")
        let security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile,
            protocols: offersHTTP2 ? [.http2, .http1] : [.http1]
        )
        try await ProviderBench.run { bench, group in
            let provider = SharedProvider(of: group, security: security)
            defer { provider.registry.abort() }
            let endpoint = ProviderEndpoint(
                host: "good.example",
                port: try provider.listen(with: group),
                isSecure: true,
                authorityFile: certificate.file
            )
            let calls = (0..<5).map { TestCall(bench, to: endpoint, "hold \($0)") }
            #expect(await eventually { provider.requestCount == 5 })
            provider.answerHeld("done", isWhole: true)

            for call in calls { #expect(await eventually { call.answer.end == .complete }) }
            #expect(provider.connectionCount == (offersHTTP2 ? 1 : 5))
        }
    }

    @Test func `where nobody answers, everyone who waits hears of it`() async throws {
        try await ProviderBench.run { bench, _ in
            let endpoint = ProviderEndpoint(
                host: "good.example",
                port: 1,
                isSecure: false,
                authorityFile: nil,
                http2: .priorKnowledge
            )
            let calls = (0..<5).map { TestCall(bench, to: endpoint, "hold \($0)") }
            for call in calls {
                #expect(await eventually { call.answer.end == .failed(.unreachable(.refused)) })
            }
        }
    }
}
