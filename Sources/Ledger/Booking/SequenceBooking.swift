import Pricing

/// Keeps which record numbers of each run of a gateway are in the ledger.
struct SequenceBooking {
    /// Numbers that are no further apart are looked up together: reading so many ranges costs as
    /// much as asking once more.
    private static let nearby: Int64 = 64

    private let engine: any LedgerEngine
    /// The numbers of a batch in their order, by their runs.
    private let numbers: [GatewayRun: [Int64]]

    init(_ engine: any LedgerEngine, _ origins: [RecordOrigin]) {
        self.engine = engine
        numbers = Dictionary(grouping: origins) {
            GatewayRun(gateway: $0.gateway, epoch: $0.epoch)
        }.mapValues { $0.map(\.sequence).sorted() }
    }

    /// Adds the numbers.
    ///
    /// - Returns: for each run that was named, up to where it is complete; in a fixed order.
    func add() throws(LedgerFailure) -> [CommittedSequence] {
        let runs = numbers.keys.sorted()
        try engine.lock(runs: runs)
        var committed: [CommittedSequence] = []
        for run in runs {
            committed.append(
                CommittedSequence(
                    gateway: run.gateway,
                    epoch: run.epoch,
                    through: try add(numbers[run] ?? [], to: run)
                )
            )
        }
        return committed
    }

    /// The stored ranges around the numbers, by their runs; in order.
    func stored() throws(LedgerFailure) -> [GatewayRun: [ClosedRange<Int64>]] {
        var ranges: [GatewayRun: [ClosedRange<Int64>]] = [:]
        for (run, numbers) in numbers { ranges[run] = try self.ranges(of: run, around: numbers) }
        return ranges
    }

    static func contains(
        _ origin: RecordOrigin,
        _ ranges: [GatewayRun: [ClosedRange<Int64>]]
    ) -> Bool {
        let run = GatewayRun(gateway: origin.gateway, epoch: origin.epoch)
        guard let ranges = ranges[run] else { return false }
        // The first range that does not end before the number.
        var (start, end) = (0, ranges.count)
        while start < end {
            let middle = (start + end) / 2
            if ranges[middle].upperBound < origin.sequence {
                start = middle + 1
            } else {
                end = middle
            }
        }
        return start < ranges.count && ranges[start].contains(origin.sequence)
    }

    /// The ranges that sorted numbers touch, and the one that says how far the run is complete; in
    /// order, with some between them.
    private func ranges(
        of run: GatewayRun,
        around numbers: [Int64]
    ) throws(LedgerFailure) -> [ClosedRange<Int64>] {
        let columns = SequenceRow.table.columnList
        var rows = try engine.query(
            "SELECT \(columns) FROM sequences WHERE gateway = $1 AND epoch = $2 AND \"first\" = $3",
            run.values + [.integer(1)]
        )
        var start = 0
        while start < numbers.count {
            var end = start + 1
            while end < numbers.count, numbers[end] - numbers[end - 1] <= Self.nearby { end += 1 }
            // From the last range that begins no later than the lowest number.
            rows += try engine.query(
                "SELECT \(columns) FROM sequences WHERE gateway = $1 AND epoch = $2 "
                    + "AND \"first\" <= $4 AND \"first\" >= COALESCE((SELECT max(\"first\") "
                    + "FROM sequences WHERE gateway = $1 AND epoch = $2 AND \"first\" <= $3), $3)",
                run.values + [.integer(numbers[start]), .integer(numbers[end - 1] + 1)]
            )
            start = end
        }
        var ranges: Set<ClosedRange<Int64>> = []
        for values in rows { ranges.insert(try SequenceRow(stored: values).range) }
        return ranges.sorted { $0.lowerBound < $1.lowerBound }
    }

    /// Adds sorted numbers to a run; returns up to where it is complete.
    private func add(_ numbers: [Int64], to run: GatewayRun) throws(LedgerFailure) -> Int64 {
        let stored = try ranges(of: run, around: numbers)
        let merged = Self.merge(stored + numbers.map { $0...$0 })
        let (old, new) = (Set(stored), Set(merged))
        let gone = stored.filter { !new.contains($0) }
        if !gone.isEmpty {
            try engine.write(
                .delete(
                    SequenceRow.table,
                    columns: SequenceRow.table.key,
                    keys: gone.map { run.values + [.integer($0.lowerBound)] }
                )
            )
        }
        var fresh = LedgerRows(SequenceRow.table)
        for range in merged where !old.contains(range) {
            fresh.append(SequenceRow(run, range).values, engine.sealer)
        }
        try engine.write(.insert(fresh))
        return merged.first { $0.lowerBound == 1 }?.upperBound ?? 0
    }

    /// The same numbers in the fewest ranges, in order.
    private static func merge(_ ranges: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var merged: [ClosedRange<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] =
                    last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }
}
