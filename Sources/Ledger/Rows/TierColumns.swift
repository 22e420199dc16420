import Pricing

/// A charge and its penalty under each discount tier, side by side: `charge_0_nano`,
/// `penalty_0_nano`, and so on; NULL beyond the provider's tiers.
enum TierColumns {
    /// The tier without discount, and as many as a price list may have.
    static let count = PriceList.tierLimit + 1

    static let columns: [LedgerColumn] = (0..<count).flatMap { tier in
        [
            LedgerColumn.integer("charge_\(tier)_nano").optional,
            LedgerColumn.integer("penalty_\(tier)_nano").optional,
        ]
    }

    static func append(_ tiers: [ChargeSum], to values: inout [LedgerValue]) {
        var row = RowBytes()
        write(tiers, to: &row)
        values += row.values
    }

    static func write(_ tiers: [ChargeSum], to row: inout RowBytes) {
        for tier in tiers.prefix(count) {
            row.append(tier.charge)
            row.append(tier.penalty)
        }
        for _ in 0..<(2 * max(0, count - tiers.count)) { row.appendNull() }
    }

    static func read(_ reader: inout RowReader) throws(LedgerFailure) -> [ChargeSum] {
        var tiers: [ChargeSum] = []
        for _ in 0..<count {
            let charge = try reader.optionalInteger()
            let penalty = try reader.optionalInteger()
            guard let charge, let penalty else { continue }
            tiers.append(ChargeSum(charge: charge, penalty: penalty))
        }
        return tiers
    }

    /// The column of a kind (`charge` or `penalty`) at the tier that an expression names, in SQL.
    static func current(_ kind: String, of table: String, at tier: String) -> String {
        let cases = (0..<count).map { "WHEN \($0) THEN \(table).\(kind)_\($0)_nano" }
        return "CASE \(tier) \(cases.joined(separator: " ")) END"
    }
}
