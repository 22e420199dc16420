import FoundationEssentials
import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// The books worked out again, and everything that somebody changed behind the program's back.
@Suite struct AuditTests {
    private let fixture: LedgerFixture

    init() async throws {
        fixture = try LedgerFixture()
        let ledger = fixture.ledger(directory: AuditSamples.directory)
        let prices = try await ledger.open(AuditSamples.prices())
        for batch in AuditSamples.batches() {
            _ = try await ledger.store(batch.map { prices.settle($0) })
        }
        await ledger.close()
        let closer = fixture.ledger(directory: AuditSamples.directory, at: AuditSamples.closing)
        _ = try await closer.open(AuditSamples.prices())
        let instant = WallTime(milliseconds: AuditSamples.closing)
        for place in try await closer.duePeriods(bookedThrough: instant, limit: 2) {
            _ = try await closer.closePeriod(place)
        }
        for keys in [["k1", "k2", "k3"], ["k1", "k3"]] {
            try await closer.note(AuditSamples.configuration(keys), isReload: keys.count == 2)
        }
        await closer.close()
    }

    @Test func `books that nobody touched are sound`() throws {
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
        for table in try fixture.tables() {
            #expect((report.rows[table] ?? 0) > 0, "\(table)")
        }
    }

    @Test func `a column that was changed is named, with what stood there`() throws {
        for table in try fixture.tables() {
            for column in try fixture.columns(of: table) {
                let (change, old) = try fixture.change(of: column, in: table)
                let findings = try fixture.findings(after: change)
                let named = findings.first { $0.table == table && $0.column == column }
                let isKnown = named?.expected.map { old.isEmpty || $0.contains(old) } ?? false
                // Where the key was changed, the row that should be there is missed.
                let isMissed = findings.contains { $0.table == table && $0.key.contains(old) }
                #expect(
                    isKnown || isMissed || ["seal", "chain"].contains(column) && named != nil,
                    "\(table).\(column), \(old): \(findings.prefix(4))"
                )
            }
        }
    }

    @Test func `a row that was deleted is missed`() throws {
        // Nothing follows from these: a row that is gone leaves no trace in others.
        let traceless = ["alerts", "rejected", "sequences"]
        for table in try fixture.tables() where !traceless.contains(table) {
            let findings = try fixture.findings(after: fixture.deletion(in: table))
            #expect(!findings.isEmpty, "\(table)")
        }
    }

    @Test func `a row that belongs to nothing is found`() throws {
        let findings = try fixture.findings(
            after: """
                INSERT INTO journal SELECT 7777777, kind, account_id, period, provider, accrued_nano,
                    discount_nano, sla_penalty_nano, revenue_nano, receivable_nano, seal
                FROM journal LIMIT 1
                """
        )
        #expect(findings.contains { $0.table == "journal" && $0.key.contains("7777777") })
    }

    @Test func `two columns that were changed at once are both named`() throws {
        let columns = try fixture.findings(
            after: "UPDATE records SET input_tokens = input_tokens + 1, purpose = 'else' "
                + "WHERE number = (SELECT min(number) FROM records)"
        ).filter { $0.table == "records" }.compactMap(\.column)
        #expect(Set(columns) == ["input_tokens", "purpose"])
    }

    @Test func `a changed record does not make its charge look wrong`() throws {
        let findings = try fixture.findings(
            after: "UPDATE records SET output_tokens = 999999 "
                + "WHERE number = (SELECT min(number) FROM records)"
        )
        #expect(findings.map { "\($0.table).\($0.column ?? "")" } == ["records.output_tokens"])
    }

    @Test func `what is found is bounded and counted`() throws {
        try fixture.change("UPDATE records SET purpose = purpose || '!'")
        let report = try fixture.database.audit(findingLimit: 3)
        #expect(report.findings.count == 3)
        #expect(report.findingCount > 10)
    }

    @Test func `a bit of the file that was turned over is found, wherever it is`() throws {
        var random = SeededChance(seed: 5)
        for _ in 0..<40 {
            let flip = try fixture.isFoundAfterFlip(&random)
            #expect(flip.isFound, "the byte at \(flip.offset)")
        }
    }

    @Test func `a ledger that is not there is an error`() throws {
        let database = LedgerDatabase.sqlite(SQLiteLedgerConfiguration(path: "/none/ledger.db"))
        #expect(throws: ChargeStoreError.self) { try database.audit() }
    }
}
