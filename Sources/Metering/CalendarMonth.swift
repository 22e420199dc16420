import StreamBytes
import Telemetry

/// A calendar month in UTC: the billing period.
///
/// It runs from its first instant up to, but not including, the next month's.
package struct CalendarMonth: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let year: Int64
    /// 1 to 12.
    package let month: Int64

    package init(year: Int64, month: Int64) {
        precondition((1...12).contains(month), "months run from 1 to 12")
        self.year = year
        self.month = month
    }

    /// Reads `yyyy-mm`.
    package init?(text: String) {
        guard text.utf8.count == 7, let start = WallTime(text: text) else { return nil }
        self.init(containing: start)
    }

    /// The month that contains the instant.
    package init(containing time: WallTime) {
        let calendar = CalendarTime(milliseconds: time.milliseconds)
        self.init(year: Int64(calendar.year), month: Int64(calendar.month))
    }

    package var next: Self {
        month == 12 ? Self(year: year + 1, month: 1) : Self(year: year, month: month + 1)
    }

    package var previous: Self {
        month == 1 ? Self(year: year - 1, month: 12) : Self(year: year, month: month - 1)
    }

    /// The first instant of the month, in the proleptic Gregorian calendar.
    ///
    /// Days are counted in years that begin in March, so that a leap day is its year's last.
    package var start: WallTime {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return WallTime(
            milliseconds: (era * 146_097 + dayOfEra - 719_468) * Self.millisecondsPerDay
        )
    }

    /// The first instant after the month.
    package var end: WallTime { next.start }

    /// `yyyy-mm`.
    package var description: String {
        "\(year.padded(to: 4))-\(month.padded(to: 2))"
    }

    /// The day that contains the instant, in UTC: `yyyy-mm-dd`.
    package static func dayText(of time: WallTime) -> String {
        String(CalendarTime(milliseconds: time.milliseconds).text.prefix(10))
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.year, left.month) < (right.year, right.month)
    }

    private static let millisecondsPerDay: Int64 = 86_400_000
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    fileprivate func padded(to width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
