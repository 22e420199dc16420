import HTTPWire
import StreamBytes
import Testing

@Suite struct ResponseParserTests {
    @Test func `a counted body ends by itself and keeps the connection`() throws {
        let reply = try Reply(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"])

        #expect(reply.steps == ["head 200", "body hello", "end"])
        #expect(reply.canReuse)
    }

    @Test func `a chunked body is the same in whatever pieces it comes`() throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n"
        let whole = try Reply([text])

        #expect(whole.body == "hello!")
        #expect(try Reply(text.map { String($0) }).body == "hello!")
        #expect(whole.canReuse)
    }

    @Test func `a body without a length lasts until the connection ends`() throws {
        let reply = try Reply(["HTTP/1.1 200 OK\r\n\r\nall of it"])

        #expect(reply.body == "all of it")
        #expect(try reply.endOfStream())
        #expect(!reply.canReuse)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Enc",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func `an end inside a response is a truncation`(text: String) throws {
        let reply = try Reply([text])

        #expect(throws: HTTPError.truncated) { try reply.endOfStream() }
    }

    @Test func `an end before any byte is no response`() throws {
        let reply = try Reply([])

        #expect(try !reply.endOfStream())
    }

    @Test func `interim responses come before the final one`() throws {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n"
        let reply = try Reply([text])

        #expect(reply.steps == ["interim 100", "interim 103", "head 204", "end"])
    }

    @Test func `the reply to HEAD has no body whatever it announces`() throws {
        let reply = try Reply(["HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"], toHead: true)

        #expect(reply.steps == ["head 200", "end"])
        #expect(reply.canReuse)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    ])
    func `a server that closes is believed`(text: String) throws {
        let reply = try Reply([text])

        #expect(reply.steps == ["head 200", "end"])
        #expect(!reply.canReuse)
    }

    @Test(
        arguments: [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                .ambiguousLength
            ),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .transferCoding),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", .contentLength),
            ("HTTP/1.1 101 Switching\r\n\r\n", .interimResponse),
            ("HTTP/1.1 099 X\r\n\r\n", .statusLine),
            ("HTTP/2 200\r\n\r\n", .statusLine),
            ("HTTP/1.1 200 OK\nA: b\n\n", .lineEnding),
            ("SSH-2.0-OpenSSH\r\n\r\n", .statusLine),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .foldedField),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", .chunkSize),
        ] as [(String, HTTPError)]
    )
    func `what cannot be trusted is refused`(text: String, error: HTTPError) {
        #expect(throws: error) { _ = try Reply([text]) }
    }

    @Test func `a body over the limit is refused`() {
        var limits = HTTPLimits()
        limits.bodyByteLimit = 4

        #expect(throws: HTTPError.bodyTooLarge) {
            _ = try Reply(["HTTP/1.1 200 OK\r\n\r\nhello"], limits: limits)
        }
    }

    @Test func `a head over the limit is refused`() {
        let text = "HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 40_000)

        #expect(throws: HTTPError.headTooLarge) { _ = try Reply([text]) }
    }
}

/// Feeds a parser and keeps what it said.
private final class Reply {
    private var parser: ResponseParser
    private(set) var steps: [String] = []
    private(set) var body = ""

    init(
        _ parts: [String],
        toHead: Bool = false,
        limits: HTTPLimits = .endless
    ) throws(HTTPError) {
        parser = ResponseParser(limits: limits, isReplyToHead: toHead)
        for part in parts { try feed(Array(part.utf8)) }
    }

    var canReuse: Bool { parser.canReuseConnection }

    func endOfStream() throws(HTTPError) -> Bool { try parser.endOfStream() }

    private func feed(_ bytes: [UInt8]) throws(HTTPError) {
        var offset = 0
        while true {
            switch try parser.parse(bytes.span, from: &offset) {
            case .needsMore: return
            case .interim(let status): steps.append("interim \(status)")
            case .head(let head): steps.append("head \(head.status)")
            case .body(let range):
                let text = String(decoding: bytes[range], as: UTF8.self)
                body += text
                steps.append("body \(text)")
            case .end:
                steps.append("end")
                return
            }
        }
    }
}
