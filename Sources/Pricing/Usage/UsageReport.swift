import Metering
import StreamBytes

/// Sums over records; amounts are nano-dollars, at the tiers that hold now.
package struct UsageSums: Equatable, Sendable {
    package var records: Int64 = 0
    /// Records that are the first of their stream.
    package var streams: Int64 = 0
    package var breachedRecords: Int64 = 0
    package var inputTokens: Int64 = 0
    package var outputTokens: Int64 = 0
    package var bytesOut: Int64 = 0
    package var durationMilliseconds: Int64 = 0
    package var subtotal: Int64 = 0
    package var penalty: Int64 = 0
    package var charge: Int64 = 0

    package init() {}

    package var tokens: Int128 { Int128(inputTokens) + Int128(outputTokens) }
    package var discount: Int64 { subtotal - penalty - charge }
}

/// An answer to a query.
package struct UsageReport: Equatable, Sendable {
    package struct Row: Equatable, Sendable {
        /// In the order of the query's grouping; empty where a record did not say.
        package let values: [String]
        package let sums: UsageSums
        /// The same part of the period before; nil for days, which have none of their own.
        package let previous: UsageSums?

        package init(values: [String], sums: UsageSums, previous: UsageSums?) {
            self.values = values
            self.sums = sums
            self.previous = previous
        }
    }

    package let query: UsageQuery
    package let rows: [Row]
    /// Of all rows, also of those on other pages.
    package let total: UsageSums
    package let previousTotal: UsageSums
    package let hasMore: Bool
    /// Nil where the query does not end in the month that runs.
    package let projection: UsageProjection?

    package init(
        query: UsageQuery,
        rows: [Row],
        total: UsageSums,
        previousTotal: UsageSums,
        hasMore: Bool,
        projection: UsageProjection?
    ) {
        self.query = query
        self.rows = rows
        self.total = total
        self.previousTotal = previousTotal
        self.hasMore = hasMore
        self.projection = projection
    }
}

/// How far a sum is from that of the period before.
package enum UsageTrend {
    /// The change in percent with one decimal, such as `-12.5`; nil where there was nothing before.
    package static func percent(_ now: Int128, since before: Int128) -> String? {
        guard before > 0 else { return nil }
        let thousandths = ((now - before) * 1_000).roundedQuotient(by: before)
        let (whole, rest) = thousandths.magnitude.quotientAndRemainder(dividingBy: 10)
        return "\(thousandths < 0 ? "-" : "")\(whole).\(rest)"
    }
}

extension UsageSums {
    /// A sum divided by the streams, rounded to a whole number; nil while there are none.
    func perStream(_ sum: Int128) -> Int64? {
        streams == 0 ? nil : Int64(clamping: sum.roundedQuotient(by: Int128(streams)))
    }
}
