import HTTP2
import HTTPWire
import StreamBytes
import Testing

/// What a peer may not send without end.
struct FloodTests {
    private static let opening = Raw.preface + Raw.settings

    /// How many of a frame a server takes, and what it says then.
    private func flood(
        with frame: (UInt32) -> [UInt8],
        settings: (inout HTTP2Settings) -> Void = { _ in }
    ) throws -> (count: Int, failure: HTTP2Failure?, goAway: HTTP2ErrorCode?) {
        let server = try Side(.server, settings)
        server.receive(Self.opening)
        _ = server.takeOutput()
        var count = 0
        while server.failure == nil, count < 20_000 {
            server.receive(frame(UInt32(count)))
            if server.failure == nil { _ = server.takeOutput() }
            count += 1
        }
        return (count, server.failure, Raw.lastGoAway(in: server.takeOutput()))
    }

    @Test(arguments: [
        (FloodKind.ping, Raw.frame(6, [UInt8](repeating: 0, count: 8))),
        (.settings, Raw.settings),
        (.priority, Raw.frame(2, stream: 3, [0, 0, 0, 0, 1])),
        (.windowUpdate, Raw.frame(8, [0, 0, 0, 1])),
    ])
    func `frames that carry nothing are cut off`(kind: FloodKind, frame: [UInt8]) throws {
        let result = try flood { _ in frame }

        #expect(result.failure == .flood(kind))
        #expect(result.goAway == .enhanceYourCalm)
        #expect((900...1_100).contains(result.count), "\(result.count)")
    }

    @Test(arguments: [0, 1])
    func `bodies in crumbs are cut off`(byteCount: Int) throws {
        let post: [UInt8] = [0x83, 0x86, 0x84, 0x41, 0x01, UInt8(ascii: "a")]
        let result = try flood { count in
            count == 0
                ? Raw.frame(1, flags: 4, stream: 1, post)
                : Raw.frame(0, stream: 1, [UInt8](repeating: 1, count: byteCount))
        }

        #expect(result.failure == .flood(.smallData))
        #expect(result.goAway == .enhanceYourCalm)
    }

    @Test func `rapid resets are cut off`() throws {
        let result = try flood { Raw.get($0 * 2 + 1) + Raw.reset($0 * 2 + 1) }

        #expect(result.failure == .flood(.reset))
        #expect(result.goAway == .enhanceYourCalm)
        #expect(result.count < 300, "\(result.count)")
    }

    @Test func `streams that have to be reset are cut off, too`() throws {
        // A request without :path.
        let result = try flood {
            Raw.frame(1, flags: 5, stream: $0 * 2 + 1, [0x82, 0x86, 0x41, 0x01, 0x61])
        }

        #expect(result.failure == .flood(.reset))
        #expect(result.count < 300, "\(result.count)")
    }

    @Test func `CONTINUATION without end is cut off`() throws {
        let result = try flood {
            $0 == 0
                ? Raw.frame(1, flags: 1, stream: 1, Raw.getBlock)
                : Raw.frame(9, stream: 1, [0x00, 0x01, 0x61, 0x01, 0x62])
        }

        #expect(result.failure == .flood(.continuation))
        #expect(result.goAway == .enhanceYourCalm)
        #expect(result.count < 20, "\(result.count)")
    }

    @Test func `a header section may come in nine frames, byte by byte, and not in ten`() throws {
        for (count, failure) in [(8, nil), (9, HTTP2Failure.flood(.continuation))] {
            let server = try Side(.server)
            server.receive(Self.opening)
            let frames =
                Raw.frame(1, flags: 1, stream: 1, Raw.getBlock)
                + (1...count).flatMap { Raw.frame(9, flags: $0 == count ? 4 : 0, stream: 1, []) }
            for byte in frames where server.failure == nil { server.receive([byte]) }

            #expect(server.failure == failure)
            #expect(server.heads.count == (failure == nil ? 1 : 0))
        }
    }

    @Test func `a large header section is told, and not kept`() throws {
        let server = try Side(.server)
        server.receive(Self.opening)
        // A field of 4,000 bytes into the table, then named 20 times.
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 4_000)
        let length: [UInt8] = [0x7F, 0xA1, 0x1E]
        let block =
            Raw.getBlock + [0x40, 0x01, UInt8(ascii: "n")] + length + value
            + [UInt8](repeating: 0xBE, count: 20)
        server.receive(Raw.frame(1, flags: 5, stream: 1, block))

        #expect(server.failure == nil)
        let head = try #require(server.heads.first)
        #expect(head.isTooLarge)
        #expect(head.fields.fields.count < 10)
    }

    @Test func `a header section that explodes ends the connection`() throws {
        let server = try Side(.server)
        server.receive(Self.opening)
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 4_000)
        let length: [UInt8] = [0x7F, 0xA1, 0x1E]
        let block =
            Raw.getBlock + [0x40, 0x01, UInt8(ascii: "n")] + length + value
            + [UInt8](repeating: 0xBE, count: 10_000)
        server.receive(Raw.frame(1, flags: 5, stream: 1, block))

        #expect(server.failure == .flood(.headerList))
        #expect(Raw.lastGoAway(in: server.takeOutput()) == .enhanceYourCalm)
    }

    @Test func `time gives the allowance back`() throws {
        let server = try Side(.server)
        server.receive(Self.opening)
        let ping = Raw.frame(6, [UInt8](repeating: 0, count: 8))
        for second in 0..<60 {
            server.now = MonotonicTime(nanoseconds: Int64(second) * 1_000_000_000)
            for _ in 0..<99 { server.receive(ping) }
            _ = server.takeOutput()
        }

        #expect(server.failure == nil)
    }

    @Test func `a reader may acknowledge each frame twice`() throws {
        let pair = try Pair()
        let stream = try pair.request()
        pair.server.session.respond(on: stream, [(":status", "200")], endsStream: false)
        var output = pair.server.takeOutput()
        for _ in 0..<5_000 {
            output.removeAll(keepingCapacity: true)
            _ = pair.server.sendBody("x", on: stream, endsStream: false, into: &output)
            pair.server.receive(
                Raw.frame(8, stream: UInt32(stream), [0, 0, 0, 1]) + Raw.frame(8, [0, 0, 0, 1])
            )
        }

        #expect(pair.server.failure == nil)
    }

    @Test func `something else than HTTP2 ends the connection`() throws {
        let server = try Side(.server)
        server.receive(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))

        #expect(server.failure == .malformed(.protocolError))
        #expect(Raw.lastGoAway(in: server.takeOutput()) == .protocolError)
    }
}
