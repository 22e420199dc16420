import Alerting
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
final class BillingService: ConfigurationTaker, Sendable {
    private let ratingThread: BlockingThread
    /// Large batches are read here, so that no stream waits for them.
    private let group: ReactorGroup
    private let ledgers: PartitionLedgers
    private let access: LedgerAccess
    private let actors: [BillingActor]
    private let connections: [RedisConnection]
    private let readers: [MeterReader]
    private let keeping: StreamKeeping
    private let log: any LogSink
    /// How long a record may be missing: as long as a dead biller's may take at least.
    private let patience: Duration
    private let state = Guarded(State())

    private struct State {
        var overview = BillingOverview()
        var missing: [SequenceRanges.Hole] = []
        /// Whether holes have been watched for long enough to know those that there are.
        var knowsMissing = false
    }

    /// Opens the ledger; waits for one that is away.
    ///
    /// - Throws: `LedgerRefused`, `CancellationError`, or `SocketError` when the system has no more
    ///   threads.
    init(
        _ configuration: WeirConfiguration,
        prices: PriceBook,
        access: LedgerAccess,
        redis: RedisURL,
        resolver: Resolver,
        consumer: String,
        log: any LogSink
    ) async throws {
        self.log = log
        patience = max(
            configuration.alerts.missing.above,
            configuration.billing.takeover * 3
        )
        let group = try ReactorGroup(count: 1)
        self.group = group
        let executor = group.reactors[0]
        let ratingThread = try BlockingThread(name: "weir-rating")
        self.ratingThread = ratingThread
        let ledgers = try PartitionLedgers(configuration)
        self.ledgers = ledgers
        self.access = access
        let book = try await access.open(ledgers, prices)
        try group.start()
        var settings = MeterReaderSettings(consumer: consumer)
        // A stop waits for a read in hand.
        settings.blockTime = .milliseconds(500)
        settings.claimAfter = configuration.billing.takeover
        settings.claimInterval = max(.seconds(1), configuration.billing.takeover / 4)
        let connections = (0..<configuration.metering.partitions).map { _ in
            RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress)
        }
        self.connections = connections
        readers = connections.enumerated().map { partition, connection in
            MeterReader(partition: partition, from: connection, on: executor, settings: settings)
        }
        actors = readers.enumerated().map { partition, reader in
            BillingActor(
                on: ratingThread,
                source: reader,
                store: ledgers[partition],
                prices: book,
                pace: SystemBillingPace(
                    wallClock: { WallTime.now },
                    clock: { executor.preciseNow }
                ),
                configuration: BillingConfiguration(batchLimit: configuration.billing.batch)
            )
        }
        keeping = StreamKeeping(
            redis: redis,
            resolver: resolver,
            configuration: configuration.metering,
            name: consumer,
            pageLimit: 1_000,
            on: executor,
            log: log
        )
    }

    /// What is known of the ledger, as it was last seen.
    var status: BillingOverview { state.withLock(\.overview) }

    /// Records that never came, though later ones of the same gateway did.
    var missing: [SequenceRanges.Hole] { state.withLock(\.missing) }

    /// Bills until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for actor in actors { group.addTask { await actor.run() } }
            group.addTask { await self.watch() }
            group.addTask { await self.keep() }
            group.addTask { await self.watchHoles() }
            group.addTask { await self.closePeriods() }
        }
        for reader in readers { await leave(reader) }
    }

    /// Takes this process out of the group, where nothing is pending for it.
    private func leave(_ reader: MeterReader) async {
        do throws(UsageSourceError) {
            guard try await !reader.leave() else { return }
            log.write(
                LogLine(.warning, "billing_left_pending")
                    .with(
                        "reason",
                        "what is pending is taken over by another, or at the next start"
                    )
            )
        } catch {
            log.write(LogLine(.warning, "billing_leave").with("reason", "\(error)"))
        }
    }

    private func keep() async {
        await keeping.run { [ledger] in try await ledger.sequenceRanges() }
    }

    private func closePeriods() async {
        let closer = PeriodCloser(ledger, log: log) { [keeping] in
            try await keeping.bookedThrough(at: WallTime.now)
        }
        await closer.run()
    }

    /// Names record numbers that stay missing though later ones are there.
    private func watchHoles() async {
        var watch = HoleWatch(patience: patience)
        let pause = min(.seconds(10), max(.seconds(1), patience / 4))
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            guard !Task.isCancelled, let ranges = try? await ledger.sequenceRanges() else {
                continue
            }
            for news in watch.note(ranges.holes, at: group.reactors[0].preciseNow) {
                log.write(LogLine(news))
            }
            let (missing, isSettled) = (watch.missing, watch.isSettled)
            state.withLock { [missing, isSettled] state in
                state.missing = missing
                state.knowsMissing = isSettled
            }
        }
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
            return try await ledgers.open(prices)
        } catch {
            throw access.refusal(error)
        }
    }

    /// Notes in the ledger what this process works by from now on.
    ///
    /// - Throws: `LedgerRefused`.
    func note(_ configuration: UsedConfiguration, isReload: Bool) async throws(LedgerRefused) {
        do {
            try await ledger.note(configuration, isReload: isReload)
        } catch {
            throw access.refusal(error)
        }
    }

    /// Uses other prices, which the ledger has, from the next batch on.
    func use(_ prices: PriceBook) async {
        for actor in actors { await actor.replacePrices(by: prices) }
    }

    /// Uses other terms from the next batch on.
    func use(_ accounts: [AccountConfiguration]) async {
        await ledgers.use(AccountDirectory(accounts))
    }

    /// Adds what somebody may want to be told of.
    func describe(_ snapshot: inout AlertSnapshot) async {
        let statuses = actors.map(\.status)
        snapshot.isBillingStuck = statuses.contains { $0.problem != nil }
        snapshot.isRedisAway = keeping.state.problem != nil
        snapshot.rejectedCount = statuses.reduce(0) { $0 + Int64(clamping: $1.setAside) }
        snapshot.missing = state.withLock { state in
            state.knowsMissing
                ? state.missing.map { (name: $0.text, count: Int64($0.numbers.count)) } : nil
        }
        let usage = try? await ledger.dailyTokens(at: WallTime.now, days: 7)
        snapshot.isLedgerAway = usage == nil
        snapshot.dailyTokens = usage ?? [:]
        snapshot.costTodayNanodollars = status.costTodayNanodollars
    }

    /// Where alerts are kept.
    var alerts: any AlertStore { ledger }

    private var ledger: DatabaseLedger { ledgers.main }

    /// Closes the ledger and the connections; `run` must have ended.
    func close() async {
        for connection in connections { await connection.close() }
        await keeping.close()
        await ledgers.close()
        ratingThread.stop()
        group.stop()
    }

    func writeMetrics(to text: inout PrometheusText) {
        let figures = BillingFigures(
            statuses: actors.map(\.status),
            readers: readers.map(\.counts),
            connections: connections.map(\.counts),
            missing: missing
        )
        figures.write(to: &text)
        keeping.writeMetrics(to: &text)
    }

    /// Keeps the overview fresh and says once what is wrong, and once that it is over.
    private func watch() async {
        var isTroubled = false
        while !Task.isCancelled {
            let statuses = actors.map(\.status)
            let problems = statuses.compactMap(\.trouble)
            if problems.isEmpty == isTroubled {
                isTroubled = !problems.isEmpty
                log.write(
                    LogLine(isTroubled ? .warning : .info, "billing")
                        .with("state", isTroubled ? "waiting" : "working")
                        .with("reason", problems.first)
                )
            }
            await refresh(warnings: Set(statuses.compactMap(\.warning)).sorted())
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func refresh(warnings: [String]) async {
        let summary = try? await access.look { () async throws(ChargeStoreError) in
            try await ledger.summary(at: WallTime.now)
        }.get()
        state.withLock { state in
            state.overview.warnings = warnings + state.missing.map { "missing: \($0.text)" }
            guard let summary else {
                return state.overview.warnings.append("the ledger cannot be read")
            }
            state.overview.costTodayNanodollars = summary.costToday.nanodollars
            state.overview.streamsToday = summary.streamsToday
        }
    }
}

extension BillingStatus {
    /// What an operator should know: what keeps billing, or Redis, from going on.
    fileprivate var trouble: String? { problem.map { "\($0)" } ?? leftover }

    /// The same for everybody: without the words of a server, which stand in the log.
    fileprivate var warning: String? {
        problem?.warning ?? leftover.map { _ in "billing has more to tell Redis" }
    }
}

extension BillingProblem {
    static let ledgerWarning = "billing waits for the ledger"

    fileprivate var warning: String {
        switch self {
        case .store: Self.ledgerWarning
        case .source: "billing waits for Redis"
        }
    }
}

extension SequenceRanges.Hole {
    fileprivate var text: String {
        "records \(numbers.lowerBound) to \(numbers.upperBound) of \(run)"
    }
}

extension LogLine {
    fileprivate init(_ news: HoleWatch.News) {
        switch news {
        case .missing(let hole): self = LogLine(.error, "meter_records_missing").with(hole)
        case .filled(let hole): self = LogLine(.info, "meter_records_found").with(hole)
        }
    }

    private func with(_ hole: SequenceRanges.Hole) -> LogLine {
        let parts = hole.run.split(separator: ":")
        return with("gateway", parts.dropLast().joined(separator: ":"))
            .with("epoch", parts.last.map(String.init))
            .with("first", hole.numbers.lowerBound).with("last", hole.numbers.upperBound)
    }
}
