import StreamLoad
import Testing

struct LoadResultTests {
    private func result(_ change: (inout LoadTally) -> Void) -> LoadResult {
        var tally = LoadTally()
        change(&tally)
        return LoadResult(tally: tally, elapsed: .seconds(2))
    }

    private func holds(_ text: String, _ result: LoadResult) throws -> Bool {
        try Expectation.list(parsing: text).allSatisfy { $0.holds(in: result) }
    }

    @Test func `percentiles are at most three in a hundred too large`() throws {
        var histogram = LoadHistogram()
        for value in 1...100_000 { histogram.record(.microseconds(value)) }

        for (share, exact) in [(0.01, 1_000.0), (0.5, 50_000), (0.99, 99_000), (1, 100_000)] {
            let measured = Double(try #require(histogram.microseconds(at: share)))
            #expect(measured >= exact)
            #expect(measured <= exact * 1.033)
        }
        #expect(histogram.maximum == 100_000)
        #expect(LoadHistogram().microseconds(at: 0.5) == nil)
    }

    @Test func `histograms add up and take any length`() {
        var one = LoadHistogram()
        one.record(.seconds(1_000_000))
        one.record(.seconds(-1))
        var other = LoadHistogram()
        other.record(.microseconds(7))
        one.add(other)
        #expect(one.count == 3)
        #expect(one.microseconds(at: 0.6) == 7)
        #expect(one.microseconds(at: 0.1) == 0)
    }

    @Test func `expectations compare counts and times`() throws {
        let result = result { tally in
            for value in 1...100 { tally.firstEvent.record(.milliseconds(value)) }
            tally.events = 1_000
            tally.failures = [.reset: 2, .status(429): 5, .connect: 1]
            tally.missingEvents = 3
        }
        #expect(try holds("first_p99<103ms,first_max=100ms,first_p50>=50ms", result))
        #expect(try !holds("first_p99<99ms", result))
        #expect(try holds("failed=8, lost=5, missing=3", result))
        #expect(try holds("events_per_second=500,events>999,events<=1000", result))
        #expect(try !holds("gap_p50<1s", result), "nothing was measured")
    }

    @Test func `the report names reasons and what fails`() throws {
        let result = result { tally in
            tally.opened = 3
            tally.completed = 1
            tally.failures = [.reset: 1, .status(429): 1]
            tally.gap.record(.microseconds(1_500))
        }
        let report = LoadReport(result, expectations: try Expectation.list(parsing: "lost=0"))

        #expect(!report.isAsExpected)
        #expect(report.table.contains("FAILS  lost=0"))
        #expect(report.table.contains("status_429"))
        #expect(report.table.contains("1.500"))
        #expect(report.json.contains(#""failures":{"reset":1,"status_429":1}"#))
        #expect(report.json.contains(#""gap_us":{"p50":1500,"#))
        #expect(report.json.contains(#""first_us":{"p50":null,"#))
    }
}
