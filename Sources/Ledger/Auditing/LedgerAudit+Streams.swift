import Pricing

extension LedgerAudit {
    /// The streams, against what their records say.
    func auditStreams() throws(LedgerFailure) {
        let table = StreamRow.table
        let stored = try engine.cursor(
            "SELECT \(table.columnList) FROM streams ORDER BY connection_id, account_id"
        )
        let columns = StreamRow.recordColumns.map { "\"\($0)\"" }.joined(separator: ", ")
        let records = try engine.cursor(
            "SELECT \(columns) FROM records ORDER BY connection_id, account_id, number"
        )
        var pairs = StreamPairs(try stored.next())
        var expected: StreamRow?
        var isKnown = true
        var record = try records.next()
        while let values = record {
            var reader = RowReader(RecordRow.table, values)
            var part = try StreamRow(record: &reader)
            let change = changedRecords[part.number]
            if case .some(.some(let row)) = change { part = StreamRow(row) }
            record = try records.next()
            if expected?.key != part.key {
                if let whole = expected, isKnown { try compare(whole, &pairs, stored) }
                expected = part
                isKnown = true
            } else {
                expected?.add(part)
            }
            if case .some(nil) = change { isKnown = false }
        }
        if let whole = expected, isKnown { try compare(whole, &pairs, stored) }
        while let rest = pairs.next {
            pairs.strays.append(rest)
            pairs.next = try stored.next()
        }
        report(pairs)
    }

    /// Compares the next stored stream with the next that there should be.
    private func compare(
        _ expected: StreamRow,
        _ pairs: inout StreamPairs,
        _ cursor: any LedgerCursor
    ) throws(LedgerFailure) {
        let key = expected.key
        while let row = pairs.next, let found = StreamKey(row[1], row[2]),
            (found.connection, found.account) < (key.connection, key.account)
        {
            pairs.strays.append(row)
            pairs.next = try cursor.next()
        }
        guard let row = pairs.next, StreamKey(row[1], row[2]) == key else {
            pairs.missing.append(expected)
            return
        }
        log.count(StreamRow.table)
        log.compare(StreamRow.table, stored: row, expected: expected.values)
        pairs.next = try cursor.next()
    }

    /// A stray and a missing stream with one number are one whose key was changed.
    private func report(_ pairs: StreamPairs) {
        var strays = pairs.strays
        for expected in pairs.missing {
            let place = strays.firstIndex { $0[0] == .integer(expected.number) }
            guard let place else {
                log.missing(StreamRow.table, expected.values)
                continue
            }
            let stored = strays.remove(at: place)
            log.compare(StreamRow.table, stored: stored, expected: expected.values)
        }
        for stray in strays { log.unexpected(StreamRow.table, stray) }
    }

    /// The chains of events, and their ends.
    func auditEvents() throws(LedgerFailure) {
        let table = EventRow.table
        var chains: [String: EventChain] = [:]
        try rows("SELECT \(table.columnList) FROM events ORDER BY number") {
            (row) throws(LedgerFailure) in
            log.count(table)
            var chain = EventChain()
            if case .text(let account) = row[1] { chain = chains[account] ?? chain }
            guard case .integer(let number) = row[2] else { return }
            // After a gap the row that this one was chained to is not there to check it by.
            if number == chain.last + 1 {
                let checked = log.checkSeal(table, row, after: chain.seal)
                chain.seal = checked.seal
                // A changed account or number is named, and the row counts where it belongs.
                let event = try EventRow(stored: checked.row ?? Array(row.dropLast()))
                if event.account != account(of: row) { chain = chains[event.account] ?? chain }
                chain.last += 1
                chains[event.account] = chain
            } else {
                try findMisplaced(row, &chains)
            }
        }
        try auditAccounts(&chains)
    }

    /// An event whose number does not follow: it was changed, or others before it are gone.
    private func findMisplaced(
        _ row: [LedgerValue],
        _ chains: inout [String: EventChain]
    ) throws(LedgerFailure) {
        let table = EventRow.table
        let event = try EventRow(stored: row)
        var chain = chains[event.account] ?? EventChain()
        if case .bytes(let seal)? = row.last {
            let finding = RowSealer().check(seal, of: Array(row.dropLast()), after: chain.seal)
            if case .columns = finding {
                chain.seal = log.checkSeal(table, row, after: chain.seal).seal
                chain.last += 1
                chains[event.account] = chain
                return
            }
            chain.seal = seal
        }
        log.find(
            LedgerFinding(
                table.name,
                key: table.keyText(row),
                column: "account_number",
                stored: String(event.accountNumber),
                expected: String(chain.last + 1),
                remark: "(events before it are missing)"
            )
        )
        chain.last = event.accountNumber
        chains[event.account] = chain
    }

    private func auditAccounts(_ chains: inout [String: EventChain]) throws(LedgerFailure) {
        let table = AccountRow.table
        try rows("SELECT \(table.columnList) FROM accounts") { (row) throws(LedgerFailure) in
            log.count(table)
            let checked = log.checkSeal(table, row)
            guard let known = checked.row else { return }
            let head = try AccountRow(stored: known)
            let chain = chains.removeValue(forKey: head.id) ?? EventChain()
            guard checked.changed.isEmpty else { return }
            let expected = [LedgerValue.integer(chain.last), .bytes(chain.seal)]
            for (place, value) in zip([2, 3], expected) where row[place] != value {
                log.find(
                    LedgerFinding(
                        table.name,
                        key: table.keyText(row),
                        column: table.columns[place].name,
                        stored: row[place].description,
                        expected: value.description
                    )
                )
            }
        }
        for account in chains.keys { log.missing(table, [.text(account)]) }
    }

    private func account(of row: [LedgerValue]) -> String? {
        guard case .text(let account) = row[1] else { return nil }
        return account
    }
}

extension StreamKey {
    /// Nil for values of another kind.
    fileprivate init?(_ account: LedgerValue, _ connection: LedgerValue) {
        guard case .text(let account) = account, case .text(let connection) = connection else {
            return nil
        }
        self.init(account: account, connection: connection)
    }
}

/// Where two lists of streams are compared, and what stood in one of them alone.
private struct StreamPairs {
    /// The next stored one.
    var next: [LedgerValue]?
    var strays: [[LedgerValue]] = []
    var missing: [StreamRow] = []

    init(_ first: [LedgerValue]?) { next = first }
}

/// One account's events, as far as they were read.
private struct EventChain {
    /// How many there are.
    var last: Int64 = 0
    /// The seal of the last one.
    var seal: [UInt8] = []
}
