import Reactor

/// Turns host names into addresses without holding up a reactor.
package protocol AddressResolver: Sendable {
    /// Calls `completion` on `executor` with the addresses in order of preference, none when the
    /// name has none. Literal addresses may be answered before this returns.
    func addresses(
        of host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    )
}
