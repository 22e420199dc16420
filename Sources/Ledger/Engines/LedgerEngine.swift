/// A connection to a database that holds a ledger.
///
/// Not Sendable: it belongs to the thread of the actor that made it, and closes the connection when
/// it is let go there. Inside a transaction, what is written may be sent only with the next read or
/// with the commit, which then fails in its place.
protocol LedgerEngine: AnyObject {
    /// The words of SQL that it knows.
    var dialect: LedgerSchema.Dialect { get }

    /// Seals the rows that are written here.
    var sealer: RowSealer { get }

    /// So many records are best inserted together.
    var recordsPerInsert: Int { get }

    /// Begins a transaction that writes.
    func begin() throws(LedgerFailure)

    /// Stores all that was written since `begin` for good.
    func commit() throws(LedgerFailure)

    /// Forgets all that was written since `begin`.
    func rollback()

    /// Begins a transaction that only reads, and sees one state until it is rolled back.
    ///
    /// - Parameter limit: how long the statements may take, where each of them is not bounded anyway;
    ///   nil: as long as they need.
    /// - Throws: `LedgerFailure`, here or where a statement takes longer.
    func beginReading(within limit: Duration?) throws(LedgerFailure)

    /// Keeps other writers away from accounts until the transaction ends, whether they are there
    /// or not.
    func lock(accounts: [String]) throws(LedgerFailure)

    /// Keeps other writers away from runs of gateways until the transaction ends.
    func lock(runs: [GatewayRun]) throws(LedgerFailure)

    /// Takes numbers for records that were never taken before: the first of so many in a row.
    func numbers(_ count: Int) throws(LedgerFailure) -> Int64

    /// Inserts rows, with what the statement says of those that are there already.
    func insert(_ rows: LedgerRows, _ end: String) throws(LedgerFailure)

    /// Deletes the rows with these values in some columns.
    func delete(
        from table: LedgerTable,
        where columns: [String],
        are keys: [[LedgerValue]]
    ) throws(LedgerFailure)

    /// Answers each read with its rows, in the order of its keys.
    func read(_ reads: [LedgerRead]) throws(LedgerFailure) -> [[[LedgerValue]]]

    /// Runs one statement, in which `$1` and so on stand for the values.
    func query(_ text: String, _ values: [LedgerValue]) throws(LedgerFailure) -> [[LedgerValue]]

    /// Opens a statement of which the rows do not fit into memory; inside a transaction.
    func cursor(_ text: String) throws(LedgerFailure) -> any LedgerCursor

    /// What the database itself finds damaged; empty: nothing.
    func damage() throws(LedgerFailure) -> [String]
}

extension LedgerEngine {
    func write(_ write: LedgerWrite) throws(LedgerFailure) {
        switch write {
        case .insert(let rows): try insert(rows, "")
        case .insertIfAbsent(let rows): try insert(rows, " ON CONFLICT DO NOTHING")
        case .put(let rows): try insert(rows, rows.table.replacement)
        case .add(let rows, let columns): try insert(rows, rows.table.addition(columns))
        case .delete(let table, let columns, let keys):
            try delete(from: table, where: columns, are: keys)
        }
    }
}

/// The rows of a statement, one after the other.
protocol LedgerCursor: AnyObject {
    func next() throws(LedgerFailure) -> [LedgerValue]?
}

/// Something to be written.
enum LedgerWrite {
    case insert(LedgerRows)
    /// Inserts what is not there; leaves alone what is, by any unique index.
    case insertIfAbsent(LedgerRows)
    /// Inserts what is not there, and replaces what is, by the primary key.
    case put(LedgerRows)
    /// Inserts what is not there, and adds to what is, in the named columns.
    case add(LedgerRows, columns: [String])
    /// Deletes the rows with these values in some columns.
    case delete(LedgerTable, columns: [String], keys: [[LedgerValue]])
}

/// Rows to be read by the values of some columns.
struct LedgerRead {
    let table: LedgerTable
    /// What is wanted of them.
    let columns: [LedgerColumn]
    /// Which columns the keys are values of.
    let key: [LedgerColumn]
    let keys: [[LedgerValue]]

    /// All columns of the rows with these keys.
    init(_ table: LedgerTable, by key: [String], _ keys: [[LedgerValue]]) {
        self.init(table, columns: table.columns, by: key, keys)
    }

    init(
        _ table: LedgerTable,
        columns: [LedgerColumn],
        by key: [String],
        _ keys: [[LedgerValue]]
    ) {
        self.table = table
        self.columns = columns
        self.key = key.map { table.columns[table.position(of: $0)] }
        self.keys = keys
    }
}

extension LedgerTable {
    var columnList: String { columns.map(\.quoted).joined(separator: ", ") }

    /// What follows an INSERT so that rows whose key is there replace it.
    var replacement: String {
        let rest = columns.filter { !key.contains($0.name) }
        return conflict + "UPDATE SET "
            + rest.map { "\($0.quoted) = excluded.\($0.quoted)" }.joined(separator: ", ")
    }

    /// What follows an INSERT so that rows whose key is there add to it.
    func addition(_ names: [String]) -> String {
        let sums = columns.filter { names.contains($0.name) }.map { column in
            let (old, new) = ("\(name).\(column.quoted)", "excluded.\(column.quoted)")
            // Of NULL and a number the sum is the number.
            return column.isOptional
                ? "\(column.quoted) = COALESCE(\(old) + \(new), \(old), \(new))"
                : "\(column.quoted) = \(old) + \(new)"
        }
        return conflict + "UPDATE SET " + sums.joined(separator: ", ")
    }

    private var conflict: String {
        let names = key.map { "\"\($0)\"" }.joined(separator: ", ")
        return " ON CONFLICT (\(names)) DO "
    }
}
