import Reactor

/// The connections to providers of one reactor: hands out an idle one, or a new one.
package actor ProviderPool {
    package nonisolated let executor: any StreamExecutor
    private let resolver: any AddressResolver
    private let idleLimit: Int
    private var idle: [ProviderEndpoint: [ProviderLink]] = [:]
    private var idleCount = 0
    /// The connections that many requests share.
    private var sessions: [ProviderEndpoint: [ProviderSession]] = [:]
    /// The links that wait for a connection which another one opens, by its endpoint.
    private var waiting: [ProviderEndpoint: [ProviderLink]] = [:]
    /// Where TLS agreed on HTTP/1.1.
    private var http1Endpoints: Set<ProviderEndpoint> = []
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

    // MARK: Shared connections

    /// How a request gets to its provider.
    enum Way {
        case stream(ProviderSession)
        /// The link will be told to go on.
        case wait
        /// It opens a connection, which others may wait to share.
        case connection(isShared: Bool)
    }

    nonisolated func way(for link: ProviderLink) -> Way { assumeIsolated { $0.choose(link) } }

    private func choose(_ link: ProviderLink) -> Way {
        let endpoint = link.endpoint
        let mayShare =
            endpoint.http2 == .priorKnowledge
            || (endpoint.http2 == .negotiated && endpoint.isSecure)
        guard mayShare else { return .connection(isShared: false) }
        if let session = sessions[endpoint]?.first(where: \.hasRoom) { return .stream(session) }
        if http1Endpoints.contains(endpoint) { return .connection(isShared: false) }
        guard waiting[endpoint] == nil else {
            waiting[endpoint]?.append(link)
            return .wait
        }
        waiting[endpoint] = []
        return .connection(isShared: true)
    }

    nonisolated func opened(_ session: ProviderSession) {
        assumeIsolated { pool in
            guard !pool.isClosed else { return session.close() }
            pool.sessions[session.endpoint, default: []].append(session)
            pool.http1Endpoints.remove(session.endpoint)
            pool.wakeWaiting(session.endpoint)
        }
    }

    nonisolated func openingEnded(_ endpoint: ProviderEndpoint) {
        assumeIsolated { $0.wakeWaiting(endpoint) }
    }

    nonisolated func agreedOnHTTP1(_ endpoint: ProviderEndpoint) {
        assumeIsolated { _ = $0.http1Endpoints.insert(endpoint) }
    }

    nonisolated func remove(_ session: ProviderSession) {
        assumeIsolated { pool in
            pool.sessions[session.endpoint]?.removeAll { $0 === session }
            if pool.sessions[session.endpoint]?.isEmpty == true {
                pool.sessions[session.endpoint] = nil
            }
        }
    }

    /// The first of them opens the next connection, if one is needed, and the others wait for it.
    private func wakeWaiting(_ endpoint: ProviderEndpoint) {
        for link in waiting.removeValue(forKey: endpoint) ?? [] { link.goOn() }
    }

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
        for sessions in sessions.values { for session in sessions { session.close() } }
        sessions = [:]
        for links in idle.values { for link in links { link.closeParked() } }
        idle = [:]
        idleCount = 0
    }
}
