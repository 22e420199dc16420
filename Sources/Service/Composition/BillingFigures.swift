import Billing
import Metering
import RedisStreams
import StreamBytes
import Telemetry

/// What the billers of all partitions have done, as metrics.
struct BillingFigures {
    let statuses: [BillingStatus]
    let readers: [MeterReaderCounts]
    let connections: [RedisCounts]
    let missing: [SequenceRanges.Hole]

    func write(to text: inout PrometheusText) {
        writeRecords(to: &text)
        writeWork(to: &text)
        writeReading(to: &text)
        writeMissing(to: &text)
        RedisCounts(sumOf: connections).write(to: &text, connection: "billing")
    }

    private func writeRecords(to text: inout PrometheusText) {
        let outcomes: KeyValuePairs = [
            "accepted": sum(\.accepted), "duplicate": sum(\.duplicates),
            "set_aside": sum(\.setAside),
        ]
        for (outcome, count) in outcomes {
            text.counter(
                "weir_billing_records_total",
                help: "Records that billing has dealt with.",
                labels: ["outcome": outcome],
                value: count
            )
        }
    }

    private func writeWork(to text: inout PrometheusText) {
        text.gauge(
            "weir_billing_lag_seconds",
            help: "How long the oldest record of a batch had waited.",
            value: Double(statuses.map(\.lagMilliseconds).max() ?? 0) / 1_000
        )
        text.counter(
            "weir_billing_batches_total",
            help: "Batches that are stored and acknowledged.",
            value: sum(\.batches)
        )
        text.counter(
            "weir_billing_store_seconds_total",
            help: "Time that the ledger took for batches.",
            value: statuses.reduce(0) { $0 + Double($1.storeTime.wholeNanoseconds) / 1e9 }
        )
        let failures: KeyValuePairs = [
            "redis": sum(\.sourceFailures), "ledger": sum(\.storeFailures),
        ]
        for (place, count) in failures {
            text.counter(
                "weir_billing_failures_total",
                help: "Steps of billing that failed and were tried again.",
                labels: ["at": place],
                value: count
            )
        }
    }

    private func writeReading(to text: inout PrometheusText) {
        text.counter(
            "weir_billing_takeovers_total",
            help: "Records taken over from a biller that left them.",
            value: readers.reduce(0) { $0 + $1.claimed }
        )
        text.counter(
            "weir_billing_entries_deleted_total",
            help: "Entries that somebody removed before they were billed.",
            value: readers.reduce(0) { $0 + $1.deleted }
        )
        text.counter(
            "weir_billing_groups_lost_total",
            help: "How often the consumer group had to be made again.",
            value: readers.reduce(0) { $0 + $1.groupsLost }
        )
    }

    private func writeMissing(to text: inout PrometheusText) {
        text.gauge(
            "weir_billing_missing_records",
            help: "Records that never came, though later ones of the same gateway did.",
            value: missing.reduce(0) { $0 + $1.numbers.count }
        )
    }

    private func sum(_ count: KeyPath<BillingStatus, UInt64>) -> UInt64 {
        statuses.reduce(0) { $0 + $1[keyPath: count] }
    }
}

extension RedisCounts {
    fileprivate init(sumOf counts: [RedisCounts]) {
        self.init()
        for each in counts {
            opened += each.opened
            failures.merge(each.failures, uniquingKeysWith: +)
        }
    }
}
