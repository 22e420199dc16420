import CSQLite
import Reactor
import StreamBytes

/// What SQLite answered instead of doing as told.
package struct SQLiteFailure: Error, Equatable {
    /// The extended result code.
    package let code: Int32
    package let message: String

    var primaryCode: Int32 { code & 0xFF }
}

/// An open database file.
///
/// Owns the handle: `init` opens, `deinit` closes (as soon as the last statement is gone). Use it
/// on one thread at a time.
@safe
package struct SQLiteConnection: ~Copyable {
    private let handle: OpaquePointer
    /// When statements are interrupted, on the monotonic clock; 0: never.
    private let deadline: UnsafeMutablePointer<Int64>

    /// Opens the file, or makes it.
    ///
    /// - Parameters:
    ///   - path: of the file; its folder must exist.
    ///   - busyMilliseconds: how long to wait for another connection's lock.
    ///   - canWrite: false: the file must be there, and nothing in it is changed.
    /// - Throws: `SQLiteFailure`.
    package init(
        path: String,
        busyMilliseconds: Int32,
        canWrite: Bool = true
    ) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let mode = canWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        let flags = mode | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            // Even a failed open may leave a handle behind, which is closed like any other.
            unsafe sqlite3_close_v2(handle)
            throw SQLiteFailure(code: code, message: unsafe String(cString: sqlite3_errstr(code)))
        }
        unsafe self.handle = handle
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, busyMilliseconds)
        unsafe deadline = .allocate(capacity: 1)
        unsafe deadline.initialize(to: 0)
        unsafe CSQLite_bound(handle, deadline)
    }

    deinit {
        unsafe sqlite3_progress_handler(handle, 0, nil, nil)
        unsafe sqlite3_close_v2(handle)
        unsafe deadline.deallocate()
    }

    /// Has statements fail with `SQLITE_INTERRUPT` when they still run after `limit`; nil: never.
    package func interruptStatements(after limit: Duration?) {
        let end = limit.map { (MonotonicTime.now + $0).nanoseconds } ?? 0
        unsafe deadline.pointee = end
    }

    /// Runs statements that have no parameters and whose rows do not matter.
    package func execute(_ statements: String) throws(SQLiteFailure) {
        let code = unsafe sqlite3_exec(handle, statements, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    package func prepare(_ text: String) throws(SQLiteFailure) -> SQLiteStatement {
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = unsafe sqlite3_prepare_v3(handle, text, -1, flags, &statement, nil)
        guard code == SQLITE_OK, let statement = unsafe statement else { throw failure(code) }
        return unsafe SQLiteStatement(adopting: statement)
    }

    /// The first column of the first row, as a number; nil when there is no row.
    package func integer(_ text: String) throws(SQLiteFailure) -> Int64? {
        let statement = try prepare(text)
        return try statement.step() ? statement.integer(0) : nil
    }

    /// The first column of the first row, as text; nil when there is no row or no text.
    package func text(_ text: String) throws(SQLiteFailure) -> String? {
        let statement = try prepare(text)
        return try statement.step() ? statement.text(0) : nil
    }

    private func failure(_ code: Int32) -> SQLiteFailure {
        SQLiteFailure(code: code, message: unsafe String(cString: sqlite3_errmsg(handle)))
    }
}
