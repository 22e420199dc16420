import HTTPWire
import Reactor

/// One accepted connection: parses requests, answers them in order, streams bodies.
package actor ClientConnection {
    package nonisolated let executor: any StreamExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    package init(on executor: any StreamExecutor) { self.executor = executor }

    nonisolated func send(_ response: HTTPResponse, exchange: UInt64) {}
    nonisolated func start(_ head: ResponseHead, body: any BodySource, exchange: UInt64) {}
    nonisolated func bodyIsReady(exchange: UInt64) {}
    nonisolated func onClientGone(exchange: UInt64, _ action: @escaping @Sendable () -> Void) {}
    nonisolated func statistics() -> TCPStatistics? { nil }
    nonisolated var unsentBytes: Int { 0 }
    nonisolated func move(
        to executor: any StreamExecutor, handler: any RequestHandler, exchange: UInt64
    ) {}
}
