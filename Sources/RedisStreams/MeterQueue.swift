import Metering

/// Records on their way to Redis, by partition and in order.
///
/// A record stays until it is answered for: `take` lends the oldest ones out, `settle` drops those
/// that were stored and keeps the others at the front.
struct MeterQueue {
    /// One record with its partition.
    struct Item {
        let record: UsageRecord
        let partition: Int
    }

    /// A queue whose front is an index, so that taking from a long one costs no moving.
    private struct Lane {
        private var storage: [UsageRecord] = []
        private var front = 0
        var lentCount = 0

        var records: ArraySlice<UsageRecord> { storage[front...] }

        mutating func append(_ record: UsageRecord) { storage.append(record) }

        /// Drops those of the records lent out that were stored.
        mutating func settle(_ isStored: ArraySlice<Bool>) {
            let kept = zip(records, isStored).filter { !$0.1 }.map(\.0)
            let lentEnd = front + lentCount
            front = lentEnd - kept.count
            storage.replaceSubrange(front..<lentEnd, with: kept)
            lentCount = 0
            guard front > storage.count / 2 else { return }
            storage.removeFirst(front)
            front = 0
        }
    }

    private let streams: MeterStreams
    private var lanes: [Lane]
    private(set) var count = 0

    init(_ streams: MeterStreams) {
        self.streams = streams
        lanes = Array(repeating: Lane(), count: streams.partitionCount)
    }

    mutating func append(_ records: [UsageRecord]) {
        for record in records { lanes[streams.partition(of: record.accountID)].append(record) }
        count += records.count
    }

    /// Lends out the oldest records, of each partition a fair part.
    ///
    /// - Parameter limit: how many in all; at least one of each partition is lent.
    /// - Returns: none when there are none.
    mutating func take(_ limit: Int) -> [Item] {
        let isSettled = lanes.allSatisfy { $0.lentCount == 0 }
        precondition(isSettled, "what was taken is settled before more is taken")
        let filledCount = lanes.count { !$0.records.isEmpty }
        var items: [Item] = []
        for partition in lanes.indices where !lanes[partition].records.isEmpty {
            let part = lanes[partition].records.prefix(max(1, limit / filledCount))
            lanes[partition].lentCount = part.count
            items.append(contentsOf: part.map { Item(record: $0, partition: partition) })
        }
        return items
    }

    /// Drops what was stored; the rest will be taken again.
    ///
    /// - Parameter isStored: for each item of the last `take`.
    /// - Returns: how many were stored.
    mutating func settle(_ isStored: [Bool]) -> Int {
        let lentCount = lanes.reduce(0) { $0 + $1.lentCount }
        precondition(isStored.count == lentCount, "every item that was taken is settled")
        var rest = isStored[...]
        for partition in lanes.indices {
            let part = rest.prefix(lanes[partition].lentCount)
            rest = rest.dropFirst(part.count)
            lanes[partition].settle(part)
        }
        let storedCount = isStored.count { $0 }
        count -= storedCount
        return storedCount
    }

    /// All records, those lent out included.
    var records: [UsageRecord] { lanes.flatMap(\.records) }
}
