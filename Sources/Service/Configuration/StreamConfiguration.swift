import HTTPWire

/// How answers are delivered.
package struct StreamConfiguration: Equatable, Sendable {
    /// How an open stream shows that it is alive.
    package enum HeartbeatForm: String, CaseIterable, Sendable {
        /// A comment, which no handler sees.
        case comment
        /// An event named `heartbeat`.
        case event
    }

    /// The silence after which a heartbeat is sent.
    package var heartbeat = Duration.seconds(15)
    package var heartbeatForm = HeartbeatForm.comment
    /// The age at which a stream is ended.
    package var lifetime = Duration.seconds(3_600)
    /// How long a stream waits for its client to come back; zero: not at all.
    package var resumeWindow = Duration.seconds(60)
    package var log = EventLogConfiguration()
    package var buffer = BufferConfiguration()
    /// Content codings, in the order of preference; empty: none.
    package var compression: [ContentCoding] = [.gzip, .brotli, .deflate]
    /// What the encoders of all streams may hold beyond a kilobyte each.
    package var compressionBudget = ByteCount(kibibytes: 64 * 1_024)

    package init() {}
}

/// What is kept of streams so that their clients can resume.
package struct EventLogConfiguration: Equatable, Sendable {
    /// Bytes of one stream.
    package var perStream = ByteCount(kibibytes: 64)
    /// Bytes of all streams together.
    package var total = ByteCount(kibibytes: 256 * 1_024)

    package init() {}
}

/// What waits between a provider and a client that is slower.
package struct BufferConfiguration: Equatable, Sendable {
    /// Bytes that leave in one write at most.
    package var bytes = ByteCount(kibibytes: 16)
    /// The longest that an event waits for others while the line is busy.
    package var delay = Duration.milliseconds(20)
    /// Unsent bytes at which the provider is paused.
    package var limit = ByteCount(kibibytes: 64)
    /// How long unsent bytes may make no progress before the client is cut.
    package var stuck = Duration.seconds(30)

    package init() {}
}
