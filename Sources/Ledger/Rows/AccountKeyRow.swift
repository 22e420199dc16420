/// A key of an account, as a process last found it in its configuration: what the next configuration
/// is compared with.
struct AccountKeyRow: LedgerRow {
    static let table = LedgerTable(
        "account_keys",
        key: ["process", "account_id", "key_id"],
        columns: [
            .text("process"), .text("account_id"), .text("key_id"), .integer("added_at_ms"),
        ],
        isSealed: true
    )

    let process: String
    let key: AccountKey
    let addedAtMilliseconds: Int64

    init(_ key: AccountKey, of process: String, addedAt milliseconds: Int64) {
        self.process = process
        self.key = key
        addedAtMilliseconds = milliseconds
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        process = try reader.text()
        key = AccountKey(account: try reader.text(), id: try reader.text())
        addedAtMilliseconds = try reader.integer()
    }

    var values: [LedgerValue] {
        [.text(process), .text(key.account), .text(key.id), .integer(addedAtMilliseconds)]
    }
}

/// Which key of which account; never the key itself.
package struct AccountKey: Hashable, Comparable, Sendable {
    package let account: String
    package let id: String

    package init(account: String, id: String) {
        self.account = account
        self.id = id
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.account, left.id) < (right.account, right.id)
    }
}
