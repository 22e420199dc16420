import Metering

/// Meter records as gateways would write them: as many as wanted, each always the same for one seed.
package struct RecordGenerator: Sendable {
    /// What the records are about.
    package struct Shape: Sendable {
        package var accounts = 100
        package var gateways = 3
        package var models = [
            "openai/gpt-4", "openai/gpt-3.5-turbo", "google/gemini-pro",
            "anthropic/claude-3-sonnet",
        ]
        /// When the first one ended, in milliseconds since 1970.
        package var startMilliseconds: Int64 = 1_767_225_600_000  // 2026-01-01
        /// How far apart their ends are, in milliseconds.
        package var stepMilliseconds: Int64 = 1
        /// How many records a stream has.
        package var segments = 1
        /// One of so many is received too late for its month; 0: none.
        package var lateEvery = 0
        /// One of so many cannot be rated; 0: none.
        package var refusedEvery = 0

        package init() {}

        /// Two months, streams of several records, and what goes wrong now and then.
        package static func varied(records: Int) -> Self {
            var shape = Self()
            shape.accounts = 40
            shape.segments = 3
            shape.lateEvery = 50
            shape.refusedEvery = 200
            shape.startMilliseconds = 1_769_904_000_000 - 20 * 86_400_000  // 2026-01-12
            shape.stepMilliseconds = max(1, 40 * 86_400_000 / Int64(max(1, records)))
            return shape
        }
    }

    private let shape: Shape
    private let seed: UInt64

    package init(_ shape: Shape = Shape(), seed: UInt64) {
        self.shape = shape
        self.seed = seed
    }

    /// The record with that number, from 0.
    package func record(_ number: Int) -> DeliveredRecord {
        var random = SplitMix(state: seed &+ UInt64(number) &* 0xbf58_476d_1ce4_e5b9)
        let stream = number / shape.segments
        let segment = number % shape.segments
        // All of a stream's records are of one account and one model.
        var streamRandom = SplitMix(state: ~seed &+ UInt64(stream) &* 0x94d0_49bb_1331_11eb)
        let account = streamRandom.below(shape.accounts)
        let model = shape.models[streamRandom.below(shape.models.count)]
        let isLast = segment == shape.segments - 1
        let gateway = number % shape.gateways
        let sequence = number / shape.gateways + 1
        let ended = shape.startMilliseconds + Int64(number) * shape.stepMilliseconds
        let duration = 500 + random.below(30_000)
        let output = isLast ? random.below(900) : 0
        let texts: [String] = [String(output * 260), String(output * 300), String(duration / 9)]
        let used: [String] = [
            isLast ? String(random.below(3_000)) : "0", String(random.below(3) * 7),
            String(40 + random.below(500_000)), random.below(20) == 0 ? "1" : "0",
            String(90_000 + random.below(400_000)), String(200 + random.below(40_000)),
        ]
        let purposes: [String] = ["chat", "summary", "search", "code"]
        let who: [String] = [
            "k\(streamRandom.below(300))", "user-\(streamRandom.below(5_000))",
            purposes[streamRandom.below(4)],
        ]
        let started = String(ended - Int64(duration))
        var fields: [String: String] = [:]
        fields["v"] = "1"
        fields["record_id"] = "gw\(gateway):1767225600000:\(sequence)"
        fields["account_id"] = "account-\(account)"
        fields["connection_id"] = "s\(stream)"
        fields["segment"] = String(segment)
        fields["model"] = model
        fields["ended_at_ms"] = String(ended)
        fields["duration_ms"] = String(duration)
        fields["bytes_out"] = texts[0]
        fields["input_tokens"] = used[0]
        fields["output_tokens"] = String(output)
        fields["downtime_ms"] = used[1]
        fields["busy_ms"] = texts[2]
        fields["latency_us"] = used[2]
        fields["sla_excluded"] = used[3]
        fields["gateway"] = "gw\(gateway)"
        fields["epoch"] = "1767225600000"
        fields["seq"] = String(sequence)
        fields["key_id"] = who[0]
        fields["user"] = who[1]
        fields["purpose"] = who[2]
        fields["started_at_ms"] = started
        fields["events"] = String(output)
        fields["bytes_raw"] = texts[1]
        fields["ttft_us"] = used[4]
        fields["rtt_us"] = used[5]
        fields["end"] = isLast ? "complete" : "interval"
        for (name, value) in Self.constants { fields[name] = value }
        if Self.happens(shape.refusedEvery, &random) { fields["model"] = "nobody/nothing" }
        let delay: Int64 = Self.happens(shape.lateEvery, &random) ? 30 * 86_400_000 : 20
        return DeliveredRecord(
            entryID: "\(ended + delay)-\(number)",
            receivedAtMilliseconds: ended + delay,
            fields: fields
        )
    }

    private static let constants: [(String, String)] = [
        ("provider", "openai"), ("latency_min_us", "21"), ("latency_p95_us", "400"),
        ("latency_p99_us", "800"), ("latency_max_us", "2100"), ("stall_provider_ms", "12"),
        ("stall_client_ms", "0"), ("attempts", "1"), ("coding", "gzip"), ("sealing", "none"),
        ("retransmits", "0"), ("lost", "0"), ("cached_input_tokens", "0"),
        ("cache_write_tokens", "0"), ("reasoning_tokens", "0"), ("usage_source", "provider"),
        ("estimated", "0"),
    ]

    private static func happens(_ every: Int, _ random: inout SplitMix) -> Bool {
        every > 0 && random.below(every) == 0
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit` - 1.
    package mutating func below(_ limit: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(limit)).high)
    }
}
