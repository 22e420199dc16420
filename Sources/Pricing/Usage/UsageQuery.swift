import Metering
import StreamBytes

/// What somebody wants to know about usage.
package struct UsageQuery: Equatable, Sendable {
    /// What usage is told apart by.
    package enum Dimension: String, CaseIterable, Sendable {
        /// The provider of the price list, or the model of it that was asked.
        case provider, model
        /// What requests said that they are for, and for whom.
        case purpose, user
        /// Who paid, and with which key.
        case account, key
        /// Days in UTC.
        case day
    }

    /// The longest stretch, in days.
    package static let dayLimit: Int64 = 400
    package static let rowLimit = 1_000
    private static let defaultRows = 100
    private static let dayMilliseconds: Int64 = 86_400_000

    /// Records count that ended at this instant or later.
    package private(set) var from: WallTime
    /// And before this one.
    package private(set) var to: WallTime
    package private(set) var grouping: [Dimension]
    /// Nil: all of them.
    package private(set) var account: String?
    /// The most rows of an answer.
    package private(set) var limit: Int
    /// The values of the last row that was seen, in the order of `grouping`; nil: from the first.
    package private(set) var after: [String]?
    /// When it is asked.
    package let now: WallTime

    /// Reads a query.
    ///
    /// - Parameters:
    ///   - parameters: `from`, `to` (instants, days or months in UTC; by default the month up to
    ///     now), `group` (words with commas between), `account`, `limit`, `after`.
    ///   - now: the wall clock.
    /// - Throws: `UsageQueryError`, which names the parameter.
    package init(
        _ parameters: (String) -> String?,
        now: WallTime
    ) throws(UsageQueryError) {
        self.now = now
        let month = CalendarMonth(containing: now)
        from = try Self.instant("from", parameters) ?? month.start
        to = try Self.instant("to", parameters) ?? max(now, from)
        guard from <= to else { throw UsageQueryError("to", "not before from") }
        guard to.milliseconds - from.milliseconds <= Self.dayLimit * Self.dayMilliseconds else {
            throw UsageQueryError("to", "at most \(Self.dayLimit) days behind from")
        }
        grouping = try Self.grouping(parameters("group") ?? "")
        account = parameters("account")
        if let account, !MeterIdentifier.isValid(account) {
            throw UsageQueryError("account", "1 to 64 of A-Z a-z 0-9 . _ : -")
        }
        limit = Self.defaultRows
        if let text = parameters("limit") {
            guard let number = Int(text), (1...Self.rowLimit).contains(number) else {
                throw UsageQueryError("limit", "a number from 1 to \(Self.rowLimit)")
            }
            limit = number
        }
        if let text = parameters("after") {
            guard let values = UsageCursor.values(text), values.count == grouping.count,
                !values.isEmpty
            else { throw UsageQueryError("after", "what `next` of the page before said") }
            after = values
        }
    }

    /// The same for one account alone.
    package func limited(to account: String) -> Self {
        var query = self
        query.account = account
        return query
    }

    /// The month that the query ends in.
    package var period: CalendarMonth {
        CalendarMonth(
            containing: WallTime(milliseconds: max(from.milliseconds, to.milliseconds - 1))
        )
    }

    /// The same part of the period before, as many months earlier as the query touches.
    ///
    /// Where that month is shorter, what is beyond its end is left out.
    package var previous: (from: WallTime, to: WallTime) {
        let first = CalendarMonth(containing: from)
        var months = 1
        var month = first
        while month < period {
            months += 1
            month = month.next
        }
        return (Self.shifted(from, by: months), Self.shifted(to, by: months))
    }

    private static func shifted(_ time: WallTime, by months: Int) -> WallTime {
        var month = CalendarMonth(containing: time)
        let offset = time.milliseconds - month.start.milliseconds
        for _ in 0..<months { month = month.previous }
        return WallTime(
            milliseconds: min(month.end.milliseconds, month.start.milliseconds + offset)
        )
    }

    private static func instant(
        _ name: String,
        _ parameters: (String) -> String?
    ) throws(UsageQueryError) -> WallTime? {
        guard let text = parameters(name) else { return nil }
        guard let time = WallTime(text: text), time.milliseconds >= 0 else {
            throw UsageQueryError(name, "an ISO time, such as 2026-02-01 or 2026-02-01T12:00Z")
        }
        return time
    }

    private static func grouping(_ text: String) throws(UsageQueryError) -> [Dimension] {
        var grouping: [Dimension] = []
        for word in text.split(separator: ",") {
            guard let dimension = Dimension(rawValue: String(word)), !grouping.contains(dimension)
            else {
                let names = Dimension.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageQueryError("group", "some of \(names), each once, with commas between")
            }
            grouping.append(dimension)
        }
        return grouping
    }
}

/// Which parameter of a query makes no sense, and what it should be.
package struct UsageQueryError: Error, Equatable, Sendable {
    package let parameter: String
    package let expected: String

    init(_ parameter: String, _ expected: String) {
        self.parameter = parameter
        self.expected = expected
    }

    package var text: String { "\(parameter) has to be \(expected)" }
}

/// Where a page ended: the values of its last row, in the form of a query's parameter.
package enum UsageCursor {
    package static func text(_ values: [String]) -> String {
        values.map { value in
            value.utf8.map { byte in
                let scalar = Unicode.Scalar(byte)
                let isPlain = byte < 128 && byte != 0x2C && byte != 0x7E && byte > 0x20
                let digits = String(byte, radix: 16)
                return isPlain
                    ? String(Character(scalar)) : "~" + (byte < 16 ? "0" : "") + digits
            }.joined()
        }.joined(separator: ",")
    }

    /// Nil for any other text.
    static func values(_ text: String) -> [String]? {
        var values: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            var bytes: [UInt8] = []
            var rest = part.utf8[...]
            while let byte = rest.popFirst() {
                guard byte == 0x7E else {
                    bytes.append(byte)
                    continue
                }
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard let value = UInt8(digits, radix: 16), digits.utf8.count == 2 else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            }
            guard let value = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
                return nil
            }
            values.append(value)
        }
        return values
    }
}
