import FoundationEssentials
import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// A ledger that an earlier version wrote.
@Suite struct MigrationTests {
    private static let list =
        "SELECT group_concat(line, char(10)) FROM (SELECT record_id || ' ' || account_id || ' ' "
        + "|| connection_id || ' ' || segment || ' ' || model || ' ' || period || ' ' || is_late "
        + "|| ' ' || ended_at || ' ' || duration_ms || ' ' || bytes_out || ' ' || input_tokens "
        + "|| ' ' || output_tokens || ' ' || subtotal_usd || ' ' || discount_bp || ' ' "
        + "|| discount_usd || ' ' || sla_breaches || ' ' || sla_penalty_usd || ' ' || charge_usd "
        + "|| ' ' || price_list AS line FROM charge_list ORDER BY record_id)"

    private let fixture: LedgerFixture

    init() throws {
        fixture = try LedgerFixture()
        let path = repositoryRoot() + "/Tests/Fixtures/ledger/version-1.sql"
        try fixture.change(String(contentsOfFile: path, encoding: .utf8))
    }

    @Test func `a ledger of version 1 is brought up to date with every charge as it was`()
        async throws
    {
        let before = try #require(try fixture.row(Self.list))
        let rejected = try fixture.row(
            "SELECT group_concat(entry_id || reason || fields) FROM rejected"
        )
        let further =
            "SELECT group_concat(user || purpose || seq || ttft_us || \"end\") FROM records"
        let fields = try fixture.row(further)
        let ledger = fixture.file()
        _ = try await ledger.open(fixture.prices.addingFree())
        let committed = try await ledger.committedSequences()
        await ledger.close()

        #expect(before.split(separator: "\n").count == 59)
        #expect(try fixture.row(Self.list) == before)
        #expect(try fixture.row(further) == fields)
        #expect(
            try fixture.row("SELECT group_concat(entry_id || reason || fields) FROM rejected")
                == rejected
        )
        #expect(committed.map(\.through) == [61])
        #expect(try fixture.row("PRAGMA user_version") == "3")
        #expect(
            try fixture.row("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'old%'") == "0"
        )
        #expect(try fixture.row("SELECT count(*) FROM streams WHERE records = 2") != "0")
        #expect(
            try fixture.row("SELECT sum(accrued_nano) FROM periods")
                == fixture.row("SELECT sum(amount_nano) FROM postings WHERE book = 'accrued'")
        )
    }

    @Test func `a price list under which charges come out otherwise is refused`() async throws {
        let text = try String(
            contentsOfFile: repositoryRoot() + "/Config/prices.json",
            encoding: .utf8
        )
        let changed = text.split(separator: "\"0.03\"").joined(separator: "\"0.04\"")
        let list = try PriceList(parsing: Array(changed.utf8))
        let ledger = fixture.file()
        await #expect(throws: ChargeStoreError.self) {
            _ = try await ledger.open(PriceBook(list).addingFree())
        }
        await ledger.close()

        #expect(try fixture.row("PRAGMA user_version") == "1")
        #expect(try fixture.row("SELECT count(*) FROM tier_charges") != "0")
    }
}
