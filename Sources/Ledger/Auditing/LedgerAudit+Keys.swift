extension LedgerAudit {
    /// The keys that processes know, against the events that say what became of them.
    func auditKeys() throws(LedgerFailure) {
        var expected: [[LedgerValue]: [LedgerValue]] = [:]
        let (added, removed) = (LedgerEvent.Kind.keyAdded, LedgerEvent.Kind.keyRemoved)
        try rows(
            "SELECT \(EventRow.table.columnList) FROM events "
                + "WHERE kind IN ('\(added.rawValue)', '\(removed.rawValue)') ORDER BY number"
        ) { (values) throws(LedgerFailure) in
            let event = try EventRow(stored: values)
            let row = AccountKeyRow(
                AccountKey(account: event.account, id: event.subject),
                of: event.detail,
                addedAt: event.atMilliseconds
            ).values
            expected[Array(row.prefix(3))] = event.kind == added.rawValue ? row : nil
        }
        try audit(AccountKeyRow.table, against: expected) { _ in nil }
    }
}
