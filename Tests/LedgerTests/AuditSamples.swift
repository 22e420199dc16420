import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport

/// Records that bring every part of the books about: tiers that are reached, records that arrive out
/// of order, alerts, refusals, streams of several records, lists that follow each other.
enum AuditSamples {
    static let directory = AccountDirectory([
        "whole": AccountTerms(
            country: "FR",
            isTaxIDValid: false,
            currency: "EUR",
            exchangeRateMillionths: 920_000,
            quotas: [.tokens(400_000), .spend(Money(nanodollars: 5_000_000_000))]
        ),
        "graded": AccountTerms(
            country: "DE",
            isTaxIDValid: true,
            currency: "EUR",
            exchangeRateMillionths: 920_000,
            discountMode: .graduated,
            quotas: [.tokens(1_000_000)]
        ),
    ])

    /// When January closes: 2026-02-04 00:00 UTC.
    static let closing: Int64 = 1_770_163_200_000

    /// What a process works by, with some keys of the account `whole`.
    static func configuration(_ keys: [String], process: String = "p1") -> UsedConfiguration {
        UsedConfiguration(
            process: process,
            path: "weir.yaml",
            sha256: "a0",
            priceLists: ["first", "second"],
            keys: Set(keys.map { AccountKey(account: "whole", id: $0) }),
            since: WallTime(milliseconds: closing)
        )
    }

    static func prices() throws -> PriceBook {
        let list = try BillingSamples.prices().lists[0]
        let second = list.text.split(separator: "\"version\":\"2026-01-01\"").joined(
            separator: "\"version\":\"second\",\"effective_from\":\"2026-01-15T12:30:00Z\""
        ).split(separator: "\"0.03\"").joined(separator: "\"0.025\"")
        return try PriceBook([list, PriceList(parsing: Array(second.utf8))])
    }

    static func batches() -> [[DeliveredRecord]] {
        var random = SeededChance(seed: 11)
        var records: [DeliveredRecord] = []
        for index in 0..<90 {
            let isFinal = index % 3 != 0
            let minute = Int64(random.below(90)) * 60_000
            let changes = [
                "account_id": ["whole", "graded", "other"][index % 3 == 2 ? 1 : index % 2],
                "connection_id": "c\(index / 3)", "segment": String(index % 3),
                "model": index % 5 == 0 ? "google/gemini-pro" : "openai/gpt-4",
                "ended_at_ms": String(BillingSamples.noon + minute),
                "input_tokens": isFinal ? String(random.below(90_000)) : "0",
                "output_tokens": isFinal ? String(random.below(9_000)) : "0",
                "downtime_ms": String(random.below(500)), "latency_us": "1000", "sla_excluded": "0",
                "gateway": "g", "epoch": "3", "seq": String(index + 1), "key_id": "k\(index % 4)",
                "user": "u\(index % 7)", "purpose": index % 2 == 0 ? "chat" : "search",
                "provider": "p", "started_at_ms": String(BillingSamples.noon - 1_000),
                "events": "7", "bytes_raw": "9", "ttft_us": "5", "latency_min_us": "1",
                "latency_p95_us": "2", "latency_p99_us": "3", "latency_max_us": "4",
                "stall_provider_ms": "5", "stall_client_ms": "6", "attempts": "1",
                "coding": "gzip", "sealing": "none", "rtt_us": "8", "retransmits": "0",
                "lost": "0", "cached_input_tokens": "1", "cache_write_tokens": "2",
                "reasoning_tokens": "3", "usage_source": "provider", "estimated": "0",
                "end": isFinal && index % 3 == 2 ? "complete" : "interval",
            ]
            records.append(
                BillingSamples.delivered(
                    "g:3:\(index + 1)",
                    changes,
                    entryID: "\(index)-0",
                    receivedAtMilliseconds: BillingSamples.noon + 6_000_000
                )
            )
        }
        for (index, model) in ["none", "nothing"].enumerated() {
            records.append(
                BillingSamples.delivered("bad\(index)", ["model": model], entryID: "x\(index)")
            )
        }
        return stride(from: 0, to: records.count, by: 20).map {
            Array(records[$0..<min($0 + 20, records.count)])
        }
    }
}
