import HTTP2
import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import Testing

/// Exchanges over HTTP/2, on a scripted reactor.
@Suite struct HTTP2Tests {
    // MARK: Versions

    @Test func `a client with prior knowledge is answered in HTTP2`() throws {
        let client = try HTTP2Client()
        let stream = try client.request("/now")

        #expect(client.statuses(stream) == [200])
        #expect(client.bodies[stream] == "now")
        #expect(client.field("content-length", of: stream) == "3")
        #expect(client.hasEnded(stream))
        #expect(client.fixture.handler.requests.first?.head.fields.first("host") == "a")
    }

    @Test func `the preface may come byte by byte`() throws {
        let fixture = Fixture()
        for byte in HTTP2Session.preface { fixture.socket.receive([byte]) }
        let socket = fixture.socket
        socket.announceInput()
        fixture.reactor.runWork()

        // SETTINGS.
        #expect(socket.sentBytes.prefix(9).dropFirst(3).first == 4)
        #expect(fixture.registry.count == 1)
    }

    @Test func `a request that begins like the preface is one of HTTP1`() {
        let fixture = Fixture()
        for part in ["P", "OST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"] {
            fixture.socket.receive(part)
        }

        #expect(fixture.socket.sent.statusCodes == ["200"])
    }

    @Test func `a preface that is never whole is given up`() {
        let fixture = Fixture()
        fixture.socket.receive("PRI * HT")
        fixture.reactor.advance(by: .seconds(11))

        #expect(fixture.socket.isClosed || fixture.socket.sendingHasEnded)
    }

    // MARK: Requests

    @Test func `a body arrives whole and is counted while it comes`() throws {
        let client = try HTTP2Client()
        let stream = try client.request("/now", method: "POST", body: "hello")

        #expect(client.statuses(stream) == [200])
        #expect(client.fixture.handler.requests.first.map { $0.body } == Array("hello".utf8))
    }

    @Test func `a body that is too long is refused, and the others go on`() throws {
        let client = try HTTP2Client()
        let long = try client.request(
            "/",
            method: "POST",
            body: String(repeating: "x", count: 1_001)
        )
        let other = try client.request("/now")

        #expect(client.statuses(long) == [413])
        #expect(client.statuses(other) == [200])
    }

    @Test func `an announced length that is too long is refused at once`() throws {
        let client = try HTTP2Client()
        let body = String(repeating: "x", count: 70_000)
        let fields = [("content-length", "70000")]
        let stream = try client.request("/", method: "POST", fields: fields, body: body)

        #expect(client.statuses(stream) == [413])
        #expect(client.resetCode(stream) == .noError)
    }

    @Test func `bodies beyond what all may hold are refused`() throws {
        let client = try HTTP2Client { $0.unfinishedBodyByteLimit = 10 }
        let stream = try client.request(
            "/",
            method: "POST",
            body: String(repeating: "x", count: 11)
        )

        #expect(client.statuses(stream) == [503])
    }

    @Test func `a body that comes too slowly is refused`() throws {
        let client = try HTTP2Client { $0.http2.streamWindow = 10 }
        let body = String(repeating: "x", count: 20)
        // The second half of the body stays with the client.
        let stream = try client.request("/", method: "POST", body: body, wait: false)
        client.fixture.reactor.advance(by: .seconds(31))
        client.fixture.reactor.runWork()
        client.take()

        #expect(client.statuses(stream) == [408])
        #expect(client.resetCode(stream) == .noError)
    }

    @Test func `a refused admission is answered on its stream`() throws {
        let client = try HTTP2Client()
        client.fixture.handler.admission = .refuse(.text(421, "no"))
        let stream = try client.request("/", method: "POST", body: "hello")

        #expect(client.statuses(stream) == [421])
        #expect(client.bodies[stream] == "no")
    }

