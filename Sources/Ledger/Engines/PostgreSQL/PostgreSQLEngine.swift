import Pricing

/// A ledger in a PostgreSQL database, in the schema `weir`.
///
/// Everything that a batch writes leaves in one go with its commit. Accounts are locked by their rows,
/// gateways by advisory locks.
final class PostgreSQLEngine: LedgerEngine {
    /// How many numbers a batch is given: none has more.
    private static let numbersPerBatch = 1 << 20
    private static let rowsPerFetch = 2_000
    /// From so many rows on, their copy is worth leaving the pipeline for.
    private static let copyThreshold = 64

    let dialect = LedgerSchema.Dialect.postgresql
    let connection: PostgreSQLConnection
    let sealer = RowSealer()
    /// The server makes room for a thousand rows at each copy, and uses it again within one.
    let recordsPerInsert = 2_000
    private var cursorCount = 0

    /// Connects, and makes the tables where there are none.
    init(
        _ configuration: PostgreSQLLedgerConfiguration,
        _ mode: LedgerOpening
    ) throws(LedgerFailure) {
        do throws(PostgreSQLFailure) {
            connection = try PostgreSQLConnection(
                configuration.url,
                patience: configuration.patience
            )
        } catch {
            throw LedgerFailure(error)
        }
        try prepare(mode)
    }

    func begin() throws(LedgerFailure) { try send("BEGIN") }

    func commit() throws(LedgerFailure) {
        try send("COMMIT")
        _ = try answers()
    }

    func rollback() {
        // A connection that cannot even do this is closed by whoever sees the error before it.
        try? connection.rollback()
    }

