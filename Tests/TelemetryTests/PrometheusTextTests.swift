import Telemetry
import TestSupport
import Testing

struct PrometheusTextTests {
    private func text(_ metrics: PrometheusText) -> String {
        String(decoding: metrics.bytes, as: UTF8.self)
    }

    @Test func `a family keeps its samples together, whatever the order they come in`() {
        var metrics = PrometheusText()
        metrics.counter("weir_events_total", help: "Events.", labels: ["reactor": "0"], value: 3)
        metrics.gauge("weir_streams", help: "Open streams.", value: 2)
        metrics.counter("weir_events_total", help: "Events.", labels: ["reactor": "1"], value: 4)

        #expect(
            text(metrics) == """
                # HELP weir_events_total Events.
                # TYPE weir_events_total counter
                weir_events_total{reactor="0"} 3
                weir_events_total{reactor="1"} 4
                # HELP weir_streams Open streams.
                # TYPE weir_streams gauge
                weir_streams 2

                """
        )
    }

    @Test func `a label's value cannot leave its quotes`() {
        var metrics = PrometheusText()
        metrics.gauge("weir_x", help: "A\nB\\", labels: ["model": "a\"} 1\nweir_y 2\\"], value: 0.5)

        #expect(
            text(metrics).hasSuffix(#"weir_x{model="a\"} 1\nweir_y 2\\"} 0.5"# + "\n")
        )
        #expect(text(metrics).hasPrefix(#"# HELP weir_x A\nB\\"# + "\n"))
    }

    @Test func `a histogram is cumulative and counts what lies beyond its bounds`() {
        var buckets = LatencyBuckets()
        buckets.record(microseconds: 50)
        buckets.record(microseconds: 51, number: 2)
        buckets.record(microseconds: 500_000_000)
        var metrics = PrometheusText()
        metrics.histogram("weir_delivery_seconds", help: "Latency.", value: buckets)

        let lines = text(metrics).split(separator: "\n")

        #expect(lines[2] == #"weir_delivery_seconds_bucket{le="5e-05"} 1"#)
        #expect(lines[3] == #"weir_delivery_seconds_bucket{le="0.0001"} 3"#)
        #expect(lines.contains(#"weir_delivery_seconds_bucket{le="120"} 3"#))
        #expect(lines.contains(#"weir_delivery_seconds_bucket{le="+Inf"} 4"#))
        #expect(lines.last == "weir_delivery_seconds_count 4")
    }

    @Test func `histograms of several threads add up`() {
        var first = LatencyBuckets()
        first.record(microseconds: 10)
        var second = LatencyBuckets()
        second.record(microseconds: 3_000, number: 5)
        var counters = CounterSet<String>()
        counters.count("stuck")
        var others = CounterSet<String>()
        others.count("stuck", 2)

        first.add(second)
        counters.add(others)

        #expect(first.count == 6)
        #expect(first.counts.reduce(0, +) == 6)
        #expect(counters["stuck"] == 3)
        #expect(counters["other"] == 0)
        #expect(counters.total == 3)
    }

    @Test func `promtool has nothing to say about it`() throws {
        var buckets = LatencyBuckets()
        buckets.record(microseconds: 1_234)
        var metrics = PrometheusText()
        metrics.counter(
            "weir_events_total",
            help: "Events.",
            labels: ["kind": "a\"b\\c\nd"],
            value: 1
        )
        metrics.counter("weir_stall_seconds_total", help: "Stalls.", value: 1.25)
        metrics.gauge("weir_queued_bytes", help: "Bytes.", value: -1)
        metrics.gauge("weir_loop_lag_seconds", help: "Lag.", value: Double.nan)
        for model in ["m1", "m2"] {
            metrics.histogram(
                "weir_first_token_seconds",
                help: "Wait.",
                labels: ["model": model],
                value: buckets
            )
        }

        let run = try ProgramRun("promtool", ["check", "metrics"], input: metrics.bytes)

        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.isEmpty && run.errors.isEmpty, "\(run.output)\(run.errors)")
    }
}
