import HTTP2
import HTTPWire
import StreamBytes
import Testing

struct HTTP2SessionTests {
    @Test func `a request and its answer go through`() throws {
        let pair = try Pair()
        let fields = Pair.get + [("accept", "text/event-stream")]
        let stream = try pair.request(fields)

        let head = try #require(pair.server.heads.first)
        #expect(head.method == "GET")
        #expect(head.authority == "a")
        #expect(head.path == "/")
        #expect(head.fields.first("accept") == "text/event-stream")
        #expect(head.endsStream)

        pair.server.session.respond(on: stream, [(":status", "200")], endsStream: false)
        var output = pair.server.takeOutput()
        #expect(
            pair.server.sendBody("data: 1\n\n", on: stream, endsStream: false, into: &output) == 9
        )
        #expect(
            pair.server.sendBody("data: 2\n\n", on: stream, endsStream: true, into: &output) == 9
        )
        pair.client.receive(output)

        #expect(pair.client.heads.first?.status == 200)
        #expect(pair.client.bodies[stream] == "data: 1\n\ndata: 2\n\n")
        #expect(pair.client.events.contains(.end(stream)))
        #expect(pair.client.closed == [.noError])
        #expect(pair.server.closed == [.noError])
    }

    @Test func `a body of a request arrives whole, as fast as it is consumed`() throws {
        let pair = try Pair { $0.streamWindow = 1_000 }
        let text = String(repeating: "0123456789", count: 1_000)
        let fields = [(":method", "POST")] + Pair.get.dropFirst()
        let stream = try pair.request(fields, body: Array(text.utf8))
        #expect(pair.server.bodies[stream]?.utf8.count == 1_000)

        var consumed = 0
        while let count = pair.server.bodies[stream]?.utf8.count, count > consumed {
            pair.server.session.consume(count - consumed, on: stream)
            consumed = count
            pair.settle()
        }

        #expect(pair.server.bodies[stream] == text)
        #expect(pair.server.events.contains(.end(stream)))
    }

    @Test func `a stream without room takes nothing until its window grows`() throws {
        let pair = try Pair { $0.streamWindow = 100 }
        let stream = try pair.request()
        pair.server.session.respond(on: stream, [(":status", "200")], endsStream: false)
        var output = pair.server.takeOutput()
        let text = String(repeating: "x", count: 150)
        #expect(pair.server.sendBody(text, on: stream, endsStream: false, into: &output) == 100)
        #expect(pair.server.room(on: stream) == 0)
        pair.client.receive(output)

        pair.client.session.consume(100, on: stream)
        pair.server.receive(pair.client.takeOutput())

        #expect(pair.server.events.contains(.windowGrew(stream)))
        #expect(pair.server.room(on: stream) == 100)
    }

    @Test func `a stream that is held back leaves the connection to the others`() throws {
        let pair = try Pair {
            $0.streamWindow = 100
            $0.connectionWindow = 70_000
        }
        let first = try pair.request()
        let second = try pair.request()
        var output: [UInt8] = []
        for stream in [first, second] {
            pair.server.session.respond(on: stream, [(":status", "200")], endsStream: false)
            output += pair.server.takeOutput()
            let text = String(repeating: "x", count: 100)
            _ = pair.server.sendBody(text, on: stream, endsStream: false, into: &output)
        }
        pair.client.receive(output)

        pair.client.session.consumeConnection(100)
        pair.client.session.consume(100, on: second)
        pair.settle()

        #expect(pair.server.room(on: first) == 0)
        #expect(pair.server.room(on: second) == 100)
        pair.client.session.consumeStream(100, on: first)
        pair.settle()
        #expect(pair.server.room(on: first) == 100)
    }

    @Test func `trailers are dropped and interim responses told`() throws {
        let pair = try Pair()
        let stream = try pair.request()
        pair.server.session.inform(on: stream, status: 100)
        pair.server.session.respond(on: stream, [(":status", "204")], endsStream: true)
        pair.settle()

        #expect(pair.client.heads.map(\.status) == [100, 204])

        // HEADERS with `:method: POST`, DATA, and a trailer field `a: b`.
        let post: [UInt8] = [0x83, 0x86, 0x84, 0x41, 0x01, UInt8(ascii: "a")]
        let bytes =
            Raw.frame(1, flags: 4, stream: 3, post) + Raw.frame(0, stream: 3, Array("xy".utf8))
            + Raw.frame(1, flags: 5, stream: 3, [0x00, 0x01, 0x61, 0x01, 0x62])
        pair.server.receive(bytes)
        #expect(pair.server.bodies[3] == "xy")
        #expect(pair.server.heads.count == 2)
        #expect(pair.server.events.last == .end(3))
    }

    @Test func `cookie crumbs come as one field`() throws {
        let pair = try Pair()
        let fields = Pair.get + [("cookie", "a=1"), ("cookie", "b=2")]
        _ = pair.client.session.request(fields, body: [])
        pair.settle()

        #expect(pair.server.heads.first?.fields.values("cookie") == ["a=1; b=2"])
    }

    @Test func `a reset tells who wanted it`() throws {
        let pair = try Pair()
        let first = try pair.request()
        let second = try pair.request()
        pair.client.session.reset(first, .cancel)
        pair.server.session.reset(second, .refusedStream)
        pair.settle()

        #expect(pair.server.events.contains(.closed(first, .cancel, isReset: true)))
        #expect(pair.client.events.contains(.closed(second, .refusedStream, isReset: true)))
        #expect(pair.server.events.contains(.closed(second, .refusedStream, isReset: false)))
    }

    @Test func `a body for a stream that was closed is dropped`() throws {
        let pair = try Pair()
        let stream = try pair.request()
        pair.server.session.respond(on: stream, [(":status", "200")], endsStream: false)
        pair.settle()
        pair.client.session.reset(stream, .cancel)
        pair.settle()

        var output: [UInt8] = [1, 2, 3]
        #expect(pair.server.sendBody("late", on: stream, endsStream: false, into: &output) == 0)
        #expect(output == [1, 2, 3])
    }

    @Test func `a session goes away in two steps`() throws {
        let pair = try Pair()
        let stream = try pair.request()
        pair.server.session.announceEnd()
        pair.settle()
        #expect(pair.client.events.contains(.goAway(last: .max, .noError)))
        pair.server.session.refuseStreams()
        pair.settle()
        #expect(pair.client.events.contains(.goAway(last: stream, .noError)))

        pair.server.session.respond(on: stream, [(":status", "204")], endsStream: true)
        pair.settle()
        #expect(pair.client.heads.map(\.status) == [204])
        #expect(pair.server.isOver)
    }

    @Test func `bytes may come one by one`() throws {
        let server = try Side(.server)
        for byte in Raw.preface + Raw.settings + Raw.get(1) { server.receive([byte]) }

        #expect(server.failure == nil)
        #expect(server.heads.first?.path == "/")
    }
}