    @Test func `an expectation is met before the body is sent`() throws {
        let client = try HTTP2Client()
        let fields = [("expect", "100-continue")]
        let stream = try client.request("/now", method: "POST", fields: fields, body: "x")

        #expect(client.statuses(stream) == [100, 200])
    }

    @Test func `a head that is too large is refused, and the others go on`() throws {
        let client = try HTTP2Client()
        let field = ("x-large", String(repeating: "x", count: 33_000))
        let large = try client.request("/", fields: [field])
        let other = try client.request("/now")

        #expect(client.statuses(large) == [431])
        #expect(client.statuses(other) == [200])
    }

    @Test func `the answer to HEAD has no body`() throws {
        let client = try HTTP2Client()
        let stream = try client.request("/now", method: "HEAD")

        #expect(client.statuses(stream) == [200])
        #expect(client.field("content-length", of: stream) == "3")
        #expect(client.bodies[stream] == nil)
        #expect(client.hasEnded(stream))
    }

    // MARK: Streams

    /// Starts a stream whose body the test fills.
    private func streaming(
        _ client: HTTP2Client,
        _ text: String = ""
    ) throws -> (stream: HTTP2StreamID, body: ScriptedBody, exchange: Exchange) {
        let stream = try client.request("/stream")
        let body = ScriptedBody(text)
        let exchange = client.fixture.exchange
        exchange.start(ResponseHead(status: 200), body: body)
        client.settle()
        return (stream, body, exchange)
    }

    @Test func `events of one turn leave in one write`() throws {
        let client = try HTTP2Client()
        let streams = try (0..<3).map { try streaming(client, "hello \($0) ") }
        let before = client.current.writes.count
        for (index, stream) in streams.enumerated() {
            stream.body.waiting = "event \(index)"
            stream.exchange.bodyIsReady()
        }
        client.settle()

        #expect(client.current.writes.count == before + 1)
        for (index, stream) in streams.enumerated() {
            #expect(client.bodies[stream.stream] == "hello \(index) event \(index)")
            #expect(stream.body.sentCount == 2)
        }
    }

    @Test func `head and first bytes leave together`() throws {
        let client = try HTTP2Client()
        let stream = try client.request("/stream")
        let before = client.current.writes.count
        client.fixture.exchange.start(ResponseHead(status: 200), body: ScriptedBody("first"))
        client.settle()

        #expect(client.current.writes.count == before + 1)
        #expect(client.bodies[stream] == "first")
    }

    @Test func `a stream that ends is delivered`() throws {
        let client = try HTTP2Client()
        let (stream, body, exchange) = try streaming(client, "a")
        body.waiting = "b"
        body.end = .finished
        exchange.bodyIsReady()
        client.settle()

        #expect(client.bodies[stream] == "ab")
        #expect(client.hasEnded(stream))
        #expect(body.ends == [.delivered])
    }

    @Test func `a stream that breaks off is reset, and the others go on`() throws {
        let client = try HTTP2Client()
        let (stream, body, exchange) = try streaming(client, "a")
        body.waiting = "b"
        body.end = .aborted
        exchange.bodyIsReady()
        client.settle()
        let other = try client.request("/now")

        #expect(client.bodies[stream] == "ab")
        #expect(client.resetCode(stream) == .internalError)
        #expect(body.ends == [.closedHere])
        #expect(client.statuses(other) == [200])
    }

    @Test func `a stream without a window holds its source back, and no other stream`() throws {
        var settings = HTTP2Settings()
        settings.streamWindow = 10
        let client = try HTTP2Client(settings: settings)
        client.consumes = false
        let slow = try streaming(client, String(repeating: "s", count: 50_000))
        let pulled = slow.body.waiting.utf8.count
        let quick = try streaming(client, "quick")

        #expect(client.bodies[slow.stream]?.utf8.count == 10)
        // One unfinished write, as with a full socket.
        #expect(pulled == 50_000 - 10 - 16_384)
        #expect(slow.body.sentCount == 0)
        #expect(slow.exchange.unsentBytes == 16_384)
        #expect(client.bodies[quick.stream] == "quick")

        client.consume(slow.stream)
        #expect(client.bodies[slow.stream]?.utf8.count == 20)
        #expect(slow.body.waiting.utf8.count == pulled)
    }

