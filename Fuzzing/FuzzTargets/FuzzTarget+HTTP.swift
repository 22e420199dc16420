import Compression
import Gateway
import HTTP2
import HTTPWire
import StreamBytes

extension FuzzTarget {
    private static let words = [
        "GET ", "POST ", "HEAD ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n", "Host: a\r\n", "Content-Length: ", "\r\n\r\n",
        "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n",
        "0\r\n\r\n", "5\r\nhello\r\n", ";ext=\"a\"", "\r\n ", "http://a/", "%2e", "*",
    ]

    /// Small enough for a fuzzer to reach.
    private static var smallLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.headByteLimit = 512
        limits.startLineByteLimit = 128
        limits.fieldLimit = 8
        limits.bodyByteLimit = 256
        limits.chunkLineByteLimit = 32
        limits.chunkExtensionByteLimit = 64
        limits.trailerByteLimit = 64
        return limits
    }

    /// What a parser made of a message.
    private enum Part<Head: Equatable>: Equatable {
        case head(Head)
        case interim(Int)
        case body([UInt8])
        case end
        case failed(HTTPError)

        /// Joins bytes of a body that came in several pieces.
        static func append(_ bytes: [UInt8], to parts: inout [Self]) {
            if case .body(let held)? = parts.last {
                parts[parts.count - 1] = .body(held + bytes)
            } else if !bytes.isEmpty {
                parts.append(.body(bytes))
            }
        }
    }

    static let httpRequest = FuzzTarget("http-request", words: words) { input in
        for limits in [HTTPLimits(), smallLimits] {
            Pieces(input).expectSame("a request reads the same in any pieces") { pieces in
                requests(pieces, limits)
            }
        }
    }

    private static func requests(
        _ pieces: [[UInt8]],
        _ limits: HTTPLimits
    ) -> [Part<RequestHead>] {
        var parser = RequestParser(limits: limits)
        var parts: [Part<RequestHead>] = []
        for piece in pieces {
            var offset = 0
            do throws(HTTPError) {
                steps: while true {
                    let before = offset
                    let step = try parser.parse(piece.span, from: &offset)
                    promise(before <= offset && offset <= piece.count, "it reads forward")
                    switch step {
                    case .needsMore: break steps
                    case .head(let head):
                        promise(!head.method.isEmpty, "a request has a method")
                        parts.append(.head(head))
                    case .body(let range): Part.append(Array(piece[range]), to: &parts)
                    case .end: parts.append(.end)
                    }
                }
            } catch {
                promise((400...599).contains(error.status), "a refusal has a status")
                return parts + [.failed(error)]
            }
        }
        return parts
    }

    static let httpResponse = FuzzTarget("http-response", words: words) { input in
        let isReplyToHead = (input.first ?? 0) & 1 == 1
        for limits in [HTTPLimits.endless, smallLimits] {
            Pieces(input).expectSame("a response reads the same in any pieces") { pieces in
                response(pieces, limits, isReplyToHead: isReplyToHead)
            }
        }
    }

    private static func response(
        _ pieces: [[UInt8]],
        _ limits: HTTPLimits,
        isReplyToHead: Bool
    ) -> [Part<ResponseHead>] {
        var parser = ResponseParser(limits: limits, isReplyToHead: isReplyToHead)
        var parts: [Part<ResponseHead>] = []
        do throws(HTTPError) {
            for piece in pieces {
                var offset = 0
                steps: while true {
                    switch try parser.parse(piece.span, from: &offset) {
                    case .needsMore: break steps
                    case .interim(let status): parts.append(.interim(status))
                    case .head(let head): parts.append(.head(head))
                    case .body(let range): Part.append(Array(piece[range]), to: &parts)
                    case .end:
                        parts.append(.end)
                        return parts
                    }
                }
            }
            if try parser.endOfStream() { parts.append(.end) }
        } catch {
            // How much of a body comes before its limit depends on the pieces.
            if error == .bodyTooLarge, case .body? = parts.last { parts.removeLast() }
            parts.append(.failed(error))
        }
        return parts
    }

    static let identifiers = FuzzTarget(
        "identifiers",
        words: [
            "s0-", ".1", "gzip", "br", "deflate", ";q=0.5", "*", "identity;q=0", "%41", "a=b&c=d",
            "http://localhost:3000", "redis://", "rediss://u:p@h:1/2", "https://a/b",
        ]
    ) { input in
        let text = String(decoding: input, as: UTF8.self)
        if let id = EventID(text) {
            let again = EventID("\(id.stream.text).\(id.sequence)")
            promise(again == id, "an id that was read can be written and read again")
            promise((0..<46_656).contains(id.stream.reactor), "an id names a reactor")
        }
        let query = QueryString(text)
        for name in ["", "a", "model", "prompt", "token"] { _ = query[name] }
        let accepted = AcceptedCodings(text.split(separator: "\n").map(String.init))
        for coding in ContentCoding.allCases {
            promise((0...1_000).contains(accepted.weight(of: coding)), "weights are bounded")
        }
        promise((0...1_000).contains(accepted.identityWeight ?? 0), "weights are bounded")
        _ = OriginList([text], allowsLocalhost: true).contains(text)
    }

    static let http2 = FuzzTarget(
        "http2",
        words: [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}",
            "\u{0}\u{0}\u{8}\u{6}\u{0}\u{0}\u{0}\u{0}\u{0}",
            "\u{0}\u{0}\u{4}\u{3}\u{0}\u{0}\u{0}\u{0}\u{1}",
        ]
    ) { input in
        let pieces = Pieces(input)
        pieces.expectSame("frames read the same in any pieces") { connection($0, isPrompt: false) }
        // What is made of a frame may depend on what was sent before it came, not whether it ends well.
        _ = connection(pieces.cut, isPrompt: true)
    }

    /// What a server's session made of the bytes that came.
    private struct Connection: Equatable {
        var events: [HTTP2Event] = []
        var bodies: [Int32: [UInt8]] = [:]
        var failure: HTTP2Failure?
    }

    /// With `isPrompt` output is sent and bodies are consumed after each piece, not at the end.
    private static func connection(_ pieces: [[UInt8]], isPrompt: Bool) -> Connection {
        var result = Connection()
        // Without memory there is nothing to be seen.
        guard var session = try? HTTP2Session(.server, HTTP2Settings()) else { return result }
        var output: [UInt8] = []
        var byteCount = 0
        var unconsumed: [(stream: Int32, count: Int)] = []
        for piece in [HTTP2Session.preface] + pieces {
            byteCount += piece.count
            var events: [HTTP2Event] = []
            do throws(HTTP2Failure) {
                try session.receive(piece.span, at: MonotonicTime(nanoseconds: 0), into: &events)
            } catch {
                result.failure = error
            }
            for event in events {
                if case .data(let stream, let range) = event {
                    result.bodies[stream, default: []] += piece[range]
                    unconsumed.append((stream, range.count))
                } else {
                    result.events.append(event)
                }
            }
            if result.failure != nil { break }
            guard isPrompt else { continue }
            for (stream, count) in unconsumed { session.consume(count, on: stream) }
            unconsumed = []
            session.appendOutput(to: &output)
        }
        for (stream, count) in unconsumed { session.consume(count, on: stream) }
        session.appendOutput(to: &output)
        promise(output.count <= 65_536 + 64 * byteCount, "answers are bounded")
        let goAway = result.events.firstIndex {
            if case .goAway = $0 { true } else { false }
        }
        guard let goAway else { return result }
        // A peer that has said goodbye and has no stream is heard to the end of its piece only.
        return Connection(events: Array(result.events[...goAway]))
    }

    static let codedBody = FuzzTarget("coded-body") { input in
        for coding in ContentCoding.allCases {
            Pieces(input).expectSame("a coded body reads the same in any pieces") { pieces in
                decoded(pieces, coding)
            }
        }
    }

    private static func decoded(_ pieces: [[UInt8]], _ coding: ContentCoding) -> [UInt8]? {
        let limit = 1 << 20
        guard var decoder = try? BodyDecoder(coding, byteLimit: limit) else { return nil }
        var output: [UInt8] = []
        for piece in pieces {
            let before = output.count
            // Whether and what, not where it fails: a piece is read as a whole or not at all.
            guard (try? decoder.decode(piece.span, to: &output)) != nil else { return nil }
            promise(output.count - before <= limit, "what is decoded is bounded")
        }
        return output
    }
}
