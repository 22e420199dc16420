import HTTPServer
import HTTPWire
import Reactor
import TestSupport
import Testing

/// HTTP over TLS.
@Suite struct SecureTests {
    private let certificate: TestCertificate
    private let security: ServerSecurity

    init() throws {
        certificate = try TestCertificate("DNS:good.example")
        security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile
        )
    }

    private func withClient(
        _ body: (LoopbackServer, SecureClient) async throws -> Void
    ) async throws {
        try await LoopbackServer.run(security: security) { server, group, address in
            let reactor = group.reactors[0]
            let client = SecureClient(address, trusting: certificate.file, on: reactor)
            defer { client.close() }
            try await body(server, client)
        }
    }

    @Test func `requests are answered, and know that they are secure`() async throws {
        try await withClient { server, client in
            client.send(Fixture.get("/where") + Fixture.get("/where"))
            #expect(await client.receives("where"))
            #expect(await client.receives("where"))
            client.send(Fixture.get("/where", "Connection: close\r\n"))

            #expect(await client.receives("where"))
            #expect(await eventually { client.end == .endOfStream })
            #expect(server.areSecure == [true, true, true])
        }
    }

    @Test func `a plain connection is not secure`() async throws {
        try await LoopbackServer.run { server, _, address in
            let client = try RawClient(address)
            client.send(Fixture.get("/where"))
            #expect(await client.receives("where"))
            #expect(server.areSecure == [false])
        }
    }

    @Test func `more than the kernel takes at once arrives whole`() async throws {
        try await withClient { _, client in
            client.send(Fixture.get("/large"))
            #expect(await client.receives(LoopbackServer.largeText))
        }
    }

    @Test func `a body that TLS ends too early is refused, and the answer still arrives`()
        async throws
    {
        try await withClient { server, client in
            client.send(Fixture.get("/where"))
            #expect(await client.receives("where"))
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhal")
            client.endSending()

            #expect(await client.receives("HTTP/1.1 400 "))
            #expect(await eventually { client.end == .endOfStream })
        }
    }

    @Test func `a stream over TLS ends whole`() async throws {
        try await withClient { server, client in
            client.send(Fixture.get("/stream"))
            #expect(await client.receives("hello"))

            server.finishStreams()

            #expect(await client.receives("bye\r\n0\r\n\r\n"))
            #expect(server.ends == [.delivered])
        }
    }

    @Test func `a connection that moves takes its TLS with it`() async throws {
        try await withClient { server, client in
            client.send(Fixture.get("/move") + Fixture.get("/where"))

            #expect(await client.receives("moved"))
            #expect(await client.receives("where"))
            client.send(Fixture.get("/where"))
            #expect(await client.receives("where"))
            #expect(server.moves.count == 1)
            #expect(server.areSecure == [true, true, true])
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE /x", "PRI * HTTP/2.0\r\n\r\n"])
    func `plain HTTP is told so and served nothing`(request: String) async throws {
        try await LoopbackServer.run(security: security) { server, _, address in
            let client = try RawClient(address)
            client.send(request)

            #expect(await client.receives("HTTP/1.1 400 Bad Request\r\n"))
            #expect(await client.receives("connection: close\r\n"))
            #expect(await client.receives("HTTPS"))
            #expect(await client.isEnded())
            client.close()
            #expect(await eventually { server.registry.count == 0 })
            #expect(server.areSecure.isEmpty)
        }
    }

    @Test func `bytes that are neither TLS nor HTTP are not answered`() async throws {
        try await LoopbackServer.run(security: security) { server, _, address in
            let client = try RawClient(address)
            client.send("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}")

            #expect(await client.isEnded())
            #expect(await eventually { server.registry.count == 0 })
            #expect(server.areSecure.isEmpty)
        }
    }

    @Test func `a handshake that takes longer than a head may is ended without a word`() {
        let fixture = Fixture(security: security) { $0.headTimeout = .seconds(5) }
        fixture.socket.receive("")
        fixture.reactor.advance(by: .milliseconds(4_900))
        #expect(!fixture.socket.isClosed)

        fixture.reactor.advance(by: .milliseconds(200))

        #expect(fixture.socket.isClosed)
        #expect(fixture.socket.sent.isEmpty)
        #expect(fixture.registry.count == 0)
    }

    @Test func `after the handshake a connection may rest as long as a plain one`() {
        let fixture = Fixture(security: security) {
            $0.headTimeout = .seconds(5)
            $0.idleTimeout = .seconds(60)
        }
        fixture.reactor.advance(by: .seconds(4))
        fixture.socket.finishHandshake()
        fixture.reactor.advance(by: .seconds(59))
        #expect(!fixture.socket.isClosed)

        fixture.socket.receive(Fixture.get("/now"))

        #expect(fixture.socket.sent.statusCodes == ["200"])
        fixture.reactor.advance(by: .seconds(61))
        #expect(fixture.socket.isClosed)
    }

    @Test func `draining does not wait for a handshake`() {
        let fixture = Fixture(security: security)

        fixture.registry.drain()
        fixture.reactor.runWork()

        #expect(fixture.socket.isClosed)
        #expect(fixture.registry.count == 0)
    }

    @Test func `a handshake that fails frees the connection`() {
        let fixture = Fixture(security: security)

        fixture.socket.breakDown()

        #expect(fixture.socket.isClosed)
        #expect(fixture.registry.count == 0)
    }

    @Test func `beyond the limit a connection is closed without a word`() {
        let fixture = Fixture(security: security) { $0.connectionLimit = 1 }

        let second = fixture.connectAgain()

        #expect(second.isClosed)
        #expect(second.sent.isEmpty)
        #expect(fixture.registry.refusedCount == 1)
    }
}
