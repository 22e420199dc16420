import Gateway
import HTTPServer
import Ledger
import Pricing
import Reactor
import RedisStreams
import StreamBytes
import Telemetry

/// One process at work: its parts are made one after the other, told of signals, and taken down in
/// the reverse order.
actor WeirProcess {
    let role: WeirRole
    private let options: CommandOptions
    let console: Console
    private let log: any LogSink
    private let group: ReactorGroup
    private let resolver: Resolver
    /// As it was read at the start.
    private let loaded: LoadedConfiguration
    private(set) var configuration: WeirConfiguration
    private var prices: PriceBook
    private let keys: ReloadableKeys
    let runKey: RunKey?
    /// Nil where nothing is served.
    let certificates: CertificateKeeper?

    private(set) var redis: PrivateRedis?
    private var meter: MeterService?
    private(set) var gateway: GatewayService?
    private let access: LedgerAccess
    /// Runs as long as the ledger is waited for.
    private var billingStart: Task<Void, any Error>?
    private var billing: BillingService?
    private let handover: ConfigurationHandover
    private var keeping: StreamKeeping?
    private var fleet: FleetService?
    private let alertStore = SharedAlertStore()
    private var alerts: AlertService?
    private var books: LedgerBooks?
    private var demonstration: (address: SocketAddress, connections: ConnectionRegistry)?
    private var tasks: [Task<Void, Never>] = []
    private(set) var addresses: (listen: [SocketAddress], admin: SocketAddress)?
    private let board = StatusBoard()
    private let endItself: @Sendable () -> Void
    /// Why it ends without being told to.
    private var failure: (any Error)?
    private var isStopping = false

    /// Makes the process of a command; `run` does everything else.
    ///
    /// - Parameters:
    ///   - role: what it does.
    ///   - options: of the command line.
    ///   - loaded: its configuration.
    ///   - log: gets a line for whatever happens.
    ///   - console: gets the first words.
    ///   - endItself: sends the signal to stop, once it cannot go on.
    /// - Throws: what cannot be used: configuration, prices, keys, threads.
    init(
        _ role: WeirRole,
        _ options: CommandOptions,
        loaded: LoadedConfiguration,
        log: any LogSink,
        console: Console,
        endItself: @escaping @Sendable () -> Void
    ) throws {
        self.endItself = endItself
        self.role = role
        self.options = options
        self.console = console
        self.log = log
        self.loaded = loaded
        let configuration = loaded.configuration
        access = LedgerAccess(configuration, log: log)
        handover = ConfigurationHandover(log: log)
        // Without an account, a machine's own user is served, under a key of its own.
        let isLocal = role == .up && configuration.accounts.isEmpty && !configuration.access.open
        runKey = isLocal ? try RunKey(directory: configuration.data.directory) : nil
        keys = ReloadableKeys(try Self.keyStore(configuration, runKey))
        prices = try readPriceBook(configuration.prices).addingFree()
        certificates =
            role.servesStreams
            ? try CertificateKeeper(
                CertificateSource(configuration, makesOwn: options.securesItself),
                at: .now,
                log: log
            ) : nil
        group = try ReactorGroup()
        resolver = try Resolver()
        if role != .bill {
            let possible = DescriptorLimit.raise()
            // One towards the client, one towards the provider; some for everything else.
            let streams = max(0, possible - 100) / 2
            if streams < configuration.limits.streams {
                log.write(
                    LogLine(.warning, "descriptor_limit")
                        .with("descriptors", possible).with("possible_streams", streams)
                        .with("limits.streams", configuration.limits.streams)
                )
            }
        }
        self.configuration = configuration
    }

    private static func keyStore(
        _ configuration: WeirConfiguration,
        _ runKey: RunKey?
    ) throws -> KeyStore {
        var store = try KeyStore(configuration)
        if let runKey { store.insert(runKey.digest, Caller(account: "local", keyID: runKey.id)) }
        return store
    }

    // MARK: Life

    /// Starts everything, works until told to stop, and stops everything.
    ///
    /// - Parameter signals: what the process is told from outside.
    /// - Throws: what kept it from starting, or from going on; it has stopped again then.
    func run(_ signals: AsyncStream<ProcessSignal>) async throws {
        do {
            try await start()
        } catch {
            await stop(isUrgent: { true })
            throw error
        }
        announce()
        let urgency = Guarded(false)
        for await signal in signals {
            if signal == .reload {
                await reload()
                continue
            }
            log.write(LogLine(.info, "stopping").with("role", role.name))
            let watch = Task {
                for await signal in signals where signal == .stop { urgency.withLock { $0 = true } }
            }
            await stop(isUrgent: { urgency.withLock { $0 } })
            watch.cancel()
            if let failure { throw failure }
            return
        }
    }

    private func start() async throws {
        try group.start()
        let url = try redisURL()
        if role.servesStreams { try await startGateway(url) }
        if role.bills { try await startBilling(url) } else { try startKeeping(url) }
        startAlerts()
        if let gateway {
            let bound = try gateway.listen(
                configuration,
                sharesPort: role == .serve(sharesPort: true)
            )
            addresses = bound
        }
        log.write(LogLine(.info, "started").with("role", role.name))
    }
}

