import Ledger
import Metering
import Pricing
import StreamBytes
import Testing

/// The ledger, in each database.
@Suite struct DatabaseLedgerTests {
    private let january = CalendarMonth(year: 2_026, month: 1)

    @Test(arguments: LedgerKind.allCases)
    func `a person reads the charge that the rules give`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let receipt = try await ledger.store([fixture.entry("r1")])
        await ledger.close()

        #expect(receipt.outcomes == [.accepted])
        let columns =
            "record_id, period, ended_at, subtotal_usd, discount_bp, discount_usd, sla_penalty_usd, "
            + "charge_usd"
        #expect(
            try fixture.row("SELECT \(columns) FROM charge_list")
                == "r1|2026-01|2026-01-15T12:00:00Z|0.084333333|0|0.000000000|0.000000000|0.084333333"
        )
        #expect(
            try fixture.rows("SELECT book, amount_nano FROM postings ORDER BY book") == [
                "accrued|84333333", "discount|0", "revenue|-84333333", "sla_penalty|0",
            ]
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `all fields of a record are kept, and what is no number where one belongs is not`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let changes = [
            "gateway": "g1", "epoch": "7", "seq": "x", "user": "a\u{0}b\u{E9}",
            "purpose": String(repeating: "p", count: 5_000), "latency_us": "44",
            "sla_excluded": "1", "rtt_us": "-5", "events": "12", "end": "complete",
            "nobody": "knows",
        ]
        let receipt = try await ledger.store([fixture.entry("r1", changes)])
        await ledger.close()

        #expect(receipt.outcomes == [.accepted])
        #expect(receipt.committed.isEmpty)
        let columns =
            "gateway, epoch, seq, rtt_us, events, latency_us, sla_excluded, \"end\", "
            + "length(purpose), \"user\""
        #expect(
            try fixture.row("SELECT \(columns) FROM records")
                == "g1|7|||12|44|1|complete|1024|a\u{2400}b\u{E9}"
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `the same record again changes nothing`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let entry = fixture.entry("r1")
        _ = try await ledger.store([entry, entry])
        let before = try await ledger.totals(account: "acme", period: january)
        let receipt = try await ledger.store([entry])

        #expect(receipt.outcomes == [.duplicate])
        #expect(try await ledger.totals(account: "acme", period: january) == before)
        #expect(before.first?.records == 1)
        #expect(before.first?.charge.nanodollars == 84_333_333)
        await ledger.close()
    }

    @Test(
        arguments: LedgerKind.allCases,
        [
            ["bytes_out": "500001"], ["latency_us": "0"], ["sla_excluded": "0"],
            ["connection_id": "c2"],
        ]
    )
    func `another record with an id that is taken is set aside`(
        kind: LedgerKind,
        changes: [String: String]
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        _ = try await ledger.store([fixture.entry("r1")])
        let receipt = try await ledger.store([fixture.entry("r1", changes)])
        let totals = try await ledger.totals(account: "acme", period: january)
        await ledger.close()

        let conflict = RecordRejection(.duplicateConflict, "record_id")
        #expect(receipt.outcomes == [.setAside(conflict)])
        #expect(totals.first?.records == 1)
        #expect(
            try fixture.row("SELECT reason, record_id FROM rejected") == "duplicate_conflict|r1"
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `a rejected record does not take its id and is noted once`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let bad = fixture.entry("r1", ["segment": "-1"])
        let refused = try await ledger.store([bad, bad])
        let receipt = try await ledger.store([fixture.entry("r1")])
        let counts = try await ledger.counts()
        await ledger.close()

        let rejection = RecordRejection(.negative, "segment")
        #expect(refused.outcomes == [.setAside(rejection), .setAside(rejection)])
        #expect(receipt.outcomes == [.accepted])
        #expect(counts == LedgerCounts(records: 1, rejected: 1))
    }

    @Test(arguments: LedgerKind.allCases)
    func `reaching a tier changes what every record of the provider costs`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let large = ["input_tokens": "999000", "output_tokens": "0", "segment": "1"]
        _ = try await ledger.store([fixture.entry("r1", large)])
        let before = try await ledger.totals(account: "acme", period: january)
        let other = ["model": "google/gemini-pro"]
        _ = try await ledger.store([fixture.entry("r2"), fixture.entry("r3", other)])
        let after = try await ledger.totals(account: "acme", period: january)
        let today = try await ledger.summary(
            at: WallTime(milliseconds: 1_768_478_400_000)
        )
        await ledger.close()

        // By hand: 29.970000000 + time 0.012 + bytes 0.010 + hour 0.000333333 for the first.
        #expect(before.map(\.charge.nanodollars) == [29_992_333_333])
        let google = after.first { $0.provider == "google" }
        let openai = try #require(after.first { $0.provider == "openai" })
        #expect(google?.tier == 0)
        #expect(openai.tier == 1)
        #expect(openai.charge.nanodollars == 29_992_333_333 - 2_999_233_333 + 75_900_000)
        #expect(today.costToday == openai.charge + (google?.charge ?? .zero))
        #expect(today.streamsToday == 2)
        #expect(
            today.costPerStream?.nanodollars == today.costToday.nanodollars / 2
        )
        #expect(
            try fixture.row("SELECT charge_usd FROM charge_list WHERE record_id = 'r1'")
                == "26.993100000"
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `totals are those of the records, whatever the order`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let changes = ["model": "google/gemini-pro", "bytes_out": "7", "segment": "2"]
        _ = try await ledger.store([
            fixture.entry("r1"), fixture.entry("r2", changes), fixture.entry("r3"),
        ])
        let usage = try await ledger.usageByModel()
        await ledger.close()

        #expect(usage.map(\.model) == ["google/gemini-pro", "openai/gpt-4"])
        #expect(usage.map(\.records) == [1, 2])
        #expect(usage.map(\.streams) == [0, 2])
        #expect(usage.map(\.inputTokens) == [1_000, 2_000])
        #expect(usage.map(\.outputTokens) == [500, 1_000])
        #expect(usage.map(\.bytesOut) == [7, 1_000_000])
        #expect(usage.map(\.durationMilliseconds) == [60_000, 120_000])
    }

    @Test(arguments: LedgerKind.allCases)
    func `a record that a period's total cannot hold is set aside, and its id stays free`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let huge = [
            "bytes_out": "1000000000000000", "input_tokens": "1000000000000",
            "output_tokens": "1000000000000",
        ]
        var outcomes: [StoreOutcome] = []
        for index in 0..<100 {
            let entry = fixture.entry("r\(index)", huge)
            outcomes += try await ledger.store([entry]).outcomes
        }
        let totals = try await ledger.totals(account: "acme", period: january)
        let counts = try await ledger.counts()
        await ledger.close()

        let full = StoreOutcome.setAside(RecordRejection(.totalOutOfRange, "record_id"))
        let accepted = Int64(outcomes.count { $0 == .accepted })
        #expect(outcomes.last == full)
        #expect(accepted > 50)
        #expect(totals.first?.records == accepted)
        #expect(counts.records == accepted)
        #expect(try fixture.row("SELECT count(*) FROM records") == String(accepted))
        #expect(try fixture.row("SELECT count(*) FROM charges") == String(accepted))
    }

    @Test(arguments: LedgerKind.allCases)
    func `every worked case is stored as it is rated`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        var entries: [BillingEntry] = []
        for index in 0..<40 {
            let changes = [
                "bytes_out": String(index * 777_777), "latency_us": String(index * 20_000),
                "duration_ms": String(index * 1_001), "segment": String(index % 3),
                "account_id": "a\(index % 4)",
            ]
            entries.append(fixture.entry("r\(index)", changes))
        }
        let receipt = try await ledger.store(entries)
        await ledger.close()

        #expect(receipt.outcomes.allSatisfy { $0 == .accepted })
        for case .rated(let rated) in entries {
            let id = rated.record.recordID
            let row = try fixture.row(
                "SELECT subtotal_nano, charge_0_nano, charge_1_nano, charge_2_nano, sla_breaches "
                    + "FROM records JOIN charges USING (number) WHERE record_id = '\(id)'"
            )
            let charges = rated.charge.tiers.map { String($0.charge.nanodollars) }
            let parts =
                [String(rated.charge.subtotal.nanodollars)] + charges
                + [rated.charge.breaches.map(\.rawValue).joined(separator: " ")]
            #expect(row == parts.joined(separator: "|"))
        }
    }
}
