import Metering
import Reactor
import StreamBytes
import Telemetry

/// The figures of a whole gateway, or of one account's part in it.
struct GatewayTotals: Sendable {
    var counters = GatewayCounters()
    /// Of the streams that have not ended.
    var running = StreamVolume()
    var billing = BillingOverview()
    var showsBilling = false
    var minute: Int64 = 0
    var uptimeMilliseconds: Int64 = 0
    /// Bytes of coded bodies, by the coding's index; all of the gateway.
    var codingVolumes = ReactorCodings.noVolumes
    /// What encoders hold beyond a kilobyte for each stream; all of the gateway.
    var codingHeldBytes = 0
    /// How long each reactor took to turn to the question, by its index.
    var lags: [(reactor: Int, lag: Duration)] = []

    /// Adds up what the reactors have, and calls `finish` on `home`.
    static func gather(
        _ core: GatewayCore,
        home: any StreamExecutor,
        for viewer: Viewer,
        finish: @escaping @Sendable (GatewayTotals) -> Void
    ) {
        let key: String? = if case .caller(let caller) = viewer { caller.account } else { nil }
        let askedAt = home.preciseNow
        Gathering.start(core.registries, home: home) { registry, handOver in
            var part = GatewayTotals()
            let lag = registry.executor.preciseNow - askedAt
            part.lags = [(reactor: registry.executor.index, lag: lag)]
            part.counters = registry.counters(ofAccount: key)
            part.codingVolumes = registry.codings.withLock { $0.volumes }
            let add: @Sendable (inout GatewayTotals, Generation) -> Void = {
                $0.running.add($1.volume)
            }
            registry.survey(for: viewer, from: part, add: add, finish: handOver)
        } finish: { parts in
            var totals = GatewayTotals()
            for part in parts {
                totals.lags += part.lags
                totals.add(part.codingVolumes)
                totals.counters.add(part.counters)
                totals.running.add(part.running)
            }
            totals.codingHeldBytes = core.codingBudget.usedBytes
            totals.billing = core.billingStatus()
            totals.showsBilling = key == nil
            totals.minute = home.wallClock.milliseconds / 60_000
            totals.uptimeMilliseconds = home.wallClock.milliseconds - core.startedAt.milliseconds
            finish(totals)
        }
    }
}

// MARK: - JSON

extension GatewayTotals {
    var json: [UInt8] {
        let completed = counters.ended(.complete)
        let failed = counters.ended(.providerError)
        let ended = counters.ends.values.reduce(0, +)
        var json = JSONObjectWriter()
        json.add("open", running.count)
        json.add("opened", counters.opened)
        json.add("completed", completed)
        json.add("failed", failed)
        json.add("dropsLastHour", counters.drops.total(atMinute: minute))
        json.add("errorRate", thousandths: ended == 0 ? 0 : failed * 1_000 / ended)
        json.add("completionRate", thousandths: ended == 0 ? 0 : completed * 1_000 / ended)
        json.add("meanDurationMs", ended == 0 ? nil : counters.durationMilliseconds / ended)
        json.add("events", events)
        json.add("bytes", bytes)
        json.add("bytesPerSecond", bytesPerSecond)
        json.add("queuedBytes", running.queuedBytes)
        json.add("byProvider", raw: providers)
        json.add("codings", raw: codings)
        json.add("overCompressionBudget", overCodingBudget)
        if showsBilling {
            json.add("compressionHeldBytes", Int64(codingHeldBytes))
            json.add("meterLag", billing.meterLag)
            json.add("costToday", raw: jsonDollars(billing.costTodayNanodollars))
            json.add("costPerStream", raw: jsonDollars(costPerStream))
        }
        return json.bytes
    }

    var events: Int64 { counters.events + running.events }
    var bytes: Int64 { counters.bytes + running.bytes }
    var bytesPerSecond: Int64 { bytes * 1_000 / max(1, uptimeMilliseconds) }

    private var costPerStream: Int64? {
        guard let cost = billing.costTodayNanodollars, billing.streamsToday > 0 else { return nil }
        return cost / billing.streamsToday
    }

    private var providers: [UInt8] {
        var object: [UInt8] = [UInt8(ascii: "{")]
        for (name, ends) in counters.byProvider.sorted(by: { $0.key < $1.key }) {
            if object.count > 1 { object.append(",") }
            object.append(jsonString: name)
            object.append(":{")
            let ends = ends.sorted { $0.key.rawValue < $1.key.rawValue }
            for (index, (end, count)) in ends.enumerated() {
                object.append(index == 0 ? "\"" : ",\"")
                object.append(contentsOf: end.rawValue.utf8)
                object.append("\":")
                object.append(decimal: count)
            }
            object.append("}")
        }
        return object + [UInt8(ascii: "}")]
    }
}

/// Nano-dollars as a string of dollars with nine decimals; nil is `null`.
func jsonDollars(_ nanodollars: Int64?) -> [UInt8] {
    guard let nanodollars else { return Array("null".utf8) }
    let rest = String(abs(nanodollars % 1_000_000_000))
    let zeros = String(repeating: "0", count: 9 - rest.count)
    let sign = nanodollars < 0 ? "-" : ""
    return Array("\"\(sign)\(abs(nanodollars / 1_000_000_000)).\(zeros)\(rest)\"".utf8)
}

// MARK: - Prometheus

extension GatewayTotals {
    func write(to text: inout PrometheusText) {
        text.gauge("weir_open_streams", help: "Streams that have not ended.", value: running.count)
        text.counter(
            "weir_streams_opened_total",
            help: "Streams opened.",
            value: counters.opened
        )
        for (provider, ends) in counters.byProvider.sorted(by: { $0.key < $1.key }) {
            for (end, count) in ends.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                text.counter(
                    "weir_streams_ended_total",
                    help: "Streams ended, by provider and reason.",
                    labels: ["provider": provider, "end": end.rawValue],
                    value: count
                )
            }
        }
        text.counter("weir_events_total", help: "Events taken from providers.", value: events)
        text.counter("weir_bytes_total", help: "Body bytes handed to clients.", value: bytes)
        text.counter(
            "weir_tokens_total",
            help: "Tokens of ended streams.",
            labels: ["direction": "input"],
            value: counters.inputTokens
        )
        text.counter(
            "weir_tokens_total",
            help: "Tokens of ended streams.",
            labels: ["direction": "output"],
            value: counters.outputTokens
        )
        text.histogram(
            "weir_first_token_seconds",
            help: "From the request to the first visible output.",
            value: counters.firstToken
        )
        text.histogram(
            "weir_delivery_latency_seconds",
            help: "From a provider's bytes to the kernel's acceptance of the event.",
            value: counters.latency
        )
        text.gauge(
            "weir_queued_bytes",
            help: "Bytes of events that wait for clients.",
            value: running.queuedBytes
        )
        writeCodings(to: &text)
        for (reactor, lag) in lags.sorted(by: { $0.reactor < $1.reactor }) {
            text.gauge(
                "weir_loop_lag_seconds",
                help: "How long a reactor took to turn to a new piece of work.",
                labels: ["reactor": String(reactor)],
                value: Double(lag.wholeNanoseconds) / 1_000_000_000
            )
        }
        for (reason, count) in counters.refusals.sorted(by: { $0.key < $1.key }) {
            text.counter(
                "weir_refusals_total",
                help: "Requests refused, by reason.",
                labels: ["reason": reason],
                value: count
            )
        }
    }
}
