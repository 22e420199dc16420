import Metering
import Telemetry

/// What one reactor has counted since its start.
package struct GatewayCounters: Sendable {
    package var opened: Int64 = 0
    package var ends: [StretchEnd: Int64] = [:]
    package var events: Int64 = 0
    package var bytes: Int64 = 0
    package var inputTokens: Int64 = 0
    package var outputTokens: Int64 = 0
    package var durationMilliseconds: Int64 = 0
    package var byProvider: [String: [StretchEnd: Int64]] = [:]
    package var refusals: [String: Int64] = [:]
    /// Bodies of streams begun, by their coding and its reason.
    package var codings: [CodingChoice: Int64] = [:]
    package var firstToken = LatencyBuckets()
    package var latency = LatencyBuckets()
    /// Streams whose client left or was cut, by the minute in which that was.
    package var drops = RecentCount()

    package init() {}

    /// Streams that ended, of any of these kinds.
    package func ended(_ kinds: StretchEnd...) -> Int64 {
        kinds.reduce(0) { $0 + (ends[$1] ?? 0) }
    }

    package mutating func add(_ other: GatewayCounters) {
        opened += other.opened
        ends.merge(other.ends, uniquingKeysWith: +)
        events += other.events
        bytes += other.bytes
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        durationMilliseconds += other.durationMilliseconds
        for (provider, ends) in other.byProvider {
            byProvider[provider, default: [:]].merge(ends, uniquingKeysWith: +)
        }
        refusals.merge(other.refusals, uniquingKeysWith: +)
        codings.merge(other.codings, uniquingKeysWith: +)
        firstToken.add(other.firstToken)
        latency.add(other.latency)
        drops.add(other.drops)
    }

    mutating func add(_ stream: StreamEndCounts) {
        ends[stream.end, default: 0] += 1
        byProvider[stream.provider, default: [:]][stream.end, default: 0] += 1
        events += stream.events
        bytes += stream.bytes
        inputTokens += stream.usage.input
        outputTokens += stream.usage.output
        durationMilliseconds += stream.durationMilliseconds
        if let first = stream.firstTokenMicroseconds { firstToken.record(microseconds: first) }
        if let latency = stream.latency {
            self.latency.record(microseconds: latency.mean, number: UInt64(stream.events))
        }
        if [.clientGone, .slowClient].contains(stream.end) { drops.count(inMinute: stream.minute) }
    }
}

/// What a stream adds to the counts when it has ended.
struct StreamEndCounts: Sendable {
    let provider: String
    let end: StretchEnd
    let events: Int64
    let bytes: Int64
    let usage: TokenUsage
    let durationMilliseconds: Int64
    let firstTokenMicroseconds: Int64?
    let latency: LatencySummary?
    /// The minute of the wall clock, since 1970.
    let minute: Int64
}

/// How often something happened in the last hour, by minute.
package struct RecentCount: Sendable {
    private var counts: [Int64: Int64] = [:]

    mutating func count(inMinute minute: Int64) {
        counts[minute, default: 0] += 1
        if counts.count > 60 { counts = counts.filter { $0.key > minute - 60 } }
    }

    mutating func add(_ other: RecentCount) { counts.merge(other.counts, uniquingKeysWith: +) }

    /// The number in the hour that ends with `minute`.
    package func total(atMinute minute: Int64) -> Int64 {
        counts.reduce(0) { $1.key > minute - 60 ? $0 + $1.value : $0 }
    }
}
