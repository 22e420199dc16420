import Pricing

/// Keeps which record numbers of each run of a gateway are in the ledger.
struct SequenceBooking {
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

    /// The stored ranges around the numbers, by their runs.
    func stored() throws(LedgerFailure) -> [GatewayRun: [ClosedRange<Int64>]] {
        var ranges: [GatewayRun: [ClosedRange<Int64>]] = [:]
        for (run, numbers) in numbers {
            guard let lowest = numbers.first, let highest = numbers.last else { continue }
            ranges[run] = try self.ranges(of: run, lowest, highest)
        }
        return ranges
    }

    static func contains(
        _ origin: RecordOrigin,
        _ ranges: [GatewayRun: [ClosedRange<Int64>]]
    ) -> Bool {
        let run = GatewayRun(gateway: origin.gateway, epoch: origin.epoch)
        return ranges[run]?.contains { $0.contains(origin.sequence) } ?? false
    }

    private func ranges(
        of run: GatewayRun,
        _ lowest: Int64,
        _ highest: Int64
    ) throws(LedgerFailure) -> [ClosedRange<Int64>] {
        // Those that the numbers may touch, and the one that says how far the run is complete.
        let rows = try engine.query(
            "SELECT \(SequenceRow.table.columnList) FROM sequences WHERE gateway = $1 "
                + "AND epoch = $2 AND (\"first\" = 1 OR (\"first\" <= $3 AND \"last\" >= $4))",
            run.values + [.integer(highest + 1), .integer(lowest - 1)]
        )
        var ranges: [ClosedRange<Int64>] = []
        for values in rows { ranges.append(try SequenceRow(stored: values).range) }
        return ranges
    }

    /// Adds sorted numbers to a run; returns up to where it is complete.
    private func add(_ numbers: [Int64], to run: GatewayRun) throws(LedgerFailure) -> Int64 {
        guard let lowest = numbers.first, let highest = numbers.last else { return 0 }
        let stored = try ranges(of: run, lowest, highest)
        let merged = Self.merge(stored + numbers.map { $0...$0 })
        let gone = stored.filter { !merged.contains($0) }
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
        for range in merged where !stored.contains(range) {
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
