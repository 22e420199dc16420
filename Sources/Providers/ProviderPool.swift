import Reactor

/// The connections to providers of one reactor: hands out an idle one, or a new one.
package actor ProviderPool {
    package nonisolated let executor: any StreamExecutor
    private let resolver: any AddressResolver
    private let idleLimit: Int
    private var idle: [ProviderEndpoint: [ProviderLink]] = [:]
    private var idleCount = 0
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - executor: the reactor.
    ///   - resolver: finds addresses.
    ///   - idleLimit: how many idle connections are kept, over all endpoints.
    package init(
        on executor: any StreamExecutor,
        resolver: any AddressResolver,
        idleLimit: Int = 256
    ) {
        self.executor = executor
        self.resolver = resolver
        self.idleLimit = idleLimit
    }

    /// Sends a request; call on the pool's reactor.
    ///
    /// - Returns: the link, to pause, resume or cancel it until `receiver` hears of the end. It may
    ///   hear before this returns.
    package nonisolated func start(
        _ request: ProviderRequest,
        receiver: any ProviderReceiver
    ) -> ProviderLink {
        let link =
            assumeIsolated { $0.takeIdle(request.endpoint) }
            ?? ProviderLink(to: request.endpoint, pool: self, resolver: resolver)
        link.serve(request, receiver: receiver)
        return link
    }

    /// Closes the idle connections, now and from now on.
    package nonisolated func close() { assumeIsolated { $0.closeAll() } }

    nonisolated func park(_ link: ProviderLink) { assumeIsolated { $0.keep(link) } }

    nonisolated func forget(_ link: ProviderLink) { assumeIsolated { $0.drop(link) } }

    private func takeIdle(_ endpoint: ProviderEndpoint) -> ProviderLink? {
        // The one used last is the least likely to have been closed by the provider.
        guard let link = idle[endpoint]?.popLast() else { return nil }
        idleCount -= 1
        return link
    }

    private func keep(_ link: ProviderLink) {
        guard !isClosed, idleCount < idleLimit else { return link.closeParked() }
        idle[link.endpoint, default: []].append(link)
        idleCount += 1
    }

    private func drop(_ link: ProviderLink) {
        guard let index = idle[link.endpoint]?.firstIndex(where: { $0 === link }) else { return }
        idle[link.endpoint]?.remove(at: index)
        idleCount -= 1
    }

    private func closeAll() {
        isClosed = true
        for links in idle.values { for link in links { link.closeParked() } }
        idle = [:]
        idleCount = 0
    }
}
