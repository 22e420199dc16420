import Billing
import Gateway
import Ledger
import Metering
import Pricing
import Reactor
import RedisStreams
import StreamBytes
import Telemetry

/// The billing consumer: reads the meter streams, rates, and keeps the ledger.
final class BillingService: Sendable {
    private let ledgerThread: BlockingThread
    private let ratingThread: BlockingThread
    private let ledger: DatabaseLedger
    private let ledgerPlace: String
    private let actors: [BillingActor]
    private let connections: [RedisConnection]
    private let readers: [MeterReader]
    private let log: any LogSink
    private let overview = Guarded(BillingOverview())

    /// Opens the ledger.
    ///
    /// - Throws: `LedgerRefused`, or `SocketError` when the system has no more threads.
    init(
        _ configuration: WeirConfiguration,
        ledgerPath: String,
        prices: PriceBook,
        redis: RedisURL,
        resolver: Resolver,
        consumer: String,
        on executor: any StreamExecutor,
        log: any LogSink
    ) async throws {
        self.log = log
        let ratingThread = try BlockingThread(name: "weir-rating")
        self.ratingThread = ratingThread
        ledgerThread = try BlockingThread(name: "weir-ledger")
        let ledger = DatabaseLedger(
            .sqlite(SQLiteLedgerConfiguration(path: ledgerPath)),
            on: ledgerThread,
            directory: AccountDirectory(configuration.accounts),
            wallClock: { WallTime.now }
        )
        self.ledger = ledger
        ledgerPlace = ledgerPath
        let book: PriceBook
        do {
            book = try await ledger.open(prices)
        } catch {
            throw LedgerRefused(error, at: ledgerPath)
        }
        var settings = MeterReaderSettings(consumer: consumer)
        // A stop waits for a read in hand.
        settings.blockTime = .milliseconds(500)
        settings.retain = configuration.metering.retain
        settings.requiredGroups = configuration.metering.groups
        let connections = (0..<configuration.metering.partitions).map { _ in
            RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress)
        }
        self.connections = connections
        readers = connections.enumerated().map { partition, connection in
            MeterReader(partition: partition, from: connection, on: executor, settings: settings)
        }
        actors = readers.map { reader in
            BillingActor(
                on: ratingThread,
                source: reader,
                store: ledger,
                prices: book,
                pace: SystemBillingPace(wallClock: { WallTime.now })
            )
        }
    }

    /// What is known of the ledger, as it was last seen.
    var status: BillingOverview { overview.withLock { $0 } }

    /// Bills until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for actor in actors { group.addTask { await actor.run() } }
            group.addTask { await self.watch() }
            group.addTask { await self.trim() }
        }
    }

    /// Waits until everything of these gateways is billed, at most until `deadline`.
    func settle(
        _ isSettled: @escaping @Sendable (UInt64) -> Bool,
        until deadline: ContinuousClock.Instant
    ) async {
        await waitUntil(deadline) { isSettled(self.billedCount) }
    }

    /// Records that are stored, duplicates and those set aside included.
    var billedCount: UInt64 {
        actors.reduce(0) { $0 + $1.status.accepted + $1.status.duplicates + $1.status.setAside }
    }

    /// Stores price lists that are new.
    ///
    /// - Returns: what to rate by from now on.
    /// - Throws: `LedgerRefused`; nothing has changed then.
    func adopt(_ prices: PriceBook) async throws(LedgerRefused) -> PriceBook {
        do {
            return try await ledger.open(prices)
        } catch {
            throw LedgerRefused(error, at: ledgerPlace)
        }
    }

    /// Uses other prices and terms from the next batch on.
    func use(_ prices: PriceBook, _ accounts: [AccountConfiguration]) async {
        await ledger.use(AccountDirectory(accounts))
        for actor in actors { await actor.replacePrices(by: prices) }
    }

    /// Closes the ledger and the connections; `run` must have ended.
    func close() async {
        for connection in connections { await connection.close() }
        await ledger.close()
        ratingThread.stop()
        ledgerThread.stop()
    }

    func writeMetrics(to text: inout PrometheusText) {
        let statuses = actors.map(\.status)
        text.counter(
            "weir_billing_records_total",
            help: "Records that billing has dealt with.",
            labels: ["outcome": "accepted"],
            value: statuses.reduce(0) { $0 + $1.accepted }
        )
        text.counter(
            "weir_billing_records_total",
            help: "Records that billing has dealt with.",
            labels: ["outcome": "duplicate"],
            value: statuses.reduce(0) { $0 + $1.duplicates }
        )
        text.counter(
            "weir_billing_records_total",
            help: "Records that billing has dealt with.",
            labels: ["outcome": "set_aside"],
            value: statuses.reduce(0) { $0 + $1.setAside }
        )
        text.gauge(
            "weir_billing_lag_seconds",
            help: "How long the oldest record of a batch had waited.",
            value: Double(statuses.map(\.lagMilliseconds).max() ?? 0) / 1_000
        )
    }

    /// Drops what every group has acknowledged and what is old enough, every minute.
    private func trim() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(60))
            for reader in readers where !Task.isCancelled {
                do throws(UsageSourceError) {
                    _ = try await reader.trim(at: WallTime.now)
                } catch {
                    log.write(LogLine(.warning, "meter_trim").with("reason", "\(error)"))
                }
            }
        }
    }

    /// Keeps the overview fresh and says once what is wrong, and once that it is over.
    private func watch() async {
        var isTroubled = false
        while !Task.isCancelled {
            let problems = actors.compactMap { $0.status.problem.map { "\($0)" } }
            if problems.isEmpty == isTroubled {
                isTroubled = !problems.isEmpty
                log.write(
                    LogLine(isTroubled ? .warning : .info, "billing")
                        .with("state", isTroubled ? "waiting" : "working")
                        .with("reason", problems.first)
                )
            }
            await refresh(warnings: problems.map { "billing waits: \($0)" })
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func refresh(warnings: [String]) async {
        let summary = try? await ledger.summary(at: WallTime.now)
        overview.withLock { overview in
            overview.warnings = warnings
            guard let summary else { return overview.warnings.append("the ledger cannot be read") }
            overview.costTodayNanodollars = summary.costToday.nanodollars
            overview.streamsToday = summary.streamsToday
        }
    }
}
