import Reactor
import TestSupport
import Testing

/// What ALPN agrees on.
struct ProtocolNegotiationTests {
    private let certificate: TestCertificate

    init() throws { certificate = try TestCertificate("DNS:good.example") }

    /// What one connection ended with, as both sides see it.
    private struct Outcome: Equatable {
        var client: ApplicationProtocol?
        var server: ApplicationProtocol?
        var failure: SocketError?
    }

    private func agreement(
        client offered: [ApplicationProtocol],
        server accepted: [ApplicationProtocol]
    ) async throws -> Outcome {
        let security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile,
            protocols: accepted
        )
        let acceptor = SecureAcceptor(security)
        var outcome = Outcome()
        try await withReactors { group in
            let address = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(
                to: address,
                security: ClientSecurity(
                    serverName: "good.example",
                    authorityFile: certificate.file,
                    protocols: offered
                )
            )
            #expect(
                await eventually {
                    !client.seen.readiness.isDisjoint(with: [.isWritable, .hasFailed])
                }
            )
            if case .failed(let error) = client.seen.end { outcome.failure = error }
            outcome.client = await client.with { $0.negotiatedProtocol } ?? nil
            let side = try #require(acceptor.sides.first)
            // The server's handshake ends after the client's.
            #expect(
                await eventually {
                    !side.seen.readiness.isDisjoint(with: [.isWritable, .hasFailed])
                }
            )
            outcome.server = await side.with { $0.negotiatedProtocol } ?? nil
            await client.close()
            await acceptor.closeAll()
        }
        return outcome
    }

    @Test(
        arguments: [
            ([.http1, .http2], [.http2, .http1], .http2),
            ([.http2, .http1], [.http1, .http2], .http1),
            ([.http1], [.http2, .http1], .http1),
            ([.http2, .http1], [.http1], .http1),
            ([], [.http2, .http1], nil),
        ] as [([ApplicationProtocol], [ApplicationProtocol], ApplicationProtocol?)]
    )
    func `the server's first that the client offers is chosen`(
        offered: [ApplicationProtocol],
        accepted: [ApplicationProtocol],
        expected: ApplicationProtocol?
    ) async throws {
        let outcome = try await agreement(client: offered, server: accepted)
        #expect(outcome == Outcome(client: expected, server: expected, failure: nil))
    }

    @Test func `a client that offers nothing the server speaks is refused`() async throws {
        let outcome = try await agreement(client: [.http2], server: [.http1])
        #expect(outcome.failure == .tls("tlsv1 alert no application protocol"))
    }

    @Test func `a plain socket agrees on nothing`() async throws {
        let acceptor = SideAcceptor()
        try await withReactors { group in
            let address = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: address)
            #expect(await eventually { client.seen.readiness.contains(.isWritable) })
            #expect(await client.with { $0.negotiatedProtocol } == .some(nil))
            await client.close()
            await acceptor.closeAll()
        }
    }

    @Test func `a connection that moves keeps what it agreed on`() async throws {
        let security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile,
            protocols: [.http2, .http1]
        )
        let acceptor = SecureAcceptor(security)
        try await withReactors(2) { group in
            let address = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(
                to: address,
                security: ClientSecurity(
                    serverName: "good.example",
                    authorityFile: certificate.file,
                    protocols: [.http2]
                )
            )
            #expect(await eventually { client.seen.readiness.contains(.isWritable) })
            let side = try #require(acceptor.sides.first)
            #expect(await eventually { side.seen.readiness.contains(.isWritable) })
            let other = group.reactors[1 - side.executor.index]
            let moved = Side(on: other)
            let passed = Guarded<PassedSocket?>(nil)
            await side.with { socket in
                let detached = Guarded<PassedSocket?>(socket.detach(unread: []))
                passed.withLock { $0 = detached.withLock { $0.take() } }
            }
            let between = passed.withLock { $0?.negotiatedProtocol }
            await other.run {
                let socket = passed.withLock { $0.take() }
                if let socket { moved.take(other.adopt(socket, handler: moved)) }
            }
            #expect(between == .http2)
            #expect(await moved.with { $0.negotiatedProtocol } == .http2)
            await moved.close()
            await client.close()
        }
    }
}
