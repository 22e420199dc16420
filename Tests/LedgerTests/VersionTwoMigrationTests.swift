import FoundationEssentials
import Ledger
import Pricing
import StreamBytes
import TestSupport
import Testing

/// A ledger that the program of schema version 2 wrote, in each database.
@Suite struct VersionTwoMigrationTests {
    /// Long after the months of its records.
    private static let later = WallTime(milliseconds: 1_790_000_000_000)

    private func older(_ kind: LedgerKind) throws -> LedgerFixture {
        let fixture = try LedgerFixture(kind)
        let name = kind == .sqlite ? "version-2.sql" : "version-2-postgresql.sql"
        let path = repositoryRoot() + "/Tests/Fixtures/ledger/" + name
        try fixture.change(String(contentsOfFile: path, encoding: .utf8))
        return fixture
    }

    @Test(arguments: LedgerKind.allCases)
    func `it keeps all that it has, and its months are closed`(kind: LedgerKind) async throws {
        let fixture = try older(kind)
        let tables = [
            "price_lists", "records", "charges", "graduated_charges", "journal", "periods",
            "period_providers", "graduated_boundaries", "day_models", "streams", "events",
            "alerts", "rejected", "sequences", "charge_list",
        ]
        func contents() throws -> [[String]] {
            try tables.map { try fixture.rows("SELECT * FROM \($0) ORDER BY 1, 2, 3") }
        }
        let before = try contents()
        let ledger = fixture.ledger(at: Self.later.milliseconds)
        _ = try await ledger.open(fixture.prices)

        #expect(before[1].count == 13)
        #expect(try contents() == before)
        #expect(try fixture.database.audit().isSound)
        for place in try await ledger.duePeriods(bookedThrough: Self.later, limit: 100) {
            #expect(try await ledger.closePeriod(place) != nil)
        }
        await ledger.close()
        #expect(
            try fixture.row("SELECT count(*) FROM usage_reports")
                == fixture.row("SELECT count(*) FROM periods")
        )
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
    }

    @Test(arguments: LedgerKind.allCases)
    func `it comes to the same tables, indexes and views as a new one`(
        kind: LedgerKind
    ) async throws {
        let definitions =
            kind == .sqlite
            ? "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
            : "SELECT concat(table_name, column_name, data_type, is_nullable, collation_name) "
                + "FROM information_schema.columns WHERE table_schema = 'weir' UNION ALL "
                + "SELECT indexdef FROM pg_indexes WHERE schemaname = 'weir' UNION ALL "
                + "SELECT definition FROM pg_views WHERE schemaname = 'weir' UNION ALL "
                + "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                + "WHERE connamespace = 'weir'::regnamespace ORDER BY 1"
        var found: [[String]] = []
        for fixture in [try older(kind), try LedgerFixture(kind)] {
            let ledger = fixture.ledger()
            _ = try await ledger.open(fixture.prices)
            await ledger.close()
            found.append(try fixture.rows(definitions))
        }
        #expect(found[0].count > 20)
        #expect(found[0] == found[1])
    }

    @Test(arguments: LedgerKind.allCases)
    func `it is not read before it is brought up to date`(kind: LedgerKind) throws {
        let fixture = try older(kind)
        let refusal = "the ledger has version 2; weir bill brings it up to date"
        #expect(throws: ChargeStoreError.refused(refusal)) { try fixture.database.audit() }
    }
}
