import HTTPWire
import Reactor

/// One request and its answer, whatever version of HTTP carries them.
///
/// Cheap to copy; call on the exchange's reactor only. Calls that come after the exchange is over
/// do nothing, but for a body source that cannot be started any more: it is told of its end.
package struct Exchange: Sendable {
    private let carrier: any ExchangeCarrier
    private let number: UInt64

    init(through carrier: any ExchangeCarrier, number: UInt64) {
        self.carrier = carrier
        self.number = number
    }

    /// The reactor on which it is answered.
    package var executor: any StreamExecutor { carrier.executor }

    /// Answers in full.
    package func send(_ response: HTTPResponse) {
        carrier.send(response, exchange: number)
    }

    /// Starts a streamed answer (chunked in HTTP/1.1, until the end of the connection in HTTP/1.0);
    /// the first pull follows within the turn, so that head and first bytes leave in one write.
    package func start(_ head: ResponseHead, body: any BodySource) {
        carrier.start(head, body: body, exchange: number)
    }

    /// The body source has bytes: pulls and writes within the turn if the client takes some.
    package func bodyIsReady() {
        carrier.bodyIsReady(exchange: number)
    }

    /// Asks to be told, before `start` or `send`, when the client goes away.
    ///
    /// A client that only closed its sending side is told apart by an interim response (100), but
    /// in HTTP/1.0, which knows none. If it is gone already, `action` runs at once.
    package func onClientGone(_ action: @escaping @Sendable () -> Void) {
        carrier.onClientGone(exchange: number, action)
    }

    /// Sends bytes past all framing and ends the connection: for servers that fail on purpose.
    ///
    /// In HTTP/2 the stream alone is reset. Does nothing before `start`. Call it in a turn of its own, not from a body source.
    ///
    /// - Parameters:
    ///   - bytes: follow what was sent already.
    ///   - resets: whether the client sees a reset instead of the end.
    package func breakOff(sending bytes: [UInt8] = [], resets: Bool) {
        carrier.breakOff(sending: bytes, resets: resets, exchange: number)
    }

    /// What is known of the way to the client; nil when the connection is gone.
    package func statistics() -> ExchangeStatistics? {
        carrier.statistics(exchange: number)
    }

    /// Bytes handed out by the body source and not yet taken by the kernel.
    package var unsentBytes: Int { carrier.unsentBytes(exchange: number) }

    /// Moves the request to another reactor, where `handler` answers it; nothing may have been sent
    /// for it.
    ///
    /// A connection of HTTP/1.1 moves with it, under a new actor; one of HTTP/2 stays for its other
    /// streams, and the answer is relayed.
    package func move(to executor: any StreamExecutor, handler: any RequestHandler) {
        carrier.move(to: executor, handler: handler, exchange: number)
    }
}
