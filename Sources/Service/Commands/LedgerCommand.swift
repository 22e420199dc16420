import Ledger
import Pricing

/// `weir ledger verify`.
struct LedgerCommand {
    /// More findings than anyone reads.
    private static let findingLimit = 1_000

    let console: Console

    func run(_ options: CommandOptions) -> Int32 {
        guard options.operands == ["verify"] else {
            console.complain("weir: expected weir ledger verify")
            return WeirCommand.usageStatus
        }
        do {
            let configuration = try options.configurationLoader.load().configuration
            return try verify(configuration.ledgerDatabase, configuration.ledgerPlace)
        } catch {
            console.complain("weir: \(error)")
            return 1
        }
    }

    private func verify(_ database: LedgerDatabase, _ place: String) throws -> Int32 {
        let report: AuditReport
        do throws(ChargeStoreError) {
            report = try database.audit(findingLimit: Self.findingLimit) { table, rows in
                console.showProgress("\(table): \(rows) rows")
            }
        } catch {
            throw LedgerRefused(error, at: place)
        }
        console.showProgress("")
        for finding in report.findings { console.print("\(finding)") }
        let rows = report.rows.values.reduce(0, +)
        let records = report.rows["records"] ?? 0
        guard report.isSound else {
            let rest = report.findingCount - report.findings.count
            if rest > 0 { console.print("and \(rest) more") }
            console.print(
                "\(report.findingCount) findings in \(rows) rows, \(records) of them records"
            )
            return 1
        }
        console.print("sound: \(rows) rows, \(records) of them records")
        return 0
    }
}

extension WeirConfiguration {
    /// Where the ledger is.
    var ledgerDatabase: LedgerDatabase {
        switch ledger.url {
        case nil: .sqlite(SQLiteLedgerConfiguration(path: "\(data.directory)/ledger.db"))
        case .sqlite(let path): .sqlite(SQLiteLedgerConfiguration(path: path))
        case .postgresql(let url, _):
            .postgresql(PostgreSQLLedgerConfiguration(url: url.revealed))
        }
    }

    /// The same for people, without passwords.
    var ledgerPlace: String {
        ledger.url.map { "\($0)" } ?? "sqlite:\(data.directory)/ledger.db"
    }
}
