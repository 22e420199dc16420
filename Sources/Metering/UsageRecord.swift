/// Why a metered stretch ended.
package enum StretchEnd: String, CaseIterable, Sendable {
    case interval, period, complete, cancelled
    case clientGone = "client_gone"
    case slowClient = "slow_client"
    case providerError = "provider_error"
    case lifetime, budget, drain, interrupted
}

/// One stretch of one stream, as it goes to billing: exact, flat, and identified once.
package struct UsageRecord: Equatable, Sendable {
    package var recordID = ""
    package var accountID = ""
    package var connectionID = ""
    package var segment: Int64 = 0
    /// The key of the price list.
    package var model = ""
    package var endedAtMilliseconds: Int64 = 0
    package var durationMilliseconds: Int64 = 0
    package var bytesOut: Int64 = 0
    /// Nil in all records of a stream but its last, which are sent as 0.
    package var usage: TokenUsage?
    package var isUsageEstimated = false
    package var downtimeMilliseconds: Int64 = 0
    package var busyMilliseconds: Int64 = 0
    /// Mean, minimum and so on of the gateway's own latency; nil when no event was delivered.
    package var latency: LatencySummary?
    package var isExcludedFromSLA = false

    package var gateway = ""
    package var epoch: Int64 = 0
    package var sequence: Int64 = 0
    package var keyID = ""
    package var user = ""
    package var purpose = ""
    package var provider = ""
    package var startedAtMilliseconds: Int64 = 0
    package var events: Int64 = 0
    package var bytesRaw: Int64 = 0
    package var firstTokenMicroseconds: Int64?
    package var stallProviderMilliseconds: Int64 = 0
    package var stallClientMilliseconds: Int64 = 0
    package var attempts: Int64 = 0
    package var coding = "identity"
    package var sealing = "none"
    package var roundTripMicroseconds: Int64?
    package var retransmits: Int64 = 0
    package var lost: Int64 = 0
    /// Bytes handed to the kernel of which it is not known whether it took them.
    ///
    /// They are not in `bytesOut`. Nil in every record but an interrupted one.
    package var inFlightBytes: Int64?
    package var end: StretchEnd = .complete

    package init() {}
}

/// Latencies of one stretch, in microseconds.
package struct LatencySummary: Equatable, Sendable {
    package var mean: Int64
    package var minimum: Int64
    /// Nil where the stretch was cut off by the end of its process.
    package var p95: Int64?
    package var p99: Int64?
    package var maximum: Int64

    package init(
        mean: Int64,
        minimum: Int64,
        p95: Int64? = nil,
        p99: Int64? = nil,
        maximum: Int64
    ) {
        self.mean = mean
        self.minimum = minimum
        self.p95 = p95
        self.p99 = p99
        self.maximum = maximum
    }
}
