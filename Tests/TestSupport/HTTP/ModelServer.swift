import HTTPWire
import StreamBytes

/// A server without a socket: answers what a `RequestParser` reads, as `/` and `/echo` would be.
package struct ModelServer: ~Copyable {
    package struct Outcome: Equatable, Sendable {
        package var statuses: [Int] = []
        package var bodies: [[UInt8]] = []
        package var isClosed = false
    }

    private var parser = RequestParser(limits: HTTPLimits())
    private var head: RequestHead?
    private var body: [UInt8] = []
    package private(set) var outcome = Outcome()
    /// Every step, joined bodies aside: what must not depend on how the bytes were cut.
    package private(set) var trace: [String] = []

    package init() {}

    package mutating func receive(_ bytes: [UInt8]) {
        var offset = 0
        while !outcome.isClosed {
            do throws(HTTPError) {
                let step = try parser.parse(bytes.span, from: &offset)
                if step == .needsMore { return }
                take(step, bytes)
            } catch {
                refuse(error)
            }
        }
    }

    package mutating func endOfStream() {
        guard !outcome.isClosed else { return }
        if !parser.isBetweenRequests { answer(400, []) }
        outcome.isClosed = true
    }

    private mutating func take(_ step: RequestStep, _ bytes: [UInt8]) {
        switch step {
        case .needsMore: break
        case .head(let head):
            trace.append("\(head)")
            self.head = head
            body = []
            if let length = parser.announcedBodyLength, length > parser.bodyByteLimit {
                refuse(.bodyTooLarge)
            }
        case .body(let range): body += bytes[range]
        case .end:
            trace.append("end \(body)")
            respond()
            if !parser.keepsConnection { outcome.isClosed = true }
        }
    }

    private mutating func respond() {
        guard let head else { return }
        switch (head.path, head.method) {
        case ("/", "GET"), ("/", "HEAD"): answer(200, [])
        case ("/", _): answer(405, [])
        case ("/echo", _): answer(200, body)
        default: answer(404, [])
        }
    }

    private mutating func refuse(_ error: HTTPError) {
        trace.append("\(error)")
        answer(error.status, [])
        outcome.isClosed = true
    }

    private mutating func answer(_ status: Int, _ body: [UInt8]) {
        outcome.statuses.append(status)
        outcome.bodies.append(body)
    }
}
