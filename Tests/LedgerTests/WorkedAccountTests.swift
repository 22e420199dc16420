import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// The worked accounts, billed and closed: what is frozen is what they are expected to come to.
@Suite struct WorkedAccountTests {
    /// Long after the last month of the cases.
    private static let later = WallTime(milliseconds: 1_790_000_000_000)

    /// The reports that the ledger froze, by their months.
    private func reports(
        _ worked: WorkedAccount,
        in kind: LedgerKind
    ) async throws -> [String: String] {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger(
            directory: AccountDirectory([WorkedAccount.account: worked.terms]),
            at: Self.later.milliseconds
        )
        let prices = try await ledger.open(fixture.prices)
        _ = try await ledger.store(worked.records.map { prices.settle($0) })
        for place in try await ledger.duePeriods(bookedThrough: Self.later, limit: 10) {
            _ = try await ledger.closePeriod(place)
        }
        await ledger.close()
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(worked.line.prefix(40)): \(report.findings)")
        var reports: [String: String] = [:]
        for row in try fixture.rows("SELECT period, report FROM usage_reports") {
            reports[String(row.prefix(7))] = String(row.dropFirst(8))
        }
        return reports
    }

    @Test(arguments: LedgerKind.allCases)
    func `what is frozen is what is expected, to the character`(kind: LedgerKind) async throws {
        let command = RateCommand(prices: try BillingSamples.prices())
        var count = 0
        for worked in try WorkedAccount.all() {
            guard case .result(let expected) = command.answer(worked.line) else {
                Issue.record("\(worked.line.prefix(40))")
                continue
            }
            for (month, report) in try await reports(worked, in: kind) {
                count += 1
                // What the report has before it says how it came about.
                let members = report.split(separator: #""providers":"#).last ?? ""
                #expect(
                    expected.contains(#""\#(month)":{"providers":\#(members)"#),
                    "\(worked.line.prefix(40)): \(report)"
                )
            }
        }
        #expect(count == 36)
    }
}
