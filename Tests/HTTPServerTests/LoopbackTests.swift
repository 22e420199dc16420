import Glibc
import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import Testing

/// The server on real reactors and sockets.
@Suite struct LoopbackTests {
    @Test func `a reset ends a silent stream`() async throws {
        try await withServer { server, address in
            let client = try RawClient(address)
            client.send(Fixture.get("/stream"))
            #expect(await client.receives("hello"))

            client.reset()

            #expect(await eventually { server.ends == [.clientGone] })
            #expect(await eventually { server.registry.count == 0 })
        }
    }

    @Test func `a client that closes is noticed by what is written to it`() async throws {
        try await withServer { server, address in
            let client = try RawClient(address)
            client.send(Fixture.get("/stream"))
            #expect(await client.receives("hello"))

            client.close()

            #expect(await eventually { server.ends == [.clientGone] })
        }
    }

    @Test func `a client that closes before its answer is noticed`() async throws {
        try await withServer { server, address in
            let client = try RawClient(address)
            client.send(Fixture.get("/wait"))
            #expect(await eventually { server.waitingCount == 1 })

            client.close()

            #expect(await eventually { server.goneCount == 1 })
        }
    }

    @Test func `a half-closed client gets its stream to the end`() async throws {
        try await withServer { server, address in
            let client = try RawClient(address)
            client.send(Fixture.get("/stream"))
            client.endSending()
            #expect(await client.receives("hello"))

            server.finishStreams()

            #expect(await client.receives("bye\r\n0\r\n\r\n"))
            #expect(await client.isEnded())
            #expect(server.ends == [.delivered])
        }
    }

    @Test func `a request is answered by the reactor it moved to, and the connection stays there`()
        async throws
    {
        try await withServer { server, address in
            let client = try RawClient(address)

            client.send(Fixture.get("/move") + Fixture.get("/where"))
            #expect(await client.receives("moved"))
            #expect(await client.receives("where"))
            client.send(Fixture.get("/where", "Connection: close\r\n"))

            #expect(await client.isEnded())
            #expect(server.moves.count == 1)
            #expect(server.moves.allSatisfy { $0.from != $0.to })
            #expect(await eventually { server.registry.count == 0 })
        }
    }

    @Test func `draining lets a stream end and then nothing is open`() async throws {
        try await withServer { server, address in
            let (idle, busy) = (try RawClient(address), try RawClient(address))
            busy.send(Fixture.get("/stream"))
            #expect(await busy.receives("hello"))
            #expect(await eventually { server.registry.count == 2 })

            server.registry.drain()
            #expect(await idle.isEnded())
            idle.close()
            #expect(await eventually { server.registry.count == 1 })
            server.finishStreams()

            #expect(await busy.isEnded())
            busy.close()
            #expect(await eventually { server.registry.count == 0 })
        }
    }

    private func withServer(
        _ body: (LoopbackServer, SocketAddress) async throws -> Void
    ) async throws {
        try await LoopbackServer.run { server, _, address in try await body(server, address) }
    }
}

/// Routes that stream, wait and move.
final class LoopbackServer: ConnectionAcceptor, RequestHandler {
    private struct State {
        var streams: [(source: LoopbackBody, exchange: Exchange)] = []
        var ends: [ResponseEnd] = []
        var waitingCount = 0
        var goneCount = 0
        var moves: [(from: Int, to: Int)] = []
        var areSecure: [Bool] = []
    }

    let registry: ConnectionRegistry
    private let group: ReactorGroup
    private let security: ServerSecurity?
    private let state = Guarded(State())

    /// Runs `body` with a server on two reactors.
    static func run(
        security: ServerSecurity? = nil,
        _ body: (LoopbackServer, ReactorGroup, SocketAddress) async throws -> Void
    ) async throws {
        let group = try ReactorGroup(count: 2)
        try group.start()
        let server = LoopbackServer(group, security)
        defer {
            server.registry.abort()
            group.stop(within: .seconds(2))
        }
        let address = try group.listen(on: .v4(0x7f00_0001, port: 0), acceptor: server)
        try await body(server, group, address)
    }

    private init(_ group: ReactorGroup, _ security: ServerSecurity?) {
        self.group = group
        self.security = security
        let count = group.reactors.count
        registry = ConnectionRegistry(configuration: ServerConfiguration(), reactorCount: count)
    }

    var ends: [ResponseEnd] { state.withLock { $0.ends } }
    var waitingCount: Int { state.withLock { $0.waitingCount } }
    var goneCount: Int { state.withLock { $0.goneCount } }
    /// What the connections of the requests said of themselves.
    var areSecure: [Bool] { state.withLock { $0.areSecure } }
    var moves: [(from: Int, to: Int)] { state.withLock { $0.moves } }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        registry.accept(socket, on: executor, security: security, handler: self)
    }

    func finishStreams() {
        for (source, exchange) in state.withLock({ $0.streams }) {
            exchange.executor.perform {
                source.finish()
                exchange.bodyIsReady()
            }
        }
    }

    func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission {
        state.withLock { $0.areSecure.append(connection.isSecure) }
        return .take(limit: 1_000)
    }

    func respond(to request: HTTPRequest, through exchange: Exchange) {
        switch request.head.path {
        case "/large": exchange.send(.text(200, Self.largeText))
        case "/stream":
            let source = LoopbackBody { end in self.state.withLock { $0.ends.append(end) } }
            state.withLock { $0.streams.append((source, exchange)) }
            exchange.start(ResponseHead(status: 200), body: source)
        case "/wait":
            exchange.onClientGone { self.state.withLock { $0.goneCount += 1 } }
            state.withLock { $0.waitingCount += 1 }
        case "/move": move(exchange)
        default: exchange.send(.text(200, "where"))
        }
    }

    static let largeText = (0..<200_000).map { "\($0) " }.joined()

    private func move(_ exchange: Exchange) {
        let from = exchange.executor.index
        let moves = state.withLock { $0.moves }
        guard moves.isEmpty else { return exchange.send(.text(200, "moved")) }
        state.withLock { $0.moves.append((from, 1 - from)) }
        exchange.move(to: group.reactors[1 - from], handler: self)
    }

    func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        .text(status, reason)
    }
}

/// Says hello, and bye when it is told to.
final class LoopbackBody: BodySource {
    private struct State {
        var waiting = "hello"
        var isFinished = false
    }

    private let state = Guarded(State())
    private let ended: @Sendable (ResponseEnd) -> Void

    init(_ ended: @escaping @Sendable (ResponseEnd) -> Void) { self.ended = ended }

    func finish() {
        state.withLock {
            $0.waiting += "bye"
            $0.isFinished = true
        }
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        state.withLock { state in
            buffer.append(contentsOf: state.waiting.utf8)
            state.waiting = ""
            return state.isFinished ? .finished : .pending
        }
    }

    func everythingWasSent(at now: MonotonicTime) {}
    func clientClosedItsSendingSide() { state.withLock { $0.waiting += ":\n\n" } }
    func responseEnded(_ reason: ResponseEnd) { ended(reason) }
}

/// Waits until the condition holds; false when it does not within ten seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<5_000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return false
}
