import Metering

/// A record with its charge and the period it is billed in.
package struct RatedRecord: Sendable {
    package let delivered: DeliveredRecord
    package let record: MeterRecord
    package let provider: String
    package let charge: Charge
    /// The discount tiers of the provider in the billed period; the first asks for no tokens.
    package let tiers: [DiscountTier]
    /// Shares of a quota, in percent, that are told of in the billed period.
    package let alertLevels: [Int64]
    package let period: CalendarMonth
    package let isLate: Bool
    package let priceListVersion: String
    /// What the guarantees that were broken cost; 0 where none was.
    package let penaltyBasisPoints: Int64

    /// Where the record stands among those of its period.
    package var place: RecordPlace {
        RecordPlace(
            endedAtMilliseconds: record.endedAtMilliseconds,
            recordID: record.recordID
        )
    }

    package init(
        delivered: DeliveredRecord,
        record: MeterRecord,
        provider: String,
        charge: Charge,
        tiers: [DiscountTier],
        alertLevels: [Int64],
        period: CalendarMonth,
        isLate: Bool,
        priceListVersion: String,
        penaltyBasisPoints: Int64
    ) {
        self.delivered = delivered
        self.record = record
        self.provider = provider
        self.charge = charge
        self.tiers = tiers
        self.alertLevels = alertLevels
        self.period = period
        self.isLate = isLate
        self.priceListVersion = priceListVersion
        self.penaltyBasisPoints = penaltyBasisPoints
    }
}
