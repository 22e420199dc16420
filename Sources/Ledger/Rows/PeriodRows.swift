import Pricing

/// An account's month.
struct PeriodKey: Hashable {
    let account: String
    /// `yyyy-mm`.
    let period: String

    var values: [LedgerValue] { [.text(account), .text(period)] }
}

/// The balances of an account's books for a month.
struct PeriodRow: LedgerRow {
    static let table = LedgerTable(
        "periods",
        key: ["account_id", "period"],
        columns: [
            .text("account_id"), .text("period"), .text("discount_mode"), .integer("records"),
        ] + Posting.columns + [.integer("closed_at_ms").optional],
        checks: [
            "accrued_nano + discount_nano + sla_penalty_nano + revenue_nano + receivable_nano = 0"
        ],
        // Neither column is ever updated: a batch does not touch it.
        indexes: [LedgerIndex("periods_in_time", on: ["period", "account_id"])],
        isSealed: true
    )

    let key: PeriodKey
    let mode: DiscountMode
    var records: Int64
    var balance: Posting
    var closedAtMilliseconds: Int64?

    init(_ key: PeriodKey, mode: DiscountMode) {
        self.key = key
        self.mode = mode
        records = 0
        balance = .zero
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        let mode = try reader.text()
        guard let known = DiscountMode(rawValue: mode) else {
            throw .damaged("periods.discount_mode of \(key.account) \(key.period) is \"\(mode)\"")
        }
        self.mode = known
        records = try reader.integer()
        balance = try Posting(&reader)
        closedAtMilliseconds = try reader.optionalInteger()
    }

    var values: [LedgerValue] {
        key.values + [.text(mode.rawValue), .integer(records)] + balance.values
            + [LedgerValue(closedAtMilliseconds)]
    }
}

/// What an account used of a provider in a month.
struct PeriodProviderRow: LedgerRow {
    static let table = LedgerTable(
        "period_providers",
        key: ["account_id", "period", "provider"],
        columns: [
            .text("account_id"), .text("period"), .text("provider"), .integer("tokens"),
            .integer("tier"), .integer("discount_bp"),
        ]
    )

    let key: PeriodKey
    let provider: String
    let tokens: Int64
    let tier: Int64
    let discountBasisPoints: Int64

    init(_ provider: PeriodBook.Provider, _ name: String, of key: PeriodKey) {
        self.key = key
        self.provider = name
        tokens = provider.tokens
        tier = Int64(provider.tier)
        discountBasisPoints = provider.discountBasisPoints
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        provider = try reader.text()
        tokens = try reader.integer()
        tier = try reader.integer()
        discountBasisPoints = try reader.integer()
    }

    var values: [LedgerValue] {
        key.values + [
            .text(provider), .integer(tokens), .integer(tier), .integer(discountBasisPoints),
        ]
    }
}

/// Where a tier of a graduated discount begins.
struct BoundaryRow: LedgerRow {
    static let table = LedgerTable(
        "graduated_boundaries",
        key: ["account_id", "period", "provider", "tier"],
        columns: [
            .text("account_id"), .text("period"), .text("provider"), .integer("tier"),
            .integer("tokens"), .integer("pivot_ended_at_ms").optional,
            .text("pivot_record_id").optional, .integer("tokens_before"),
        ]
    )

    let key: PeriodKey
    let provider: String
    let tier: Int64
    let boundary: GraduatedOrder.Boundary

    init(
        _ boundary: GraduatedOrder.Boundary,
        tier: Int,
        _ provider: String,
        of key: PeriodKey
    ) {
        self.key = key
        self.provider = provider
        self.tier = Int64(tier)
        self.boundary = boundary
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        provider = try reader.text()
        tier = try reader.integer()
        let tokens = try reader.integer()
        let ended = try reader.optionalInteger()
        let recordID = try reader.optionalText()
        var pivot: RecordPlace?
        if let ended, let recordID {
            pivot = RecordPlace(endedAtMilliseconds: ended, recordID: recordID)
        }
        boundary = GraduatedOrder.Boundary(
            tokens: tokens,
            pivot: pivot,
            tokensBefore: try reader.integer()
        )
    }

    var values: [LedgerValue] {
        key.values + [
            .text(provider), .integer(tier), .integer(boundary.tokens),
            LedgerValue(boundary.pivot?.endedAtMilliseconds),
            LedgerValue(boundary.pivot?.recordID), .integer(boundary.tokensBefore),
        ]
    }
}
