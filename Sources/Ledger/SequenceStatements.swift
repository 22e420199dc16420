import Pricing

/// Which record numbers of each run of a gateway are in the ledger, as ranges.
struct SequenceStatements: ~Copyable {
    private let findTouching: SQLiteStatement
    private let delete: SQLiteStatement
    private let insert: SQLiteStatement
    private let findFirst: SQLiteStatement

    init(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        // Locals first: a struct that owns handles cannot be left half made.
        let findTouching = try connection.prepare(
            "SELECT min(first), max(last), count(*) FROM sequences "
                + "WHERE gateway = ?1 AND epoch = ?2 AND first <= ?4 + 1 AND last >= ?3 - 1"
        )
        let delete = try connection.prepare(
            "DELETE FROM sequences WHERE gateway = ?1 AND epoch = ?2 "
                + "AND first >= ?3 AND last <= ?4"
        )
        let insert = try connection.prepare("INSERT INTO sequences VALUES (?1, ?2, ?3, ?4)")
        let findFirst = try connection.prepare(
            "SELECT last FROM sequences WHERE gateway = ?1 AND epoch = ?2 AND first = 1"
        )
        self.findTouching = findTouching
        self.delete = delete
        self.insert = insert
        self.findFirst = findFirst
    }

    /// Adds the numbers.
    ///
    /// - Returns: for each run that was named, up to where it is complete; in a fixed order.
    func add(_ origins: [RecordOrigin]) throws(SQLiteFailure) -> [CommittedSequence] {
        var committed: [CommittedSequence] = []
        let byRun = Dictionary(grouping: origins) { GatewayRun(of: $0) }
        for (run, members) in byRun.sorted(by: { $0.key < $1.key }) {
            let ranges = Self.ranges(of: members.map(\.sequence).sorted())
            for range in ranges { try add(range, to: run) }
            let through = try through(run)
            committed.append(
                CommittedSequence(gateway: run.gateway, epoch: run.epoch, through: through)
            )
        }
        return committed
    }

    private func add(_ range: ClosedRange<Int64>, to run: GatewayRun) throws(SQLiteFailure) {
        var merged = range
        do {
            defer { findTouching.reset() }
            try bind(range, of: run, to: findTouching)
            if try findTouching.step(), findTouching.integer(2) > 0 {
                let first = min(range.lowerBound, findTouching.integer(0))
                merged = first...max(range.upperBound, findTouching.integer(1))
            }
        }
        try bind(merged, of: run, to: delete)
        try delete.run()
        try bind(merged, of: run, to: insert)
        try insert.run()
    }

    private func through(_ run: GatewayRun) throws(SQLiteFailure) -> Int64 {
        defer { findFirst.reset() }
        try findFirst.bind(run.gateway, at: 1)
        try findFirst.bind(run.epoch, at: 2)
        return try findFirst.step() ? findFirst.integer(0) : 0
    }

    private func bind(
        _ range: ClosedRange<Int64>,
        of run: GatewayRun,
        to statement: borrowing SQLiteStatement
    ) throws(SQLiteFailure) {
        try statement.bind(run.gateway, at: 1)
        try statement.bind(run.epoch, at: 2)
        try statement.bind(range.lowerBound, at: 3)
        try statement.bind(range.upperBound, at: 4)
    }

    private static func ranges(of sorted: [Int64]) -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for number in sorted {
            if let last = ranges.last, number <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, number)
            } else {
                ranges.append(number...number)
            }
        }
        return ranges
    }
}

/// One run of a gateway.
private struct GatewayRun: Hashable, Comparable {
    let gateway: String
    let epoch: Int64

    init(of origin: RecordOrigin) {
        gateway = origin.gateway
        epoch = origin.epoch
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.gateway, left.epoch) < (right.gateway, right.epoch)
    }
}
