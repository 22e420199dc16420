import StreamBytes

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

    /// The month that contains the instant.
    ///
    /// The calendar is the proleptic Gregorian one; years of days are counted from March, so that a
    /// leap day is a year's last.
    package init(containing time: WallTime) {
        let days = time.milliseconds.flooredQuotient(by: Self.millisecondsPerDay) + 719_468
        let era = days.flooredQuotient(by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var next: Self {
        month == 12 ? Self(year: year + 1, month: 1) : Self(year: year, month: month + 1)
    }

    /// The first instant of the month.
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
