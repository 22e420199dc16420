import Metering

/// One account's records, judged in the order of their arrival, and what follows from them.
///
/// It keeps every record: for worked cases and for checking a ledger, not for serving.
struct AccountBook: Sendable {
    struct Alert: Equatable, Sendable {
        let period: CalendarMonth
        let metric: String
        let level: Int64
        let recordID: String
    }

    private struct AlertKey: Hashable {
        let period: CalendarMonth
        let quota: Int
        let level: Int64
    }

    private(set) var duplicates = 0
    private(set) var lateRecords: [String] = []
    private(set) var alerts: [Alert] = []
    private var accepted: [String: MeterRecord] = [:]
    private var periods: [CalendarMonth: [RatedRecord]] = [:]
    private var fired: Set<AlertKey> = []
    private let terms: AccountTerms
    private let prices: PriceList

    init(terms: AccountTerms, prices: PriceList) {
        self.terms = terms
        self.prices = prices
    }

    var acceptedCount: Int { accepted.count }

    /// The billed periods that have records, in order.
    var billedPeriods: [CalendarMonth] { periods.keys.sorted() }

    func statement(of period: CalendarMonth) -> PeriodStatement {
        PeriodStatement(of: periods[period] ?? [], mode: terms.discountMode)
    }

    /// Takes a record in.
    ///
    /// - Returns: why it was refused; nil where it was accepted, or a duplicate.
    mutating func take(_ delivered: DeliveredRecord) -> RecordRejection? {
        switch prices.settle(delivered) {
        case .rejected(_, let rejection): return rejection
        case .rated(let rated):
            let id = rated.record.recordID
            if let known = accepted[id] {
                guard known == rated.record else {
                    return RecordRejection(.duplicateConflict, "record_id")
                }
                duplicates += 1
                return nil
            }
            accepted[id] = rated.record
            periods[rated.period, default: []].append(rated)
            if rated.isLate { lateRecords.append(id) }
            fireAlerts(after: rated)
            return nil
        }
    }

    private mutating func fireAlerts(after rated: RatedRecord) {
        for (index, quota) in terms.quotas.enumerated() {
            let (used, limit) = usage(of: quota, in: rated.period)
            for level in prices.alertLevels where used * 100 >= limit * Int128(level) {
                let key = AlertKey(period: rated.period, quota: index, level: level)
                guard fired.insert(key).inserted else { continue }
                alerts.append(
                    Alert(
                        period: rated.period,
                        metric: quota.name,
                        level: level,
                        recordID: rated.record.recordID
                    )
                )
            }
        }
    }

    private func usage(of quota: Quota, in period: CalendarMonth) -> (Int128, limit: Int128) {
        switch quota {
        case .tokens(let limit):
            let tokens = (periods[period] ?? []).reduce(0) { $0 + Int128($1.record.tokens) }
            return (tokens, Int128(limit))
        case .spend(let limit):
            return (statement(of: period).total.charge, Int128(limit.nanodollars))
        }
    }
}
