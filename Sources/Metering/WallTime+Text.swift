import StreamBytes
import Telemetry

extension WallTime {
    /// Reads a month (`2026-02`), a day (`2026-02-01`), both meaning their first instant in UTC, or
    /// an instant (`2026-02-01T12:00Z`, `…T12:00:00.250+01:00`); nil for any other text.
    ///
    /// Source: RFC 3339; seconds may be absent, fractions of milliseconds are cut off.
    package init?(text: String) {
        var rest = Array(text.utf8)[...]
        guard let milliseconds = rest.instant(), rest.isEmpty else { return nil }
        self.init(milliseconds: milliseconds)
    }

    /// RFC 3339 with milliseconds, in UTC.
    package var text: String { CalendarTime(milliseconds: milliseconds).text }
}

extension ArraySlice<UInt8> {
    /// Takes a month, a day or an instant, in milliseconds since 1970.
    fileprivate mutating func instant() -> Int64? {
        guard let year = digits(4), skip("-"), let month = digits(2), (1...12).contains(month)
        else { return nil }
        let calendarMonth = CalendarMonth(year: year, month: month)
        guard !isEmpty else { return calendarMonth.start.milliseconds }
        guard skip("-"), let day = digits(2), day >= 1 else { return nil }
        let start = calendarMonth.start.milliseconds + (day - 1) * 86_400_000
        guard start < calendarMonth.end.milliseconds else { return nil }
        guard !isEmpty else { return start }
        guard skip("T"), let time = timeOfDay(), let offset = offset() else { return nil }
        return start + time - offset
    }

    /// Takes so many digits; nil if there are fewer.
    fileprivate mutating func digits(_ count: Int) -> Int64? {
        guard self.count >= count else { return nil }
        var value: Int64 = 0
        for byte in prefix(count) {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        removeFirst(count)
        return value
    }

    fileprivate mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard first == UInt8(ascii: character) else { return false }
        removeFirst()
        return true
    }

    /// Takes `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff`, in milliseconds.
    fileprivate mutating func timeOfDay() -> Int64? {
        guard let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60
        else { return nil }
        let whole = (hour * 60 + minute) * 60_000
        guard skip(":") else { return whole }
        guard let second = digits(2), second < 60 else { return nil }
        guard skip(".") else { return whole + second * 1_000 }
        var fraction: Int64 = 0
        var unit: Int64 = 100
        var count = 0
        while let digit = digits(1) {
            fraction += digit * unit
            unit /= 10
            count += 1
        }
        return count == 0 ? nil : whole + second * 1_000 + fraction
    }

    /// Takes `Z`, or a distance from UTC, in milliseconds.
    fileprivate mutating func offset() -> Int64? {
        if skip("Z") { return 0 }
        guard let sign = popFirst(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60
        else { return nil }
        let distance = (hour * 60 + minute) * 60_000
        return sign == UInt8(ascii: "+") ? distance : -distance
    }
}
