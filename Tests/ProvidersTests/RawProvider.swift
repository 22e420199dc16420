import Glibc
import Reactor
import StreamBytes

/// What a raw provider does when a request has come.
struct RawReply: Sendable {
    enum End: Sendable {
        case keeps, closes, resets
        /// Ends TCP without ending TLS before.
        case drops
    }

    var text: String
    var end = End.keeps
    /// Answers when it has the request's head, and reads nothing more.
    var isEarly = false

    static let counted = RawReply(text: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole")
    static let chunked = RawReply(
        text:
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nwh\r\n3\r\nole\r\n0\r\n\r\n"
    )
    static let untilClose = RawReply(text: "HTTP/1.1 200 OK\r\n\r\nwhole", end: .closes)

    func ending(_ end: End) -> RawReply {
        var reply = self
        reply.end = end
        return reply
    }
}

/// A provider that replies to each request, whatever it is, with the next of its replies.
final class RawProvider: ConnectionAcceptor {
    private struct State {
        var replies: [RawReply]
        var connections: [RawConnection] = []
        var requestCount = 0
    }

    private let security: ServerSecurity?
    private let state: Guarded<State>

    init(_ replies: [RawReply], security: ServerSecurity? = nil) {
        self.security = security
        state = Guarded(State(replies: replies))
    }

    var connectionCount: Int { state.withLock { $0.connections.count } }
    var requestCount: Int { state.withLock { $0.requestCount } }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        let connection = RawConnection(self, on: executor)
        if let security {
            connection.take(executor.adopt(socket, security: security, handler: connection))
        } else {
            connection.take(executor.adopt(socket, handler: connection))
        }
        state.withLock { $0.connections.append(connection) }
    }

    /// Resets every connection soon.
    func resetAll() {
        for connection in state.withLock({ $0.connections }) {
            connection.executor.perform { connection.finish(.resets) }
        }
    }

    /// Closes every connection; returns when it is done.
    func closeAll() async {
        for connection in state.withLock({ $0.connections }) {
            await withCheckedContinuation { continuation in
                connection.executor.perform {
                    connection.finish(.closes)
                    continuation.resume()
                }
            }
        }
    }

    /// The reply to the request that is coming; nil: silence.
    fileprivate var nextReply: RawReply? { state.withLock { $0.replies.first } }

    fileprivate func countRequest() {
        state.withLock { state in
            state.requestCount += 1
            if !state.replies.isEmpty { state.replies.removeFirst() }
        }
    }
}

/// Proof for `@unchecked Sendable`: it is used on its reactor alone.
private final class RawConnection: SocketHandler, @unchecked Sendable {
    let executor: any StreamExecutor
    private let provider: RawProvider
    private var socket: (any StreamSocket)?
    private var input: [UInt8] = []
    private var isDeaf = false

    init(_ provider: RawProvider, on executor: any StreamExecutor) {
        self.provider = provider
        self.executor = executor
    }

    func take(_ socket: any StreamSocket) { self.socket = socket }

    func socketIsReady(_ readiness: Readiness) {
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while !isDeaf, let socket {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                input += buffer[..<count]
                reply()
            case .wouldBlock: return
            case .endOfStream, .failed: return finish(.closes)
            }
        }
    }

    private func reply() {
        guard let reply = provider.nextReply else { return }
        let text = String(decoding: input, as: UTF8.self)
        guard let headEnd = text.firstRange(of: "\r\n\r\n"),
            let field = text.firstRange(of: "content-length: ")
        else { return }
        let length = Int(text[field.upperBound...].prefix { $0.isNumber }) ?? 0
        let headCount = text[..<headEnd.upperBound].utf8.count
        guard reply.isEarly || input.count >= headCount + length else { return }
        input = []
        isDeaf = reply.isEarly
        provider.countRequest()
        _ = socket?.write(Array(reply.text.utf8).span)
        finish(reply.end)
    }

    func finish(_ end: RawReply.End) {
        switch end {
        case .keeps: return
        case .closes: socket?.close()
        case .resets: socket?.reset()
        case .drops:
            if let passed = socket?.detach(unread: []) { _ = close(passed.descriptor) }
        }
        socket = nil
    }
}
