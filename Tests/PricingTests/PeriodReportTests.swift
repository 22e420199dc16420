import Metering
import Pricing
import TestSupport
import Testing

/// The report of a month, against the worked accounts.
@Suite struct PeriodReportTests {
    private let prices: PriceBook

    init() throws { prices = try BillingFixtures.book() }

    /// The report of each month that an account is billed.
    private func reports(_ worked: WorkedAccount) -> [(report: PeriodReport, book: PeriodBook)] {
        let terms = worked.terms
        var books: [CalendarMonth: PeriodBook] = [:]
        var accepted: Set<String> = []
        for delivered in worked.records {
            guard case .rated(let rated) = prices.settle(delivered),
                accepted.insert(rated.record.recordID).inserted
            else { continue }
            _ = books[rated.period, default: PeriodBook(mode: terms.discountMode)].add(rated)
        }
        return books.map { month, book in
            let report = PeriodReport(
                account: WorkedAccount.account,
                month: month,
                book: book,
                terms: terms,
                prices: prices,
                closedAt: month.end
            )
            return (report, book)
        }
    }

    @Test func `every worked account's months are reported to the character`() throws {
        var count = 0
        for worked in try WorkedAccount.all() {
            let expected = try #require(JSONValue(parsing: worked.line)["expect"]?["periods"])
            for (report, _) in reports(worked) {
                count += 1
                let found = try JSONValue(parsing: report.json)
                guard case .object(let members)? = expected[report.month.description] else {
                    Issue.record("\(report.json)")
                    continue
                }
                for (name, value) in members {
                    #expect(found[name] == value, "\(name) of \(worked.line.prefix(40))")
                }
            }
        }
        #expect(count == 36)
    }

    @Test func `what was used adds up to what is asked for`() throws {
        for worked in try WorkedAccount.all() {
            for (report, book) in reports(worked) {
                let charges = report.providers.values.reduce(Int128(0)) { $0 + $1.sums.charge }
                #expect(charges == Int128(book.balance.accrued))
                #expect(report.total.tokens == book.providers.values.reduce(0) { $0 + $1.tokens })
                #expect(report.terms.discountMode == book.mode)
            }
        }
    }

    @Test func `a report names its terms, and whether it is closed`() throws {
        var book = PeriodBook(mode: .wholeVolume)
        guard case .rated(let rated) = prices.settle(BillingSamples.delivered("r")) else {
            Issue.record("the record was refused")
            return
        }
        _ = book.add(rated)
        let month = CalendarMonth(year: 2_026, month: 1)
        let terms = AccountTerms(
            country: "FR",
            isTaxIDValid: false,
            currency: "EUR",
            exchangeRateMillionths: 920_000,
            discountMode: .graduated
        )
        let report = PeriodReport(
            account: "acme",
            month: month,
            book: book,
            terms: terms,
            prices: prices,
            closedAt: month.end
        )
        #expect(
            report.json == """
                {"account":"acme","period":"2026-01","status":"closed",\
                "closedAt":"2026-02-01T00:00:00.000Z","country":"FR","vat_id_valid":false,\
                "fx":"0.920000","discount_mode":"whole-volume","price_list":"2026-01-01",\
                "usage":{"records":1,"breached_records":0,"input_tokens":1000,\
                "output_tokens":500,"providers":{"openai":{"records":1,"breached_records":0,\
                "input_tokens":1000,"output_tokens":500,"subtotal":"0.084333333",\
                "discount":"0.000000000","sla_penalty":"0.000000000","charge":"0.084333333"}},\
                "models":{"openai/gpt-4":{"provider":"openai","input_tokens":1000,\
                "output_tokens":500}}},\
                "providers":{"openai":{"tokens":1500,"discount_bp":0}},\
                "models":{"openai/gpt-4":{"records":1,"breached_records":0,\
                "subtotal":"0.084333333","discount":"0.000000000","sla_penalty":"0.000000000",\
                "charge":"0.084333333"}},"subtotal":"0.084333333","discount":"0.000000000",\
                "sla_penalty":"0.000000000","charge":"0.084333333",\
                "invoice":{"currency":"EUR","lines":[{"model":"openai/gpt-4","amount":"0.08"}],\
                "net":"0.08","vat_category":"S","vat_rate_bp":2000,"vat":"0.02",\
                "gross":"0.10","rounding_residual":"-0.002413333640000"}}
                """
        )
    }
}
