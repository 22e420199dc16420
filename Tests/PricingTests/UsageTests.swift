import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// Questions about usage, and what is told beside the sums.
@Suite struct UsageTests {
    private let now = WallTime(milliseconds: BillingSamples.noon)

    private func query(_ parameters: [String: String]) throws -> UsageQuery {
        try UsageQuery({ parameters[$0] }, now: now)
    }

    private func mistake(_ parameters: [String: String]) -> String? {
        do throws(UsageQueryError) {
            _ = try UsageQuery({ parameters[$0] }, now: now)
            return nil
        } catch {
            return error.parameter
        }
    }

    @Test func `without parameters it is the month so far`() throws {
        let query = try query([:])
        #expect(query.from.text == "2026-01-01T00:00:00.000Z")
        #expect(query.to == now)
        #expect(query.grouping.isEmpty)
        #expect(query.limit == 100)
    }

    @Test(arguments: [
        ("2026-01-01", "2026-01-15T12:00Z", "2025-12-01", "2025-12-15T12:00Z"),
        ("2026-03-10", "2026-03-31", "2026-02-10", "2026-03-01"),
        ("2026-01", "2026-04", "2025-10", "2026-01"),
        ("2026-02-28", "2026-03-02", "2025-12-28", "2026-01-02"),
    ])
    func `the part before lies as far from the start of its month`(
        from: String,
        to: String,
        previousFrom: String,
        previousTo: String
    ) throws {
        let previous = try query(["from": from, "to": to]).previous
        #expect(previous.from == WallTime(text: previousFrom))
        #expect(previous.to == WallTime(text: previousTo))
    }

    @Test func `a parameter that makes no sense is named`() {
        #expect(mistake(["from": "yesterday"]) == "from")
        #expect(mistake(["from": "2026-02-01", "to": "2026-01-01"]) == "to")
        #expect(mistake(["from": "2020-01-01", "to": "2026-01-01"]) == "to")
        #expect(mistake(["group": "model,colour"]) == "group")
        #expect(mistake(["group": "model,model"]) == "group")
        #expect(mistake(["limit": "0"]) == "limit")
        #expect(mistake(["limit": "1001"]) == "limit")
        #expect(mistake(["after": "x"]) == "after")
        #expect(mistake(["group": "user", "after": "a~zz"]) == "after")
        #expect(mistake(["account": "a b"]) == "account")
        #expect(mistake(["group": "user,day", "after": "a,b", "limit": "1000"]) == nil)
    }

    @Test func `where a page ends survives any text`() throws {
        let values = ["a,b~c", "é \n\"x", ""]
        let text = UsageCursor.text(values)
        #expect(!text.contains("\n"))
        let parameters = ["group": "user,purpose,key", "after": text]
        #expect(try query(parameters).after == values)
    }

    @Test func `a trend is a change in percent, and there is none since nothing`() {
        #expect(UsageTrend.percent(150, since: 100) == "50.0")
        #expect(UsageTrend.percent(875, since: 1_000) == "-12.5")
        #expect(UsageTrend.percent(100, since: 100) == "0.0")
        #expect(UsageTrend.percent(1, since: 0) == nil)
    }

    private func book(_ tokens: [Int], mode: DiscountMode) throws -> PeriodBook {
        let prices = try BillingSamples.prices()
        var book = PeriodBook(mode: mode)
        for (number, count) in tokens.enumerated() {
            let changes = ["input_tokens": String(count), "output_tokens": "0", "segment": "1"]
            let record = BillingSamples.delivered("r\(number)", changes)
            guard case .rated(let rated) = prices.settle(record) else { continue }
            _ = book.add(rated)
        }
        return book
    }

    /// 2026-01-16 12:00 is the middle of January.
    private func projection(_ book: PeriodBook) throws -> UsageProjection {
        let tiers = try BillingSamples.prices().lists[0].tiers(of: "openai")
        let middle = try #require(WallTime(text: "2026-01-16T12:00Z"))
        var projection = try #require(
            UsageProjection(CalendarMonth(year: 2_026, month: 1), at: middle)
        )
        projection.add(book) { _ in tiers }
        return projection
    }

    @Test func `a projection rates what it extends: with a tier reached, a token costs less`()
        throws
    {
        let book = try book([600_000], mode: .wholeVolume)
        let projection = try projection(book)
        let openai = try #require(projection.providers["openai"])
        #expect(openai.tokens == 600_000)
        #expect(openai.projectedTokens == 1_200_000)
        #expect(openai.discountBasisPoints == 0)
        #expect(openai.projectedDiscountBasisPoints == 1_000)
        // Twice the usage, at nine tenths.
        let accrued = Int128(book.balance.accrued)
        #expect(openai.charge == accrued)
        #expect(abs(openai.projectedCharge - accrued * 2 * 9 / 10) <= 2)
    }

    @Test func `a graduated discount is projected for the tokens above its boundary alone`() throws
    {
        let book = try book([600_000], mode: .graduated)
        let openai = try #require(try projection(book).providers["openai"])
        // A tenth off the last sixth of 1,200,000 tokens.
        let full = Int128(book.balance.accrued) * 2
        #expect(abs(openai.projectedCharge - (full - full / 60)) <= 10)
    }

    @Test func `there is a projection of the running month alone`() {
        let month = CalendarMonth(year: 2_026, month: 1)
        #expect(UsageProjection(month, at: month.start) == nil)
        #expect(UsageProjection(month, at: month.end) == nil)
        #expect(UsageProjection(month, at: now) != nil)
    }

    @Test func `a table of values keeps each in its cell`() throws {
        var sums = UsageSums()
        sums.records = 3
        sums.streams = 2
        sums.subtotal = 5_000_000_000
        sums.penalty = 1_000_000_000
        sums.charge = 4_000_000_000
        let report = UsageReport(
            query: try query(["group": "user"]),
            rows: [
                UsageReport.Row(values: ["a \"b\", c"], sums: sums, previous: UsageSums()),
                UsageReport.Row(values: ["=1+1"], sums: sums, previous: nil),
            ],
            total: sums,
            previousTotal: sums,
            hasMore: true,
            projection: nil
        )
        #expect(
            report.csv == [
                "user,records,streams,breached_records,input_tokens,output_tokens,bytes_out,"
                    + "duration_ms,subtotal,discount,sla_penalty,charge",
                "\"a \"\"b\"\", c\",3,2,0,0,0,0,0,5.000000000,0.000000000,1.000000000,4.000000000",
                "\"'=1+1\",3,2,0,0,0,0,0,5.000000000,0.000000000,1.000000000,4.000000000",
            ]
        )
        #expect(report.next == "=1+1")
        #expect(report.json.contains("\"perStream\":{\"inputTokens\":0"))
        #expect(report.json.contains("\"chargePercent\":0.0"))
        #expect(report.table.contains { $0.hasPrefix("total") && $0.hasSuffix("0.0 %") })
    }
}
