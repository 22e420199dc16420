/// How usage is metered and handed over.
package struct MeteringConfiguration: Equatable, Sendable {
    /// When a gateway may forget a record.
    package enum Acknowledgement: String, CaseIterable, Sendable {
        /// When the ledger holds it.
        case ledger
        /// When someone else's biller says that it has it.
        case committed
        /// When Redis took it; what Redis loses is then lost.
        case redis
    }

    /// The longest stretch that one record covers.
    package var interval = Duration.seconds(60)
    /// Meter streams that accounts are spread over.
    package var partitions = 1
    /// A folder in memory for the counters of running streams.
    package var slots = "/dev/shm"
    /// How long finished records wait to be stored together with others; zero: not at all.
    package var durability = Duration.milliseconds(100)
    /// Of all records on disk that are not in the ledger yet.
    package var spoolLimit = ByteCount(kibibytes: 1_024 * 1_024)
    package var acknowledge = Acknowledgement.ledger
    /// The consumer groups that trimming waits for.
    package var groups = ["billing"]
    /// How long records stay in Redis at least.
    package var retain = Duration.seconds(24 * 3_600)

    package init() {}
}
