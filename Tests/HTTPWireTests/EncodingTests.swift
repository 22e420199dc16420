import HTTPWire
import StreamBytes
import Testing

@Suite struct EncodingTests {
    @Test func `a response head says how its body is framed, whatever its fields say`() throws {
        let head = ResponseHead(
            status: 200,
            fields: ["Content-Type": "text/plain", "Content-Length": "7", "Connection": "x"]
        )
        var bytes: [UInt8] = []

        try head.encode(into: &bytes, body: .chunked, connection: "close")

        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ntransfer-encoding: chunked\r\n"
                + "connection: close\r\n\r\n"
        )
    }

    @Test func `a request head is read back as it was`() throws {
        let head = RequestHead(method: "POST", target: "/v1?x=1", fields: ["Host": "a", "X": "b"])
        var bytes: [UInt8] = []
        try head.encode(into: &bytes, bodyByteCount: 3)

        var parser = RequestParser(limits: HTTPLimits())
        var offset = 0
        guard case .head(let read) = try parser.parse(bytes.span, from: &offset) else {
            return #expect(Bool(false), "no head")
        }

        #expect(read.target == head.target)
        #expect(read.path == "/v1")
        #expect(read.query == "x=1")
        let length = parser.announcedBodyLength
        #expect(length == 3)
    }

    @Test(arguments: ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "a\u{7F}b"])
    func `no value can end its field`(value: String) {
        var bytes: [UInt8] = []

        #expect(throws: HTTPError.unsendable) {
            try ResponseHead(status: 200, fields: ["X": value]).encode(into: &bytes, body: .none)
        }
        #expect(throws: HTTPError.unsendable) {
            try RequestHead(method: "GET", target: "/", fields: ["X": value])
                .encode(into: &bytes, bodyByteCount: nil)
        }
        #expect(bytes.isEmpty)
    }

    @Test(arguments: [
        ("GET", "/ HTTP/1.1\r\nX: y"), ("GET", "/ x"), ("G T", "/"), ("", "/"), ("GET", ""),
    ])
    func `no method or target can end its line`(method: String, target: String) {
        var bytes: [UInt8] = []

        #expect(throws: HTTPError.unsendable) {
            try RequestHead(method: method, target: target).encode(into: &bytes, bodyByteCount: nil)
        }
    }

    @Test(arguments: [1, 9, 10, 15, 16, 255, 256, 16_384, 65_536, 4_294_967_295])
    func `a chunk header ends where the data begins`(size: Int) {
        var bytes = [UInt8](repeating: 0, count: ChunkHeader.room + 1)

        let start = ChunkHeader.write(size, into: &bytes, before: ChunkHeader.room)

        let header = String(decoding: bytes[start..<ChunkHeader.room], as: UTF8.self)
        #expect(header == String(size, radix: 16) + "\r\n")
    }
}
