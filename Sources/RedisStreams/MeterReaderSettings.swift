/// Names, sizes and times of a `MeterReader`.
package struct MeterReaderSettings: Sendable {
    package var group = "billing"
    /// The name of this member of the group; the same after a restart, and nobody else's.
    package var consumer: String
    /// The longest wait for new entries.
    package var blockTime: Duration = .seconds(2)
    /// Entries that another consumer has had for so long are taken over.
    package var claimAfter: Duration = .seconds(60)
    /// How often such entries are looked for.
    package var claimInterval: Duration = .seconds(15)
    /// The time for a command, connecting included and `blockTime` apart.
    package var timeout: Duration = .seconds(5)

    package init(consumer: String) { self.consumer = consumer }
}

/// What a `MeterReader` did.
package struct MeterReaderCounts: Sendable, Equatable {
    package var delivered = 0
    /// Entries taken over from other consumers.
    package var claimed = 0
    /// Records put aside because they will never be billed.
    package var setAside = 0
    /// Entries that were gone before they were acknowledged: lost, unless the ledger has them.
    package private(set) var deleted = 0
    /// The id of the last of those.
    package private(set) var lastDeleted: String?
    /// How often the group had vanished, and with it what was pending.
    package var groupsLost = 0

    package init() {}

    mutating func note(deleted ids: [String]) {
        deleted += ids.count
        lastDeleted = ids.last ?? lastDeleted
    }
}
