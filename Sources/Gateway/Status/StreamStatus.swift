import Cryptography
import HTTPServer
import Metering
import Reactor
import StreamBytes

/// A stream as lists and totals show it.
struct StreamStatus: Sendable {
    let id: StreamID
    let account: String
    let model: String
    let provider: String
    let state: String
    let ageMilliseconds: Int64
}

/// How much some streams have delivered, and how much of it waits for their clients.
struct StreamVolume: Sendable {
    /// How many streams that is.
    var count: Int64 = 0
    var events: Int64 = 0
    var bytes: Int64 = 0
    var queuedBytes: Int64 = 0

    mutating func add(_ other: Self) {
        count += other.count
        events += other.events
        bytes += other.bytes
        queuedBytes += other.queuedBytes
    }
}

extension Generation {
    /// How much the stream has delivered; call on its reactor.
    nonisolated var volume: StreamVolume {
        assumeIsolated { generation in
            StreamVolume(
                count: 1,
                events: Int64(generation.meter.totalEvents),
                bytes: Int64(generation.meter.totalBytes),
                queuedBytes: Int64(generation.queuedBytes)
            )
        }
    }

    /// What the stream is doing; call on its reactor.
    nonisolated var status: StreamStatus {
        assumeIsolated { generation in
            StreamStatus(
                id: generation.id,
                account: generation.order.caller.account,
                model: generation.order.model.name,
                provider: generation.order.target.provider,
                state: generation.state,
                ageMilliseconds: (generation.executor.now - generation.openedAt).wholeMilliseconds
            )
        }
    }

    /// Whether the stream has not ended yet.
    nonisolated var isRunning: Bool { assumeIsolated { !$0.hasFinalRecord } }

    private var state: String {
        if hasFinalRecord { return "ended" }
        if clients.isEmpty { return "detached" }
        if case .none = answer { return "waiting" }
        return isProviderHeld ? "held" : "streaming"
    }

    private var queuedBytes: Int {
        clients.reduce(0) {
            $0 + log.end.offset - $1.cursor.offset + $1.exchange.unsentBytes
        }
    }

    /// Writes the body of `/api/stream/{id}/metrics`; call on the stream's reactor.
    ///
    /// - Parameter period: the span that the counters cover, back from now.
    /// - Returns: a JSON object.
    nonisolated func metricsBody(period: Duration) -> [UInt8] {
        assumeIsolated { $0.writeMetrics(period: period) }
    }

    private func writeMetrics(period: Duration) -> [UInt8] {
        let now = executor.now
        let counted = recent.counted(
            events: meter.totalEvents,
            bytes: meter.totalBytes,
            period: period,
            at: now
        )
        let span = max(1, counted.span.wholeMilliseconds)
        var json = JSONObjectWriter()
        json.add("stream", id.text)
        json.add("periodMs", span)
        json.add("events", Int64(clamping: counted.events))
        json.add("bytes", Int64(clamping: counted.bytes))
        json.add("bytesPerSecond", Int64(clamping: counted.bytes) * 1_000 / span)
        json.add("firstTokenMs", meter.firstTokenMicroseconds.map { Int64($0) / 1_000 })
        json.add("latencyMs", raw: meter.latencies.json(unitsPerMillisecond: 1_000))
        json.add("gapMs", raw: meter.gaps.json(unitsPerMillisecond: 1))
        var stall = JSONObjectWriter()
        stall.add("provider", meter.providerStallMilliseconds(at: now))
        stall.add("gateway", 0)
        stall.add("client", meter.clientStallMilliseconds(at: now))
        json.add("stallMs", raw: stall.bytes)
        json.add("network", raw: network)
        json.add("queuedBytes", Int64(queuedBytes))
        json.add("coding", lastCoding?.name ?? "identity")
        json.add("codingReason", lastCoding?.reason.rawValue ?? "undecided")
        json.add("sealing", order.sealing?.name ?? "none")
        json.add("attempts", Int64(meter.totalAttempts))
        return json.bytes
    }

    private var network: [UInt8] {
        let reading = clients.first?.exchange.statistics()?.connection ?? TCPStatistics()
        var json = JSONObjectWriter()
        json.add("rttMs", Int64(reading.roundTripMicroseconds) / 1_000)
        json.add("lost", Int64(reading.lost))
        json.add("retransmits", Int64(reading.retransmits))
        return json.bytes
    }
}
