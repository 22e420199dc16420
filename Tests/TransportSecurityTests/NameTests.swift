import Testing
import TransportSecurity

struct ProtocolOfferTests {
    private func choice(_ own: [String], _ other: [UInt8]) -> String? {
        let range = ProtocolOffer(own).choice(from: other.span)
        return range.map { String(decoding: other[$0], as: UTF8.self) }
    }

    @Test func `its own order decides`() {
        let other = ProtocolOffer(["http/1.1", "h2"]).bytes
        #expect(other == Array("\u{8}http/1.1\u{2}h2".utf8))
        #expect(choice(["h2", "http/1.1"], other) == "h2")
        #expect(choice(["http/1.1", "h2"], other) == "http/1.1")
        #expect(choice(["spdy/1", "h2"], other) == "h2")
    }

    @Test func `a part of a name is no name`() {
        #expect(choice(["h2"], Array("\u{3}h2c\u{1}h".utf8)) == nil)
        #expect(choice(["h2"], []) == nil)
    }

    @Test func `an offer that ends too early has no more names`() {
        #expect(choice(["h2"], [2, 0x68]) == nil)
        #expect(choice(["h2"], [255]) == nil)
        #expect(choice(["h2"], [0, 0, 2, 0x68, 0x32]) == "h2")
    }
}

struct HostNameTableTests {
    private let table: HostNameTable

    init() {
        var table = HostNameTable()
        table.insert("a.example", place: 0)
        table.insert("*.example", place: 1)
        table.insert("*.a.example", place: 2)
        table.insert("a.example", place: 3)
        self.table = table
    }

    @Test(
        arguments: [
            ("a.example", 0), ("A.Example", 0), ("b.example", 1), ("x.a.example", 2),
            ("x.b.example", nil), ("example", nil), (".example", nil), ("", nil),
            ("x.y.a.example", nil), ("*.example", 1), ("a.example.", nil),
        ] as [(String, Int?)]
    )
    func `the exact name comes before the wildcard, which stands for one label`(
        name: String,
        expected: Int?
    ) {
        #expect(table.place(of: name) == expected)
    }
}
