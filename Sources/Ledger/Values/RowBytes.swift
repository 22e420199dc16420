/// The values of rows, one behind the other, each in a form that no other value has: a tag, and behind
/// it the number in eight bytes, or a length in four and the bytes.
///
/// Seals are made of this form, and both databases are given their values from it.
struct RowBytes: Sendable {
    fileprivate enum Tag {
        static let null: UInt8 = 0
        static let integer: UInt8 = 1
        static let text: UInt8 = 2
        static let bytes: UInt8 = 3
    }

    private(set) var bytes: [UInt8] = []

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func appendNull() { bytes.append(Tag.null) }

    mutating func append(_ number: Int64) {
        bytes.append(Tag.integer)
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func append(_ number: Int64?) {
        guard let number else { return appendNull() }
        append(number)
    }

    /// Appends a text without zero bytes.
    mutating func append(_ text: String) {
        append(Tag.text, length: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    /// Appends a text as `LedgerValue(_:)` makes it.
    mutating func append(anyText text: String?) {
        guard let text else { return appendNull() }
        guard !text.utf8.contains(0) else { return append(LedgerValue(text)) }
        append(text)
    }

    mutating func append(_ content: [UInt8]) {
        append(Tag.bytes, length: content.count)
        bytes.append(contentsOf: content)
    }

    mutating func append(_ row: [LedgerValue]) {
        for value in row { append(value) }
    }

    mutating func append(_ value: LedgerValue) {
        switch value {
        case .null: appendNull()
        case .integer(let number): append(number)
        case .text(let text): append(text)
        case .bytes(let content): append(content)
        }
    }

    /// All values, one by one.
    var values: [LedgerValue] {
        var values: [LedgerValue] = []
        var offset = 0
        while let value = unsafe EncodedValue(bytes.span.bytes, at: &offset) {
            values.append(LedgerValue(value, in: bytes))
        }
        return values
    }

    private mutating func append(_ tag: UInt8, length: Int) {
        bytes.append(tag)
        unsafe withUnsafeBytes(of: UInt32(length).bigEndian) {
            unsafe bytes.append(contentsOf: $0)
        }
    }
}

/// A value as it stands in `RowBytes`.
enum EncodedValue {
    case null
    case integer(Int64)
    case text(Range<Int>)
    case bytes(Range<Int>)

    /// Reads the value at an offset, and moves the offset behind it; nil for anything else.
    init?(_ bytes: RawSpan, at offset: inout Int) {
        let content = offset + 1
        guard content <= bytes.byteCount else { return nil }
        let tag = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        switch tag {
        case RowBytes.Tag.null:
            self = .null
            offset = content
        case RowBytes.Tag.integer:
            guard content + 8 <= bytes.byteCount else { return nil }
            let number = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: content, as: Int64.self)
            self = .integer(Int64(bigEndian: number))
            offset = content + 8
        case RowBytes.Tag.text, RowBytes.Tag.bytes:
            guard content + 4 <= bytes.byteCount else { return nil }
            let length = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: content, as: UInt32.self)
            let start = content + 4
            let end = start + Int(UInt32(bigEndian: length))
            guard end <= bytes.byteCount else { return nil }
            self = tag == RowBytes.Tag.text ? .text(start..<end) : .bytes(start..<end)
            offset = end
        default: return nil
        }
    }
}

extension LedgerValue {
    fileprivate init(_ value: EncodedValue, in bytes: [UInt8]) {
        switch value {
        case .null: self = .null
        case .integer(let number): self = .integer(number)
        case .text(let range): self = .text(String(decoding: bytes[range], as: UTF8.self))
        case .bytes(let range): self = .bytes(Array(bytes[range]))
        }
    }

    /// Reads the value that some bytes begin with; nil where there is none, or zeros are not all that
    /// follows.
    init?(encoded bytes: [UInt8]) {
        var offset = 0
        guard let value = unsafe EncodedValue(bytes.span.bytes, at: &offset) else { return nil }
        if case .text(let range) = value {
            guard String(validating: bytes[range], as: UTF8.self) != nil else { return nil }
        }
        guard bytes[offset...].allSatisfy({ $0 == 0 }) else { return nil }
        self.init(value, in: bytes)
    }
}
