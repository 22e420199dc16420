import HTTPWire
import StreamBytes
import Testing

@Suite struct RequestParserTests {
    @Test func `an absolute target comes in origin form and its authority replaces Host`() throws {
        let head = try Self.head("GET http://a.example:81/p?q=1 HTTP/1.1\r\nHost: other\r\n\r\n")

        #expect(head.target == "/p?q=1")
        #expect(head.path == "/p")
        #expect(head.query == "q=1")
        #expect(head.fields.values("host") == ["a.example:81"])
    }

    @Test(arguments: [
        ("GET http://a HTTP/1.1", "/"), ("GET HTTPS://a?x HTTP/1.1", "/?x"),
        ("OPTIONS http://a HTTP/1.1", "*"), ("OPTIONS * HTTP/1.1", "*"),
        ("PUT /a[0] HTTP/1.9", "/a[0]"),
    ])
    func `targets are read`(line: String, target: String) throws {
        #expect(try Self.head("\(line)\r\nHost: a\r\n\r\n").target == target)
    }

    @Test(
        arguments: [
            ("GET http:///x HTTP/1.1", .target), ("GET http://u@a/ HTTP/1.1", .target),
            ("GET ftp://a/ HTTP/1.1", .target), ("GET a HTTP/1.1", .target),
            ("GET /%0 HTTP/1.1", .target),
            ("GET /%zz HTTP/1.1", .target), ("GET /a%00 HTTP/1.1", .target),
            ("GET /%%300 HTTP/1.1", .target),
            ("GET /\u{E9} HTTP/1.1", .requestLine), ("GET / HTTP/1.10", .requestLine),
            ("GET /", .requestLine), ("GET", .requestLine), (" GET / HTTP/1.1", .requestLine),
            ("GET\t/ HTTP/1.1", .requestLine), ("GET / http/1.1", .requestLine),
            ("PRI * HTTP/2.0", .version), ("GET / HTTP/0.9", .version),
            ("TRACE / HTTP/1.1", .method),
            ("CONNECT a:1 HTTP/1.1", .method),
            ("\(String(repeating: "A", count: 33)) / HTTP/1.1", .method),
        ] as [(String, HTTPError)]
    )
    func `a wrong request line is refused before the head is complete`(
        line: String,
        error: HTTPError
    ) {
        #expect(throws: error) { try Self.head("\(line)\r\n") }
    }

    @Test(arguments: [
        "a", "a.b:80", "a:", "", "127.0.0.1:1", "[::1]", "[::]:80", "[1:2:3:4:5:6:7:8]",
        "[::ffff:1.2.3.4]",
        "[1::]", "a_b", "%41.x",
    ])
    func `hosts are taken`(host: String) throws {
        #expect(
            try Self.head("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").fields.first("host") == host
        )
    }

    @Test(arguments: [
        "a b", "a/b", "a@b", "a,b", "a:x", "a:65536", "[::1", "::1", "[1:2]", "[:::]", "[1::2::3]",
        "[::1]x",
        "[12345::]", "[::1.2.3]", "[1:2:3:4:5:6:7:8:9]", "[fe80::1%25eth0]", "a?b", "%00", "a:1:2",
        "[]", "[:1]",
        "[1:]",
    ])
    func `what is no host is refused`(host: String) {
        #expect(throws: HTTPError.host) { try Self.head("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") }
    }

    @Test func `the limits hold to the byte`() throws {
        var limits = HTTPLimits()
        limits.headByteLimit = 100
        let line = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let fill = 100 - line.utf8.count - 4

        _ = try Self.head(line + String(repeating: "x", count: fill) + "\r\n\r\n", limits)
        #expect(throws: HTTPError.headTooLarge) {
            try Self.head(line + String(repeating: "x", count: fill + 1) + "\r\n\r\n", limits)
        }
    }

    @Test func `a body longer than was admitted is refused at its chunk line`() throws {
        var parser = RequestParser(limits: HTTPLimits())
        let bytes = Array(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\n".utf8
        )
        var offset = 0
        _ = try parser.parse(bytes.span, from: &offset)
        parser.bodyByteLimit = 5
        _ = try parser.parse(bytes.span, from: &offset)

        #expect(throws: HTTPError.bodyTooLarge) { try parser.parse(bytes.span, from: &offset) }
    }

    @Test func `what the connection needs to know is read from the head`() throws {
        var parser = RequestParser(limits: HTTPLimits())
        let bytes = Array(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
                .utf8
        )
        var offset = 0
        let wasBetweenRequests = parser.isBetweenRequests
        _ = try parser.parse(bytes.span, from: &offset)
        let (expects, keeps) = (parser.expectsContinue, parser.keepsConnection)
        let (length, isBetween) = (parser.announcedBodyLength, parser.isBetweenRequests)

        #expect(wasBetweenRequests)
        #expect(expects)
        #expect(!keeps)
        #expect(length == 3)
        #expect(!isBetween)
    }

    @Test func `an idle parser is small`() {
        #expect(MemoryLayout<RequestParser>.size <= 200)
        #expect(MemoryLayout<ResponseParser>.size <= 200)
    }

    private static func head(
        _ text: String,
        _ limits: HTTPLimits = HTTPLimits()
    ) throws -> RequestHead {
        var parser = RequestParser(limits: limits)
        let bytes = Array(text.utf8)
        var offset = 0
        guard case .head(let head) = try parser.parse(bytes.span, from: &offset) else {
            throw HTTPError.truncated
        }
        return head
    }
}
