import Ledger
import LedgerLoad
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// Neither order, nor batches, nor replays, nor a biller's death change any total.
///
/// `Benchmarks/ledger-property` does the same with a million records and real kills.
@Suite struct DeliveryOrderTests {
    private static let records = 3_000

    private static let graduated = AccountTerms(
        country: "FR",
        isTaxIDValid: false,
        currency: "EUR",
        exchangeRateMillionths: 920_000,
        discountMode: .graduated
    )

    private let directory = AccountDirectory(
        Dictionary(uniqueKeysWithValues: (0..<20).map { ("account-\($0 * 2)", Self.graduated) })
    )

    private let generator = RecordGenerator(.varied(records: Self.records), seed: 7)

    private func totals(_ ledger: DatabaseLedger) async throws -> [String] {
        var lines: [String] = []
        for account in (0..<40).map({ "account-\($0)" }).sorted() {
            for month in [1, 2, 3, 4] as [Int64] {
                let period = CalendarMonth(year: 2_026, month: month)
                for total in try await ledger.totals(account: account, period: period) {
                    lines.append(
                        "\(account) \(period) \(total.provider) \(total.records) \(total.tokens) "
                            + "\(total.tier) \(total.charge)"
                    )
                }
            }
        }
        return lines
    }

    private func expected(_ prices: PriceBook) -> [String] {
        var books = PlainBooks { account in
            let number = Int(account.split(separator: "-").last ?? "") ?? 1
            return number % 2 == 0 ? .graduated : .wholeVolume
        }
        for number in 0..<Self.records {
            guard case .rated(let rated) = prices.settle(generator.record(number)) else { continue }
            books.add(rated)
        }
        return books.lines
    }

    @Test(arguments: LedgerKind.allCases, [1, 2] as [UInt64])
    func `totals do not depend on how records arrive`(
        kind: LedgerKind,
        seed: UInt64
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let plan = DeliveryPlan(records: Self.records, seed: seed, batchLimit: 400)
        var ledger = fixture.ledger(directory: directory)
        var prices = try await ledger.open(fixture.prices)
        for (number, batch) in plan.batches.enumerated() {
            _ = try await ledger.store(batch.map { prices.settle(generator.record($0)) })
            guard number % 4 == 3 else { continue }
            // Another biller takes over, and is given the last batch again.
            await ledger.close()
            ledger = fixture.ledger(directory: directory)
            prices = try await ledger.open(fixture.prices)
            let again = try await ledger.store(batch.map { prices.settle(generator.record($0)) })
            #expect(again.outcomes.allSatisfy { $0 != .accepted })
        }
        let found = try await totals(ledger)
        await ledger.close()

        #expect(found.count > 100)
        #expect(found == expected(prices))
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings.prefix(3))")
    }
}
