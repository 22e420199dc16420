import Pricing

/// Sums over a model's records.
private let sumColumns: [LedgerColumn] =
    [
        .integer("records"), .integer("breached_records"), .integer("streams"),
        .integer("input_tokens"), .integer("output_tokens"), .integer("bytes_out"),
        .integer("duration_ms"), .integer("subtotal_nano"),
    ] + TierColumns.columns + [
        .integer("graduated_charge_nano"), .integer("graduated_penalty_nano"),
    ]

/// What an account used of a model on a day; the period is the one that bills it.
struct DayModelRow: LedgerRow {
    static let table = LedgerTable(
        "day_models",
        key: ["day", "account_id", "period", "model"],
        columns: [
            .text("day"), .text("account_id"), .text("period"), .text("model"), .text("provider"),
        ] + sumColumns,
        indexes: [LedgerIndex("day_models_of_period", on: ["account_id", "period"])]
    )

    /// The columns that are sums.
    static let sums = sumColumns.map(\.name)

    let day: String
    let key: PeriodKey
    let name: String
    let model: PeriodBook.Model

    init(_ model: PeriodBook.Model, _ name: String, of key: PeriodKey, day: String) {
        self.day = day
        self.key = key
        self.name = name
        self.model = model
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        day = try reader.text()
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        name = try reader.text()
        model = PeriodBook.Model(
            provider: try reader.text(),
            totals: try UsageTotals(&reader)
        )
    }

    var values: [LedgerValue] {
        [.text(day)] + key.values + [.text(name), .text(model.provider)] + model.totals.values
    }
}

extension UsageTotals {
    init(_ reader: inout RowReader) throws(LedgerFailure) {
        self.init()
        records = try reader.integer()
        breachedRecords = try reader.integer()
        streams = try reader.integer()
        inputTokens = try reader.integer()
        outputTokens = try reader.integer()
        bytesOut = try reader.integer()
        durationMilliseconds = try reader.integer()
        subtotal = try reader.integer()
        tiers = try TierColumns.read(&reader)
        graduated = ChargeSum(charge: try reader.integer(), penalty: try reader.integer())
    }

    var values: [LedgerValue] {
        var values = [
            records, breachedRecords, streams, inputTokens, outputTokens, bytesOut,
            durationMilliseconds, subtotal,
        ].map(LedgerValue.integer)
        TierColumns.append(tiers, to: &values)
        values += [.integer(graduated.charge), .integer(graduated.penalty)]
        return values
    }
}
