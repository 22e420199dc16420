import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import Testing

@Suite struct StreamTests {
    private static let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    private func stream(_ body: ScriptedBody, _ request: String = Fixture.get) -> Fixture {
        let fixture = Fixture()
        fixture.socket.receive(request)
        fixture.exchange.start(ResponseHead(status: 200), body: body)
        return fixture
    }

    @Test func `head and first bytes leave in one write`() {
        let body = ScriptedBody("hello")

        let fixture = stream(body)

        #expect(fixture.socket.writes == [Self.head + "5\r\nhello\r\n"])
        #expect(body.sentCount == 1)
    }

    @Test func `each pull is one chunk, and the end follows the last bytes`() {
        let body = ScriptedBody()
        let fixture = stream(body)

        body.waiting = String(repeating: "x", count: 300)
        fixture.exchange.bodyIsReady()
        body.waiting = "bye"
        body.end = .finished
        fixture.exchange.bodyIsReady()

        let chunk = "12c\r\n" + String(repeating: "x", count: 300) + "\r\n"
        #expect(fixture.socket.writes == [Self.head, chunk, "3\r\nbye\r\n0\r\n\r\n"])
        #expect(body.ends == [.delivered])
        fixture.socket.receive(Fixture.get("/now"))
        #expect(fixture.socket.sent.hasSuffix("now"))
    }

    @Test func `a long body comes in bounded writes`() {
        let body = ScriptedBody(String(repeating: "x", count: 100_000), end: .finished)

        let fixture = stream(body)

        #expect(fixture.socket.writes.count == 7)
        #expect(fixture.socket.writes.allSatisfy { $0.utf8.count < 17_000 })
        #expect(body.ends == [.delivered])
    }

    @Test func `a body without end lets others have their turn`() {
        let body = ScriptedBody(String(repeating: "x", count: 1_000_000), end: .finished)

        let fixture = stream(body)
        #expect(body.pullCount == 16)
        fixture.reactor.runWork()

        #expect(body.ends == [.delivered])
    }

    @Test func `only what the kernel did not take is kept, and nothing is pulled meanwhile`() {
        let body = ScriptedBody()
        let fixture = stream(body)
        fixture.socket.room = 4
        body.waiting = "hello"
        fixture.exchange.bodyIsReady()
        #expect(fixture.exchange.unsentBytes == 6)
        let (pulls, sent) = (body.pullCount, body.sentCount)

        body.waiting = "world"
        fixture.exchange.bodyIsReady()
        fixture.socket.makeRoom(2)
        #expect((body.pullCount, body.sentCount) == (pulls, sent))
        #expect(fixture.exchange.unsentBytes == 4)
        fixture.socket.makeRoom(.max)

        #expect(fixture.socket.sent == Self.head + "5\r\nhello\r\n5\r\nworld\r\n")
        #expect(body.sentCount == sent + 2)
    }

    @Test func `a client that takes nothing is cut with a reset`() {
        let body = ScriptedBody()
        let fixture = stream(body)
        fixture.socket.room = 0
        body.waiting = "hello"
        fixture.exchange.bodyIsReady()

        fixture.reactor.advance(by: .seconds(29))
        #expect(body.ends.isEmpty)
        fixture.reactor.advance(by: .seconds(2))

        #expect(body.ends == [.clientStuck])
        #expect(fixture.socket.wasReset)
        #expect(fixture.registry.count == 0)
    }

    @Test func `a client that acknowledges a little now and then is not stuck`() {
        let body = ScriptedBody()
        let fixture = stream(body)
        fixture.socket.room = 0
        body.waiting = "hello"
        fixture.exchange.bodyIsReady()

        for _ in 0..<10 {
            fixture.socket.acknowledged += 1
            fixture.reactor.advance(by: .seconds(20))
        }
        #expect(body.ends.isEmpty)
        fixture.reactor.advance(by: .seconds(41))

        #expect(body.ends == [.clientStuck])
    }

    @Test func `a silent stream has no time limit`() {
        let body = ScriptedBody("hello")
        let fixture = stream(body)

        fixture.reactor.advance(by: .seconds(100_000))

        #expect(body.ends.isEmpty)
        #expect(!fixture.socket.isClosed)
    }

    @Test func `a half-closed client is probed and served on`() {
        let body = ScriptedBody()
        let fixture = stream(body)

        fixture.socket.closeSendingSide()
        #expect(fixture.socket.writes.last == "3\r\n:\n\n\r\n")
        #expect(body.halfCloseCount == 1)
        body.waiting = "more"
        body.end = .finished
        fixture.exchange.bodyIsReady()

        #expect(fixture.socket.writes.last == "4\r\nmore\r\n0\r\n\r\n")
        #expect(body.ends == [.delivered])
        #expect(fixture.socket.isClosed)
    }

