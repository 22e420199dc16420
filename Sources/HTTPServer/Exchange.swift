import HTTPWire
import Reactor

/// One request and its answer on one connection.
///
/// Cheap to copy; call on the connection's reactor only. Calls that come after the exchange is over
/// do nothing, but for a body source that cannot be started any more: it is told of its end.
package struct Exchange: Sendable {
    private let connection: ClientConnection
    private let number: UInt64

    package init(connection: ClientConnection, number: UInt64) {
        self.connection = connection
        self.number = number
    }

    /// The connection's reactor.
    package var executor: any StreamExecutor { connection.executor }

    /// Answers in full.
    package func send(_ response: HTTPResponse) {
        connection.send(response, exchange: number)
    }

    /// Starts a streamed answer, chunked (until the end of the connection for HTTP/1.0); the first
    /// pull follows at once, so that head and first bytes leave in one write.
    package func start(_ head: ResponseHead, body: any BodySource) {
        connection.start(head, body: body, exchange: number)
    }

    /// The body source has bytes: pulls and writes at once if the line is idle.
    package func bodyIsReady() {
        connection.bodyIsReady(exchange: number)
    }

    /// Asks to be told, before `start` or `send`, when the client goes away.
    ///
    /// A client that only closed its sending side is told apart by an interim response (100), but
    /// in HTTP/1.0, which knows none. If it is gone already, `action` runs at once.
    package func onClientGone(_ action: @escaping @Sendable () -> Void) {
        connection.onClientGone(exchange: number, action)
    }

    /// Sends bytes past all framing and ends the connection: for servers that fail on purpose.
    ///
    /// Does nothing before `start`. Call it in a turn of its own, not from a body source.
    ///
    /// - Parameters:
    ///   - bytes: follow what was sent already.
    ///   - resets: whether the client sees a reset instead of the end.
    package func breakOff(sending bytes: [UInt8] = [], resets: Bool) {
        connection.breakOff(sending: bytes, resets: resets, exchange: number)
    }

    /// The kernel's view of the connection.
    package func statistics() -> TCPStatistics? {
        connection.statistics()
    }

    /// Bytes handed out by the body source and not yet taken by the kernel.
    package var unsentBytes: Int { connection.unsentBytes }

    /// Moves the connection with this request to another reactor, where `handler` answers it under
    /// a new connection actor; nothing may have been sent for it.
    package func move(to executor: any StreamExecutor, handler: any RequestHandler) {
        connection.move(to: executor, handler: handler, exchange: number)
    }
}
