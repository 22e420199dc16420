/// The fields of a head or a trailer section, in order; names are compared without regard to case.
package struct HeaderFields: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var fields: [Field] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field($0.0, $0.1) }
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name, value))
    }

    /// Puts `value` in the place of all fields with that name.
    package mutating func replace(_ name: String, _ value: String) {
        fields.removeAll { $0.name.isEqualIgnoringASCIICase(to: name) }
        append(name, value)
    }

    /// Says that the response depends on the request's field `name` (RFC 9110, section 12.5.5).
    package mutating func vary(on name: String) {
        let named = values("vary").flatMap { $0.split(separator: ",") }
            .map { String($0.drop { $0 == " " }) }
        let isNamed = named.contains { $0 == "*" || $0.isEqualIgnoringASCIICase(to: name) }
        if !isNamed { replace("Vary", (named + [name]).joined(separator: ", ")) }
    }

    /// Returns the value of the first field with that name.
    package func first(_ name: String) -> String? {
        fields.first { $0.name.isEqualIgnoringASCIICase(to: name) }?.value
    }

    /// Returns the values of all fields with that name, in order.
    package func values(_ name: String) -> [String] {
        fields.filter { $0.name.isEqualIgnoringASCIICase(to: name) }.map(\.value)
    }
}

extension String {
    /// Compares ASCII letters without regard to case and everything else byte by byte.
    package func isEqualIgnoringASCIICase(to other: String) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