    @Test func `a connection's statistics are there for the end of its stream`() {
        let body = ScriptedBody()
        let fixture = stream(body)
        var acknowledged: UInt64?
        body.onEnd = {
            acknowledged = fixture.exchange.statistics()?.connection.bytesAcknowledged
        }
        fixture.socket.acknowledged = 77
        fixture.socket.breakDown()

        #expect(acknowledged == 77)
        #expect(fixture.exchange.statistics() == nil)
    }

    @Test func `a client that is gone ends its stream`() {
        let noticed = ScriptedBody()
        let written = ScriptedBody()
        let first = stream(noticed)
        let second = stream(written)

        first.socket.breakDown()
        second.socket.breakSilently()
        written.waiting = "hello"
        second.exchange.bodyIsReady()

        #expect(noticed.ends == [.clientGone])
        #expect(written.ends == [.clientGone])
        #expect(first.socket.isClosed)
        #expect(second.registry.count == 0)
    }

    @Test func `a pipelined request waits behind a stream, and a reset is noticed all the same`() {
        let body = ScriptedBody()
        let fixture = stream(body, Fixture.get("/later") + Fixture.get("/now"))

        #expect(fixture.handler.requests.count == 1)
        fixture.socket.breakDown()

        #expect(body.ends == [.clientGone])
        #expect(fixture.handler.requests.count == 1)
    }

    @Test func `HTTP 1 point 0 gets bytes until the end of the connection`() {
        let body = ScriptedBody("hello", end: .finished)

        let fixture = stream(body, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

        #expect(fixture.socket.sent == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello")
        #expect(fixture.socket.sendingHasEnded)
    }

    @Test func `a body that breaks off is seen to be cut`() {
        let chunked = ScriptedBody("hello", end: .aborted)
        let bare = ScriptedBody("hello", end: .aborted)

        let first = stream(chunked)
        let second = stream(bare, "GET / HTTP/1.0\r\n\r\n")

        #expect(first.socket.sent == Self.head + "5\r\nhello\r\n")
        #expect(first.socket.isClosed)
        #expect(second.socket.wasReset)
        #expect(chunked.ends == [.closedHere])
        #expect(bare.ends == [.closedHere])
    }

    @Test func `the stream of a HEAD request is its head`() {
        let body = ScriptedBody("hello")

        let fixture = stream(body, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")

        #expect(fixture.socket.sent == Self.head)
        #expect(body.pullCount == 0)
        #expect(body.ends == [.delivered])
    }

    @Test func `before the answer a half-closed client is probed if that was asked for`() {
        let asked = Fixture()
        let silent = Fixture()
        let old = Fixture()
        let gone = Counter()
        asked.socket.receive(Fixture.get)
        asked.exchange.onClientGone { gone.add() }
        silent.socket.receive(Fixture.get)
        old.socket.receive("GET / HTTP/1.0\r\n\r\n")
        old.exchange.onClientGone { gone.add() }

        for fixture in [asked, silent, old] { fixture.socket.closeSendingSide() }

        #expect(asked.socket.sent == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(silent.socket.sent.isEmpty)
        #expect(old.socket.sent.isEmpty)
        #expect(gone.count == 0)
        asked.socket.breakDown()
        old.socket.breakDown()
        #expect(gone.count == 2)
    }

    @Test func `a client that left before anyone asked is reported at once`() {
        let fixture = Fixture()
        let gone = Counter()
        fixture.socket.receive(Fixture.get)
        let exchange = fixture.exchange
        fixture.socket.breakDown()

        exchange.onClientGone { gone.add() }

        #expect(gone.count == 1)
    }

    @Test func `once the answer began, the body source alone is told`() {
        let body = ScriptedBody()
        let fixture = Fixture()
        let gone = Counter()
        fixture.socket.receive(Fixture.get)
        fixture.exchange.onClientGone { gone.add() }
        fixture.exchange.start(ResponseHead(status: 200), body: body)

        fixture.socket.breakDown()

        #expect(gone.count == 0)
        #expect(body.ends == [.clientGone])
    }
}

/// Counts calls of a closure.
///
/// Proof for `@unchecked Sendable`: each test makes its own and uses it from one thread.
final class Counter: @unchecked Sendable {
    private(set) var count = 0

    func add() { count += 1 }
}
