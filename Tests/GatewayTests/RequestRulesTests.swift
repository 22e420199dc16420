import Gateway
import HTTPWire
import Reactor
import Testing

struct BrowserRulesTests {
    private let rules = BrowserRules(
        origins: OriginList(["https://chat.example"], allowsLocalhost: true)
    )
    private let loopback = SocketAddress.v4(0x7F00_0001, port: 8_080)

    private func head(_ fields: HeaderFields) -> RequestHead {
        RequestHead(
            method: "GET",
            target: "/api/stream",
            path: "/api/stream",
            query: nil,
            minorVersion: 1,
            fields: fields
        )
    }

    @Test(arguments: [
        "localhost", "localhost:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "a.localhost",
    ])
    func `names of this machine are served on loopback`(host: String) {
        #expect(rules.acceptsHost(head(["Host": host]), local: loopback))
    }

    @Test(arguments: [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "localhost:x",
        "0127.0.0.1", "10.0.0.1",
    ])
    func `foreign names are refused on loopback`(host: String) {
        #expect(!rules.acceptsHost(head(["Host": host]), local: loopback))
    }

    @Test func `any name is served beyond loopback`() {
        let outside = SocketAddress.v4(0x0A00_0001, port: 443)

        #expect(rules.acceptsHost(head(["Host": "chat.example"]), local: outside))
    }

    @Test(
        arguments: [
            ["Origin": "https://chat.example"], ["Origin": "http://localhost:3000"],
            ["Host": "a.example", "Origin": "https://a.example"], ["Sec-Fetch-Site": "same-origin"],
            ["Sec-Fetch-Site": "none"], [:],
        ] as [HeaderFields]
    )
    func `listed pages, the own page and programs may spend`(fields: HeaderFields) {
        #expect(rules.maySpend(head(fields)))
    }

    @Test(
        arguments: [
            ["Origin": "https://evil.example"], ["Origin": "null"],
            ["Origin": "https://chat.example.evil"], ["Sec-Fetch-Site": "cross-site"],
            ["Sec-Fetch-Site": "same-site"],
        ] as [HeaderFields]
    )
    func `other pages may not spend`(fields: HeaderFields) {
        #expect(!rules.maySpend(head(fields)))
    }

    @Test func `a listed origin may read the answer and a foreign one may not`() {
        let listed = rules.fieldsForReading(head(["Origin": "https://chat.example"]))
        let foreign = rules.fieldsForReading(head(["Origin": "https://evil.example"]))

        #expect(listed.contains { $0 == ("Access-Control-Allow-Origin", "https://chat.example") })
        #expect(!foreign.contains { $0.0.hasPrefix("Access-Control") })
        #expect(foreign.contains { $0 == ("Vary", "Origin") })
    }
}

struct QueryStringTests {
    @Test func `parameters are decoded`() {
        let query = QueryString("model=gpt-4&prompt=two+words%21%20%C3%A9&empty=&flag")

        #expect(query["model"] == "gpt-4")
        #expect(query["prompt"] == "two words! é")
        #expect(query["empty"] == "")
        #expect(query["flag"] == "")
        #expect(query["absent"] == nil)
    }

    @Test func `what is no escape stays as it is`() {
        #expect(QueryString("a=100%&b=%zz&c=%4")["a"] == "100%")
        #expect(QueryString("a=100%&b=%zz&c=%4")["b"] == "%zz")
        #expect(QueryString("a=100%&b=%zz&c=%4")["c"] == "%4")
    }

    @Test func `bytes that are no UTF-8 are replaced`() {
        #expect(QueryString("a=%ff")["a"] == "\u{FFFD}")
    }
}

struct EventIDTests {
    @Test func `a place is read back`() throws {
        let place = try #require(EventID("s1a-abc123.42"))

        #expect(place.stream.text == "s1a-abc123")
        #expect(place.stream.reactor == 46)
        #expect(place.sequence == 42)
    }

    @Test(arguments: [
        "", ".", "s0-a", "s0-a.", "s0-a.-1", "s0-a.x", "t0-a.1", "s0-A.1", "s-a.1", "szzzz-a.1",
        "s0-a.99999999999999999999999", "s0-\u{e9}.1",
        "s0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.1",
    ])
    func `anything else is no place`(text: String) {
        #expect(EventID(text) == nil)
    }
}
