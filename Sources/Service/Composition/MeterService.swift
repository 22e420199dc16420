import Gateway
import MeterLog
import Metering
import Reactor
import RedisStreams
import StreamBytes
import Telemetry

/// The way of what streams use: counters in slots, records into the spool, from there to Redis, and
/// out of the spool when the ledger has them.
final class MeterService: Sendable {
    let slots = MeterSlots()
    private let spool: Spool
    private let recovery: SlotRecovery
    private let writer: MeterWriter
    private let connection: RedisConnection
    private let executor: any StreamExecutor
    private let log: any LogSink

    /// Puts in order what the last run left, and opens slots and spool, if that is possible now.
    ///
    /// - Parameters:
    ///   - configuration: names the data directory and says how metering is done.
    ///   - gateway: names this gateway for good.
    ///   - redis: the server.
    ///   - resolver: finds its address.
    ///   - executor: the reactor of the connection.
    ///   - log: gets a line for what goes wrong.
    /// - Throws: `SocketError` when the system has no more threads.
    init(
        _ configuration: WeirConfiguration,
        gateway: String,
        redis: RedisURL,
        resolver: Resolver,
        on executor: any StreamExecutor,
        log: any LogSink
    ) async throws {
        let directory = configuration.data.directory
        var settings = SpoolSettings(folder: "\(directory)/spool", gateway: gateway)
        settings.byteLimit = configuration.metering.spoolLimit.bytes
        settings.interval = configuration.metering.durability
        let thread = try BlockingThread(name: "weir-spool")
        spool = Spool(on: thread, from: slots, settings: settings, output: log)
        slots.connect(to: spool)
        recovery = SlotRecovery(
            on: thread,
            opening: slots,
            and: spool,
            settings: SlotSettings(
                folder: configuration.metering.slots,
                gateway: gateway,
                streamLimit: configuration.limits.streams
            ),
            output: log
        )
        let connection = RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress)
        self.connection = connection
        writer = MeterWriter(
            from: spool,
            to: connection,
            on: executor,
            settings: MeterWriterSettings(configuration.metering),
            output: log
        )
        self.executor = executor
        self.log = log
        _ = await recovery.attempt()
    }

    /// Records that the ledger does not have yet, as far as this gateway knows.
    var waiting: Int64 { spool.status.waitingCount }

    func writeMetrics(to text: inout PrometheusText) {
        slots.use.writeMetrics(to: &text)
        recovery.counts.writeMetrics(to: &text)
        spool.status.writeMetrics(to: &text, at: .now)
        writer.counts.writeMetrics(to: &text)
        for (kind, count) in connection.counts.failures.sorted(by: { $0.key < $1.key }) {
            text.counter(
                "weir_meter_redis_failures_total",
                help: "What went wrong between the spool and Redis.",
                labels: ["kind": kind],
                value: count
            )
        }
    }

    /// How much of the spool is used, in thousandths.
    var spoolThousandths: Int64 {
        let status = spool.status
        guard status.level < .full else { return 1_000 }
        return Int64(status.byteCount) * 1_000 / Int64(max(1, status.byteLimit))
    }

    /// How often Redis turned out to have lost records.
    var lossCount: Int64 { Int64(writer.counts.losses) }

    var isRedisAway: Bool { connection.counts.problem != nil }

    /// Whether records wait, and Redis did not take the last ones; the log says why.
    var isWaiting: Bool { waiting > 0 && writer.counts.lastFailure != nil }

    /// Stores and sends until `close`.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.recovery.run()
                await self.spool.run()
            }
            group.addTask { await self.writer.run() }
        }
    }

    /// Stores what is there and gives it to Redis, when no stream is left.
    ///
    /// What Redis does not take within `limit` stays in the spool for the next start.
    func drain(within limit: Duration) async {
        _ = await spool.storeWaiting()
        await writer.drain(until: executor.preciseNow + limit)
    }

    /// Ends the sending; the task of `run` must have been cancelled.
    func stop() async { await writer.stop() }

    /// Closes the spool; `run` must have ended.
    ///
    /// What it could not store stays in the slots for the next start.
    func close() async {
        await spool.close()
        do throws(StorageError) {
            try slots.close()
        } catch {
            log.write(LogLine(.warning, "meter_slots").with("reason", "\(error)"))
        }
    }
}

extension MeterWriterSettings {
    fileprivate init(_ metering: MeteringConfiguration) {
        self.init()
        streams = MeterStreams(partitionCount: metering.partitions)
        groups = metering.groups
        releasesWhenStored = metering.acknowledge == .redis
    }
}
