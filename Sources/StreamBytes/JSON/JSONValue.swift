/// Where a value stands in a JSON text that was found valid.
///
/// It owns nothing; the text is lent to each call and must be the one it was made from.
package struct JSONValue: Equatable, Sendable {
    package let kind: JSONKind
    /// The whole value; with the quotes if it is a string.
    package let range: Range<Int>

    /// A named member of an object.
    package struct Member: Equatable, Sendable {
        package let name: JSONString
        package let value: JSONValue
        /// The name with its quotes, the colon and the value.
        package let range: Range<Int>
    }

    /// Validates a whole JSON text, in which only white space may follow the value.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8; that is not checked.
    ///   - depthLimit: how deeply containers may be nested.
    /// - Throws: `JSONError`.
    package init(parsing bytes: Span<UInt8>, depthLimit: Int = 128) throws(JSONError) {
        var reader = JSONReader(depthLimit: depthLimit)
        try self.init(reading: bytes, with: &reader)
        try reader.finish(bytes)
    }

    /// Reads the value that comes next.
    package init(
        reading bytes: Span<UInt8>,
        with reader: inout JSONReader
    ) throws(JSONError) {
        kind = try reader.peek(bytes)
        range = try reader.skipValue(bytes)
    }

    /// The members of an object, in order; none if this is no object.
    package func members(in bytes: Span<UInt8>) -> [Member] {
        guard kind == .object else { return [] }
        var members: [Member] = []
        var reader = JSONReader(at: range.lowerBound, depthLimit: 1_024)
        // The text was valid: a failure means another text, which has no members to offer.
        do {
            try reader.beginObject(bytes)
            while let name = try reader.nextMember(bytes) {
                let value = try JSONValue(reading: bytes, with: &reader)
                let start = name.range.lowerBound - 1
                members.append(
                    Member(name: name, value: value, range: start..<value.range.upperBound)
                )
            }
        } catch { return [] }
        return members
    }

    /// The elements of an array, in order; none if this is no array.
    package func elements(in bytes: Span<UInt8>) -> [JSONValue] {
        guard kind == .array else { return [] }
        var elements: [JSONValue] = []
        var reader = JSONReader(at: range.lowerBound, depthLimit: 1_024)
        do {
            try reader.beginArray(bytes)
            while try reader.nextElement(bytes) {
                elements.append(try JSONValue(reading: bytes, with: &reader))
            }
        } catch { return [] }
        return elements
    }

    /// The first member of an object with this name; nil if there is none.
    package func member(_ name: StaticString, in bytes: Span<UInt8>) -> JSONValue? {
        members(in: bytes).first { $0.name.equals(name, in: bytes) }?.value
    }

    /// The value that a path of member names leads to; nil if there is none.
    package func member(at path: [StaticString], in bytes: Span<UInt8>) -> JSONValue? {
        var value = self
        for name in path {
            guard let next = value.member(name, in: bytes) else { return nil }
            value = next
        }
        return value
    }

    /// The place of a string without its quotes; nil if this is none.
    package func string(in bytes: Span<UInt8>) -> JSONString? {
        guard kind == .string else { return nil }
        let inner = range.lowerBound + 1..<range.upperBound - 1
        return JSONString(
            range: inner,
            hasEscapes: bytes.firstIndex(of: 0x5C, in: inner) != nil
        )
    }

    /// The text of a string; nil if this is none.
    package func text(in bytes: Span<UInt8>) -> String? { string(in: bytes)?.text(in: bytes) }

    /// The number, if it is whole and fits.
    package func integer(in bytes: Span<UInt8>) -> Int64? {
        kind == .number ? bytes.integer(in: range) : nil
    }

    /// The truth value; nil if this is none.
    package func bool(in bytes: Span<UInt8>) -> Bool? {
        kind == .bool ? bytes[range.lowerBound] == 0x74 : nil
    }
}

extension Span where Element == UInt8 {
    /// The whole number that `range` spells in decimal; nil if it spells none or does not fit.
    package func integer(in range: Range<Int>) -> Int64? {
        let isNegative = !range.isEmpty && self[range.lowerBound] == 0x2D
        let digits = range.dropFirst(isNegative ? 1 : 0)
        guard !digits.isEmpty else { return nil }
        var number: Int64 = 0
        for index in digits {
            guard (0x30...0x39).contains(self[index]) else { return nil }
            let digit = Int64(self[index] - 0x30)
            let (shifted, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(isNegative ? -digit : digit)
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return number
    }
}
