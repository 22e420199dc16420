import FoundationEssentials
import Metering
import Pricing

/// Price lists and meter records for tests.
package enum BillingSamples {
    /// 2026-01-15 12:00 UTC.
    package static let noon: Int64 = 1_768_478_400_000

    /// The price list that comes with the program.
    package static func prices() throws -> PriceBook {
        let path = repositoryRoot() + "/Config/prices.json"
        return PriceBook(
            try PriceList(parsing: Array(String(contentsOfFile: path, encoding: .utf8).utf8))
        )
    }

    /// A record that passes every check, with some fields changed; the empty text removes one.
    package static func fields(
        _ recordID: String,
        _ changes: [String: String] = [:]
    ) -> [String: String] {
        var fields = [
            "v": "1", "record_id": recordID, "account_id": "acme", "connection_id": "c1",
            "segment": "0", "model": "openai/gpt-4", "ended_at_ms": String(noon),
            "duration_ms": "60000", "bytes_out": "500000", "input_tokens": "1000",
            "output_tokens": "500", "downtime_ms": "0", "busy_ms": "0",
        ]
        for (name, value) in changes { fields[name] = value.isEmpty ? nil : value }
        return fields
    }

    package static func delivered(
        _ recordID: String,
        _ changes: [String: String] = [:],
        entryID: String? = nil,
        receivedAtMilliseconds: Int64 = noon + 1_000
    ) -> DeliveredRecord {
        DeliveredRecord(
            entryID: entryID ?? "1-\(recordID)",
            receivedAtMilliseconds: receivedAtMilliseconds,
            fields: fields(recordID, changes)
        )
    }
}

/// The name that older tests use for the seeded generator.
package typealias SeededRandom = SeededChance
