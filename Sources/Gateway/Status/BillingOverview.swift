/// What the gateway's status tells of metering and billing; each as it was last seen.
package struct BillingOverview: Sendable {
    /// Records on their way to the ledger; nil where another process bills.
    package var meterLag: Int64?
    /// Today's charges (UTC), in nano-dollars; nil where another process bills.
    package var costTodayNanodollars: Int64?
    /// Streams charged today.
    package var streamsToday: Int64 = 0
    /// What is wrong but no reason to refuse streams.
    package var warnings: [String] = []

    package init() {}
}
