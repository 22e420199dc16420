/// What a client accepts as content codings, by its `Accept-Encoding`.
///
/// Source: RFC 9110, section 12.5.3. An element that cannot be read is passed over.
package struct AcceptedCodings: Sendable, Equatable {
    /// In thousandths, by the place in `ContentCoding.allCases`; 0: not acceptable.
    private var weights: [3 of UInt16] = [0, 0, 0]
    /// Nil: not mentioned.
    private var identity: UInt16?

    /// For a client that said nothing of codings: it shall get none, although it must be taken to
    /// accept any.
    package static let none = Self()

    private init() {}

    /// - Parameter values: those of all fields named `Accept-Encoding`; none where there is none.
    package init(_ values: [String]) {
        var others: UInt16?
        var named: [3 of UInt16?] = [nil, nil, nil]
        for element in values.lazy.flatMap({ $0.split(separator: ",") }) {
            guard let (name, weight) = Self.element(element) else { continue }
            if name == "*" {
                others = others ?? weight
            } else if name.isEqualIgnoringASCIICase(to: "identity") {
                identity = identity ?? weight
            } else if let coding = ContentCoding(named: name) {
                named[coding.index] = named[coding.index] ?? weight
            }
        }
        for index in named.indices { weights[index] = named[index] ?? others ?? 0 }
        // A star speaks for the identity only in that it can exclude it.
        if identity == nil, others == 0 { identity = 0 }
    }

    /// How much the client wants a coding, from 1 to 1,000; 0: not at all.
    package func weight(of coding: ContentCoding) -> Int { Int(weights[coding.index]) }

    /// The same for bytes as they are; nil when the client did not speak of it, which leaves it
    /// acceptable, behind all codings that are.
    package var identityWeight: Int? { identity.map { Int($0) } }

    package static func == (left: Self, right: Self) -> Bool {
        left.identity == right.identity
            && left.weights.indices.allSatisfy { left.weights[$0] == right.weights[$0] }
    }

    /// Reads `name [ ; q=weight ]`; nil if it is nothing of the kind.
    private static func element(_ text: Substring) -> (name: String, weight: UInt16)? {
        let parts = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].trimmed
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isToken }) else { return nil }
        guard parts.count == 2 else { return (String(name), 1_000) }
        let pair = parts[1].trimmed
        guard pair.lowercased().hasPrefix("q="), let weight = weight(pair.dropFirst(2)) else {
            return nil
        }
        return (String(name), weight)
    }

    /// Reads a weight (section 12.4.2): 0 to 1 with three decimals at most.
    private static func weight(_ text: Substring) -> UInt16? {
        guard let first = text.utf8.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1")
        else { return nil }
        let whole = UInt16(first - UInt8(ascii: "0")) * 1_000
        guard text.utf8.count > 1 else { return whole }
        let decimals = text.utf8.dropFirst(2)
        guard text.utf8.dropFirst().first == UInt8(ascii: "."), decimals.count <= 3,
            decimals.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        var thousandths: UInt16 = 0
        var unit: UInt16 = 100
        for digit in decimals {
            thousandths += UInt16(digit - UInt8(ascii: "0")) * unit
            unit /= 10
        }
        return whole + thousandths <= 1_000 ? whole + thousandths : nil
    }
}

extension Substring {
    /// Without spaces and tabs around it.
    fileprivate var trimmed: Substring {
        var text = self
        while let first = text.utf8.first, first.isBlank { text = text.dropFirst() }
        while let last = text.utf8.last, last.isBlank { text = text.dropLast() }
        return text
    }
}
