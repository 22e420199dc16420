import Providers
import Reactor

extension Resolver: AddressResolver {
    package func addresses(
        of host: String, port: UInt16, on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    ) {
        resolve(host: host, port: port, on: executor) { result in
            completion((try? result.get()) ?? [])
        }
    }
}
