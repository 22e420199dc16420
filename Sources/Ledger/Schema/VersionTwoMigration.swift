/// Brings a ledger of version 2 up to date: nothing of it changes, and this is added.
enum VersionTwoMigration {
    static func statements(_ dialect: LedgerSchema.Dialect) -> [String] {
        let indexes: [(LedgerTable, String)] = [
            (RecordRow.table, "records_in_time"), (PeriodRow.table, "periods_in_time"),
        ]
        return UsageReportRow.table.definition(dialect) + AccountKeyRow.table.definition(dialect)
            + [LedgerSchema.keyUse(dialect)]
            + indexes.flatMap { table, name in
                table.indexes.filter { $0.name == name }.map { $0.definition(of: table) }
            }
    }
}
