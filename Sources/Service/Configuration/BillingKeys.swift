/// How records become charges.
package struct BillingKeys: Equatable, Sendable {
    /// Records that a biller has had for so long without acknowledging them are taken over by
    /// another one.
    package var takeover = Duration.seconds(60)
    /// The most records that are stored at once.
    package var batch = 2_000

    package init() {}

    static var section: Section<BillingKeys> {
        Section(
            .value("takeover", \.takeover, .duration(.seconds(1)...(.seconds(86_400)))),
            .value("batch", \.batch, .number(1...10_000))
        )
    }
}
