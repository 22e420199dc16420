import Ledger
import Pricing
import TestSupport
import Testing

/// What the chains of events say of configurations and keys, in each database.
@Suite struct ConfigurationNoteTests {
    private let events =
        "SELECT account_id, kind, subject, detail FROM events "
        + "WHERE kind <> 'price_list_added' ORDER BY number"

    @Test(arguments: LedgerKind.allCases)
    func `each start and reload is noted, and keys where they differ from the last ones`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        _ = try await ledger.open(fixture.prices)
        try await ledger.note(AuditSamples.configuration(["k1"]), isReload: false)
        try await ledger.note(AuditSamples.configuration(["k1"]), isReload: false)
        try await ledger.note(AuditSamples.configuration(["k2"]), isReload: true)
        await ledger.close()

        let detail = "p1: sha256 a0, price lists first second"
        #expect(
            try fixture.rows(events) == [
                "|configuration_loaded|weir.yaml|\(detail)", "whole|key_added|k1|p1",
                "|configuration_loaded|weir.yaml|\(detail)",
                "|configuration_reloaded|weir.yaml|\(detail)", "whole|key_added|k2|p1",
                "whole|key_removed|k1|p1",
            ]
        )
        #expect(try fixture.rows("SELECT key_id FROM account_keys") == ["k2"])
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
    }

    @Test(arguments: LedgerKind.allCases)
    func `what one process knows is no news of another`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        _ = try await ledger.open(fixture.prices)
        for _ in 0..<2 {
            try await ledger.note(AuditSamples.configuration(["k1"]), isReload: false)
            let other = AuditSamples.configuration(["k2"], process: "p2")
            try await ledger.note(other, isReload: false)
        }
        await ledger.close()
        #expect(
            try fixture.rows(
                "SELECT subject, detail FROM events WHERE kind LIKE 'key%' ORDER BY number"
            ) == ["k1|p1", "k2|p2"]
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `a day's first use of a key is read from its streams`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let streams = [("c1", "60000", "k1"), ("c2", "30000", "k1"), ("c3", "0", "k2")]
        let entries = streams.map { id, duration, key in
            fixture.entry(id, ["connection_id": id, "duration_ms": duration, "key_id": key])
        }
        _ = try await ledger.store(entries)
        await ledger.close()
        #expect(
            try fixture.rows("SELECT * FROM key_use ORDER BY key_id") == [
                "acme|k1|2026-01-15|2026-01-15T11:59:00Z|2",
                "acme|k2|2026-01-15|2026-01-15T12:00:00Z|1",
            ]
        )
    }
}
