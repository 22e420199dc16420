import Reactor

/// The files of a spool.
///
/// Every call blocks. What was written counts as stored only when `sync` has returned.
package protocol SegmentStorage: AnyObject {
    /// The numbers of the segments, rising, with their sizes in bytes.
    func segments() throws(StorageError) -> [(number: Int64, byteCount: Int)]

    /// Makes a segment that holds `bytes`; when it returns, a crash leaves it whole.
    ///
    /// - Throws: `StorageError`; the segment does not exist then.
    func create(_ number: Int64, holding bytes: [UInt8]) throws(StorageError)

    /// Writes into a segment, from a place that is at most its end.
    ///
    /// - Throws: `StorageError`; some of the bytes may have been written.
    func write(_ bytes: [UInt8], to number: Int64, at offset: Int) throws(StorageError)

    /// Waits until everything that was written to a segment is stored.
    ///
    /// - Throws: `StorageError`; which of the bytes are stored is then unknown, for good: a second
    ///   call would say nothing of them.
    func sync(_ number: Int64) throws(StorageError)

    func truncate(_ number: Int64, to byteCount: Int) throws(StorageError)

    /// At most `limit` bytes from `offset` on; fewer only at the segment's end.
    func read(_ number: Int64, from offset: Int, limit: Int) throws(StorageError) -> [UInt8]

    func remove(_ number: Int64) throws(StorageError)

    /// Keeps damaged bytes of a segment for somebody to look at.
    ///
    /// - Returns: false when those of that place are kept already.
    func keepAside(
        _ bytes: [UInt8],
        of number: Int64,
        at offset: Int
    ) throws(StorageError) -> Bool

    /// What `saveReleased` stored last, or anything else: it is not made to last.
    func released() throws(StorageError) -> [UInt8]

    func saveReleased(_ bytes: [UInt8]) throws(StorageError)
}

/// Why a file of the spool or of the slots cannot be used.
package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case list, create, write, sync, truncate, read, remove, reserve, map
        case keepAside = "keep damaged bytes of"
    }

    package let operation: Operation
    /// The path of the file.
    package let path: String
    /// The system's number.
    package let number: Int32

    package init(_ operation: Operation, _ path: String, _ number: Int32) {
        self.operation = operation
        self.path = path
        self.number = number
    }

    package var description: String {
        "cannot \(operation.rawValue) \(path): \(SystemError.text(number))"
    }
}
