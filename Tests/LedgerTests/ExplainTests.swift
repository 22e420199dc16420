import Ledger
import Metering
import Pricing
import TestSupport
import Testing

/// A stored charge, worked out again.
@Suite struct ExplainTests {
    @Test(arguments: LedgerKind.allCases)
    func `every charge is explained as it stands, whatever became of its tier`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger(directory: AuditSamples.directory)
        let prices = try await ledger.open(AuditSamples.prices())
        for batch in AuditSamples.batches() {
            _ = try await ledger.store(batch.map { prices.settle($0) })
        }
        await ledger.close()

        let rows = try fixture.rows("SELECT record_id, charge_usd FROM charge_list")
        #expect(rows.count == 90)
        for row in rows {
            let parts = row.split(separator: "|").map(String.init)
            guard
                case .charged(let explanation, let differences) =
                    try fixture.database.explain(parts[0])
            else {
                Issue.record("\(parts[0]) is not explained")
                continue
            }
            #expect(explanation.charge.charge.description == parts[1], "\(parts[0])")
            #expect(differences.isEmpty, "\(parts[0]): \(differences)")
            #expect(explanation.lines.last?.hasSuffix(" = \(parts[1])") == true)
        }
    }

    @Test func `what was changed, set aside or never seen is told apart`() async throws {
        let fixture = try LedgerFixture()
        let ledger = fixture.ledger()
        _ = try await ledger.open(fixture.prices)
        _ = try await ledger.store([
            fixture.entry("r1"), fixture.entry("bad", ["model": "none"]),
        ])
        await ledger.close()
        try fixture.change("UPDATE charges SET charge_0_nano = charge_0_nano - 1")

        guard case .charged(_, let differences) = try fixture.database.explain("r1") else {
            Issue.record("it is not charged")
            return
        }
        #expect(differences == ["charges.charge_0_nano is 84333332, should be 84333333"])
        guard case .setAside(let reasons) = try fixture.database.explain("bad") else {
            Issue.record("it is not set aside")
            return
        }
        #expect(reasons == ["received 2026-01-15T12:00:01.000Z: unknown_model, model"])
        guard case .unknown = try fixture.database.explain("r9") else {
            Issue.record("it is known")
            return
        }
    }
}
