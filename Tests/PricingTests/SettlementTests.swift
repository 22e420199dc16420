import Metering
import Pricing
import Testing

@Suite struct SettlementTests {
    private static let ended: Int64 = 1_769_903_999_999  // the last millisecond of 2026-01
    private static let grace: Int64 = 259_200_000

    private func fields(_ changes: [String: String] = [:]) -> [String: String] {
        let fields = [
            "v": "1", "record_id": "r", "account_id": "a", "connection_id": "c", "segment": "1",
            "model": "openai/gpt-4", "ended_at_ms": String(Self.ended), "duration_ms": "60000",
            "bytes_out": "500000", "input_tokens": "1000", "output_tokens": "500",
            "downtime_ms": "0", "busy_ms": "0",
        ]
        return fields.merging(changes) { $1 }
    }

    private func settle(
        _ fields: [String: String],
        receivedAtMilliseconds received: Int64 = Self.ended
    ) throws -> BillingEntry {
        try BillingFixtures.book().settle(
            DeliveredRecord(
                entryID: "1-1",
                receivedAtMilliseconds: received,
                fields: fields
            )
        )
    }

    private func rated(_ entry: BillingEntry) throws -> RatedRecord {
        guard case .rated(let record) = entry else { throw NotRated() }
        return record
    }

    private struct NotRated: Error {}

    @Test func `the example worked by hand holds under every tier`() throws {
        let record = try rated(settle(fields(["segment": "0", "downtime_ms": "301"])))
        #expect(record.charge.subtotal.nanodollars == 84_333_333)
        #expect(record.charge.breaches == [.uptime])
        #expect(record.charge.tiers.count == 3)
        #expect(record.charge.tiers[1].net.nanodollars == 75_900_000)
        #expect(record.charge.tiers[1].charge.nanodollars == 64_515_000)
    }

    @Test(arguments: [
        (-1, "2026-01", false), (0, "2026-02", true),
        (28 * 86_400_000 - 1, "2026-02", true),
    ])
    func `a record is late from the end of its month's grace on`(
        offset: Int64,
        period: String,
        isLate: Bool
    ) throws {
        let received = Self.ended + 1 + Self.grace + offset
        let record = try rated(settle(fields(), receivedAtMilliseconds: received))
        #expect(record.period.description == period)
        #expect(record.isLate == isLate)
    }

    @Test func `a late record goes to the first month that is still open`() throws {
        // 35 days old and received in the first days of March: February is open by its grace.
        let ended: Int64 = 1_769_817_600_000  // 2026-01-31
        let received = ended + 32 * 86_400_000  // 2026-03-04, after February's grace
        let record = try rated(
            settle(
                fields(["ended_at_ms": String(ended)]),
                receivedAtMilliseconds: received
            )
        )
        #expect(record.period.description == "2026-03")
        #expect(record.isLate)
    }

    @Test(arguments: ["1", "0"])
    func `an optional field that is absent differs from one that is there`(flag: String) throws {
        let plain = try rated(settle(fields())).record
        #expect(try rated(settle(fields(["sla_excluded": flag]))).record != plain)
        #expect(try rated(settle(fields(["latency_us": "0"]))).record != plain)
        #expect(try rated(settle(fields(["unknown": "x"]))).record == plain)
    }

    @Test func `an origin is read only where it is proper`() {
        let proper = ["gateway": "g", "epoch": "3", "seq": "7"]
        #expect(RecordOrigin(proper)?.sequence == 7)
        for (name, value) in [("gateway", ""), ("epoch", "-1"), ("seq", "0"), ("seq", "01")] {
            #expect(RecordOrigin(proper.merging([name: value]) { $1 }) == nil)
        }
        #expect(RecordOrigin([:]) == nil)
    }
}
