import HTTP2
import HTTPWire

/// What a server takes from a client, how long it waits, and how it sends.
package struct ServerConfiguration: Sendable {
    /// Sizes of a request; the body's limit is the handler's, this one a cap.
    package var limits = HTTPLimits()
    /// From the first byte of a head to its last.
    package var headTimeout = Duration.seconds(10)
    /// The time for a body, beside that which `bodyBytesPerSecond` earns it.
    package var bodyTimeout = Duration.seconds(30)
    /// The slowest pace at which a large body may come.
    package var bodyBytesPerSecond = 1_024
    /// How long a connection may rest between requests.
    package var idleTimeout = Duration.seconds(75)
    /// How long nothing may be taken by the client while bytes wait for it.
    package var stuckTimeout = Duration.seconds(30)
    /// How long a connection that ends is read after the last answer, so that the client gets it.
    package var lingerTimeout = Duration.seconds(2)
    /// The most bytes thrown away meanwhile.
    package var lingerByteLimit = 16_777_216
    /// About the most bytes pulled from a body source at once.
    package var writeByteLimit = 16_384
    /// A refused request's body up to this size is read and dropped, so that the connection can go
    /// on.
    package var droppedBodyByteLimit = 65_536

    /// The most bytes kept of what a client sends behind a request that is being answered; a
    /// client that sends more is answered and then has to connect again.
    package var unreadByteLimit = 16_384
    /// The most bytes of unfinished request bodies on all connections; beyond, requests are refused
    /// with 503.
    package var unfinishedBodyByteLimit = 268_435_456
    /// The most open connections; beyond, new ones get 503 and are closed.
    package var connectionLimit = 50_000
    /// What a client of HTTP/2 may do on one connection.
    package var http2 = HTTP2Settings()
    /// How long a client of HTTP/2 may go on opening streams once it was told that the connection
    /// ends; a client that answers sooner is believed.
    package var goAwayTimeout = Duration.seconds(1)
    /// Added to every answer; nil: nothing is.
    package var securityFields: SecurityFields?

    package init() {}
}
