import Metering
import Pricing
import StreamBytes

/// What the ledger knows of a record's charge.
package enum ExplainedRecord: Sendable {
    /// It was charged; `differences` names what is stored otherwise than it has to be, which means
    /// that somebody changed it.
    case charged(ChargeExplanation, differences: [String])
    /// It was never charged; each text says when it was set aside, and why.
    case setAside([String])
    case unknown
}

extension LedgerDatabase {
    /// Works out again what a record costs, on the calling thread, beside whoever writes.
    ///
    /// - Throws: `ChargeStoreError` when the ledger cannot be read.
    package func explain(_ recordID: String) throws(ChargeStoreError) -> ExplainedRecord {
        do throws(LedgerFailure) {
            let engine = try open(.reading)
            try engine.beginReading(within: nil)
            defer { engine.rollback() }
            return try LedgerExplaining(engine).explain(recordID)
        } catch {
            throw error.error
        }
    }
}

/// Reads what a charge follows from.
struct LedgerExplaining {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    func explain(_ recordID: String) throws(LedgerFailure) -> ExplainedRecord {
        let id = [[LedgerValue.text(recordID)]]
        guard let values = try row(RecordRow.table, by: ["record_id"], id) else {
            return try setAside(recordID)
        }
        let record = try RecordRow(stored: values)
        guard let stored = try row(ChargeRow.table, by: ["number"], [[.integer(record.number)]])
        else { throw .damaged("the record \(recordID) has no charge") }
        let charge = try ChargeRow(stored: stored)
        guard let list = try PriceListBooking(engine).stored(),
            let ratedBy = list.list(version: charge.priceList),
            let month = CalendarMonth(text: charge.period),
            ratedBy.price(of: record.record.model) != nil
        else {
            throw .damaged(
                "the price list \(charge.priceList) that \(recordID) was rated by is not stored"
            )
        }
        let delivered = DeliveredRecord(
            entryID: record.entryID,
            receivedAtMilliseconds: record.receivedAtMilliseconds,
            fields: [:]
        )
        let rated = list.rate(
            record.record,
            delivered: delivered,
            by: ratedBy,
            in: month,
            isLate: charge.isLate
        )
        let explanation = ChargeExplanation(
            rated,
            by: ratedBy,
            discount: try discount(of: record, charge)
        )
        return .charged(
            explanation,
            differences: try differences(explanation, stored: stored, of: record, charge)
        )
    }

    private func discount(
        of record: RecordRow,
        _ charge: ChargeRow
    ) throws(LedgerFailure) -> ChargeExplanation.Discount {
        let key = PeriodKey(account: charge.account, period: charge.period)
        let provider = try row(
            PeriodProviderRow.table,
            by: PeriodProviderRow.table.key,
            [key.values + [.text(charge.provider)]]
        )
        guard let provider,
            let values = try row(PeriodRow.table, by: PeriodRow.table.key, [key.values])
        else { throw .damaged("the totals of \(key.account) \(key.period) are missing") }
        let tokens = try PeriodProviderRow(stored: provider).tokens
        guard try PeriodRow(stored: values).mode == .graduated else {
            return .wholeVolume(providerTokens: tokens)
        }
        let before = try engine.query(
            "SELECT CAST(COALESCE(sum(tokens), 0) AS bigint) FROM graduated_charges "
                + "WHERE account_id = $1 AND period = $2 AND provider = $3 "
                + "AND (ended_at_ms, record_id) < ($4, $5)",
            key.values + [
                .text(charge.provider), .integer(record.record.endedAtMilliseconds),
                .text(record.record.recordID),
            ]
        )
        guard case .integer(let tokensBefore)? = before.first?.first else {
            throw .damaged("graduated_charges.tokens of \(key.account) \(key.period)")
        }
        return .graduated(tokensBefore: tokensBefore, providerTokens: tokens)
    }

    private func differences(
        _ explanation: ChargeExplanation,
        stored: [LedgerValue],
        of record: RecordRow,
        _ charge: ChargeRow
    ) throws(LedgerFailure) -> [String] {
        let expected = ChargeRow(
            explanation.rated,
            number: charge.number,
            period: charge.period,
            postedTier: Int(charge.postedTier)
        )
        var differences = Self.differences(ChargeRow.table, stored, expected.values)
        guard case .graduated = explanation.discount else { return differences }
        let table = GraduatedChargeRow.table
        let key = PeriodKey(account: charge.account, period: charge.period)
        let place = explanation.rated.place
        let values = try row(
            table,
            by: table.key,
            [
                key.values + [
                    .text(charge.provider), .integer(place.endedAtMilliseconds),
                    .text(place.recordID),
                ]
            ]
        )
        guard let values else { return differences + ["\(table.name): the row is missing"] }
        let graduated = GraduatedRecord(
            place: place,
            model: record.record.model,
            tokens: record.record.tokens,
            subtotal: explanation.rated.charge.subtotal,
            penaltyBasisPoints: explanation.rated.penaltyBasisPoints,
            charge: explanation.charge
        )
        let row = GraduatedChargeRow(graduated, of: key, provider: charge.provider)
        differences += Self.differences(table, values, row.values)
        return differences
    }

    private static func differences(
        _ table: LedgerTable,
        _ stored: [LedgerValue],
        _ expected: [LedgerValue]
    ) -> [String] {
        zip(table.columns, zip(stored, expected)).compactMap { column, values in
            guard values.0 != values.1 else { return nil }
            return "\(table.name).\(column.name) is \(values.0.description), "
                + "should be \(values.1.description)"
        }
    }

    private func setAside(_ recordID: String) throws(LedgerFailure) -> ExplainedRecord {
        let rows = try engine.query(
            "SELECT \(RejectedRow.table.columnList) FROM rejected WHERE record_id = $1 "
                + "ORDER BY number LIMIT 10",
            [.text(recordID)]
        )
        guard !rows.isEmpty else { return .unknown }
        var texts: [String] = []
        for values in rows {
            let row = try RejectedRow(stored: values)
            let received = WallTime(milliseconds: row.receivedAtMilliseconds).text
            texts.append("received \(received): \(row.reason), \(row.field)")
        }
        return .setAside(texts)
    }

    private func row(
        _ table: LedgerTable,
        by key: [String],
        _ values: [[LedgerValue]]
    ) throws(LedgerFailure) -> [LedgerValue]? {
        try engine.read([LedgerRead(table, by: key, values)])[0].first
    }
}
