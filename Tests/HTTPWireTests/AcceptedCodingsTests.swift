import HTTPWire
import Testing

struct AcceptedCodingsTests {
    /// What a field says of each coding, in thousandths, and of the identity.
    struct Row: Sendable {
        let field: String
        let gzip: Int
        let deflate: Int
        let brotli: Int
        let identity: Int?
    }

    private static let rows = [
        Row(field: "gzip", gzip: 1_000, deflate: 0, brotli: 0, identity: nil),
        Row(field: "", gzip: 0, deflate: 0, brotli: 0, identity: nil),
        Row(field: "gzip, deflate, br", gzip: 1_000, deflate: 1_000, brotli: 1_000, identity: nil),
        Row(field: "GZip , BR;Q=0.5", gzip: 1_000, deflate: 0, brotli: 500, identity: nil),
        Row(field: "x-gzip", gzip: 1_000, deflate: 0, brotli: 0, identity: nil),
        Row(field: "gzip;q=0", gzip: 0, deflate: 0, brotli: 0, identity: nil),
        Row(field: "gzip;q=0.000", gzip: 0, deflate: 0, brotli: 0, identity: nil),
        Row(field: "gzip;q=1.000,br;q=0.001", gzip: 1_000, deflate: 0, brotli: 1, identity: nil),
        Row(field: "gzip ; q=0.75", gzip: 750, deflate: 0, brotli: 0, identity: nil),
        Row(field: "*", gzip: 1_000, deflate: 1_000, brotli: 1_000, identity: nil),
        Row(field: "*;q=0", gzip: 0, deflate: 0, brotli: 0, identity: 0),
        Row(field: "*;q=0, gzip", gzip: 1_000, deflate: 0, brotli: 0, identity: 0),
        Row(field: "*;q=0.5, gzip;q=0", gzip: 0, deflate: 500, brotli: 500, identity: nil),
        Row(field: "*;q=0, identity;q=0.2", gzip: 0, deflate: 0, brotli: 0, identity: 200),
        Row(field: "identity;q=0, br", gzip: 0, deflate: 0, brotli: 1_000, identity: 0),
        Row(field: "identity", gzip: 0, deflate: 0, brotli: 0, identity: 1_000),
        Row(field: "compress, zstd, gzip", gzip: 1_000, deflate: 0, brotli: 0, identity: nil),
        // The first of two decides.
        Row(field: "gzip;q=0.3, gzip", gzip: 300, deflate: 0, brotli: 0, identity: nil),
        // What is no element is passed over, and its neighbours stay.
        Row(field: "gzip;q=2, deflate", gzip: 0, deflate: 1_000, brotli: 0, identity: nil),
        Row(field: "gzip;q=1.001, br", gzip: 0, deflate: 0, brotli: 1_000, identity: nil),
        Row(field: "gzip;q=0.1234, br", gzip: 0, deflate: 0, brotli: 1_000, identity: nil),
        Row(field: "gzip;level=9, br", gzip: 0, deflate: 0, brotli: 1_000, identity: nil),
        Row(field: "gzip;q=, br", gzip: 0, deflate: 0, brotli: 1_000, identity: nil),
        Row(field: "gzip;q=-1, br", gzip: 0, deflate: 0, brotli: 1_000, identity: nil),
        Row(field: "gz ip, br", gzip: 0, deflate: 0, brotli: 1_000, identity: nil),
        Row(field: ",, ,gzip,", gzip: 1_000, deflate: 0, brotli: 0, identity: nil),
        Row(field: "\tgzip\t;\tq=0.9", gzip: 900, deflate: 0, brotli: 0, identity: nil),
    ]

    @Test(arguments: rows)
    func `a field says what a client accepts`(row: Row) {
        let accepted = AcceptedCodings([row.field])

        #expect(accepted.weight(of: .gzip) == row.gzip, "\(row.field)")
        #expect(accepted.weight(of: .deflate) == row.deflate, "\(row.field)")
        #expect(accepted.weight(of: .brotli) == row.brotli, "\(row.field)")
        #expect(accepted.identityWeight == row.identity, "\(row.field)")
    }

    @Test func `several fields are one list`() {
        #expect(AcceptedCodings(["gzip;q=0.5", "br"]) == AcceptedCodings(["gzip;q=0.5,br"]))
    }

    @Test func `a client that says nothing gets no coding`() {
        #expect(AcceptedCodings([]) == .none)
        #expect(ContentCoding.allCases.allSatisfy { AcceptedCodings.none.weight(of: $0) == 0 })
        #expect(AcceptedCodings.none.identityWeight == nil)
    }
}
