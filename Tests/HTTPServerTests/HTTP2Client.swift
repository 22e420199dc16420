import HTTP2
import HTTPServer
import StreamBytes
import Testing

/// The client's end of a fixture's connection, speaking HTTP/2 by prior knowledge.
///
/// Proof for `@unchecked Sendable`: each test makes its own and uses it from one thread.
final class HTTP2Client: @unchecked Sendable {
    let fixture: Fixture
    private let socket: ScriptedSocket
    private var session: HTTP2Session
    private var readCount = 0
    private(set) var events: [HTTP2Event] = []
    private(set) var bodies: [HTTP2StreamID: String] = [:]
    /// Bytes that came, by stream, not given back to the server's windows.
    private var unconsumed: [HTTP2StreamID: Int] = [:]
    /// Whether windows are opened as bytes come.
    var consumes = true

    /// Connects.
    ///
    /// - Parameters:
    ///   - adjust: changes the server's defaults.
    ///   - settings: what the client takes.
    /// - Throws: when memory lacks.
    init(
        _ adjust: (inout ServerConfiguration) -> Void = { _ in },
        settings: HTTP2Settings = HTTP2Settings()
    ) throws {
        fixture = Fixture(adjust)
        session = try HTTP2Session(.client, settings)
        var preface: [UInt8] = []
        session.appendOutput(to: &preface)
        fixture.socket.receive(preface)
        // The connection has got its socket anew.
        socket = fixture.socket
        socket.announceInput()
        settle()
    }

    var current: ScriptedSocket { socket }

    /// Carries bytes both ways until neither side has any.
    func settle() {
        repeat {
            fixture.reactor.runWork()
            take()
            send()
        } while fixture.reactor.hasWork
    }

    /// Reads what the server has sent.
    func take() {
        let bytes = Array(socket.sentBytes[readCount...])
        readCount += bytes.count
        var arrived: [HTTP2Event] = []
        do {
            try session.receive(bytes.span, at: fixture.reactor.now, into: &arrived)
        } catch {
            Issue.record("the server sent no HTTP/2: \(error)")
        }
        for case .data(let stream, let range) in arrived {
            bodies[stream, default: ""] += String(decoding: bytes[range], as: UTF8.self)
            if consumes {
                session.consume(range.count, on: stream)
            } else {
                unconsumed[stream, default: 0] += range.count
            }
        }
        events += arrived
    }

    private func send() {
        var bytes: [UInt8] = []
        session.appendOutput(to: &bytes)
        guard !bytes.isEmpty, !socket.isClosed else { return }
        socket.receive(bytes)
    }

    @discardableResult
    func request(
        _ path: String,
        method: String = "GET",
        fields: [(String, String)] = [],
        body: String = "",
        wait: Bool = true
    ) throws -> HTTP2StreamID {
        let pseudo = [
            (":method", method), (":scheme", "http"), (":authority", "a"), (":path", path),
        ]
        let stream = session.request(pseudo + fields, body: Array(body.utf8))
        if wait { settle() } else { send() }
        return try #require(stream)
    }

    /// Gives back what a stream has received.
    func consume(_ stream: HTTP2StreamID) {
        session.consume(unconsumed.removeValue(forKey: stream) ?? 0, on: stream)
        settle()
    }

    func reset(_ stream: HTTP2StreamID) {
        session.reset(stream, .cancel)
        settle()
    }

    func statuses(_ stream: HTTP2StreamID) -> [Int] {
        events.compactMap { event in
            guard case .head(stream, let head) = event else { return nil }
            return head.status
        }
    }

    func field(_ name: String, of stream: HTTP2StreamID) -> String? {
        for case .head(stream, let head) in events { return head.fields.first(name) }
        return nil
    }

    func hasEnded(_ stream: HTTP2StreamID) -> Bool { events.contains(.end(stream)) }

    func resetCode(_ stream: HTTP2StreamID) -> HTTP2ErrorCode? {
        for case .closed(stream, let code, true) in events { return code }
        return nil
    }

    /// What GOAWAY said, in order.
    var goAways: [(last: HTTP2StreamID, code: HTTP2ErrorCode)] {
        events.compactMap { if case .goAway(let last, let code) = $0 { (last, code) } else { nil } }
    }
}
