import StreamBytes

/// Notes the configurations of processes; inside a transaction.
struct ConfigurationBooking {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    func note(_ configuration: UsedConfiguration, _ isReload: Bool) throws(LedgerFailure) {
        var log = EventLogBooking(engine)
        // No name comes before this one: locks are taken in the order of names.
        try log.open([""])
        try log.append(configuration.event(isReload), of: "")
        try noteKeys(of: configuration, at: configuration.since.milliseconds, in: &log)
        try log.write()
    }

    private func noteKeys(
        of configuration: UsedConfiguration,
        at now: Int64,
        in log: inout EventLogBooking
    ) throws(LedgerFailure) {
        let process = configuration.process
        let table = AccountKeyRow.table
        let read = LedgerRead(table, by: ["process"], [[.text(process)]])
        var known: Set<AccountKey> = []
        for values in try engine.read([read])[0] {
            known.insert(try AccountKeyRow(stored: values).key)
        }
        let added = configuration.keys.subtracting(known).sorted()
        let removed = known.subtracting(configuration.keys).sorted()
        guard !added.isEmpty || !removed.isEmpty else { return }
        try log.open(Set((added + removed).map(\.account)).sorted())
        for (kind, keys) in [(LedgerEvent.Kind.keyAdded, added), (.keyRemoved, removed)] {
            for key in keys {
                let event = LedgerEvent(kind, at: now, subject: key.id, detail: process)
                try log.append(event, of: key.account)
            }
        }
        var rows = LedgerRows(table)
        for key in added {
            rows.append(
                AccountKeyRow(key, of: process, addedAt: now).values,
                engine.sealer
            )
        }
        try engine.write(.insert(rows))
        guard !removed.isEmpty else { return }
        let gone: [[LedgerValue]] = removed.map {
            [.text(process), .text($0.account), .text($0.id)]
        }
        try engine.write(.delete(table, columns: table.key, keys: gone))
    }
}

extension UsedConfiguration {
    fileprivate func event(_ isReload: Bool) -> LedgerEvent {
        let digest = path.isEmpty ? "the defaults" : "sha256 \(sha256)"
        return LedgerEvent(
            isReload ? .configurationReloaded : .configurationLoaded,
            at: since.milliseconds,
            subject: path,
            detail: "\(process): \(digest), price lists \(priceLists.joined(separator: " "))"
        )
    }
}
