import Metering

/// Sums of charges; 128 bits, so that no number of records overflows them.
package struct ChargeSums: Equatable, Sendable {
    package var records: Int64 = 0
    package var breachedRecords: Int64 = 0
    package var subtotal: Int128 = 0
    package var discount: Int128 = 0
    package var penalty: Int128 = 0
    package var charge: Int128 = 0

    package init() {}

    init(_ totals: UsageTotals, _ sum: ChargeSum) {
        records = totals.records
        breachedRecords = totals.breachedRecords
        subtotal = Int128(totals.subtotal)
        penalty = Int128(sum.penalty)
        charge = Int128(sum.charge)
        discount = subtotal - penalty - charge
    }

    package mutating func add(_ other: Self) {
        records += other.records
        breachedRecords += other.breachedRecords
        subtotal += other.subtotal
        discount += other.discount
        penalty += other.penalty
        charge += other.charge
    }
}

/// What a period costs, as its records stand.
package struct PeriodStatement: Equatable, Sendable {
    package struct Provider: Equatable, Sendable {
        package var tokens: Int64
        package var discountBasisPoints: Int64

        package init(tokens: Int64, discountBasisPoints: Int64) {
            self.tokens = tokens
            self.discountBasisPoints = discountBasisPoints
        }
    }

    package let providers: [String: Provider]
    package let models: [String: ChargeSums]

    package init(providers: [String: Provider], models: [String: ChargeSums]) {
        self.providers = providers
        self.models = models
    }

    package init(_ book: PeriodBook) {
        providers = book.providers.mapValues {
            Provider(tokens: $0.tokens, discountBasisPoints: $0.discountBasisPoints)
        }
        models = book.models.mapValues { model in
            let tier = book.providers[model.provider]?.tier ?? 0
            return ChargeSums(model.totals, model.totals.current(book.mode, tier: tier))
        }
    }

    package var total: ChargeSums {
        models.values.reduce(into: ChargeSums()) { $0.add($1) }
    }
}
