import Metering
import Pricing
import StreamBytes
import Testing

@Suite struct PriceBookTests {
    private static let february: Int64 = 1_769_904_000_000  // 2026-02-01
    private static let day: Int64 = 86_400_000

    private func settle(
        _ book: PriceBook,
        endedAt ended: Int64,
        receivedAt received: Int64? = nil,
        _ changes: [String: String] = [:]
    ) throws -> RatedRecord {
        let fields = [
            "v": "1", "record_id": "r", "account_id": "a", "connection_id": "c", "segment": "1",
            "model": "openai/gpt-4", "ended_at_ms": String(ended), "duration_ms": "1000",
            "bytes_out": "0", "input_tokens": "1000", "output_tokens": "0", "downtime_ms": "0",
            "busy_ms": "0",
        ]
        let delivered = DeliveredRecord(
            entryID: "1-1",
            receivedAtMilliseconds: received ?? ended,
            fields: fields.merging(changes) { $1 }
        )
        guard case .rated(let rated) = book.settle(delivered) else { throw NotRated() }
        return rated
    }

    private struct NotRated: Error {}

    private func book(from instant: String) throws -> PriceBook {
        try PriceBook([
            BillingFixtures.prices(
                version: "second",
                effectiveFrom: instant,
                [
                    ("\"0.03\"", "\"0.05\""),
                    ("\"tokens\": 1000000, \"discount", "\"tokens\": 500, \"discount"),
                ]
            ),
            BillingFixtures.prices(),
        ])
    }

    @Test(arguments: [
        (-1, "2026-01-01", 30_000_000), (0, "second", 50_000_000), (1, "second", 50_000_000),
    ])
    func `a record is rated by the list in force when it ended`(
        offset: Int64,
        version: String,
        tokensIn: Int64
    ) throws {
        let book = try book(from: "2026-01-20T12:00:00Z")
        let change = try #require(WallTime(text: "2026-01-20T12:00:00Z")).milliseconds
        let rated = try settle(book, endedAt: change + offset, receivedAt: change + Self.day)

        #expect(rated.priceListVersion == version)
        #expect(rated.charge.components.tokensIn.nanodollars == tokensIn)
    }

    @Test func `a period has the tiers of the list in force at its first instant`() throws {
        let book = try book(from: "2026-01-20")
        let january = try settle(book, endedAt: Self.february - 1)
        let february = try settle(book, endedAt: Self.february)
        let late = try settle(
            book,
            endedAt: Self.february - 1,
            receivedAt: Self.february + 4 * Self.day
        )

        #expect(january.priceListVersion == "second")
        #expect(january.tiers[1].tokens == 1_000_000)
        #expect(february.tiers[1].tokens == 500)
        #expect(late.period.description == "2026-02")
        #expect(late.tiers == february.tiers)
    }

    @Test func `the first list serves for what ended before it`() throws {
        let list = try BillingFixtures.prices(version: "only", effectiveFrom: "2026-06-01")
        #expect(try settle(PriceBook(list), endedAt: Self.february).priceListVersion == "only")
    }

    @Test func `the grace of a month is that of the list at its end`() throws {
        let book = try PriceBook([
            BillingFixtures.prices(),
            BillingFixtures.prices(
                version: "hasty",
                effectiveFrom: "2026-03-01",
                [("\"grace_ms\": 259200000", "\"grace_ms\": 1000")]
            ),
        ])
        let march = CalendarMonth(year: 2_026, month: 3)
        #expect(book.closingInstant(of: march.previous) == march.start.milliseconds + 259_200_000)
        #expect(book.closingInstant(of: march) == march.end.milliseconds + 1_000)
        #expect(book.openPeriod(at: march.end.milliseconds + 999) == march)
        #expect(book.openPeriod(at: march.end.milliseconds + 1_000) == march.next)
        #expect(book.openPeriod(at: march.start.milliseconds + 259_199_999) == march.previous)
    }

    @Test func `lists that contradict each other are refused`() throws {
        let list = try BillingFixtures.prices()
        let changed = try BillingFixtures.prices(
            version: list.version,
            effectiveFrom: nil,
            [("\"0.03\"", "\"0.04\"")]
        )
        let other = try BillingFixtures.prices(version: "other", effectiveFrom: nil)

        #expect(throws: PriceBookError.changed(version: list.version)) {
            try PriceBook([list, changed])
        }
        #expect(throws: PriceBookError.sameInstant(versions: [list.version, "other"])) {
            try PriceBook([list, other])
        }
        #expect(throws: PriceBookError.empty) { try PriceBook([]) }
        #expect(try PriceBook([list, list]).lists.count == 1)
    }

    @Test func `a file holds one list or several, and the instant has to be one`() throws {
        let text = try BillingFixtures.text("Tests/Fixtures/billing/prices.json")
        let second = text.split(separator: "\"2026-01-01\"", omittingEmptySubsequences: false)
            .joined(separator: "\"b\", \"effective_from\": \"2026-02-01\"")
        let lists = try PriceList.lists(parsing: Array(" [\(text),\(second)]".utf8))
        #expect(lists.map(\.version) == ["2026-01-01", "b"])
        #expect(lists.map(\.effectiveFrom.milliseconds) == [.min, Self.february])
        #expect(try PriceList.lists(parsing: Array(text.utf8)).count == 1)
        #expect(
            throws: PriceListError.invalid(
                place: "effective_from",
                expected: "a day (2026-02-01) or an instant (2026-02-01T12:00:00Z)"
            )
        ) {
            try BillingFixtures.prices(version: "x", effectiveFrom: "soon")
        }
    }

    @Test func `the canonical text is the list, whatever its spaces`() throws {
        let list = try BillingFixtures.prices()
        let again = try PriceList(parsing: Array(list.text.utf8))
        #expect(again.text == list.text)
        #expect(again.models["openai/gpt-4"]?.perThousandInputTokens.nanodollars == 30_000_000)
        #expect(!list.text.contains("\n"))
    }
}
