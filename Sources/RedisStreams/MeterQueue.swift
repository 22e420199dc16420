import Metering

/// What one number of a gateway's run becomes in Redis.
struct OutgoingEntry {
    let run: GatewayRun
    let sequence: Int64
    let partition: Int
    let command: RedisCommand

    /// An entry of the backlog on its way to its account's partition.
    ///
    /// A record that is lost goes to the first partition: billing sets it aside, so that its number
    /// does not hold up those that follow, and somebody hears of it.
    init(_ entry: BacklogEntry, _ streams: MeterStreams) {
        switch entry {
        case .record(let record):
            run = GatewayRun(gateway: record.gateway, epoch: record.epoch)
            sequence = record.sequence
            partition = streams.partition(of: record.accountID)
            command = MeterStreams.adding(record.fields, to: partition)
        case .lost(let lostRun, let lostSequence):
            run = lostRun
            sequence = lostSequence
            partition = 0
            let fields = [
                ("v", "1"), ("gateway", run.gateway), ("epoch", String(run.epoch)),
                ("seq", String(sequence)), ("lost", "damaged in the spool of its gateway"),
            ]
            command = MeterStreams.adding(fields, to: partition)
        }
    }
}

/// Entries on their way to Redis, by partition and in order.
///
/// An entry stays until it is answered for: `take` lends the oldest ones out, `settle` drops those
/// that were stored and keeps the others at the front.
struct MeterQueue {
    /// A queue whose front is an index, so that taking from a long one costs no moving.
    private struct Lane {
        private var storage: [(entry: OutgoingEntry, ticket: Int)] = []
        private var front = 0
        var lentCount = 0

        var entries: ArraySlice<(entry: OutgoingEntry, ticket: Int)> { storage[front...] }

        mutating func append(_ entry: OutgoingEntry, ticket: Int) {
            storage.append((entry, ticket))
        }

        /// Drops those of the entries lent out that were stored.
        mutating func settle(_ isStored: ArraySlice<Bool>) {
            let kept = zip(entries, isStored).filter { !$0.1 }.map(\.0)
            let lentEnd = front + lentCount
            front = lentEnd - kept.count
            storage.replaceSubrange(front..<lentEnd, with: kept)
            lentCount = 0
            guard front > storage.count / 2 else { return }
            storage.removeFirst(front)
            front = 0
        }
    }

    private var lanes: [Lane]
    private(set) var count = 0
    /// Of all that were appended and are not stored in an unbroken row, oldest first.
    private var row: [(run: GatewayRun, sequence: Int64, isStored: Bool)] = []
    private var rowStart = 0

    init(partitionCount: Int) { lanes = Array(repeating: Lane(), count: partitionCount) }

    mutating func append(_ entry: OutgoingEntry) {
        lanes[entry.partition].append(entry, ticket: rowStart + row.count)
        row.append((entry.run, entry.sequence, false))
        count += 1
    }

    /// Lends out the oldest entries, of each partition a fair part; those of one partition follow one
    /// another.
    ///
    /// - Parameter limit: how many in all; at least one of each partition is lent.
    /// - Returns: none when there are none.
    mutating func take(_ limit: Int) -> [OutgoingEntry] {
        let isSettled = lanes.allSatisfy { $0.lentCount == 0 }
        precondition(isSettled, "what was taken is settled before more is taken")
        let filledCount = lanes.count { !$0.entries.isEmpty }
        var taken: [OutgoingEntry] = []
        for partition in lanes.indices where !lanes[partition].entries.isEmpty {
            let part = lanes[partition].entries.prefix(max(1, limit / filledCount))
            lanes[partition].lentCount = part.count
            taken.append(contentsOf: part.map(\.entry))
        }
        return taken
    }

    /// What was taken, cut where another partition begins.
    static func parts(of taken: [OutgoingEntry]) -> [ArraySlice<OutgoingEntry>] {
        var parts: [ArraySlice<OutgoingEntry>] = []
        var rest = taken[...]
        while let first = rest.first {
            let part = rest.prefix { $0.partition == first.partition }
            parts.append(part)
            rest = rest.dropFirst(part.count)
        }
        return parts
    }

    /// Drops what was stored; the rest will be taken again.
    ///
    /// - Parameter isStored: for each entry of the last `take`.
    /// - Returns: the numbers up to which each run is stored without a gap, where that moved.
    mutating func settle(_ isStored: [Bool]) -> [GatewayRun: Int64] {
        let lentCount = lanes.reduce(0) { $0 + $1.lentCount }
        precondition(isStored.count == lentCount, "every entry that was taken is settled")
        var rest = isStored[...]
        for partition in lanes.indices {
            let part = rest.prefix(lanes[partition].lentCount)
            rest = rest.dropFirst(part.count)
            for (lent, isStored) in zip(lanes[partition].entries, part) where isStored {
                row[lent.ticket - rowStart].isStored = true
            }
            lanes[partition].settle(part)
        }
        count -= isStored.count { $0 }
        return takeStoredRow()
    }

    private mutating func takeStoredRow() -> [GatewayRun: Int64] {
        let stored = row.prefix { $0.isStored }
        let through = Dictionary(stored.map { ($0.run, $0.sequence) }, uniquingKeysWith: max)
        rowStart += stored.count
        row.removeFirst(stored.count)
        return through
    }

    /// Forgets everything; nothing may be lent out.
    mutating func removeAll() { self = MeterQueue(partitionCount: lanes.count) }
}
