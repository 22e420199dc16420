import Providers
import Reactor
import RedisStreams

extension Resolver: AddressResolver {
    package func addresses(
        of host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    ) {
        resolve(host: host, port: port, on: executor) { result in
            completion((try? result.get()) ?? [])
        }
    }
}

extension Resolver {
    /// Finds the address of a Redis server.
    var firstAddress: RedisConnection.Resolver {
        { host, port in try? await self.resolve(host, port: port).first }
    }
}
