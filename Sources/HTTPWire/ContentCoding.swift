/// A content coding (RFC 9110, section 8.4.1) that Weir can write; nil, where one may be absent, is
/// the identity.
package enum ContentCoding: String, CaseIterable, Sendable {
    case gzip
    case deflate
    case brotli = "br"

    /// The coding of that name, in any case; `x-gzip` is an old one of gzip's.
    package init?(named name: String) {
        switch name.lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        default: return nil
        }
    }

    /// Its place in `allCases`, for tables.
    package var index: Int {
        switch self {
        case .gzip: 0
        case .deflate: 1
        case .brotli: 2
        }
    }
}
