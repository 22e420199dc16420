import HTTPWire
import Reactor

/// What an exchange goes through: a connection of HTTP/1.1 or of HTTP/2, or a relay to one on another
/// reactor.
///
/// Its methods are called on its reactor; each does nothing for an exchange that is over.
protocol ExchangeCarrier: AnyObject, Sendable {
    nonisolated var executor: any StreamExecutor { get }
    func send(_ response: HTTPResponse, exchange: UInt64)
    func start(_ head: ResponseHead, body: any BodySource, exchange: UInt64)
    func bodyIsReady(exchange: UInt64)
    func onClientGone(exchange: UInt64, _ action: @escaping @Sendable () -> Void)
    func breakOff(sending bytes: [UInt8], resets: Bool, exchange: UInt64)
    func statistics(exchange: UInt64) -> ExchangeStatistics?
    func unsentBytes(exchange: UInt64) -> Int
    func move(
        to executor: any StreamExecutor,
        handler: any RequestHandler,
        exchange: UInt64
    )
}

/// A connection of any version, as its server sees it.
protocol ServerConnection: AnyObject, Sendable {
    nonisolated var executor: any StreamExecutor { get }
    /// Ends the connection when nothing is being answered, else after what is in hand.
    nonisolated func drain()
    /// Ends the connection now.
    nonisolated func abort()
}
