/// A parameter in PostgreSQL's binary form.
struct PostgreSQLParameter {
    /// Its type's number.
    let type: UInt32
    /// Nil: NULL.
    let bytes: [UInt8]?
}

extension PostgreSQLParameter {
    init(_ value: LedgerValue) {
        switch value {
        case .null: self.init(type: 0, bytes: nil)
        case .integer(let number):
            let bytes = unsafe withUnsafeBytes(of: number.bigEndian) { unsafe Array($0) }
            self.init(type: 20, bytes: bytes)
        case .text(let text): self.init(type: 25, bytes: Array(text.utf8))
        case .bytes(let content): self.init(type: 17, bytes: content)
        }
    }

    /// Arrays of one dimension, one for each column of some rows.
    ///
    /// Source: PostgreSQL's src/backend/utils/adt/arrayfuncs.c, `array_send`.
    static func arrays(
        _ kinds: [LedgerColumn.Kind],
        _ rows: RowBytes,
        count: Int
    ) -> [PostgreSQLParameter] {
        var columns = kinds.map { kind in
            var column: [UInt8] = []
            column.reserveCapacity(20 + count * 16)
            column.append(Int32(1))
            column.append(Int32(1))  // there may be NULLs
            column.append(Int32(kind.elementType))
            column.append(Int32(count))
            column.append(Int32(1))
            return column
        }
        var offset = 0
        for _ in 0..<count {
            for place in columns.indices { columns[place].append(rows.bytes, at: &offset) }
        }
        return zip(kinds, columns).map { PostgreSQLParameter(type: $0.arrayType, bytes: $1) }
    }
}

extension LedgerRows {
    /// The rows as `COPY` reads them in binary form.
    ///
    /// Source: PostgreSQL's documentation, "COPY", "Binary Format".
    var postgreSQLCopy: [UInt8] {
        let width = table.columns.count
        var copy: [UInt8] = []
        copy.reserveCapacity(values.bytes.count + count * (2 + 4 * width) + 32)
        copy.append(contentsOf: "PGCOPY\n".utf8)
        copy.append(contentsOf: [0xFF, 0x0D, 0x0A, 0])
        copy.append(Int32(0))
        copy.append(Int32(0))
        var offset = 0
        for _ in 0..<count {
            copy.append(Int16(width))
            for _ in 0..<width { copy.append(values.bytes, at: &offset) }
        }
        copy.append(Int16(-1))
        return copy
    }
}

extension LedgerColumn.Kind {
    fileprivate var elementType: UInt32 {
        switch self {
        case .integer: 20
        case .text: 25
        case .bytes: 17
        }
    }

    fileprivate var arrayType: UInt32 {
        switch self {
        case .integer: 1_016
        case .text: 1_009
        case .bytes: 1_001
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ number: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: number.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends the next of some values: its length in bytes and, unless it is NULL, these.
    fileprivate mutating func append(_ values: [UInt8], at offset: inout Int) {
        let content = offset + 1
        switch unsafe EncodedValue(values.span.bytes, at: &offset) {
        case .null: append(Int32(-1))
        case .integer:
            append(Int32(8))
            append(contentsOf: values[content..<offset])
        // Their length stands before them there, too.
        case .text, .bytes: append(contentsOf: values[content..<offset])
        case nil: preconditionFailure("rows have a value for each column")
        }
    }
}
