import Pricing

/// What a record costs: its components, and its charge under every tier.
struct ChargeRow: FrequentRow {
    static let table = LedgerTable(
        "charges",
        key: ["number"],
        columns: [
            .integer("number"), .text("account_id"), .text("period"), .text("provider"),
            .integer("is_late"), .text("price_list"), .integer("stream_time_nano"),
            .integer("stream_bytes_nano"), .integer("bandwidth_premium_nano"),
            .integer("tokens_in_nano"), .integer("tokens_out_nano"), .integer("infra_base_nano"),
            .integer("infra_time_nano"), .integer("subtotal_nano"), .text("sla_breaches"),
            .integer("penalty_bp"), .integer("posted_tier"),
        ] + TierColumns.columns,
        checks: [
            "subtotal_nano = stream_time_nano + stream_bytes_nano + bandwidth_premium_nano "
                + "+ tokens_in_nano + tokens_out_nano + infra_base_nano + infra_time_nano"
        ],
        indexes: [LedgerIndex("charges_of_account", on: ["account_id", "period"])]
    )

    let number: Int64
    let account: String
    let period: String
    let provider: String
    let isLate: Bool
    let priceList: String
    /// In the order of the columns; the last one is their sum.
    let components: [Int64]
    let breaches: String
    let penaltyBasisPoints: Int64
    /// The place of the tier at which it was posted.
    let postedTier: Int64
    let tiers: [ChargeSum]

    init(_ rated: RatedRecord, number: Int64, period: String, postedTier: Int) {
        self.postedTier = Int64(postedTier)
        let parts = rated.charge.components
        self.number = number
        account = rated.record.accountID
        self.period = period
        provider = rated.provider
        isLate = rated.isLate
        priceList = rated.priceListVersion
        components = [
            parts.streamTime, parts.streamBytes, parts.bandwidthPremium, parts.tokensIn,
            parts.tokensOut, parts.infraBase, parts.infraTime, parts.subtotal,
        ].map(\.nanodollars)
        breaches =
            rated.charge.breaches.isEmpty
            ? "" : rated.charge.breaches.map(\.rawValue).joined(separator: " ")
        penaltyBasisPoints = rated.penaltyBasisPoints
        tiers = rated.charge.tiers.map {
            ChargeSum(charge: $0.charge.nanodollars, penalty: $0.penalty.nanodollars)
        }
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        account = try reader.text()
        period = try reader.text()
        provider = try reader.text()
        isLate = try reader.integer() != 0
        priceList = try reader.text()
        var components: [Int64] = []
        for _ in 0..<8 { components.append(try reader.integer()) }
        self.components = components
        breaches = try reader.text()
        penaltyBasisPoints = try reader.integer()
        postedTier = try reader.integer()
        tiers = try TierColumns.read(&reader)
    }

    func write(to row: inout RowBytes) {
        row.append(number)
        row.append(account)
        row.append(period)
        row.append(provider)
        row.append(isLate ? 1 : 0)
        row.append(priceList)
        for component in components { row.append(component) }
        row.append(breaches)
        row.append(penaltyBasisPoints)
        row.append(postedTier)
        TierColumns.write(tiers, to: &row)
    }
}

/// What a record costs where the discount is graduated, in the order of the period.
struct GraduatedChargeRow: LedgerRow {
    static let table = LedgerTable(
        "graduated_charges",
        key: ["account_id", "period", "provider", "ended_at_ms", "record_id"],
        columns: [
            .text("account_id"), .text("period"), .text("provider"), .integer("ended_at_ms"),
            .text("record_id"), .text("model"), .integer("tokens"), .integer("subtotal_nano"),
            .integer("penalty_bp"), .integer("discount_nano"), .integer("penalty_nano"),
            .integer("charge_nano"),
        ],
        checks: ["subtotal_nano = discount_nano + penalty_nano + charge_nano"]
    )

    let key: PeriodKey
    let provider: String
    let record: GraduatedRecord

    init(_ record: GraduatedRecord, of key: PeriodKey, provider: String) {
        self.key = key
        self.provider = provider
        self.record = record
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        provider = try reader.text()
        let place = RecordPlace(
            endedAtMilliseconds: try reader.integer(),
            recordID: try reader.text()
        )
        let model = try reader.text()
        let tokens = try reader.integer()
        let subtotal = Money(nanodollars: try reader.integer())
        let penaltyBasisPoints = try reader.integer()
        let discount = Money(nanodollars: try reader.integer())
        _ = try reader.integer()
        _ = try reader.integer()
        record = GraduatedRecord(
            place: place,
            model: model,
            tokens: tokens,
            subtotal: subtotal,
            penaltyBasisPoints: penaltyBasisPoints,
            charge: TierCharge(
                subtotal: subtotal,
                discount: discount,
                penaltyBasisPoints: penaltyBasisPoints
            )
        )
    }

    var values: [LedgerValue] {
        [
            .text(key.account), .text(key.period), .text(provider),
            .integer(record.place.endedAtMilliseconds), .text(record.place.recordID),
            .text(record.model), .integer(record.tokens), .integer(record.subtotal.nanodollars),
            .integer(record.penaltyBasisPoints), .integer(record.charge.discount.nanodollars),
            .integer(record.charge.penalty.nanodollars),
            .integer(record.charge.charge.nanodollars),
        ]
    }
}
