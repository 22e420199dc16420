import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import Testing

@Suite struct ExchangeTests {
    @Test func `a request is answered and the connection goes on`() {
        let fixture = Fixture()

        fixture.socket.receive(Fixture.get("/now1"))
        fixture.socket.receive(Fixture.get("/now2"))

        #expect(
            fixture.socket.writes == [
                "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnow1",
                "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnow2",
            ]
        )
        #expect(!fixture.socket.sendingHasEnded)
    }

    @Test func `pipelined requests wait for the answer before them`() {
        let fixture = Fixture()

        fixture.socket.receive(Fixture.get("/later") + Fixture.get("/now2") + Fixture.get("/now3"))
        #expect(fixture.socket.writes.isEmpty)
        fixture.exchange.send(.text(200, "first"))

        #expect(fixture.handler.requests.map(\.head.path) == ["/later", "/now2", "/now3"])
        #expect(fixture.socket.sent.contains("first"))
        #expect(fixture.socket.sent.hasSuffix("now3"))
    }

    @Test func `nothing is read while a request is answered`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get("/later"))
        let readCount = fixture.socket.readCount

        for _ in 0..<100 { fixture.socket.receive(String(repeating: "x", count: 10_000)) }

        #expect(fixture.socket.readCount == readCount)
    }

    @Test func `a body arrives whole, in whatever pieces it came`() {
        let fixture = Fixture()
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

        for character in text.utf8 {
            fixture.socket.receive(String(UnicodeScalar(character)))
        }

        #expect(
            fixture.handler.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["abcde"]
        )
    }

    @Test func `the reply to HEAD has the length and not the body`() {
        let fixture = Fixture()

        fixture.socket.receive("HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n")

        #expect(fixture.socket.sent == "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n")
    }

    @Test func `a connection that is to close ends its sending and waits for the client`() {
        let fixture = Fixture()

        fixture.socket.receive(Fixture.get("/now", "Connection: close\r\n"))

        #expect(fixture.socket.sent.contains("connection: close\r\n"))
        #expect(fixture.socket.sendingHasEnded)
        #expect(!fixture.socket.isClosed)
        fixture.socket.closeSendingSide()
        #expect(fixture.socket.isClosed)
        #expect(fixture.registry.count == 0)
        #expect(fixture.reactor.timerHandlerCount == 0)
    }

    @Test func `a client that never closes is closed after the linger time`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get("/now", "Connection: close\r\n"))

        fixture.reactor.advance(by: .milliseconds(1_999))
        #expect(!fixture.socket.isClosed)
        fixture.reactor.advance(by: .milliseconds(1))

        #expect(fixture.socket.isClosed)
    }

    @Test func `HTTP 1 point 0 closes unless it is asked not to`() {
        let closing = Fixture()
        let keeping = Fixture()

        closing.socket.receive("GET /now HTTP/1.0\r\n\r\n")
        keeping.socket.receive("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

        #expect(closing.socket.sendingHasEnded)
        #expect(keeping.socket.sent.contains("connection: keep-alive\r\n"))
        #expect(!keeping.socket.sendingHasEnded)
    }

    @Test func `the client is told to go on once, if it waits`() {
        let fixture = Fixture()
        let head =
            "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

        fixture.socket.receive(head)
        #expect(fixture.socket.sent == "HTTP/1.1 100 Continue\r\n\r\n")
        fixture.socket.receive("ok")
        fixture.socket.receive(head + "ok")

        #expect(fixture.socket.sent.statusCodes == ["100", "200", "200"])
    }

    @Test(arguments: ["Content-Length: 1001\r\n", "Transfer-Encoding: chunked\r\n"])
    func `a body over the handler's limit is refused`(framing: String) {
        let fixture = Fixture()

        fixture.socket.receive("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n")
        fixture.socket.receive("3e9\r\n")

        #expect(fixture.socket.sent.statusCodes == ["413"])
        #expect(fixture.socket.sendingHasEnded)
        #expect(fixture.handler.requests.isEmpty)
    }

    @Test func `a refused request with a small body leaves the connection usable`() {
        let fixture = Fixture()
        fixture.handler.admission = .refuse(.text(401, "no"))
        fixture.socket.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
        fixture.socket.receive("llo")
        fixture.handler.admission = .take(limit: 0)
        fixture.socket.receive(Fixture.get("/now"))

        #expect(fixture.socket.sent.statusCodes == ["401", "200"])
    }

    @Test func `a refused request with a large body ends the connection at once`() {
        let fixture = Fixture()
        fixture.handler.admission = .refuse(.text(401, "no"))

        fixture.socket.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\nhe")

        #expect(fixture.socket.sent.statusCodes == ["401"])
        #expect(fixture.socket.sendingHasEnded)
    }

    @Test func `a malformed request is answered, and what follows is never a request`() {
        let fixture = Fixture()

        fixture.socket.receive("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n" + Fixture.get("/now"))
        fixture.socket.receive(Fixture.get("/now"))

        #expect(fixture.socket.sent.statusCodes == ["400"])
        #expect(fixture.handler.requests.isEmpty)
        #expect(fixture.socket.sendingHasEnded)
    }

    @Test func `an end inside a request is refused and one between requests is silent`() {
        let inside = Fixture()
        let between = Fixture()

        inside.socket.receive("GET / HT")
        inside.socket.closeSendingSide()
        between.socket.closeSendingSide()

        #expect(inside.socket.sent.statusCodes == ["400"])
        #expect(inside.socket.isClosed)
        #expect(between.socket.writes.isEmpty)
        #expect(between.socket.isClosed)
    }

    @Test func `a head that cannot be sent becomes a plain failure`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get)

        var response = HTTPResponse.text(200, "body")
        response.head.fields.append("X", "a\r\nY: b")
        fixture.exchange.send(response)

        #expect(fixture.socket.sent.statusCodes == ["500"])
        #expect(!fixture.socket.sent.contains("Y: b"))
        #expect(fixture.socket.sendingHasEnded)
    }

    @Test func `a second answer to a request is not sent`() {
        let fixture = Fixture()
        fixture.socket.receive(Fixture.get)
        let exchange = fixture.exchange

        exchange.send(.text(200, "one"))
        exchange.send(.text(200, "two"))
        let late = ScriptedBody("three")
        exchange.start(ResponseHead(status: 200), body: late)

        #expect(fixture.socket.sent.statusCodes == ["200"])
        #expect(late.ends == [.clientGone])
    }

    @Test func `a slow client gets the rest of an answer when it has room`() {
        let fixture = Fixture()
        fixture.socket.room = 10

        fixture.socket.receive(Fixture.get("/now1") + Fixture.get("/now2"))
        #expect(fixture.exchange.unsentBytes > 0)
        #expect(fixture.handler.requests.count == 1)
        fixture.socket.makeRoom(.max)

        #expect(fixture.socket.sent.hasSuffix("now2"))
        #expect(fixture.handler.requests.count == 2)
    }
}
