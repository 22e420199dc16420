import Gateway
import Metering
import Reactor
import RedisStreams
import StreamBytes
import Telemetry

/// The way of meter records to Redis.
final class MeterService: Sendable {
    let journal: UsageJournal
    private let writer: MeterWriter
    private let executor: any StreamExecutor
    private let log: any LogSink

    /// - Parameters:
    ///   - redis: the server.
    ///   - resolver: finds its address.
    ///   - partitions: how many meter streams there are.
    ///   - gateway: names this gateway.
    ///   - executor: the reactor of the connection.
    ///   - log: gets a line for records that could not be stored.
    init(
        redis: RedisURL,
        resolver: Resolver,
        partitions: Int,
        gateway: String,
        on executor: any StreamExecutor,
        log: any LogSink
    ) {
        var settings = MeterWriterSettings()
        settings.streams = MeterStreams(partitionCount: partitions)
        writer = MeterWriter(
            to: RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress),
            on: executor,
            settings: settings
        )
        journal = UsageJournal(
            sink: writer,
            gateway: gateway,
            epoch: WallTime.now.milliseconds
        )
        self.executor = executor
        self.log = log
    }

    /// Records on their way to Redis.
    var queued: Int { writer.counts.queued }

    /// Records that Redis has stored.
    var sent: Int { writer.counts.sent }

    /// What keeps records from Redis, where anything does.
    var problem: String? {
        let counts = writer.counts
        return counts.queued > 0 ? counts.lastFailure : nil
    }

    /// Offers again what had to wait, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            _ = journal.flush()
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Stores what is left.
    ///
    /// - Parameter limit: how long Redis may take.
    func stop(within limit: Duration) async {
        _ = journal.flush()
        let lost = await writer.flush(until: preciseNow() + limit)
        for record in lost {
            log.write(
                LogLine(.error, "meter_record_not_stored")
                    .with("record_id", record.recordID).with("account", record.accountID)
                    .with("model", record.model).with("input_tokens", record.usage?.input)
                    .with("output_tokens", record.usage?.output)
                    .with("bytes_out", record.bytesOut).with("end", record.end.rawValue)
            )
        }
    }

    func writeMetrics(to text: inout PrometheusText) {
        let counts = writer.counts
        text.gauge(
            "weir_meter_queued_records",
            help: "Meter records that Redis has not stored yet.",
            value: counts.queued
        )
        text.counter(
            "weir_meter_sent_total",
            help: "Meter records stored in Redis.",
            value: counts.sent
        )
        text.counter(
            "weir_meter_retries_total",
            help: "Meter records sent again.",
            value: counts.retries
        )
    }

    private func preciseNow() -> MonotonicTime { executor.preciseNow }
}
