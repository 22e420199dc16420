/// Sizes and times of a `MeterWriter`.
package struct MeterWriterSettings: Sendable {
    package var streams = MeterStreams(partitionCount: 1)
    /// Whether a record is released when Redis has it; else when `weir:committed` says so.
    package var releasesWhenStored = false
    /// The groups that read the streams.
    package var groups = ["billing"]
    /// How many records are in flight at most, a few partitions apart.
    package var batchLimit = 1_024
    /// How many are in memory at most, those of partitions that refuse them included.
    package var queueLimit = 8_192
    /// The time for a batch, connecting included.
    package var timeout: Duration = .seconds(5)
    package var backoff: Duration = .milliseconds(20)
    package var longestBackoff: Duration = .seconds(2)
    /// How often it is asked what the ledger has.
    package var poll: Duration = .seconds(1)
    /// The same while the gateway stops.
    package var hurriedPoll: Duration = .milliseconds(50)
    /// How long the ledger may not get on before it is looked into whether records are missing there.
    package var patience: Duration = .seconds(60)

    package init() {}
}

/// What a `MeterWriter` did.
package struct MeterWriterCounts: Sendable, Equatable {
    /// Records that Redis has stored; one that was sent again counts again.
    package var sent = 0
    /// Records whose sending failed and was or will be repeated, each time counted.
    package var retries = 0
    /// How often Redis turned out to have lost records.
    package var losses = 0
    /// Why the last batch was not stored whole; nil when it was.
    package var lastFailure: String?

    package init() {}
}
