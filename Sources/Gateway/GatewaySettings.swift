import HTTPWire
import StreamBytes

/// How streams behave.
package struct StreamSettings: Sendable {
    /// The longest silence towards a client; nil switches heartbeats off.
    package var heartbeat: Duration? = .seconds(15)
    /// Whether heartbeats are events instead of comments, where Weir's own events are spoken.
    package var sendsHeartbeatEvents = false
    /// The longest that a stream lives.
    package var lifetime: Duration = .seconds(3_600)
    /// How long a stream without a client waits for one to return; zero: not at all.
    package var resumeWindow: Duration = .seconds(60)
    /// Bytes of events kept for a resume, per stream and in all.
    package var logByteLimit = 65_536
    package var totalLogByteLimit = 268_435_456
    /// The size of a write; waiting bytes beyond it leave at once.
    package var bufferBytes = 16_384
    /// The longest that waiting events gather once the line has room again.
    package var bufferDelay: Duration = .milliseconds(20)
    /// Bytes that may wait for a slow client before its provider is held back.
    package var bufferLimit = 65_536
    /// Content codings, in the order of preference; empty: none.
    package var codings: [ContentCoding] = []
    /// Bytes that the encoders of all streams may hold beyond a kilobyte each.
    package var codingBudget = 67_108_864

    package init() {}
}

/// What the gateway is told by its configuration; replaced as a whole on a reload.
package struct GatewaySettings: Sendable {
    package var streams = StreamSettings()
    package var models = ModelCatalog([])
    package var origins = OriginList()
    package var sealing = SealingSettings()
    /// Whether requests without a key are served, for the account `local`.
    package var isOpen = false
    /// Streams open at once, over all reactors.
    package var streamLimit = 10_000
    /// The longest request body, in bytes.
    package var bodyLimit = 4_194_304
    /// The longest metered stretch.
    package var meteringInterval: Duration = .seconds(60)

    package init() {}
}
