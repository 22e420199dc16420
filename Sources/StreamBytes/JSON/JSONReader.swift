/// A place in a JSON text; reads it once, front to back, and builds nothing.
///
/// The text is lent to each call and must be the same each time. Where a value is due, the caller
/// reads it or skips it:
///
///     try json.beginObject(bytes)
///     while let name = try json.nextMember(bytes) {
///         if name.equals("model", in: bytes) { model = try json.readString(bytes) }
///         else { try json.skipValue(bytes) }
///     }
///
/// All that it passes is validated after RFC 8259, UTF-8 excepted.
package struct JSONReader: Sendable {
    /// The index of the next byte to look at.
    package private(set) var position: Int
    private let depthLimit: Int
    private var depth = 0
    private var isFirst = false

    /// Makes a reader that starts at `position`.
    ///
    /// - Parameters:
    ///   - position: where a value begins, white space before it included.
    ///   - depthLimit: how deeply containers may be nested.
    package init(at position: Int = 0, depthLimit: Int = 128) {
        self.position = position
        self.depthLimit = depthLimit
    }

    /// What the value is that comes next.
    package mutating func peek(_ bytes: Span<UInt8>) throws(JSONError) -> JSONKind {
        switch try token(bytes) {
        case 0x22: return .string
        case 0x7B: return .object
        case 0x5B: return .array
        case 0x74, 0x66: return .bool
        case 0x6E: return .null
        case 0x2D, 0x30...0x39: return .number
        default: throw .malformed(at: position)
        }
    }

    /// Steps into an object.
    package mutating func beginObject(_ bytes: Span<UInt8>) throws(JSONError) {
        try begin(0x7B, bytes)
    }

    /// Steps into an array.
    package mutating func beginArray(_ bytes: Span<UInt8>) throws(JSONError) {
        try begin(0x5B, bytes)
    }

    /// Steps to the value of the object's next member and returns the member's name; steps out of
    /// the object and returns nil when there is none.
    package mutating func nextMember(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString? {
        guard try nextItem(0x7D, bytes) else { return nil }
        let name = try readString(bytes)
        guard try token(bytes) == 0x3A else { throw .malformed(at: position) }
        position += 1
        return name
    }

    /// Steps to the array's next element; steps out of the array and returns false when there is
    /// none.
    package mutating func nextElement(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        try nextItem(0x5D, bytes)
    }

    /// Reads a string.
    package mutating func readString(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString {
        guard try token(bytes) == 0x22 else { throw .malformed(at: position) }
        return try scanString(bytes)
    }

    /// Reads a string if one comes next; skips the value and returns nil otherwise.
    package mutating func readStringIfAny(
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSONString? {
        if try token(bytes) == 0x22 { return try readString(bytes) }
        try skipValue(bytes)
        return nil
    }

    /// Reads a whole number; skips the value and returns nil if it is none or does not fit.
    package mutating func readIntegerIfAny(
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> Int64? {
        guard try peek(bytes) == .number else {
            try skipValue(bytes)
            return nil
        }
        let start = position
        try skipNumber(bytes)
        return bytes.integer(in: start..<position)
    }

    /// Passes over a value of any kind and returns where it stands.
    @discardableResult
    package mutating func skipValue(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
        let first = try token(bytes)
        let start = position
        switch first {
        case 0x22:
            _ = try scanString(bytes)
        case 0x7B:
            try beginObject(bytes)
            while try nextMember(bytes) != nil { try skipValue(bytes) }
        case 0x5B:
            try beginArray(bytes)
            while try nextElement(bytes) { try skipValue(bytes) }
        case 0x74: try skipWord("true", bytes)
        case 0x66: try skipWord("false", bytes)
        case 0x6E: try skipWord("null", bytes)
        default: try skipNumber(bytes)
        }
        return start..<position
    }

    /// Checks that nothing but white space follows.
    package mutating func finish(_ bytes: Span<UInt8>) throws(JSONError) {
        skipSpace(bytes)
        guard position == bytes.count else { throw .malformed(at: position) }
    }
}

extension JSONReader {
    private mutating func begin(_ opening: UInt8, _ bytes: Span<UInt8>) throws(JSONError) {
        guard try token(bytes) == opening else { throw .malformed(at: position) }
        guard depth < depthLimit else { throw .tooDeep(limit: depthLimit) }
        depth += 1
        position += 1
        isFirst = true
    }

    /// Reads the string whose quote is the next byte.
    @inline(__always)
    private mutating func scanString(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString {
        let start = position &+ 1
        let end = bytes.firstSpecialByte(from: start)
        guard end < bytes.count, bytes[end] == 0x22 else {
            return try scanString(bytes, from: start, to: end)
        }
        position = end &+ 1
        return JSONString(range: start..<end, hasEscapes: false)
    }

    /// Reads on in a string that has a backslash, or something worse, at `special`.
    private mutating func scanString(
        _ bytes: Span<UInt8>,
        from start: Int,
        to special: Int
    ) throws(JSONError) -> JSONString {
        var index = special
        while index < bytes.count, bytes[index] == 0x5C {
            index = bytes.firstSpecialByte(from: try bytes.endOfEscape(at: index))
        }
        guard index < bytes.count else { throw .truncated }
        guard bytes[index] == 0x22 else { throw .malformed(at: index) }
        position = index + 1
        return JSONString(range: start..<index, hasEscapes: true)
    }

    @inline(__always)
    private mutating func nextItem(
        _ closing: UInt8,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> Bool {
        let byte = try token(bytes)
        if byte == closing {
            position += 1
            depth -= 1
            isFirst = false
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard byte == 0x2C else { throw .malformed(at: position) }
        position += 1
        // A closing bracket here would be a trailing comma; the value's own check refuses it.
        return true
    }

    /// The next byte that is no white space.
    @inline(__always)
    private mutating func token(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        if position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
        }
        return try tokenAfterSpace(bytes)
    }

    private mutating func tokenAfterSpace(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        skipSpace(bytes)
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func skipWord(
        _ word: StaticString,
        _ bytes: Span<UInt8>
    ) throws(JSONError) {
        guard bytes.hasPrefix(word, at: position) else { throw .malformed(at: position) }
        position += word.utf8CodeUnitCount
    }

    private mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONError) {
        if bytes[position] == 0x2D { position += 1 }
        let isZero = position < bytes.count && bytes[position] == 0x30
        let digits = try skipDigits(bytes)
        guard !isZero || digits == 1 else { throw .malformed(at: position - 1) }
        if position < bytes.count, bytes[position] == 0x2E {
            position += 1
            _ = try skipDigits(bytes)
        }
        if position < bytes.count, bytes[position] | 0x20 == 0x65 {
            position += 1
            if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D {
                position += 1
            }
            _ = try skipDigits(bytes)
        }
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) throws(JSONError) -> Int {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        guard position > start else {
            if position == bytes.count { throw .truncated }
            throw .malformed(at: position)
        }
        return position - start
    }
}
