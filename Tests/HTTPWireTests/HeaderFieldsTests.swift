import HTTPWire
import Testing

struct HeaderFieldsTests {
    @Test func `what a response depends on is told in one field`() {
        var fields: HeaderFields = ["Vary": "Origin", "X": "1"]
        fields.vary(on: "Accept-Encoding")
        #expect(fields.values("vary") == ["Origin, Accept-Encoding"])
        #expect(fields.first("x") == "1")
    }

    @Test func `a name is told once, and a star covers it`() {
        var fields: HeaderFields = ["vary": "origin,accept-encoding"]
        fields.vary(on: "Accept-Encoding")
        #expect(fields.values("vary") == ["origin,accept-encoding"])
        fields = ["Vary": "*"]
        fields.vary(on: "Accept-Encoding")
        #expect(fields.values("vary") == ["*"])
        fields = [:]
        fields.vary(on: "Accept-Encoding")
        #expect(fields.values("vary") == ["Accept-Encoding"])
    }
}
