import COpenSSL

/// The memory that OpenSSL asks for and gives back with every record.
package enum RecordMemory {
    /// Has each thread keep the memory of a record, 17 KiB, for its next one.
    ///
    /// Idle connections then still have none. It concerns the whole process.
    ///
    /// - Returns: whether it could be done; it cannot once OpenSSL has taken memory from elsewhere.
    package static func keepForNextRecord() -> Bool {
        COpenSSL_keep_record_rooms() == 1
    }
}
