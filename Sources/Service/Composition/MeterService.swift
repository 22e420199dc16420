import Gateway
import MeterLog
import Metering
import Reactor
import RedisStreams
import StreamBytes
import Telemetry

/// The way of meter records: into the spool, from there to Redis, and out of the spool when the
/// ledger has them.
final class MeterService: Sendable {
    let journal: UsageJournal
    private let spool: Spool
    private let queue: RecordQueue
    private let writer: MeterWriter
    private let connection: RedisConnection
    private let executor: any StreamExecutor
    private let log: any LogSink

    /// Opens the spool, if that is possible now.
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
        let queue = RecordQueue(limit: 100_000)
        self.queue = queue
        let directory = configuration.data.directory
        var settings = SpoolSettings(folder: "\(directory)/spool", gateway: gateway)
        settings.byteLimit = configuration.metering.spoolLimit.bytes
        settings.interval = configuration.metering.durability
        let thread = try BlockingThread(name: "weir-spool")
        spool = Spool(on: thread, from: queue, settings: settings, output: log)
        queue.connect(to: spool)
        let connection = RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress)
        self.connection = connection
        writer = MeterWriter(
            from: spool,
            to: connection,
            on: executor,
            settings: MeterWriterSettings(configuration.metering),
            output: log
        )
        journal = UsageJournal(sink: queue)
        self.executor = executor
        self.log = log
        _ = await spool.open()
    }

    /// Records that the ledger does not have yet, as far as this gateway knows.
    var waiting: Int64 { spool.status.waitingCount }

    func writeMetrics(to text: inout PrometheusText) {
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

    /// What keeps records from Redis, where anything does.
    var problem: String? { waiting > 0 ? writer.counts.lastFailure : nil }

    /// Stores and sends until `close`.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.spool.run() }
            group.addTask { await self.writer.run() }
            group.addTask {
                while !Task.isCancelled {
                    _ = self.journal.flush()
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    /// Stores what is there and gives it to Redis, when no stream is left.
    ///
    /// What Redis does not take within `limit` stays in the spool for the next start.
    func drain(within limit: Duration) async {
        _ = journal.flush()
        _ = await spool.storeWaiting()
        await writer.drain(until: executor.preciseNow + limit)
    }

    /// Ends the sending; the task of `run` must have been cancelled.
    func stop() async { await writer.stop() }

    /// Closes the spool; `run` must have ended.
    func close() async {
        await spool.close()
        for record in queue.oldest(limit: .max) { log.write(LogLine(notStored: record)) }
    }
}

extension LogLine {
    fileprivate init(notStored record: UsageRecord) {
        self.init(.error, "meter_record_not_stored")
        add("record_id", record.recordID)
        add("account", record.accountID)
        add("model", record.model)
        add("input_tokens", record.usage?.input)
        add("output_tokens", record.usage?.output)
        add("bytes_out", record.bytesOut)
        add("end", record.end.rawValue)
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
