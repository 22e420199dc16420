import Reactor

/// What is known of the way to the client of an exchange.
package struct ExchangeStatistics: Equatable, Sendable {
    /// The kernel's view of the connection, which may carry other exchanges.
    package var connection: TCPStatistics
    /// How long, since the exchange began, bytes of it waited for the client's window (RFC 9113,
    /// section 5.2); zero in HTTP/1.1, where the kernel counts it.
    package var windowClosed = Duration.zero

    package init(_ connection: TCPStatistics) { self.connection = connection }
}
