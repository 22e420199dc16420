import Gateway
import Testing

struct GatewayFiguresTests {
    private func figures(_ json: String) throws -> GatewayFigures {
        try #require(GatewayFigures(json: Array(json.utf8)))
    }

    @Test func `what is written is read again`() throws {
        let text = #"{"end.complete":7,"open":3,"provider.a.b.complete":-1}"#
        #expect(String(decoding: try figures(text).json, as: UTF8.self) == text)
    }

    @Test func `counts add up, and a shared ledger's cost counts once`() throws {
        var sum = try figures(#"{"open":3,"costToday":500,"streamsToday":4}"#)
        sum.add(try figures(#"{"open":4,"opened":9,"costToday":480,"streamsToday":4}"#))
        #expect(sum.values == ["open": 7, "opened": 9, "costToday": 500, "streamsToday": 4])
    }

    @Test func `a sum that does not fit stays at the largest number`() throws {
        var sum = try figures(#"{"bytes":9223372036854775807}"#)
        sum.add(try figures(#"{"bytes":1}"#))
        #expect(sum.values["bytes"] == .max)
    }

    @Test(arguments: ["", "[]", "{", #"{"open":"3"}"#, #"{"open":1.5}"#, "7"])
    func `anything else is refused`(text: String) {
        #expect(GatewayFigures(json: Array(text.utf8)) == nil)
    }
}
