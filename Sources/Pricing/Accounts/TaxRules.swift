import Metering
import StreamBytes

/// Value added tax: who pays it and how much.
package struct TaxRules: Sendable {
    package let sellerCountry: String
    /// Standard rates by country, in the order of their first days; countries outside the union
    /// are absent.
    package let standardRates: [String: [TaxRate]]

    /// The category and the rate of an invoice for a month.
    func tax(country: String, isTaxIDValid: Bool, month: CalendarMonth) -> InvoiceTax {
        guard let rates = standardRates[country] else { return InvoiceTax(category: .outOfScope) }
        if country != sellerCountry, isTaxIDValid { return InvoiceTax(category: .reverseCharge) }
        let lastInstant = WallTime(milliseconds: month.end.milliseconds - 1)
        let lastDay = CalendarMonth.dayText(of: lastInstant)
        let rate = rates.last { $0.firstDay <= lastDay } ?? rates.first
        return InvoiceTax(category: .standard, basisPoints: rate?.basisPoints ?? 0)
    }
}

/// A rate and the day from which it is in force, `yyyy-mm-dd`.
package struct TaxRate: Sendable {
    package let firstDay: String
    package let basisPoints: Int64
}

package struct InvoiceTax: Equatable, Sendable {
    /// The codes of EN 16931.
    package enum Category: String, Sendable {
        case standard = "S"
        case reverseCharge = "AE"
        case outOfScope = "O"
    }

    package var category: Category
    package var basisPoints: Int64 = 0
}
