import CSQLite

/// A prepared statement of a connection; columns count from 0, parameters from 1.
///
/// Owns the handle: `deinit` finalizes it. Use it on the thread of its connection.
@safe
package struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer

    /// Takes the handle over.
    init(adopting handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe sqlite3_finalize(handle) }

    /// Binds a number, or NULL.
    ///
    /// The only failures are a wrong index and the lack of memory, which `step` cannot repair.
    package func bind(_ number: Int64?, at index: Int32) throws(SQLiteFailure) {
        let code =
            if let number {
                unsafe sqlite3_bind_int64(handle, index, number)
            } else {
                unsafe sqlite3_bind_null(handle, index)
            }
        try check(code)
    }

    /// Binds a text, or NULL.
    package func bind(_ text: String?, at index: Int32) throws(SQLiteFailure) {
        guard var text else { return try check(unsafe sqlite3_bind_null(handle, index)) }
        guard !text.isEmpty else {
            return try check(unsafe CSQLite_bind_text(handle, index, "", 0))
        }
        let code = text.withUTF8 { bytes in
            let start = unsafe UnsafeRawPointer(bytes.baseAddress)
            return unsafe CSQLite_bind_text(
                handle,
                index,
                start?.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count)
            )
        }
        try check(code)
    }

    /// Binds all parameters, runs, and makes the statement ready for the next use.
    ///
    /// Texts and bytes are lent to SQLite from where they are, which saves a copy of each.
    ///
    /// - Parameters:
    ///   - values: a value for each parameter, perhaps for several runs.
    ///   - offset: where the values of this run begin; then where they end.
    ///   - visit: called for each row.
    /// - Throws: `SQLiteFailure`.
    func run(
        _ values: RawSpan,
        at offset: inout Int,
        _ visit: (borrowing SQLiteStatement) -> Void
    ) throws(SQLiteFailure) {
        var code = bind(values, at: &offset)
        if code == SQLITE_OK { code = unsafe sqlite3_step(handle) }
        while code == SQLITE_ROW {
            visit(self)
            code = unsafe sqlite3_step(handle)
        }
        guard code == SQLITE_DONE else {
            defer { reset() }
            throw failure(code)
        }
        reset()
    }

    private func bind(_ values: RawSpan, at offset: inout Int) -> Int32 {
        let count = unsafe sqlite3_bind_parameter_count(handle)
        return unsafe values.withUnsafeBytes { bytes in
            for index in 0..<count {
                let code: Int32
                switch EncodedValue(values, at: &offset) {
                case .null: code = unsafe sqlite3_bind_null(handle, index + 1)
                case .integer(let number):
                    code = unsafe sqlite3_bind_int64(handle, index + 1, number)
                case .text(let range):
                    let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
                    code = unsafe CSQLite_lend_text(
                        handle,
                        index + 1,
                        text.baseAddress,
                        Int32(text.count)
                    )
                case .bytes(let range):
                    let blob = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
                    code = unsafe CSQLite_lend_blob(
                        handle,
                        index + 1,
                        blob.baseAddress,
                        Int32(blob.count)
                    )
                case nil: preconditionFailure("there is a value for each parameter")
                }
                guard code == SQLITE_OK else { return code }
            }
            return SQLITE_OK
        }
    }

    /// Runs to the next row.
    ///
    /// - Returns: whether there is one.
    /// - Throws: `SQLiteFailure`; the statement is reset then.
    package func step() throws(SQLiteFailure) -> Bool {
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            defer { reset() }
            throw failure(code)
        }
    }

    /// Runs a statement whose rows do not matter, and makes it ready for the next use.
    package func run() throws(SQLiteFailure) {
        while try step() {}
        reset()
    }

    /// Makes the statement ready to be run again; its parameters stay.
    package func reset() { unsafe sqlite3_reset(handle) }

    package func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    /// The column as text; nil for NULL.
    package func text(_ column: Int32) -> String? {
        guard let start = unsafe sqlite3_column_text(handle, column) else { return nil }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    package var columnCount: Int32 { unsafe sqlite3_column_count(handle) }

    /// All columns of the row.
    func row() -> [LedgerValue] {
        let count = unsafe sqlite3_column_count(handle)
        var values: [LedgerValue] = []
        values.reserveCapacity(Int(count))
        for column in 0..<count { values.append(value(column)) }
        return values
    }

    private func value(_ column: Int32) -> LedgerValue {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(integer(column))
        case SQLITE_NULL: return .null
        case SQLITE_BLOB:
            let count = Int(unsafe sqlite3_column_bytes(handle, column))
            let start = unsafe sqlite3_column_blob(handle, column)
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
            return .bytes(unsafe Array(bytes))
        default: return .text(text(column) ?? "")
        }
    }

    private func check(_ code: Int32) throws(SQLiteFailure) {
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func failure(_ code: Int32) -> SQLiteFailure {
        let message = unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(handle)))
        return SQLiteFailure(code: code, message: message)
    }
}
