import Metering
import Reactor
import RedisStreams
import StreamBytes
import Telemetry

/// Looks after the meter streams as long as the process runs: knows how much waits, and trims where
/// no other process does.
final class StreamKeeping: Sendable {
    /// What was seen last.
    struct State: Sendable {
        var backlogs: [StreamBacklog] = []
        var trimmed = 0
        var isHolder = false
        /// Why it cannot be seen now.
        var problem: String?
    }

    /// What the ledger has, asked for when it is needed; nil: it is not asked.
    typealias Stored = @Sendable () async throws -> SequenceRanges?

    private let keeper: MeterKeeper
    private let connection: RedisConnection
    private let partitions: Int
    private let log: any LogSink
    private let seen = Guarded(State())

    /// - Parameters:
    ///   - redis: the server.
    ///   - resolver: finds its address.
    ///   - configuration: says what is kept, and for whom.
    ///   - name: the process, as others see it.
    ///   - pageLimit: how many entries are looked at in one go; they hold the reactor up.
    ///   - executor: the reactor of the connection.
    ///   - log: gets a line for what cannot be done.
    init(
        redis: RedisURL,
        resolver: Resolver,
        configuration: MeteringConfiguration,
        name: String,
        pageLimit: Int,
        on executor: any StreamExecutor,
        log: any LogSink
    ) {
        var settings = MeterKeeperSettings(name: name)
        settings.requiredGroups = configuration.groups
        settings.retain = configuration.retain
        settings.pageLimit = pageLimit
        connection = RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress)
        keeper = MeterKeeper(over: connection, on: executor, settings: settings)
        partitions = configuration.partitions
        self.log = log
    }

    var state: State { seen.withLock { $0 } }

    /// Looks after the streams until the task is cancelled.
    ///
    /// - Parameter stored: what of the records is in the ledger.
    func run(stored: @escaping Stored) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch() }
            group.addTask { await self.trim(stored) }
        }
    }

    func close() async { await connection.close() }

    /// What has been published about the ledger, for processes that do not have it.
    func committed() async throws -> SequenceRanges { try await keeper.committed() }

    /// Up to when everything that Redis received is acknowledged, whichever biller had it: all of
    /// that is in the ledger.
    ///
    /// - Parameter now: the wall clock, as the ids of entries have it.
    /// - Returns: the instant of the oldest entry that is not; `now` where there is none.
    /// - Throws: `RedisError`.
    func bookedThrough(at now: WallTime) async throws -> WallTime {
        var through = now
        for partition in 0..<partitions {
            let waiting = try await keeper.backlog(of: partition, at: now).oldestMilliseconds
            through = min(through, WallTime(milliseconds: now.milliseconds - waiting))
        }
        return through
    }

    private func watch() async {
        // Every partition costs a few commands.
        let pause = max(.seconds(5), .milliseconds(50) * partitions)
        while !Task.isCancelled {
            do throws(RedisError) {
                var backlogs: [StreamBacklog] = []
                for partition in 0..<partitions {
                    backlogs.append(try await keeper.backlog(of: partition, at: WallTime.now))
                }
                seen.withLock { [backlogs] state in
                    state.backlogs = backlogs
                    state.problem = nil
                }
            } catch {
                seen.withLock { $0.problem = "\(error)" }
            }
            try? await Task.sleep(for: pause)
        }
    }

    private func trim(_ stored: Stored) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(60))
            guard !Task.isCancelled else { return }
            do {
                let isHolder = try await keeper.holdsLease()
                seen.withLock { $0.isHolder = isHolder }
                if isHolder { try await trimAll(stored) }
            } catch {
                log.write(LogLine(.warning, "meter_trim").with("reason", "\(error)"))
            }
        }
    }

    private func trimAll(_ stored: Stored) async throws {
        let known = try await stored()
        for partition in 0..<partitions where !Task.isCancelled {
            let now = WallTime.now
            let count = try await keeper.trim(partition, at: now, stored: known)
            seen.withLock { $0.trimmed += count }
            _ = try await keeper.trimDead(partition, at: now)
            for name in try await keeper.removeIdleMembers(of: partition) {
                log.write(
                    LogLine(.info, "billing_member_removed")
                        .with("partition", partition).with("member", name)
                )
            }
        }
    }
}

// MARK: - Prometheus

extension StreamKeeping {
    func writeMetrics(to text: inout PrometheusText) {
        let state = state
        for (partition, backlog) in state.backlogs.enumerated() {
            backlog.write(to: &text, partition: String(partition))
        }
        text.counter(
            "weir_meter_trimmed_total",
            help: "Entries that this process dropped from the meter streams.",
            value: state.trimmed
        )
        connection.counts.write(to: &text, connection: "keeper")
    }
}

extension StreamBacklog {
    fileprivate func write(to text: inout PrometheusText, partition: String) {
        let labels: PrometheusText.Labels = ["partition": partition]
        text.gauge(
            "weir_meter_stream_entries",
            help: "Entries in a meter stream, those kept for a while included.",
            labels: labels,
            value: length
        )
        text.gauge(
            "weir_meter_dead_records",
            help: "Rejected records in weir:dead.",
            labels: labels,
            value: dead
        )
        text.gauge(
            "weir_billing_pending_records",
            help: "Records that a biller has and has not acknowledged.",
            labels: labels,
            value: pending
        )
        if let undelivered {
            text.gauge(
                "weir_billing_undelivered_records",
                help: "Records that no biller has taken yet.",
                labels: labels,
                value: undelivered
            )
        }
        text.gauge(
            "weir_billing_members",
            help: "Billers in the consumer group.",
            labels: labels,
            value: consumers
        )
        text.gauge(
            "weir_billing_oldest_seconds",
            help: "Age of the oldest record that is not acknowledged.",
            labels: labels,
            value: Double(oldestMilliseconds) / 1_000
        )
    }
}

extension RedisCounts {
    func write(to text: inout PrometheusText, connection: String) {
        text.counter(
            "weir_redis_connections_total",
            help: "Connections to Redis that were opened.",
            labels: ["connection": connection],
            value: opened
        )
        for (kind, count) in failures.sorted(by: { $0.key < $1.key }) {
            text.counter(
                "weir_redis_failures_total",
                help: "What Redis refused, and connections that were lost, by kind.",
                labels: ["connection": connection, "kind": kind],
                value: count
            )
        }
    }
}
