import HTTP2
import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import Testing

/// Exchanges of HTTP/2 that another reactor answers.
@Suite struct RelayTests {
    private let client: HTTP2Client
    private let far = ScriptedReactor(index: 1)
    private let handler = ScriptedHandler()

    init() throws { client = try HTTP2Client() }

    private func settle() {
        repeat {
            far.runWork()
            client.settle()
        } while far.hasWork
    }

    /// Has a request moved.
    private func moved() throws -> (HTTP2StreamID, Exchange) {
        let stream = try client.request("/stream")
        client.fixture.exchange.move(to: far, handler: handler)
        settle()
        return (stream, try #require(handler.exchanges.last))
    }

    @Test func `a whole answer is relayed`() throws {
        let (stream, exchange) = try moved()
        #expect(exchange.executor === far)
        exchange.send(.text(200, "far"))
        settle()

        #expect(client.statuses(stream) == [200])
        #expect(client.bodies[stream] == "far")
    }

    @Test func `a streamed answer is relayed to its end`() throws {
        let (stream, exchange) = try moved()
        let body = ScriptedBody("a")
        exchange.start(ResponseHead(status: 200), body: body)
        settle()
        #expect(client.bodies[stream] == "a")
        #expect(body.sentCount == 1)

        body.waiting = "b"
        body.end = .finished
        exchange.bodyIsReady()
        settle()
        #expect(client.bodies[stream] == "ab")
        #expect(client.hasEnded(stream))
        #expect(body.ends == [.delivered])
    }

    @Test func `a slow client holds the far source back`() throws {
        client.consumes = false
        let (stream, exchange) = try moved()
        let body = ScriptedBody(String(repeating: "x", count: 500_000))
        exchange.start(ResponseHead(status: 200), body: body)
        settle()

        #expect(client.bodies[stream]?.utf8.count == 65_535)
        #expect(500_000 - body.waiting.utf8.count <= 65_535 + 65_536)
        #expect(exchange.unsentBytes > 0)

        client.consumes = true
        client.consume(stream)
        settle()
        #expect(client.bodies[stream]?.utf8.count == 500_000)
        #expect(body.waiting.isEmpty)
        #expect(exchange.unsentBytes == 0)
    }

    @Test func `the far side hears that the client is gone`() throws {
        let (stream, exchange) = try moved()
        let body = ScriptedBody("a")
        exchange.start(ResponseHead(status: 200), body: body)
        settle()
        client.reset(stream)
        settle()

        #expect(body.ends == [.clientGone])
    }

    @Test func `the far side hears that the client left before the answer`() throws {
        let (stream, exchange) = try moved()
        let gone = Guarded(false)
        exchange.onClientGone { gone.withLock { $0 = true } }
        client.reset(stream)
        settle()
        #expect(gone.withLock { $0 })

        let body = ScriptedBody("a")
        exchange.start(ResponseHead(status: 200), body: body)
        settle()
        #expect(body.ends == [.clientGone])
    }

    @Test func `the far side hears of a client that stopped sending`() throws {
        let (_, exchange) = try moved()
        let body = ScriptedBody("a")
        exchange.start(ResponseHead(status: 200), body: body)
        settle()
        client.current.closeSendingSide()
        settle()

        #expect(body.halfCloseCount == 1)
        #expect(client.current.sent.contains(":\n\n"))
    }

    @Test func `a source that breaks off resets the stream`() throws {
        let (stream, exchange) = try moved()
        let body = ScriptedBody("a", end: .aborted)
        exchange.start(ResponseHead(status: 200), body: body)
        settle()

        #expect(client.resetCode(stream) == .internalError)
        #expect(body.ends == [.closedHere])
    }

    @Test func `a request may move on`() throws {
        let (stream, exchange) = try moved()
        exchange.move(to: client.fixture.reactor, handler: handler)
        settle()
        try #require(handler.exchanges.count == 2)
        handler.exchanges[1].send(.text(200, "home"))
        settle()

        #expect(client.bodies[stream] == "home")
    }
}
