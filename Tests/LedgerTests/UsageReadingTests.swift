import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// Usage as it is added up from the ledger.
@Suite struct UsageReadingTests {
    private func filled(_ kind: LedgerKind) async throws -> LedgerFixture {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger(directory: AuditSamples.directory)
        let prices = try await ledger.open(AuditSamples.prices())
        for batch in AuditSamples.batches() {
            _ = try await ledger.store(batch.map { prices.settle($0) })
        }
        await ledger.close()
        return fixture
    }

    private func query(_ parameters: [String: String]) throws -> UsageQuery {
        let now = WallTime(milliseconds: BillingSamples.noon + 86_400_000)
        return try UsageQuery({ parameters[$0] }, now: now)
    }

    private func report(
        _ fixture: LedgerFixture,
        _ parameters: [String: String]
    ) throws -> UsageReport {
        try fixture.database.usage(query(parameters)).report
    }

    /// Sums by the view that people read, with the same groups.
    private func expected(_ fixture: LedgerFixture, _ column: String) throws -> [String: String] {
        let rows = try fixture.rows(
            "SELECT \(column), count(*), sum(input_tokens + output_tokens), sum(bytes_out), "
                + "sum(round(CAST(charge_usd AS numeric) * 1000000000)) FROM charge_list "
                + "JOIN (SELECT record_id AS id, key_id, \"user\", purpose FROM records) AS r "
                + "ON r.id = charge_list.record_id GROUP BY 1"
        )
        var sums: [String: String] = [:]
        for row in rows {
            let parts = row.split(separator: "|", omittingEmptySubsequences: false)
            // SQLite adds fractions up.
            let charge = String(parts[4].split(separator: ".")[0])
            sums[String(parts[0])] = parts[1...3].joined(separator: "|") + "|" + charge
        }
        return sums
    }

    private func found(_ report: UsageReport) -> [String: String] {
        var sums: [String: String] = [:]
        for row in report.rows {
            let used = row.sums
            sums[row.values[0]] =
                "\(used.records)|\(used.tokens)|\(used.bytesOut)|\(used.charge)"
        }
        return sums
    }

    @Test(arguments: LedgerKind.allCases)
    func `every grouping adds up what its charges say`(kind: LedgerKind) async throws {
        let fixture = try await filled(kind)
        let columns = [
            ("model", "model"), ("account", "account_id"), ("purpose", "purpose"),
            ("user", "\"user\""), ("key", "key_id"),
        ]
        for (word, column) in columns {
            let report = try self.report(fixture, ["group": word])
            #expect(found(report) == (try expected(fixture, column)), "\(word)")
            let records = report.rows.reduce(0) { $0 + $1.sums.records }
            #expect(records == 90, "\(word)")
            #expect(report.total.records == 90, "\(word)")
        }
    }

    /// Whole days are read from their totals, parts of days from the records.
    @Test(arguments: LedgerKind.allCases)
    func `a cut within a day loses and doubles nothing`(kind: LedgerKind) async throws {
        let fixture = try await filled(kind)
        let cut = "2026-01-15T12:47:00Z"
        let all = try report(
            fixture,
            ["from": "2026-01-01", "to": "2026-02-01", "group": "model,day"]
        )
        let before = try report(fixture, ["from": "2026-01-01", "to": cut])
        let after = try report(fixture, ["from": cut, "to": "2026-02-01"])
        #expect(all.rows.allSatisfy { $0.values[1] == "2026-01-15" && $0.previous == nil })
        #expect(before.total.records > 0)
        #expect(after.total.records > 0)
        #expect(before.total.records + after.total.records == all.total.records)
        #expect(before.total.charge + after.total.charge == all.total.charge)
        #expect(before.total.penalty + after.total.penalty == all.total.penalty)
        #expect(before.total.subtotal + after.total.subtotal == all.total.subtotal)
        #expect(before.total.streams + after.total.streams == all.total.streams)
    }

    @Test(arguments: LedgerKind.allCases)
    func `pages follow each other without gap or overlap`(kind: LedgerKind) async throws {
        let fixture = try await filled(kind)
        var parameters = ["group": "user,model", "limit": "4"]
        var rows: [[String]] = []
        for _ in 0..<20 {
            let report = try self.report(fixture, parameters)
            #expect(report.rows.count <= 4)
            #expect(report.total.records == 90)
            rows += report.rows.map(\.values)
            parameters["after"] = report.next
            if report.next == nil { break }
        }
        parameters["after"] = nil
        parameters["limit"] = "1000"
        let whole = try report(fixture, parameters)
        #expect(rows.count > 8)
        #expect(rows == whole.rows.map(\.values))
    }

    @Test(arguments: LedgerKind.allCases)
    func `an account sees its own, its trend and its projection`(kind: LedgerKind) async throws {
        let fixture = try await filled(kind)
        let own = try report(fixture, ["account": "whole", "group": "account"])
        #expect(own.rows.map(\.values) == [["whole"]])
        #expect(own.total.records < 90)
        #expect(own.rows.first?.previous == UsageSums())
        #expect(own.previousTotal == UsageSums())
        #expect(own.projection?.charge == Int128(own.total.charge))
        let nobody = try report(fixture, ["account": "nobody", "group": "model"])
        #expect(nobody.rows.isEmpty)
        #expect(nobody.total == UsageSums())

        let next = try report(
            fixture,
            ["from": "2026-02-01", "to": "2026-02-20", "group": "account"]
        )
        #expect(next.rows.isEmpty)
        #expect(next.previousTotal.records == 90)
    }
}
