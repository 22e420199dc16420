/// The application protocols of one side, the preferred one first, in the form of ALPN: a length
/// and a name each.
///
/// Source: RFC 7301, section 3.1.
package struct ProtocolOffer: Sendable {
    package let bytes: [UInt8]
    private let names: [[UInt8]]

    /// - Parameter names: each of 1 to 255 bytes.
    package init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        bytes = self.names.flatMap { name in
            precondition((1...255).contains(name.count), "a protocol's name has 1 to 255 bytes")
            return [UInt8(name.count)] + name
        }
    }

    /// Chooses the first name of this offer that the other side's offer has.
    ///
    /// - Returns: where it stands in `other`; nil when there is none.
    package func choice(from other: Span<UInt8>) -> Range<Int>? {
        for name in names {
            if let found = Self.range(of: name, in: other) { return found }
        }
        return nil
    }

    private static func range(of name: [UInt8], in offer: Span<UInt8>) -> Range<Int>? {
        var position = 0
        while position < offer.count {
            let range = position + 1..<position + 1 + Int(offer[position])
            guard range.upperBound <= offer.count else { return nil }
            let isFound =
                range.count == name.count
                && name.indices.allSatisfy { name[$0] == offer[range.lowerBound + $0] }
            if isFound { return range }
            position = range.upperBound
        }
        return nil
    }
}