    @Test func `how long a stream waited for its window is told until its end`() throws {
        var settings = HTTP2Settings()
        settings.streamWindow = 10
        let client = try HTTP2Client(settings: settings)
        client.consumes = false
        let slow = try streaming(client, String(repeating: "s", count: 30))
        let quick = try streaming(client, "quick")
        var told: Duration?
        slow.body.onEnd = { told = slow.exchange.statistics()?.windowClosed }
        client.fixture.reactor.advance(by: .seconds(3))
        #expect(slow.exchange.statistics()?.windowClosed == .seconds(3))

        client.consume(slow.stream)
        client.fixture.reactor.advance(by: .seconds(2))
        #expect(slow.exchange.statistics()?.windowClosed == .seconds(5))
        #expect(quick.exchange.statistics()?.windowClosed == .zero)

        client.current.breakDown()
        #expect(slow.body.ends == [.clientGone])
        #expect(told == .seconds(5))
    }

    @Test func `a stream without a window is reset when its time is over`() throws {
        var settings = HTTP2Settings()
        settings.streamWindow = 10
        let client = try HTTP2Client(settings: settings)
        client.consumes = false
        let slow = try streaming(client, String(repeating: "s", count: 100))
        let quick = try streaming(client, "quick")
        client.fixture.reactor.advance(by: .seconds(31))
        client.settle()

        #expect(client.resetCode(slow.stream) == .cancel)
        #expect(slow.body.ends == [.clientStuck])
        #expect(quick.body.ends.isEmpty)
        #expect(client.resetCode(quick.stream) == nil)
    }

    @Test func `streams take turns`() throws {
        var settings = HTTP2Settings()
        settings.streamWindow = 1_000_000
        settings.connectionWindow = 10_000_000
        let client = try HTTP2Client(settings: settings)
        let first = try client.request("/stream")
        client.fixture.exchange.start(
            ResponseHead(status: 200),
            body: ScriptedBody(String(repeating: "a", count: 300_000))
        )
        let second = try client.request("/stream", wait: false)
        client.fixture.reactor.runWork(turns: 1)
        client.fixture.exchange.start(
            ResponseHead(status: 200),
            body: ScriptedBody("short", end: .finished)
        )
        client.fixture.reactor.runWork(turns: 1)
        client.take()

        #expect(client.bodies[second] == "short")
        #expect((client.bodies[first]?.utf8.count ?? 0) < 300_000)
    }

    @Test func `a large answer goes out as the client takes it`() throws {
        let client = try HTTP2Client()
        let text = String(repeating: "0123456789", count: 30_000)
        let stream = try client.request("/whole")
        client.fixture.exchange.send(.text(200, text))
        client.settle()

        #expect(client.bodies[stream] == text)
        #expect(client.hasEnded(stream))
    }

    @Test func `a reset is a client that is gone`() throws {
        let client = try HTTP2Client()
        let (stream, body, exchange) = try streaming(client, "a")
        let waiting = try client.request("/wait")
        let gone = Guarded(false)
        client.fixture.exchange.onClientGone { gone.withLock { $0 = true } }
        client.reset(stream)
        client.reset(waiting)

        #expect(body.ends == [.clientGone])
        #expect(gone.withLock { $0 })
        exchange.bodyIsReady()
        client.settle()
        #expect(client.fixture.registry.count == 1)
    }

