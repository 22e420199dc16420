import Metering
import Pricing
import StreamBytes

/// An account's month.
package struct AccountMonth: Hashable, Sendable {
    package let account: String
    package let month: CalendarMonth

    package init(account: String, month: CalendarMonth) {
        self.account = account
        self.month = month
    }
}

/// What a month came to when it was closed.
package struct ClosedPeriod: Equatable, Sendable {
    package let place: AccountMonth
    package let charge: Money
    /// What the invoice asks for, in its currency.
    package let gross: String
    package let currency: String
}

extension DatabaseLedger {
    /// Which months are over, their grace included, and still open, the oldest first.
    ///
    /// - Parameters:
    ///   - instant: everything that was received before it is booked, as far as anybody knows; a
    ///     month whose grace ends later has to wait.
    ///   - limit: the most that are named.
    /// - Returns: accounts and their months.
    /// - Throws: `ChargeStoreError`; `refused` before the ledger was opened.
    package func duePeriods(
        bookedThrough instant: WallTime,
        limit: Int
    ) throws(ChargeStoreError) -> [AccountMonth] {
        let prices = try knownPrices()
        let now = min(instant, wallClock())
        let open = prices.openPeriod(at: now.milliseconds)
        return try run { (engine) throws(LedgerFailure) in
            let rows = try engine.query(
                "SELECT account_id, period FROM periods WHERE closed_at_ms IS NULL AND period < $1 "
                    + "ORDER BY period, account_id LIMIT $2",
                [.text(open.description), .integer(Int64(limit))]
            )
            var due: [AccountMonth] = []
            for row in rows {
                guard let key = PeriodKey(row[0], row[1]),
                    let month = CalendarMonth(text: key.period)
                else { throw .damaged("periods.period is \(row[1].description)") }
                due.append(AccountMonth(account: key.account, month: month))
            }
            return due
        }
    }

    /// Closes a month that `duePeriods` named, for good: it takes no more records, its charges are
    /// receivable, and its report is frozen with the account's terms as they are now.
    ///
    /// All of it is stored or nothing, and once, however many processes do it.
    ///
    /// - Returns: nil where it was closed already.
    /// - Throws: `ChargeStoreError`.
    package func closePeriod(_ place: AccountMonth) throws(ChargeStoreError) -> ClosedPeriod? {
        let prices = try knownPrices()
        let now = wallClock().milliseconds
        guard prices.closingInstant(of: place.month) <= now else { return nil }
        return try transaction { (engine) throws(LedgerFailure) in
            try PeriodClosing(engine, prices, directory).close(place, at: now)
        }
    }

    private func knownPrices() throws(ChargeStoreError) -> PriceBook {
        guard let prices else {
            throw .refused("months are closed by the price lists that the ledger was opened with")
        }
        return prices
    }
}
