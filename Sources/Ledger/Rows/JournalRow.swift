import Pricing

/// A transaction of the books apart from those of the charges, which their own rows hold; the database
/// itself refuses one that does not add up to zero.
struct JournalRow: LedgerRow {
    enum Kind: String {
        /// Of what the record with the same number changed: for those before it, and, where the
        /// discount is graduated, for itself.
        case adjustment
        /// Of a period that was closed: from accrued to receivable.
        case close
    }

    static let table = LedgerTable(
        "journal",
        key: ["number", "kind"],
        columns: [
            .integer("number"), .text("kind"), .text("account_id"), .text("period"),
            .text("provider"), .integer("accrued_nano"),
            .integer("discount_nano"), .integer("sla_penalty_nano"), .integer("revenue_nano"),
            .integer("receivable_nano"),
        ],
        checks: [
            "accrued_nano + discount_nano + sla_penalty_nano + revenue_nano + receivable_nano = 0"
        ],
        isSealed: true
    )

    let number: Int64
    let kind: String
    let key: PeriodKey
    let provider: String
    let posting: Posting

    init(
        _ kind: Kind,
        number: Int64,
        key: PeriodKey,
        provider: String,
        posting: Posting
    ) {
        self.number = number
        self.kind = kind.rawValue
        self.key = key
        self.provider = provider
        self.posting = posting
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        kind = try reader.text()
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        provider = try reader.text()
        posting = try Posting(&reader)
    }

    var values: [LedgerValue] {
        [
            .integer(number), .text(kind), .text(key.account), .text(key.period), .text(provider),
        ] + posting.values
    }
}

extension Posting {
    static let columns: [LedgerColumn] = [
        .integer("accrued_nano"), .integer("discount_nano"), .integer("sla_penalty_nano"),
        .integer("revenue_nano"), .integer("receivable_nano"),
    ]

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        self.init(
            accrued: try reader.integer(),
            discount: try reader.integer(),
            penalty: try reader.integer(),
            revenue: try reader.integer(),
            receivable: try reader.integer()
        )
    }

    var values: [LedgerValue] {
        [accrued, discount, penalty, revenue, receivable].map(LedgerValue.integer)
    }
}
