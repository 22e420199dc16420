/// Why a meter record is not rated, and for which of its fields.
package struct RecordRejection: Error, Hashable, Sendable {
    package let reason: Reason
    package let field: String

    package init(_ reason: Reason, _ field: String) {
        self.reason = reason
        self.field = field
    }

    package enum Reason: String, Sendable {
        case missingField = "missing_field"
        case unsupportedVersion = "unsupported_version"
        case badID = "bad_id"
        case unknownModel = "unknown_model"
        case negative
        case notInteger = "not_integer"
        case outOfRange = "out_of_range"
        case notBoolean = "not_boolean"
        case inconsistent
        case tooOld = "too_old"
        case inFuture = "in_future"
        /// An accepted record has the same id and other contents.
        case duplicateConflict = "duplicate_conflict"
        /// The account's total of the period would no longer fit into `Money`.
        case totalOutOfRange = "total_out_of_range"
        /// The ledger takes other records and not this one; not a matter of rating.
        case refusedByLedger = "refused_by_ledger"
    }
}
