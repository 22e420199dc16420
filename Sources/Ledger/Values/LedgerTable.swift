/// A table of the ledger: what both databases are told of it.
struct LedgerTable: Sendable {
    let name: String
    /// In the order of their values in a row.
    let columns: [LedgerColumn]
    /// The names of the primary key's columns.
    let key: [String]
    /// Conditions that every row meets, in SQL.
    let checks: [String]
    let indexes: [LedgerIndex]
    /// The last column holds the seal of the others, made by `RowSealer`.
    let isSealed: Bool

    init(
        _ name: String,
        key: [String],
        columns: [LedgerColumn],
        checks: [String] = [],
        indexes: [LedgerIndex] = [],
        isSealed: Bool = false
    ) {
        self.name = name
        self.columns = columns + (isSealed ? [LedgerColumn("seal", .bytes)] : [])
        self.key = key
        self.checks = checks
        self.indexes = indexes
        self.isSealed = isSealed
    }

    func position(of column: String) -> Int {
        guard let position = columns.firstIndex(where: { $0.name == column }) else {
            preconditionFailure("\(name) has no column \(column)")
        }
        return position
    }

    /// The places of the key's columns in a row.
    var keyPositions: [Int] { key.map(position(of:)) }
}

struct LedgerColumn: Sendable {
    enum Kind: Sendable {
        /// 64 bits.
        case integer
        case text
        case bytes
    }

    let name: String
    let kind: Kind
    let isOptional: Bool

    init(_ name: String, _ kind: Kind, isOptional: Bool = false) {
        self.name = name
        self.kind = kind
        self.isOptional = isOptional
    }

    static func integer(_ name: String) -> Self { Self(name, .integer) }
    static func text(_ name: String) -> Self { Self(name, .text) }

    /// The same column, where it may be NULL.
    var optional: Self { Self(name, kind, isOptional: true) }

    /// As it stands in SQL: some names are words of the language.
    var quoted: String { "\"\(name)\"" }
}

struct LedgerIndex: Sendable {
    let name: String
    let columns: [String]
    let isUnique: Bool

    init(_ name: String, on columns: [String], isUnique: Bool = false) {
        self.name = name
        self.columns = columns
        self.isUnique = isUnique
    }
}
