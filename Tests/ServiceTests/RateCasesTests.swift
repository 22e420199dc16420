import Pricing
import Service
import TestSupport
import Testing

@Suite struct RateCasesTests {
    private let cases = repositoryRoot() + "/Tests/Fixtures/billing/cases.jsonl"

    @Test func `a file's cases are rated, and its mistakes are named by line`() throws {
        let folder = try ScratchFolder()
        let record = #""record":{},"context":{"received_at_ms":0,"provider_period_tokens":0}"#
        let path = try folder.write(
            "cases",
            """
            {"id":"a","kind":"reject",\(record)}

            oops
            {"id":"b","kind":"sing"}
            {"id":"c","kind":"rate",\(record)}
            """
        )
        var results: [String] = []
        var complaints: [String] = []

        let summary = rateCases(
            at: path,
            prices: try BillingSamples.prices(),
            output: { results.append($0) },
            complaint: { complaints.append($0) }
        )

        let missing = #""expect":{"rejected":{"reason":"missing_field","field":"v"}}}"#
        #expect(results == [#"{"id":"a",\#(missing)"#, #"{"id":"c",\#(missing)"#])
        #expect(summary?.rated == 2)
        #expect(summary?.skipped == 1)
        #expect(summary?.malformed == 1)
        #expect(summary?.exitStatus == 1)
        #expect(complaints.count == 2)
        #expect(complaints.first?.hasPrefix("\(path):3: ") == true)
    }

    @Test func `a file that cannot be read is complained about`() throws {
        var complaints: [String] = []
        let prices = try BillingSamples.prices()
        for path in ["/nowhere/cases", "/"] {
            let summary = rateCases(
                at: path,
                prices: prices,
                output: { _ in },
                complaint: { complaints.append($0) }
            )
            #expect(summary == nil)
        }
        #expect(complaints.count == 2)
    }
}
