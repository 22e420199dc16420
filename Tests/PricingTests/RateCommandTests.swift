import Pricing
import Testing

@Suite struct RateCommandTests {
    @Test func `every worked case comes out to the character`() throws {
        let command = RateCommand(prices: try BillingFixtures.book())
        var rated = 0
        for line in try BillingFixtures.cases() {
            let expected = try JSONValue(parsing: line)
            switch command.answer(line) {
            case .result(let result):
                rated += 1
                let answer = try JSONValue(parsing: result)
                #expect(answer["id"] == expected["id"])
                #expect(answer["expect"] == expected["expect"], "\(line.prefix(40))")
            case .skipped(let kind):
                Issue.record("\(kind)")
            case .malformed(let reason):
                Issue.record("\(reason)")
            }
        }
        #expect(rated == 208)
    }

    @Test(arguments: ["", "x", "[]", "{}", #"{"id":"a"}"#, #"{"id":"a","kind":"rate"}"#])
    func `a line that is no case is called malformed`(line: String) throws {
        let command = RateCommand(prices: try BillingFixtures.book())
        guard case .malformed = command.answer(line) else {
            Issue.record("\(line) was taken")
            return
        }
    }

    @Test func `an id is written as JSON whatever it holds`() throws {
        let command = RateCommand(prices: try BillingFixtures.book())
        let context = #""context":{"received_at_ms":0,"provider_period_tokens":0},"record":{}"#
        let line = #"{"id":"a\"\\\u0001\n\u00e9","kind":"reject",\#(context)}"#
        guard case .result(let result) = command.answer(line) else {
            Issue.record("no result")
            return
        }
        #expect(try JSONValue(parsing: result)["id"] == .text("a\"\\\u{1}\n\u{E9}"))
    }
}
