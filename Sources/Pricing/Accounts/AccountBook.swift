import Metering

/// One account's records, judged in the order of their arrival, and what follows from them.
///
/// It remembers every record: for worked cases, not for serving.
struct AccountBook: Sendable {
    struct Alert: Equatable, Sendable {
        let period: CalendarMonth
        let alert: QuotaAlert
    }

    private(set) var duplicates = 0
    private(set) var lateRecords: [String] = []
    private(set) var alerts: [Alert] = []
    private var accepted: [String: MeterRecord] = [:]
    private var periods: [CalendarMonth: PeriodBook] = [:]
    private let terms: AccountTerms
    private let prices: PriceBook

    init(terms: AccountTerms, prices: PriceBook) {
        self.terms = terms
        self.prices = prices
    }

    var acceptedCount: Int { accepted.count }

    /// The billed periods that have records, in order.
    var billedPeriods: [CalendarMonth] { periods.keys.sorted() }

    /// What a period costs; nil where it has no records.
    func statement(of period: CalendarMonth) -> PeriodStatement? {
        periods[period].map(PeriodStatement.init)
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
            let booking = periods[rated.period, default: PeriodBook(mode: terms.discountMode)]
                .add(rated, quotas: terms.quotas)
            guard let booking else { return RecordRejection(.totalOutOfRange, "record_id") }
            accepted[id] = rated.record
            if rated.isLate { lateRecords.append(id) }
            alerts += booking.alerts.map { Alert(period: rated.period, alert: $0) }
            return nil
        }
    }
}