// MARK: - Parts

extension WeirProcess {
    private func redisURL() throws -> RedisURL {
        if let url = configuration.redis.url { return try RedisURL(url, configuration.redis) }
        guard role == .up else { throw MissingRedis() }
        let redis = try PrivateRedis(directory: configuration.data.directory, log: log)
        self.redis = redis
        return RedisURL(
            location: .unix(path: redis.socketPath),
            user: nil,
            password: nil,
            database: 0
        )
    }

    private func startGateway(_ redis: RedisURL) async throws {
        let meter = try await MeterService(
            configuration,
            gateway: try gatewayName(in: configuration.data.directory),
            redis: redis,
            resolver: resolver,
            on: group.reactors[0],
            log: log
        )
        self.meter = meter
        tasks.append(Task { await meter.run() })
        var configuration = configuration
        if role == .up, configuration.providers.isEmpty {
            let demonstration = try Demonstration.start(on: group)
            self.demonstration = demonstration
            Demonstration.configure(&configuration, port: demonstration.address.port)
        }
        // Browsers would want TLS of everything else on this machine too.
        if secures(configuration).ownCertificateFile != nil { configuration.hsts = .zero }
        let fleet = FleetService(
            redis: redis,
            resolver: resolver,
            gateway: try gatewayName(in: configuration.data.directory),
            on: group.reactors[0]
        )
        self.fleet = fleet
        let books = try LedgerBooks(configuration, log: log)
        self.books = books
        let core = GatewayCore(
            settings: try configuration.gatewaySettings(allowsLocalhost: role == .up),
            executors: group.reactors,
            resolver: resolver,
            callers: keys,
            meter: meter.slots,
            log: log,
            startedAt: WallTime.now,
            billingStatus: { [board] in board.overview },
            contributeMetrics: { [board] in board.writeMetrics(to: &$0) },
            fleet: fleet,
            alerts: alertStore,
            books: books
        )
        tasks.append(Task { await fleet.run { await core.figures() } })
        board.connect(meter: meter)
        guard let certificates else {
            preconditionFailure("a role that serves streams has a keeper of certificates")
        }
        let gateway = GatewayService(
            core: core,
            group: group,
            configuration: configuration,
            certificates: certificates
        )
        self.gateway = gateway
        tasks.append(Task { await certificates.run() })
        board.connect(gateway: gateway)
    }

    private func startAlerts() {
        let reactor = group.reactors[0]
        let alerts = AlertService(
            store: alertStore,
            configuration: configuration.alerts,
            clock: { reactor.preciseNow },
            log: log
        )
        self.alerts = alerts
        board.connect(alerts: alerts)
        tasks.append(Task { [board] in await alerts.run { await board.snapshot() } })
    }

    /// Where no billing runs, the gateway may have to trim.
    private func startKeeping(_ redis: RedisURL) throws {
        let keeping = StreamKeeping(
            redis: redis,
            resolver: resolver,
            configuration: configuration.metering,
            name: try gatewayName(in: configuration.data.directory),
            pageLimit: 50,
            on: group.reactors[0],
            log: log
        )
        self.keeping = keeping
        board.connect(keeping: keeping)
        let asks = configuration.metering.acknowledge != .redis
        tasks.append(
            Task { await keeping.run { asks ? try await keeping.committed() : nil } }
        )
    }

    func secures(_ configuration: WeirConfiguration) -> CertificateSource {
        CertificateSource(configuration, makesOwn: options.securesItself)
    }

    /// Begins to bill, now or once the ledger is there.
    private func startBilling(_ redis: RedisURL) async throws {
        board.connect(access: access)
        handover.add(
            ConfigurationHandover.Item(
                used: try used(loaded, prices, keys.callers),
                accounts: configuration.accounts,
                isReload: false
            )
        )
        let start = Task { try await bill(redis) }
        billingStart = start
        if await access.isSettledSoon() { return try await start.value }
        Task {
            do {
                try await start.value
            } catch {
                endOver(error)
            }
        }
    }

    private func bill(_ redis: RedisURL) async throws {
        let billing = try await BillingService(
            loaded.configuration,
            prices: prices,
            access: access,
            redis: redis,
            resolver: resolver,
            consumer: try gatewayName(in: loaded.configuration.data.directory),
            log: log
        )
        // No batch is booked by the terms of the start where others were read meanwhile.
        while handover.hasTerms { await handover.useTerms(billing) }
        guard !isStopping else { return await billing.close() }
        self.billing = billing
        board.connect(billing: billing)
        alertStore.connect(billing.alerts)
        alerts?.storeIsThere()
        tasks.append(Task { await billing.run() })
        tasks.append(Task { [handover] in await handover.run(billing) })
    }

