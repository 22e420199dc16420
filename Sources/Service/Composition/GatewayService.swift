import Dialects
import Gateway
import HTTPServer
import HTTPWire
import Metering
import Providers
import Reactor
import StreamBytes
import Telemetry

/// A gateway that serves: its listeners, connections and streams.
final class GatewayService: Sendable {
    let core: GatewayCore
    private let group: ReactorGroup
    private let publicConnections: ConnectionRegistry
    private let adminConnections: ConnectionRegistry
    private let certificates: CertificateKeeper

    /// Makes a gateway that does not listen yet.
    init(
        core: GatewayCore,
        group: ReactorGroup,
        configuration: WeirConfiguration,
        certificates: CertificateKeeper
    ) {
        self.certificates = certificates
        self.core = core
        self.group = group
        let server = configuration.server
        let count = group.reactors.count
        publicConnections = ConnectionRegistry(configuration: server, reactorCount: count)
        adminConnections = ConnectionRegistry(configuration: server, reactorCount: count)
    }

    /// Opens the listeners.
    ///
    /// - Parameters:
    ///   - configuration: names the addresses.
    ///   - sharesPort: whether another gateway may listen on the same ports.
    /// - Returns: the public addresses and the admin address, with the ports that were chosen.
    /// - Throws: `ListenError`.
    func listen(
        _ configuration: WeirConfiguration,
        sharesPort: Bool
    ) throws(ListenError) -> (listen: [SocketAddress], admin: SocketAddress) {
        let admin = try group.listen(
            on: configuration.admin.socketAddress,
            sharePort: sharesPort,
            acceptor: acceptor(adminConnections, isAdmin: true)
        )
        var bound: [SocketAddress] = []
        for address in configuration.listen {
            bound.append(
                try group.listen(
                    on: address.socketAddress,
                    sharePort: sharesPort,
                    acceptor: acceptor(publicConnections, isAdmin: false)
                )
            )
        }
        return (bound, admin)
    }

    private func acceptor(_ registry: ConnectionRegistry, isAdmin: Bool) -> ServerAcceptor {
        ServerAcceptor(
            registry: registry,
            certificates: isAdmin ? nil : certificates,
            handlers: group.reactors.map {
                GatewayHandler(
                    core: core,
                    reactor: $0.index,
                    isAdmin: isAdmin
                )
            }
        )
    }

    func writeMetrics(to text: inout PrometheusText) {
        certificates.writeMetrics(to: &text, at: .now)
        let counts = publicConnections.http2ErrorCounts
            .merging(adminConnections.http2ErrorCounts, uniquingKeysWith: +)
        for (reason, count) in counts.sorted(by: { $0.key < $1.key }) {
            text.counter(
                "weir_http2_connections_ended_total",
                help: "Connections of HTTP/2 that were ended for what the client did.",
                labels: ["reason": reason],
                value: count
            )
        }
    }

    /// Lets running streams come to their end.
    ///
    /// Ends those that take longer, and closes every connection. The group must have stopped
    /// listening.
    ///
    /// - Parameters:
    ///   - limit: how long the streams may take.
    ///   - isUrgent: asked again and again; true ends the wait.
    func drain(within limit: Duration, isUrgent: @Sendable () -> Bool) async {
        core.beginDrain()
        publicConnections.drain()
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        await waitUntil(deadline) { core.openStreamCount == 0 || isUrgent() }
        core.endStreams()
        await waitUntil(clock.now + Self.goodbyeLimit) {
            core.openStreamCount == 0 && publicConnections.count == 0
        }
        publicConnections.abort()
        adminConnections.abort()
        await waitUntil(clock.now + Self.goodbyeLimit) { core.openStreamCount == 0 }
        core.closeProviders()
    }

    /// How long clients have to take the last event of a stream that was ended.
    private static let goodbyeLimit = Duration.seconds(2)
}

/// Hands each connection to the handler of its reactor.
struct ServerAcceptor: ConnectionAcceptor {
    let registry: ConnectionRegistry
    /// Nil where there never is TLS.
    var certificates: CertificateKeeper?
    let handlers: [any RequestHandler]

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        registry.accept(
            socket,
            on: executor,
            security: certificates?.security,
            handler: handlers[executor.index]
        )
    }
}

/// Waits, in short steps, until `condition` holds or the deadline has passed.
func waitUntil(_ deadline: ContinuousClock.Instant, _ condition: @Sendable () -> Bool) async {
    while !condition(), ContinuousClock.now < deadline {
        try? await Task.sleep(for: .milliseconds(20))
    }
}