    /// The connection bounds each answer.
    func beginReading(within _: Duration?) throws(LedgerFailure) {
        try send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    func lock(accounts: [String]) throws(LedgerFailure) {
        guard !accounts.isEmpty else { return }
        var rows = LedgerRows(AccountRow.table)
        for account in accounts.sorted() { rows.append(AccountRow(id: account).values, sealer) }
        try write(.insertIfAbsent(rows))
        try send(
            "SELECT 1 FROM accounts WHERE account_id = ANY($1) ORDER BY account_id FOR UPDATE",
            Self.arrays([.text], accounts.map { [.text($0)] })
        )
    }

    func lock(runs: [GatewayRun]) throws(LedgerFailure) {
        guard !runs.isEmpty else { return }
        let keys = Set(runs.map(\.lockKey)).sorted().map { [LedgerValue.integer($0)] }
        try send(
            "SELECT pg_advisory_xact_lock(k) FROM unnest($1) AS k",
            Self.arrays([.integer], keys)
        )
    }

    /// Taken after the accounts are locked, so that numbers grow in the order in which an account's
    /// records are accepted.
    func numbers(_ count: Int) throws(LedgerFailure) -> Int64 {
        guard count <= Self.numbersPerBatch else {
            throw .refused("a batch of \(count) numbers is too large")
        }
        let rows = try query("SELECT nextval('numbers')", [])
        guard case .integer(let first)? = rows.first?.first else {
            throw .failed("the sequence of numbers answers nothing")
        }
        return first
    }

    func delete(
        from table: LedgerTable,
        where columns: [String],
        are keys: [[LedgerValue]]
    ) throws(LedgerFailure) {
        guard !keys.isEmpty else { return }
        let kinds = columns.map { table.columns[table.position(of: $0)].kind }
        let conditions = columns.enumerated().map { "\(table.name).\"\($1)\" = k.k\($0)" }
        try send(
            "DELETE FROM \(table.name) USING \(Self.unnest(kinds)) "
                + "WHERE \(conditions.joined(separator: " AND "))",
            Self.arrays(kinds, keys)
        )
    }

    func read(_ reads: [LedgerRead]) throws(LedgerFailure) -> [[[LedgerValue]]] {
        for read in reads where !read.keys.isEmpty {
            let kinds = read.key.map(\.kind)
            let columns = read.columns.map { "t.\($0.quoted)" }.joined(separator: ", ")
            let conditions = read.key.enumerated().map { "t.\($1.quoted) = k.k\($0)" }
            try send(
                "SELECT \(columns) FROM \(Self.unnest(kinds)) JOIN \(read.table.name) AS t "
                    + "ON \(conditions.joined(separator: " AND "))",
                Self.arrays(kinds, read.keys),
                returnsRows: true
            )
        }
        var rest = try answers()[...]
        return reads.map { $0.keys.isEmpty ? [] : rest.popFirst() ?? [] }
    }

    func query(
        _ text: String,
        _ values: [LedgerValue]
    ) throws(LedgerFailure) -> [[LedgerValue]] {
        try send(text, values.map { PostgreSQLParameter($0) }, returnsRows: true)
        return try answers().first ?? []
    }

    func cursor(_ text: String) throws(LedgerFailure) -> any LedgerCursor {
        cursorCount += 1
        let name = "c\(cursorCount)"
        try send("DECLARE \(name) NO SCROLL CURSOR FOR \(text)")
        _ = try answers()
        return PostgreSQLCursor(self, "FETCH FORWARD \(Self.rowsPerFetch) FROM \(name)")
    }

    /// The server's own checksums and tools are for that.
    func damage() -> [String] { [] }

    // MARK: Statements

    func send(
        _ text: String,
        _ parameters: [PostgreSQLParameter] = [],
        returnsRows: Bool = false
    ) throws(LedgerFailure) {
        do throws(PostgreSQLFailure) {
            try connection.send(text, parameters, returnsRows: returnsRows)
        } catch {
            throw LedgerFailure(error)
        }
    }

    func answers() throws(LedgerFailure) -> [[[LedgerValue]]] {
        do throws(PostgreSQLFailure) {
            return try connection.answers()
        } catch {
            throw LedgerFailure(error)
        }
    }

    func insert(_ rows: LedgerRows, _ end: String) throws(LedgerFailure) {
        guard !rows.isEmpty else { return }
        guard !end.isEmpty || rows.count < Self.copyThreshold else { return try copy(rows) }
        let kinds = rows.table.columns.map(\.kind)
        try send(
            "INSERT INTO \(rows.table.name) (\(rows.table.columnList)) "
                + "SELECT * FROM \(Self.unnest(kinds))" + end,
            PostgreSQLParameter.arrays(kinds, rows.values, count: rows.count)
        )
    }

    private func copy(_ rows: LedgerRows) throws(LedgerFailure) {
        let text =
            "COPY \(rows.table.name) (\(rows.table.columnList)) FROM STDIN (FORMAT binary)"
        do throws(PostgreSQLFailure) {
            try connection.copy(text, rows)
        } catch {
            throw LedgerFailure(error)
        }
    }

    /// Arrays as the rows of a table `k` with the columns `k0` and so on.
    private static func unnest(_ kinds: [LedgerColumn.Kind]) -> String {
        let types = kinds.enumerated().map { place, kind in
            switch kind {
            case .integer: "$\(place + 1)::bigint[]"
            case .text: "$\(place + 1)::text[]"
            case .bytes: "$\(place + 1)::bytea[]"
            }
        }
        let names = kinds.indices.map { "k\($0)" }
        return "unnest(\(types.joined(separator: ", "))) AS k(\(names.joined(separator: ", ")))"
    }

    private static func arrays(
        _ kinds: [LedgerColumn.Kind],
        _ rows: [[LedgerValue]]
    ) -> [PostgreSQLParameter] {
        var values = RowBytes()
        for row in rows { values.append(row) }
        return PostgreSQLParameter.arrays(kinds, values, count: rows.count)
    }
}

private final class PostgreSQLCursor: LedgerCursor {
    private let engine: PostgreSQLEngine
    private let fetch: String
    private var rows: ArraySlice<[LedgerValue]> = []
    private var isAtEnd = false

    init(_ engine: PostgreSQLEngine, _ fetch: String) {
        self.engine = engine
        self.fetch = fetch
    }

    func next() throws(LedgerFailure) -> [LedgerValue]? {
        if rows.isEmpty, !isAtEnd {
            rows = try engine.query(fetch, [])[...]
            isAtEnd = rows.isEmpty
        }
        return rows.popFirst()
    }
}

extension GatewayRun {
    /// FNV-1a in 64 bits: the same in every process.
    fileprivate var lockKey: Int64 {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in "weir sequence \(gateway):\(epoch)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
        }
        return Int64(bitPattern: hash)
    }
}
