import MeterLog
import RedisStreams
import StreamBytes
import Telemetry

extension SlotUse {
    /// Adds how many slots are taken.
    func writeMetrics(to text: inout PrometheusText) {
        text.gauge(
            "weir_meter_slots_used",
            help: "Meter slots in use: running stretches, and finished ones not yet in the spool.",
            value: used
        )
        text.gauge(
            "weir_meter_slots",
            help: "Meter slots there are.",
            value: count
        )
        text.counter(
            "weir_meter_slots_unreadable_total",
            help: "Finished records that somebody else destroyed in their slot.",
            value: unreadable
        )
    }
}

extension RecoveredCounts {
    /// Adds what the last run had left.
    func writeMetrics(to text: inout PrometheusText) {
        for (end, count) in [("interrupted", interrupted), ("finished", finished)] {
            text.counter(
                "weir_meter_recovered_total",
                help: "Records made at the start from what the last run left in its slots.",
                labels: ["end": end],
                value: count
            )
        }
        text.counter(
            "weir_meter_recovery_unreadable_total",
            help: "Slots in use that the start could not read.",
            value: unreadable
        )
    }
}

extension SpoolStatus {
    /// Adds what is known of the spool.
    func writeMetrics(to text: inout PrometheusText, at now: WallTime) {
        text.gauge(
            "weir_spool_bytes",
            help: "Size of the spool's files.",
            value: byteCount
        )
        text.gauge(
            "weir_spool_limit_bytes",
            help: "Size that the spool may reach.",
            value: byteLimit
        )
        text.gauge(
            "weir_spool_used_ratio",
            help: "How full the spool is, from 0 to 1; warnings come at 0.5 and 0.8.",
            value: byteLimit > 0 ? Double(byteCount) / Double(byteLimit) : 0
        )
        text.gauge(
            "weir_spool_records",
            help: "Meter records in the spool that the ledger does not have yet.",
            value: waitingCount
        )
        let age = oldestAt.map { max(0, now.milliseconds - $0.milliseconds) } ?? 0
        text.gauge(
            "weir_spool_oldest_seconds",
            help: "Age of the oldest of them.",
            value: Double(age) / 1_000
        )
        text.counter(
            "weir_spool_stored_total",
            help: "Meter records stored in the spool.",
            value: storedCount
        )
        text.counter(
            "weir_spool_failures_total",
            help: "How often records could not be stored in the spool.",
            value: failureCount
        )
        text.counter(
            "weir_spool_damaged_total",
            help: "Damaged places found in the spool and put into its quarantine.",
            value: damagedCount
        )
        text.histogram(
            "weir_spool_store_seconds",
            help: "Time to store a group of records, syncing the disk included.",
            value: storeTimes
        )
    }
}

extension MeterWriterCounts {
    /// Adds what became of the records on their way to Redis.
    func writeMetrics(to text: inout PrometheusText) {
        text.counter(
            "weir_meter_sent_total",
            help: "Meter records stored in Redis; one that was sent again counts again.",
            value: sent
        )
        text.counter(
            "weir_meter_retries_total",
            help: "Meter records that Redis did not take at once.",
            value: retries
        )
        text.counter(
            "weir_meter_losses_total",
            help: "How often Redis had lost records, so that all that wait were sent again.",
            value: losses
        )
    }
}
