/// A moment in UTC as date and time of day.
package struct CalendarTime: Equatable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    package let millisecond: Int

    /// - Parameter milliseconds: since 1970-01-01 00:00 UTC, leap seconds not counted.
    package init(milliseconds: Int64) {
        let secondsOfAll = Int(milliseconds.flooredQuotient(by: 1_000))
        millisecond = Int(milliseconds) - secondsOfAll * 1_000
        let days = Int64(secondsOfAll).flooredQuotient(by: 86_400)
        let secondOfDay = secondsOfAll - Int(days) * 86_400
        hour = secondOfDay / 3_600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        (year, month, day) = Self.date(daysSince1970: Int(days))
    }

    /// RFC 3339 with milliseconds: `2026-03-01T09:05:00.250Z`.
    package var text: String {
        "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))T\(timeOfDay)Z"
    }

    /// Such as `09:05:00.250`.
    package var timeOfDay: String {
        "\(hour.padded(2)):\(minute.padded(2)):\(second.padded(2)).\(millisecond.padded(3))"
    }

    /// Counts in years that begin in March, so that the leap day is the last of its year, and in
    /// eras of 400 years, which are all equally long (146,097 days).
    private static func date(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let sinceMarchOfYear0 = daysSince1970 + 719_468
        let era = Int(Int64(sinceMarchOfYear0).flooredQuotient(by: 146_097))
        let dayOfEra = sinceMarchOfYear0 - era * 146_097
        let leapDays = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension Int {
    fileprivate func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
    }
}
