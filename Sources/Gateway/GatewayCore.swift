import Alerting
import Compression
import Metering
import Providers
import Reactor
import StreamBytes
import Synchronization
import Telemetry

/// What the reactors of one gateway share: settings, callers, the way to metering, and counts.
package final class GatewayCore: Sendable {
    /// Takes what streams use.
    let meter: any UsageSink
    let callers: any CallerDirectory
    let log: any LogSink
    let registries: [StreamRegistry]
    let codingBudget = CompressionBudget()
    let passwordKeys = PasswordKeyring()
    let startedAt: WallTime
    let billingStatus: @Sendable () -> BillingOverview
    let contributeMetrics: @Sendable (inout PrometheusText) -> Void
    /// Nil: this gateway is alone.
    let fleet: (any GatewayFleet)?
    /// Nil: nobody watches.
    let alerts: (any AlertStore)?
    /// Nil: there is no ledger to read.
    let books: (any AccountBooks)?

    private let current: Guarded<GatewaySettings>
    private let openStreams = Atomic<Int>(0)
    private let retainedBytes = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    /// - Parameters:
    ///   - settings: to begin with.
    ///   - executors: the reactors, in the order of their indices.
    ///   - resolver: finds providers' addresses.
    ///   - callers: knows the keys.
    ///   - meter: takes what streams use.
    ///   - log: gets a line for each stream that ends.
    ///   - startedAt: the wall clock now.
    ///   - billingStatus: tells what is known of metering and billing; called on a reactor, so it
    ///     must not wait.
    ///   - contributeMetrics: adds metrics from outside the gateway; likewise.
    ///   - fleet: the gateways that share one Redis.
    ///   - alerts: where alerts are read.
    ///   - books: where usage and bills are read.
    package init(
        settings: GatewaySettings,
        executors: [any StreamExecutor],
        resolver: any AddressResolver,
        callers: any CallerDirectory,
        meter: any UsageSink,
        log: any LogSink,
        startedAt: WallTime,
        billingStatus: @escaping @Sendable () -> BillingOverview = { BillingOverview() },
        contributeMetrics: @escaping @Sendable (inout PrometheusText) -> Void = { _ in },
        fleet: (any GatewayFleet)? = nil,
        alerts: (any AlertStore)? = nil,
        books: (any AccountBooks)? = nil
    ) {
        self.alerts = alerts
        self.books = books
        self.fleet = fleet
        self.billingStatus = billingStatus
        self.contributeMetrics = contributeMetrics
        current = Guarded(settings)
        self.callers = callers
        self.meter = meter
        self.log = log
        self.startedAt = startedAt
        registries = executors.map { [codingBudget] in
            StreamRegistry(on: $0, resolver: resolver, codingBudget: codingBudget)
        }
        for registry in registries { registry.sealing.rotation = settings.sealing.rotation }
    }

    /// The settings in force; new streams take them.
    package var settings: GatewaySettings { current.withLock { $0 } }

    /// Replaces the settings for streams that start from now on.
    ///
    /// Keys of sealed streams change as the new settings say for those that are open, too.
    package func reload(_ settings: GatewaySettings) {
        current.withLock { $0 = settings }
        for registry in registries {
            registry.executor.perform { registry.sealing.rotation = settings.sealing.rotation }
        }
    }

    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    package var openStreamCount: Int { openStreams.load(ordering: .relaxed) }

    /// Refuses new streams from now on.
    package func beginDrain() { draining.store(true, ordering: .relaxed) }

    /// Takes a place for one more stream.
    ///
    /// - Returns: false when `limit` streams are open.
    func openStream(limit: Int) -> Bool {
        guard openStreams.add(1, ordering: .relaxed).newValue > limit else { return true }
        openStreams.subtract(1, ordering: .relaxed)
        return false
    }

    /// What encoders hold beyond a kilobyte for each stream.
    package var heldCodingBytes: Int { codingBudget.usedBytes }

    func closeStream() { openStreams.subtract(1, ordering: .relaxed) }

    /// Accounts for events kept in memory.
    ///
    /// - Returns: bytes kept by all streams.
    func retain(_ change: Int) -> Int { retainedBytes.add(change, ordering: .relaxed).newValue }

    /// Adds up what all reactors have counted.
    ///
    /// Call from any thread.
    package func figures() async -> GatewayFigures {
        await withCheckedContinuation { continuation in
            let home = registries[0].executor
            home.perform {
                GatewayTotals.gather(self, home: home, for: .everyone) { totals in
                    continuation.resume(returning: GatewayFigures(totals))
                }
            }
        }
    }

    /// Ends every stream because the gateway stops.
    ///
    /// Call from any thread.
    package func endStreams() {
        for registry in registries {
            registry.executor.perform {
                for generation in registry.generations { generation.end(.drain) }
            }
        }
    }

    /// Forgets streams that have ended, and closes what is open to providers.
    ///
    /// Call from a thread that may wait, when no client is left.
    package func closeProviders() {
        passwordKeys.close()
        for registry in registries {
            registry.executor.perform {
                for generation in registry.generations { generation.forget() }
                registry.pool.close()
            }
        }
    }
}
