import Metering
import StreamBytes
import Testing

@Suite struct UsageRecordFieldsTests {
    private func names(_ record: UsageRecord) -> [String] { record.fields.map { $0.name } }

    private func value(_ name: String, of record: UsageRecord) -> String? {
        record.fields.first { $0.name == name }?.value
    }

    @Test func `a record of an interval carries no tokens and nothing that was not measured`() {
        var record = UsageRecord()
        record.end = .interval

        let absent = [
            "latency_us", "latency_min_us", "latency_p95_us", "latency_p99_us", "latency_max_us",
            "ttft_us", "rtt_us", "usage_source", "estimated", "cached_input_tokens", "user",
            "purpose", "key_id",
        ]

        #expect(value("input_tokens", of: record) == "0")
        #expect(value("output_tokens", of: record) == "0")
        #expect(value("end", of: record) == "interval")
        #expect(Set(absent).isDisjoint(with: names(record)))
    }

    @Test func `a last record carries every field once, under its name`() {
        var record = UsageRecord()
        record.recordID = "gw:1:2"
        record.usage = TokenUsage()
        record.usage?.input = 12
        record.usage?.output = 345
        record.usage?.cachedInput = 5
        record.isUsageEstimated = true
        record.latency = LatencySummary(mean: 3, minimum: 1, p95: 4, p99: 5, maximum: 6)
        record.firstTokenMicroseconds = 77
        record.roundTripMicroseconds = 88
        record.isExcludedFromSLA = true
        record.keyID = "k1"
        record.user = "u"
        record.purpose = "p"
        record.provider = "openai"
        record.end = .clientGone

        let expected = [
            "v", "record_id", "account_id", "connection_id", "segment", "model", "ended_at_ms",
            "duration_ms", "bytes_out", "input_tokens", "output_tokens", "downtime_ms", "busy_ms",
            "latency_us", "sla_excluded", "gateway", "epoch", "seq", "key_id", "user", "purpose",
            "provider", "started_at_ms", "events", "bytes_raw", "ttft_us", "latency_min_us",
            "latency_p95_us", "latency_p99_us", "latency_max_us", "stall_provider_ms",
            "stall_client_ms", "attempts", "coding", "sealing", "rtt_us", "retransmits", "lost",
            "cached_input_tokens", "cache_write_tokens", "reasoning_tokens", "usage_source",
            "estimated", "end",
        ]
        #expect(names(record) == expected)
        #expect(value("input_tokens", of: record) == "12")
        #expect(value("output_tokens", of: record) == "345")
        #expect(value("latency_us", of: record) == "3")
        #expect(value("sla_excluded", of: record) == "1")
        #expect(value("usage_source", of: record) == "counted")
        #expect(value("estimated", of: record) == "1")
        #expect(value("end", of: record) == "client_gone")
    }

    @Test func `free text is cut at a character's end`() {
        var record = UsageRecord()
        record.user = "a" + String(repeating: "\u{20AC}", count: 100)
        let user = value("user", of: record)
        #expect(user == "a" + String(repeating: "\u{20AC}", count: 85))
    }

    @Test(arguments: ["a", "gw-1:2.3_Z", String(repeating: "x", count: 64)])
    func `identifiers of the allowed form pass`(text: String) {
        #expect(MeterIdentifier.isValid(text))
    }

    @Test(arguments: ["", "a b", "a/b", "caf\u{E9}", "a\n", String(repeating: "x", count: 65)])
    func `other identifiers are refused`(text: String) {
        var record = UsageRecord()
        record.recordID = "r"
        record.accountID = text
        record.connectionID = "c"
        #expect(!MeterIdentifier.isValid(text))
        #expect(record.invalidIdentifier == "account_id")
    }
}
