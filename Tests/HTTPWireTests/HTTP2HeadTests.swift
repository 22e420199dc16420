import HTTPWire
import Testing

/// Heads of HTTP/2 are read as strictly as those of HTTP/1.1.
struct HTTP2HeadTests {
    private func head(
        _ method: String = "GET",
        authority: String? = "a",
        path: String? = "/",
        fields: HeaderFields = [:]
    ) throws(HTTPError) -> RequestHead {
        try RequestHead(
            method: method,
            authority: authority,
            path: path,
            fields: fields,
            limits: HTTPLimits()
        )
    }

    @Test func `a head is that of HTTP1 with the authority as its host`() throws {
        let head = try head("POST", authority: "a:80", path: "/x?y=1", fields: ["b": "c"])

        #expect(head.method == "POST")
        #expect(head.path == "/x")
        #expect(head.query == "y=1")
        #expect(head.minorVersion == 1)
        #expect(head.fields.values("host") == ["a:80"])
        #expect(head.fields.first("b") == "c")
    }

    @Test func `Host stands for a missing authority, and must not differ from it`() throws {
        #expect(try head(authority: nil, fields: ["host": "b"]).fields.values("host") == ["b"])
        #expect(try head(fields: ["host": "A"]).fields.values("host") == ["a"])
        #expect(throws: HTTPError.host) { try head(fields: ["host": "b"]) }
        #expect(throws: HTTPError.host) { try head(authority: nil) }
        #expect(throws: HTTPError.host) { try head(authority: "a b") }
    }

    @Test(arguments: [
        ("CONNECT", "/", HTTPError.method), ("TRACE", "/", .method), ("", "/", .method),
        ("G T", "/", .method), ("GET", "/\u{7F}", .target), ("GET", "/%zz", .target),
        ("GET", "/a%00b", .target), ("GET", "x", .target), ("GET", "*", .target),
    ])
    func `what HTTP1 refuses is refused`(method: String, path: String, error: HTTPError) {
        #expect(throws: error) { try head(method, path: path) }
    }

    @Test func `a target has a length`() {
        #expect(throws: HTTPError.targetTooLong) {
            try head(path: "/" + String(repeating: "x", count: 16_384))
        }
        #expect(throws: HTTPError.target) { try head(path: nil) }
    }

    @Test func `a body is announced by its length, its end or an expectation`() throws {
        let counted = try head(fields: ["content-length": "7", "expect": "100-continue"])
        #expect(try BodyAnnouncement(counted, hasBody: true).byteCount == 7)
        #expect(try BodyAnnouncement(counted, hasBody: true).expectsContinue)
        #expect(try BodyAnnouncement(head(), hasBody: true).byteCount == nil)
        #expect(try BodyAnnouncement(head(), hasBody: false).byteCount == 0)
        let expecting = try head(fields: ["expect": "100-continue"])
        #expect(try BodyAnnouncement(expecting, hasBody: true).expectsContinue)
        #expect(try !BodyAnnouncement(expecting, hasBody: false).expectsContinue)
        let unknown = try head(fields: ["expect": "more"])
        #expect(throws: HTTPError.expectation) { try BodyAnnouncement(unknown, hasBody: true) }
    }

    @Test func `a response is sent without what speaks of the connection`() throws {
        let head = ResponseHead(
            status: 200,
            fields: [
                "Content-Type": "a", "Connection": "close", "Transfer-Encoding": "chunked",
                "Content-Length": "1", "Keep-Alive": "x",
            ]
        )
        let fields = try head.http2Fields(bodyByteCount: 3)

        #expect(fields.map { $0.0 } == [":status", "content-type", "content-length"])
        #expect(fields.map { $0.1 } == ["200", "a", "3"])
        let unsendable = ResponseHead(status: 200, fields: ["a": "b\r\nc: d"])
        #expect(throws: HTTPError.unsendable) { try unsendable.http2Fields(bodyByteCount: nil) }
    }
}