    @Test func `a half-closed connection goes on as long as its streams`() throws {
        let client = try HTTP2Client()
        let (_, body, exchange) = try streaming(client, "a")
        client.current.closeSendingSide()
        client.settle()
        #expect(body.halfCloseCount == 1)
        #expect(client.current.sent.contains(":\n\n"))

        body.end = .finished
        exchange.bodyIsReady()
        client.settle()
        #expect(body.ends == [.delivered])
        #expect(client.current.isClosed || client.current.sendingHasEnded)
    }

    @Test func `a broken connection ends every exchange`() throws {
        let client = try HTTP2Client()
        let streams = try (0..<3).map { _ in try streaming(client, "a") }
        client.current.breakDown()

        #expect(streams.allSatisfy { $0.body.ends == [.clientGone] })
        #expect(client.fixture.registry.count == 0)
        #expect(client.fixture.reactor.timerHandlerCount == 0)
    }

    // MARK: The line

    @Test func `bytes are sent when the kernel has them`() throws {
        let client = try HTTP2Client()
        let (stream, body, exchange) = try streaming(client, "a")
        client.current.room = 12
        body.waiting = "hello"
        exchange.bodyIsReady()
        client.fixture.reactor.runWork()
        #expect(body.sentCount == 1)
        #expect(exchange.unsentBytes == 5)

        client.current.makeRoom(.max)
        client.settle()
        #expect(body.sentCount == 2)
        #expect(client.bodies[stream] == "ahello")
    }

    @Test func `a client that reads nothing is not read from, and then cut`() throws {
        let client = try HTTP2Client()
        let (_, body, exchange) = try streaming(client, "a")
        client.current.room = 0
        body.waiting = "b"
        exchange.bodyIsReady()
        client.fixture.reactor.runWork()
        let reads = client.current.readCount
        for _ in 0..<100 { client.current.receive(Self.ping) }
        client.fixture.reactor.runWork()
        #expect(client.current.readCount == reads)

        client.fixture.reactor.advance(by: .seconds(31))
        #expect(client.current.wasReset)
        #expect(body.ends == [.clientStuck])
    }

    private static let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]

    // MARK: Endings

    @Test func `draining says so twice and lets streams end`() throws {
        let client = try HTTP2Client()
        let (stream, body, exchange) = try streaming(client, "a")
        client.fixture.registry.drain()
        client.settle()
        #expect(client.goAways.map { $0.last } == [.max, stream])
        #expect(client.goAways.allSatisfy { $0.code == .noError })

        body.end = .finished
        exchange.bodyIsReady()
        client.settle()
        #expect(client.hasEnded(stream))
        #expect(client.current.sendingHasEnded)
        client.current.closeSendingSide()
        #expect(client.fixture.registry.count == 0)
    }

    @Test func `an idle connection is ended`() throws {
        let client = try HTTP2Client()
        _ = try client.request("/now")
        client.fixture.reactor.advance(by: .seconds(76))
        client.settle()

        #expect(client.goAways.map { $0.code } == [.noError])
        #expect(client.current.sendingHasEnded)
        client.fixture.reactor.advance(by: .seconds(3))
        #expect(client.fixture.registry.count == 0)
        #expect(client.fixture.reactor.timerHandlerCount == 0)
    }

    @Test func `a flood ends the connection, and is counted`() throws {
        let client = try HTTP2Client()
        let (_, body, _) = try streaming(client, "a")
        for _ in 0..<1_100 where !client.current.sendingHasEnded {
            client.current.receive(Self.ping)
            client.fixture.reactor.runWork()
        }
        client.take()

        #expect(client.goAways.map { $0.code } == [.enhanceYourCalm])
        #expect(client.fixture.registry.http2ErrorCounts == ["ping": 1])
        #expect(body.ends == [.clientGone])
    }

    @Test func `breaking the rules of frames is counted by its code`() throws {
        let client = try HTTP2Client()
        // DATA on no stream.
        client.current.receive([0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        client.settle()

        #expect(client.goAways.map { $0.code } == [.protocolError])
        #expect(client.fixture.registry.http2ErrorCounts == ["protocol_error": 1])
    }
}
