import Metering
import StreamBytes

/// The price lists, each in force from its instant until the next one's.
///
/// A record is rated by the list that was in force when it ended. What belongs to a whole period is
/// taken from one list: discount tiers and alert levels from the one in force at its first instant,
/// grace, taxes and currencies from the one at its last.
package struct PriceBook: Sendable {
    /// In the order of their instants; the first one also serves for what ended before it.
    package let lists: [PriceList]

    /// A book of one list.
    package init(_ list: PriceList) { lists = [list] }

    /// A book of several lists.
    ///
    /// The same list may be given twice.
    ///
    /// - Throws: `PriceBookError`: a version or an instant with two lists, or none at all.
    package init(_ lists: [PriceList]) throws(PriceBookError) {
        var distinct: [PriceList] = []
        for list in lists {
            if let known = distinct.first(where: { $0.version == list.version }) {
                guard known.text == list.text else { throw .changed(version: list.version) }
                continue
            }
            if let other = distinct.first(where: { $0.effectiveFrom == list.effectiveFrom }) {
                throw .sameInstant(versions: [other.version, list.version])
            }
            distinct.append(list)
        }
        guard !distinct.isEmpty else { throw .empty }
        self.lists = distinct.sorted { $0.effectiveFrom < $1.effectiveFrom }
    }

    /// The list in force at an instant, in milliseconds since 1970.
    package func list(at milliseconds: Int64) -> PriceList {
        lists.last { $0.effectiveFrom.milliseconds <= milliseconds } ?? lists[0]
    }

    package func list(version: String) -> PriceList? { lists.first { $0.version == version } }

    /// The list that says what holds for a whole period from its start: tiers and alert levels.
    package func openingList(of period: CalendarMonth) -> PriceList {
        list(at: period.start.milliseconds)
    }

    /// The list that says how a period is closed: grace, taxes, currencies.
    package func closingList(of period: CalendarMonth) -> PriceList {
        list(at: period.end.milliseconds - 1)
    }

    /// When a period takes no more records: its end and the grace, in milliseconds since 1970.
    package func closingInstant(of period: CalendarMonth) -> Int64 {
        let (sum, overflow) = period.end.milliseconds.addingReportingOverflow(
            closingList(of: period).times.graceMilliseconds
        )
        return overflow ? .max : sum
    }

    /// The first period that still takes what is received at an instant.
    package func openPeriod(at milliseconds: Int64) -> CalendarMonth {
        let grace = lists.map(\.times.graceMilliseconds).max() ?? 0
        var period = CalendarMonth(
            containing: WallTime(
                milliseconds: Int64(clamping: Int128(milliseconds) - Int128(grace))
            )
        )
        // One list's grace may be shorter than another's.
        while closingInstant(of: period) <= milliseconds { period = period.next }
        return period
    }

    /// The month that a record is billed in, and whether it came too late for its own.
    ///
    /// A month takes records until its grace has passed; a later one goes to the first month that
    /// was still open when it was received.
    package func period(
        endedAtMilliseconds ended: Int64,
        receivedAtMilliseconds received: Int64
    ) -> (billed: CalendarMonth, isLate: Bool) {
        let own = CalendarMonth(containing: WallTime(milliseconds: ended))
        guard received >= closingInstant(of: own) else { return (own, false) }
        return (openPeriod(at: received), true)
    }

    /// Judges a delivered record: checks it, and rates it if it passes.
    package func settle(_ delivered: DeliveredRecord) -> BillingEntry {
        let received = delivered.receivedAtMilliseconds
        let list = list(at: endOf(delivered) ?? received)
        do throws(RecordRejection) {
            let record = try MeterRecord(
                delivered.fields,
                prices: list,
                receivedAtMilliseconds: received
            )
            let period = period(
                endedAtMilliseconds: record.endedAtMilliseconds,
                receivedAtMilliseconds: received
            )
            return .rated(
                rate(
                    record,
                    delivered: delivered,
                    by: list,
                    in: period.billed,
                    isLate: period.isLate
                )
            )
        } catch {
            return .rejected(delivered, error)
        }
    }

    /// Rates a record by the list that it was read with, as one of a period.
    package func rate(
        _ record: MeterRecord,
        delivered: DeliveredRecord,
        by list: PriceList,
        in period: CalendarMonth,
        isLate: Bool
    ) -> RatedRecord {
        guard let price = list.price(of: record.model) else {
            preconditionFailure("a record is rated by the price list that it was read with")
        }
        let opening = openingList(of: period)
        let tiers = opening.tiers(of: price.provider)
        let charge = list.rate(record, tiers: tiers)
        return RatedRecord(
            delivered: delivered,
            record: record,
            provider: price.provider,
            charge: charge,
            tiers: tiers,
            alertLevels: opening.alertLevels,
            period: period,
            isLate: isLate,
            priceListVersion: list.version,
            penaltyBasisPoints: charge.breaches.isEmpty ? 0 : price.guarantee.penaltyBasisPoints
        )
    }

    /// When the record says that it ended; nil where it does not say so properly.
    private func endOf(_ delivered: DeliveredRecord) -> Int64? {
        guard lists.count > 1,
            case .number(let ended) = IntegerText(delivered.fields["ended_at_ms"] ?? "")
        else { return nil }
        return ended
    }

    /// The book with one more model, `free`, in every list.
    package func addingFree() -> PriceBook { PriceBook(sorted: lists.map { $0.addingFree() }) }

    private init(sorted lists: [PriceList]) { self.lists = lists }
}

/// Why price lists cannot be used together.
package enum PriceBookError: Error, Equatable, Sendable {
    case empty
    /// Two lists of one version differ.
    case changed(version: String)
    /// Two versions come into force at the same instant.
    case sameInstant(versions: [String])
}
