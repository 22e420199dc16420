import Metering
import Pricing
import Testing

@Suite struct PriceListTests {
    private func error(replacing old: String, by new: String) throws -> PriceListError? {
        let text = try BillingFixtures.text("Tests/Fixtures/billing/prices.json")
        let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        #expect(parts.count == 2, "\(old) does not occur")
        do throws(PriceListError) {
            _ = try PriceList(parsing: Array(parts.joined(separator: new).utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test func `the list that comes with the program is the one of the worked cases`() throws {
        let own = try BillingFixtures.text("Config/prices.json")
        #expect(try own == BillingFixtures.text("Tests/Fixtures/billing/prices.json"))
    }

    @Test func `prices are read as nano-dollars`() throws {
        let price = try #require(try BillingFixtures.prices().price(of: "openai/gpt-4"))
        #expect(price.perSecond.nanodollars == 200_000)
        #expect(price.perThousandOutputTokens.nanodollars == 60_000_000)
        #expect(price.guarantee.penaltyBasisPoints == 1_500)
    }

    @Test func `a model is found by its exact bytes only`() throws {
        let list = try PriceList(
            parsing: Array(
                BillingFixtures.text("Tests/Fixtures/billing/prices.json")
                    .split(separator: "openai/gpt-4").joined(separator: "openai/K").utf8
            )
        )
        #expect(list.price(of: "openai/K") != nil)
        #expect(list.price(of: "openai/\u{212A}") == nil)
    }

    @Test func `a mistake is named by its place`() throws {
        let gemini = "models.google/gemini-pro"
        #expect(
            try error(replacing: #""0.00008""#, by: #""0.0000000008""#)
                == .invalid(
                    place: "\(gemini).stream_per_second",
                    expected: "dollars with at most 9 decimals"
                )
        )
        #expect(
            try error(replacing: #""0.00008""#, by: "0.00008")
                == .wrongType(place: "\(gemini).stream_per_second")
        )
        #expect(
            try error(replacing: #""uptime_bp": 9800,"#, by: "")
                == .missing(place: "\(gemini).sla.uptime_bp")
        )
        #expect(
            try error(replacing: #""penalty_bp": 800"#, by: #""penalty_bp": 10001"#)
                == .invalid(place: "\(gemini).sla.penalty_bp", expected: "0 to 10000")
        )
        #expect(
            try error(replacing: #""tokens": 8000000,"#, by: #""tokens": 800000,"#)
                == .invalid(
                    place: "volume_discounts.anthropic.1.tokens",
                    expected: "more than in the tier before"
                )
        )
        #expect(
            try error(replacing: #""currency": "USD""#, by: #""currency": "EUR""#)
                == .invalid(place: "currency", expected: "USD")
        )
        #expect(
            try error(replacing: #""bytes_per_kb": 1000"#, by: #""bytes_per_kb": 1024"#)
                == .invalid(place: "units.bytes_per_kb", expected: "1000")
        )
        #expect(
            try error(replacing: #""grace_ms": 259200000"#, by: #""grace_ms": -1"#)
                == .invalid(place: "time_rules.grace_ms", expected: "a number from 0")
        )
    }

    @Test func `a list that could overflow is refused`() throws {
        let refusal = try error(
            replacing: #""bytes_out": 1000000000000000"#,
            by: #""bytes_out": 9223372036854775807"#
        )
        guard case .invalid(let place, _) = refusal else {
            Issue.record("it was taken")
            return
        }
        #expect(place.hasPrefix("models."))
    }

    @Test(arguments: ["", "{", "null", "[1]"])
    func `a text that is no list is refused`(text: String) {
        #expect(throws: PriceListError.self) { try PriceList(parsing: Array(text.utf8)) }
    }

    @Test(arguments: [
        (0, 0), (999_999, 0), (1_000_000, 1), (9_999_999, 1), (10_000_000, 2), (Int64.max, 2),
    ])
    func `a tier holds from its number of tokens on`(tokens: Int64, tier: Int) throws {
        let prices = try BillingFixtures.prices()
        #expect(prices.tiers(of: "openai").index(reachedBy: tokens) == tier)
        #expect(prices.tiers(of: "unknown").index(reachedBy: tokens) == 0)
        #expect(prices.tiers(of: "openai").map(\.discountBasisPoints) == [0, 1_000, 2_000])
    }
}
