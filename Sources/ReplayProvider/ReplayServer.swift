import HTTPServer
import Reactor

/// A replay provider that listens.
package final class ReplayServer: Sendable {
    package let handler: ReplayHandler
    package let address: SocketAddress
    private let acceptor: Acceptor

    private struct Acceptor: ConnectionAcceptor {
        let handler: ReplayHandler
        let registry: ConnectionRegistry
        let security: ServerSecurity?

        func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
            registry.accept(socket, on: executor, security: security, handler: handler)
        }
    }

    /// Listens with every reactor of `group`, which runs or is started next.
    ///
    /// - Parameters:
    ///   - address: port 0 chooses one; `self.address` tells which.
    ///   - group: ends listening when it stops.
    ///   - settings: what is answered.
    ///   - security: nil for plain HTTP.
    /// - Throws: `ListenError`.
    package init(
        on address: SocketAddress,
        of group: ReactorGroup,
        settings: ReplaySettings = ReplaySettings(),
        security: ServerSecurity? = nil
    ) throws(ListenError) {
        var configuration = ServerConfiguration()
        configuration.limits.bodyByteLimit = settings.bodyByteLimit
        handler = ReplayHandler(settings)
        acceptor = Acceptor(
            handler: handler,
            registry: ConnectionRegistry(
                configuration: configuration,
                reactorCount: group.reactors.count
            ),
            security: security
        )
        self.address = try group.listen(on: address, acceptor: acceptor)
    }

    /// Ends every connection now.
    ///
    /// Stop listening before.
    package func abort() { acceptor.registry.abort() }
}
