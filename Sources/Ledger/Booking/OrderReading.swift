import Metering
import Pricing

/// Reads the part of a graduated order that a batch can move its boundaries across.
struct OrderReading {
    private static let pageSize: Int64 = 256
    private let engine: any LedgerEngine
    private let prices: PriceBook?

    /// - Parameters:
    ///   - engine: where the order is stored.
    ///   - prices: know the tiers of periods; nil: the records do.
    init(_ engine: any LedgerEngine, _ prices: PriceBook?) {
        self.engine = engine
        self.prices = prices
    }

    /// Gives the providers of the records that will be booked their orders.
    func loadOrders(
        of book: inout PeriodBook,
        _ key: PeriodKey,
        for records: [RatedRecord]
    ) throws(LedgerFailure) {
        let answers = try engine.read([
            LedgerRead(BoundaryRow.table, by: ["account_id", "period"], [key.values])
        ])
        var boundaries: [String: [GraduatedOrder.Boundary]] = [:]
        var rows: [BoundaryRow] = []
        for values in answers[0] { rows.append(try BoundaryRow(stored: values)) }
        for row in rows.sorted(by: { $0.tier < $1.tier }) {
            boundaries[row.provider, default: []].append(row.boundary)
        }
        let opening = CalendarMonth(text: key.period).flatMap { prices?.openingList(of: $0) }
        for (provider, members) in Dictionary(grouping: records, by: \.provider) {
            guard let stored = book.providers[provider],
                let tiers = opening?.tiers(of: provider) ?? members.first?.tiers
            else { continue }
            let known = boundaries[provider] ?? []
            guard known.count == tiers.count - 1 else {
                throw .damaged("graduated_boundaries of \(key.account) \(key.period) \(provider)")
            }
            var window: [RecordPlace: GraduatedRecord] = [:]
            for boundary in known {
                let part = try part(
                    before: boundary,
                    key,
                    provider,
                    tokens: stored.tokens,
                    inserting: members
                )
                for record in part { window[record.place] = record }
            }
            book.setOrder(
                GraduatedOrder(
                    tiers: tiers,
                    boundaries: known,
                    tokens: stored.tokens,
                    window: window.values.sorted { $0.place < $1.place }
                ),
                of: provider
            )
        }
    }

    /// The pivot and the records before it, until these have more tokens than come before it now.
    private func part(
        before boundary: GraduatedOrder.Boundary,
        _ key: PeriodKey,
        _ provider: String,
        tokens: Int64,
        inserting members: [RatedRecord]
    ) throws(LedgerFailure) -> [GraduatedRecord] {
        var inserted: Int128 = 0
        var isMoved = false
        for rated in members where boundary.pivot.map({ rated.place < $0 }) ?? true {
            inserted += Int128(rated.record.tokens)
            isMoved = true
        }
        // Far from the end of the records, nothing can reach the boundary.
        let isOutOfReach =
            boundary.pivot == nil && Int128(tokens) + inserted < Int128(boundary.tokens)
        guard isMoved, !isOutOfReach else { return [] }
        var found: [GraduatedRecord] = []
        var sum: Int128 = 0
        var place = boundary.pivot
        var comparison = "<="
        while true {
            let page = try page(key, provider, comparison, place)
            for record in page {
                found.append(record)
                if record.place != boundary.pivot { sum += Int128(record.tokens) }
                if sum > inserted { return found }
            }
            guard page.count == Self.pageSize, let last = page.last else { return found }
            place = last.place
            comparison = "<"
        }
    }

    /// The records before a place, or the last ones, from the back.
    private func page(
        _ key: PeriodKey,
        _ provider: String,
        _ comparison: String,
        _ place: RecordPlace?
    ) throws(LedgerFailure) -> [GraduatedRecord] {
        var values = key.values + [.text(provider), .integer(Self.pageSize)]
        var condition = ""
        if let place {
            condition = " AND (ended_at_ms, record_id) \(comparison) ($5, $6)"
            values += [.integer(place.endedAtMilliseconds), .text(place.recordID)]
        }
        let rows = try engine.query(
            "SELECT \(GraduatedChargeRow.table.columnList) FROM graduated_charges "
                + "WHERE account_id = $1 AND period = $2 AND provider = $3\(condition) "
                + "ORDER BY ended_at_ms DESC, record_id DESC LIMIT $4",
            values
        )
        var records: [GraduatedRecord] = []
        for values in rows { records.append(try GraduatedChargeRow(stored: values).record) }
        return records
    }
}
