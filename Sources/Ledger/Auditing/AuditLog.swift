/// Takes what an audit finds and how far it is.
final class AuditLog {
    private(set) var report = AuditReport()
    private let sealer = RowSealer()
    private let findingLimit: Int
    private let progress: (String, Int) -> Void

    init(findingLimit: Int, progress: @escaping (String, Int) -> Void) {
        self.findingLimit = findingLimit
        self.progress = progress
    }

    func find(_ finding: LedgerFinding) {
        report.findingCount += 1
        if report.findings.count < findingLimit { report.findings.append(finding) }
    }

    /// Counts a row that was looked at.
    func count(_ table: LedgerTable) {
        let count = (report.rows[table.name] ?? 0) + 1
        report.rows[table.name] = count
        if count.isMultiple(of: 10_000) { progress(table.name, count) }
    }

    /// Names each column in which a stored row differs from the expected one.
    ///
    /// - Parameters:
    ///   - table: of both rows.
    ///   - stored: with its seal, where the table has one.
    ///   - expected: without.
    func compare(
        _ table: LedgerTable,
        stored: [LedgerValue],
        expected: [LedgerValue]
    ) {
        var expected = expected
        if table.isSealed { expected.append(.bytes(sealer.seal(expected))) }
        guard stored != expected else { return }
        let key = table.keyText(expected)
        for (place, column) in table.columns.enumerated()
        where stored[place] != expected[place] {
            find(
                LedgerFinding(
                    table.name,
                    key: key,
                    column: column.name,
                    stored: stored[place].description,
                    expected: expected[place].description
                )
            )
        }
    }

    /// Checks the seal of a row.
    ///
    func checkSeal(
        _ table: LedgerTable,
        _ stored: [LedgerValue],
        after previous: [UInt8] = []
    ) -> SealedRow {
        var row = Array(stored.dropLast())
        guard case .bytes(let seal)? = stored.last else {
            return SealedRow(row: row, changed: [], seal: [])
        }
        let finding = sealer.check(seal, of: row, after: previous)
        let key = table.keyText(row)
        switch finding {
        case .none: return SealedRow(row: row, changed: [], seal: seal)
        case .seal:
            let right = sealer.seal(row, after: previous)
            find(
                LedgerFinding(
                    table.name,
                    key: key,
                    column: "seal",
                    stored: stored.last?.description,
                    expected: LedgerValue.bytes(right).description
                )
            )
            return SealedRow(row: row, changed: ["seal"], seal: right)
        case .columns(let columns):
            var isKnown = true
            for (place, old) in columns {
                find(
                    LedgerFinding(
                        table.name,
                        key: key,
                        column: table.columns[place].name,
                        stored: row[place].description,
                        expected: old?.description
                    )
                )
                if let old { row[place] = old } else { isKnown = false }
            }
            let names = columns.map { table.columns[$0.place].name }
            return SealedRow(row: isKnown ? row : nil, changed: Set(names), seal: seal)
        }
    }

    func missing(_ table: LedgerTable, _ expected: [LedgerValue]) {
        find(LedgerFinding(table.name, key: table.keyText(expected), remark: "the row is missing"))
    }

    func unexpected(_ table: LedgerTable, _ stored: [LedgerValue]) {
        find(
            LedgerFinding(
                table.name,
                key: table.keyText(stored),
                remark: "the row belongs to nothing"
            )
        )
    }
}

/// A row whose seal was checked.
struct SealedRow {
    /// As it was written, without its seal; nil where that is not known.
    let row: [LedgerValue]?
    /// The columns that are not as they were written.
    let changed: Set<String>
    /// As it was written.
    let seal: [UInt8]
}

extension LedgerTable {
    /// The key of a row, for people.
    func keyText(_ row: [LedgerValue]) -> String {
        keyPositions.map { "\(columns[$0].name)=\(row[$0].description)" }.joined(separator: " ")
    }
}
