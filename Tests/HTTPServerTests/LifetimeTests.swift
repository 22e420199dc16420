import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import Testing

@Suite struct LifetimeTests {
    @Test func `a head must come in its time, however it dribbles`() {
        let fixture = Fixture()

        fixture.socket.receive("GET / HTTP/1.1\r\nX: ")
        for _ in 0..<9 {
            fixture.reactor.advance(by: .seconds(1))
            fixture.socket.receive("a")
        }
        #expect(fixture.socket.writes.isEmpty)
        fixture.reactor.advance(by: .seconds(1))

        #expect(fixture.socket.sent.statusCodes == ["408"])
        #expect(fixture.socket.sendingHasEnded)
    }

    @Test func `the time for a head begins with it also behind an answer`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get("/now") + "GET / HT")

        fixture.reactor.advance(by: .seconds(10))

        #expect(fixture.socket.sent.statusCodes == ["200", "408"])
    }

    @Test func `an idle connection is closed in silence`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get("/now"))

        fixture.reactor.advance(by: .seconds(74))
        #expect(!fixture.socket.isClosed)
        fixture.reactor.advance(by: .seconds(1))

        #expect(fixture.socket.isClosed)
        #expect(fixture.socket.sent.statusCodes == ["200"])
        #expect(fixture.registry.count == 0)
    }

    @Test func `a body that stalls is refused`() {
        let fixture = Fixture()
        fixture.socket.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhe")

        fixture.reactor.advance(by: .seconds(31))

        #expect(fixture.socket.sent.statusCodes == ["408"])
    }

    @Test func `a large body earns its time`() {
        let fixture = Fixture()
        fixture.handler.admission = .take(limit: 1_000_000)
        fixture.socket.receive("POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")

        for _ in 0..<50 {
            fixture.reactor.advance(by: .seconds(1))
            fixture.socket.receive(String(repeating: "x", count: 2_000))
        }

        #expect(fixture.socket.sent.statusCodes == ["200"])
    }

    @Test func `an answer may take as long as it likes`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get)

        fixture.reactor.advance(by: .seconds(100_000))
        fixture.exchange.send(.text(200, "late"))

        #expect(fixture.socket.sent.hasSuffix("late"))
    }

    @Test func `draining ends what is idle and closes what is busy behind its answer`() {
        let idle = Fixture()
        let busy = Fixture()
        let streaming = Fixture()
        let body = ScriptedBody("a")
        busy.socket.receive(Fixture.get)
        streaming.socket.receive(Fixture.get)
        streaming.exchange.start(ResponseHead(status: 200), body: body)

        for fixture in [idle, busy, streaming] {
            fixture.registry.drain()
            fixture.reactor.runWork()
        }
        #expect(idle.socket.sendingHasEnded)
        #expect(!busy.socket.sendingHasEnded)
        busy.exchange.send(.text(200, "ok"))
        body.end = .finished
        streaming.exchange.bodyIsReady()

        #expect(busy.socket.sent.contains("connection: close\r\n"))
        #expect(busy.socket.sendingHasEnded)
        #expect(streaming.socket.sent.hasSuffix("0\r\n\r\n"))
        #expect(streaming.socket.sendingHasEnded)
        #expect(body.ends == [.delivered])
    }

    @Test func `aborting ends everything now`() {
        let fixture = Fixture()
        let body = ScriptedBody("a")
        fixture.socket.receive(Fixture.get)
        fixture.exchange.start(ResponseHead(status: 200), body: body)

        fixture.registry.abort()
        fixture.reactor.runWork()

        #expect(body.ends == [.closedHere])
        #expect(fixture.socket.wasReset)
        #expect(fixture.registry.count == 0)
    }

    @Test func `a request moves to another reactor with what was read behind it`() {
        let fixture = Fixture()
        let other = ScriptedReactor(index: 1)
        let handler = ScriptedHandler()
        let request = "POST /now1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
        fixture.socket.receive(request.replacing("/now1", with: "/later") + Fixture.get("/now2"))
        let exchange = fixture.exchange

        exchange.move(to: other, handler: handler)
        other.runWork()
        #expect(handler.requests.map(\.body) == [Array("hi".utf8)])
        exchange.send(.text(200, "not any more"))
        handler.exchanges[0].send(.text(200, "moved"))
        other.socket.receive("")

        #expect(fixture.socket.writes.isEmpty)
        #expect(other.socket.sent.contains("moved"))
        #expect(other.socket.sent.hasSuffix("now2"))
        #expect(fixture.registry.count == 1)
        #expect(fixture.reactor.timerHandlerCount == 0)
    }

    @Test func `a request moves with what was not sent before its answer`() {
        let fixture = Fixture()
        let other = ScriptedReactor(index: 1)
        let handler = ScriptedHandler()
        fixture.socket.room = 10
        fixture.socket.receive(Self.expectingContinue)
        fixture.socket.receive("hi")

        fixture.exchange.move(to: other, handler: handler)
        other.runWork()
        other.socket.room = 0
        handler.exchanges[0].send(.text(200, "moved"))
        other.socket.makeRoom(.max)

        let sent = fixture.socket.sent + other.socket.sent
        #expect(sent.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(sent.hasSuffix("moved"))
    }

    @Test func `a client that takes nothing is let go before its answer and behind a move`() {
        let fixture = Fixture()
        fixture.socket.room = 10
        fixture.socket.receive(Self.expectingContinue)
        fixture.socket.receive("hi")
        fixture.reactor.advance(by: .seconds(20))
        #expect(!fixture.socket.isClosed)

        let other = ScriptedReactor(index: 1)
        let handler = ScriptedHandler()
        fixture.exchange.move(to: other, handler: handler)
        other.runWork()
        other.socket.room = 0
        handler.exchanges[0].send(.text(200, "moved"))
        other.advance(by: .seconds(29))
        #expect(!other.socket.isClosed)
        other.advance(by: .seconds(2))
        #expect(other.socket.wasReset)

        let still = Fixture()
        still.socket.room = 10
        still.socket.receive(Self.expectingContinue)
        still.socket.receive("hi")
        still.reactor.advance(by: .seconds(31))
        #expect(still.socket.wasReset)
        #expect(still.registry.count == 0)
    }

    private static let expectingContinue =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    @Test func `what a client sends ahead is kept up to a limit, and then the connection ends`() {
        let within = Fixture { $0.unreadByteLimit = 100 }
        let beyond = Fixture { $0.unreadByteLimit = 100 }
        let next = Fixture.get("/now")

        within.socket.receive(Fixture.get("/later") + next)
        beyond.socket.receive(Fixture.get("/later") + next + next + next + next)
        for fixture in [within, beyond] { fixture.exchange.send(.text(200, "first")) }

        #expect(within.socket.sent.statusCodes == ["200", "200"])
        #expect(beyond.socket.sent.statusCodes == ["200"])
        #expect(beyond.socket.sent.contains("connection: close\r\n"))
        #expect(beyond.socket.sendingHasEnded)
    }

    @Test func `unfinished bodies have one limit together, and give their room back`() {
        let fixture = Fixture { $0.unfinishedBodyByteLimit = 10 }
        let head = "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n"
        let first = fixture.socket
        first.receive(head + "1234567")
        let second = fixture.connectAgain()
        second.receive(head + "1234")
        #expect(second.sent.statusCodes == ["503"])

        first.receive("8")
        #expect(first.sent.statusCodes == ["200"])
        let third = fixture.connectAgain()
        third.receive(head + "1234567")
        third.breakDown()
        let fourth = fixture.connectAgain()
        fourth.receive(head + "12345678")

        #expect(fourth.sent.statusCodes == ["200"])
    }

    @Test func `connections over the limit are refused and closed`() {
        let fixture = Fixture { $0.connectionLimit = 1 }

        let second = fixture.connectAgain()

        #expect(second.sent.statusCodes == ["503"])
        #expect(second.isClosed)
        #expect(fixture.registry.count == 1)
        #expect(fixture.registry.refusedCount == 1)
    }
}