    /// Ends the process for what keeps it from going on.
    private func endOver(_ error: any Error) {
        guard !isStopping else { return }
        failure = error
        endItself()
    }

    private func used(
        _ loaded: LoadedConfiguration,
        _ prices: PriceBook,
        _ callers: [Caller]
    ) throws -> UsedConfiguration {
        let name = try gatewayName(in: configuration.data.directory)
        return UsedConfiguration(loaded, process: name, prices: prices, callers: callers)
    }
}

// MARK: - Signals

extension WeirProcess {
    /// Reads configuration, keys, certificates and prices again; a mistake changes nothing.
    ///
    /// Everything that may be refused comes before anything is exchanged.
    private func reload() async {
        do {
            let loaded = try options.configurationLoader.load()
            var fresh = loaded.configuration
            let prices = try readPriceBook(fresh.prices).addingFree()
            let store = try Self.keyStore(fresh, runKey)
            if let demonstration, fresh.providers.isEmpty {
                Demonstration.configure(&fresh, port: demonstration.address.port)
            }
            let settings = try fresh.gatewaySettings(allowsLocalhost: role == .up)
            let used = try used(loaded, prices, store.callers)
            let security = try await certificates?.read(from: secures(fresh), at: .now)
            let adopted = try await adopt(prices)
            if let security { await certificates?.use(security, at: .now) }
            keys.replace(with: store)
            if let adopted { await billing?.use(adopted) }
            books?.use(fresh.accounts)
            gateway?.core.reload(settings)
            alerts?.use(fresh.alerts)
            configuration = fresh
            self.prices = prices
            log.write(LogLine(.info, "reloaded"))
            guard role.bills else { return }
            handover.add(
                ConfigurationHandover.Item(used: used, accounts: fresh.accounts, isReload: true)
            )
            if let billing, !access.isAway { await handover.tell(billing) }
        } catch {
            log.write(
                LogLine(.error, "reload_refused").with("reason", "\(error)")
            )
        }
    }

    /// Has the ledger take price lists, before anything is rated by them.
    ///
    /// - Returns: what to rate by from now on; nil: the ledger is away, and these are the lists that
    ///   it is used with already.
    /// - Throws: `LedgerRefused`, also where it is away and would have to take a list, or was never
    ///   there and would have to forget one.
    private func adopt(_ fresh: PriceBook) async throws(LedgerRefused) -> PriceBook? {
        guard role.bills else { return nil }
        guard let billing else {
            // Opening the ledger, it may be taking the lists of the start at this moment.
            guard prices.holds(fresh), fresh.holds(prices) else { throw access.refusalOfLists }
            return nil
        }
        let isKnown = prices.holds(fresh)
        if isKnown ? !access.isAway : !access.isSilent {
            do throws(LedgerRefused) {
                return try await billing.adopt(fresh)
            } catch {
                guard error.mayPass else { throw error }
            }
        }
        guard isKnown else { throw access.refusalOfLists }
        return nil
    }

    /// Takes everything down: listeners, streams, meter, billing, reactors, Redis.
    private func stop(isUrgent: @escaping @Sendable () -> Bool) async {
        isStopping = true
        // Nobody waits for its end: a server may take its time to answer.
        billingStart?.cancel()
        group.stopListening()
        await gateway?.drain(within: configuration.drain.deadline, isUrgent: isUrgent)
        demonstration?.connections.abort()
        let limit = isUrgent() ? Duration.seconds(1) : .seconds(5)
        await meter?.drain(within: limit)
        if billing != nil, let meter {
            // What this process metered is billed by it too, where Redis and ledger are there.
            await waitUntil(.now + limit) { meter.waiting == 0 }
        }
        for task in tasks { task.cancel() }
        await meter?.stop()
        for task in tasks { await task.value }
        await meter?.close()
        if let billing {
            if !access.isAway { await handover.tell(billing) }
            await billing.close()
        }
        handover.warnOfRest()
        await books?.close()
        await keeping?.close()
        certificates?.stop()
        await fleet?.close()
        resolver.stop()
        group.stop()
        redis?.stop()
        log.write(LogLine(.info, "stopped").with("role", role.name))
    }
}

/// `weir serve` and `weir bill` meet in a Redis that both can reach.
struct MissingRedis: Error, CustomStringConvertible {
    let description = "no redis.url is configured and REDIS_URL is not set; weir up brings its own"
}

extension PriceBook {
    /// Whether all lists of another book are in this one, to the letter.
    fileprivate func holds(_ other: PriceBook) -> Bool {
        other.lists.allSatisfy { list(version: $0.version)?.text == $0.text }
    }
}
