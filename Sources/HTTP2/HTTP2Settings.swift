/// What one side of a connection takes from the other.
package struct HTTP2Settings: Sendable {
    /// Streams that the peer may have open at once.
    package var streamLimit = 128
    /// Bytes of a stream that the peer may send ahead of their use.
    package var streamWindow = 65_535
    /// The same, for all streams of the connection.
    package var connectionWindow = 1_048_576
    /// The largest header section: the bytes of names and values, and 32 for each field (RFC 9113,
    /// section 6.5.2).
    package var headerListByteLimit = 32_768
    package var fieldLimit = 256
    /// Frames that carry nothing, at once and for each second.
    package var idleFrameBurst = 1_000
    package var idleFramesPerSecond = 100
    /// Streams that are reset unanswered, at once and for each second.
    package var resetBurst = 256
    package var resetsPerSecond = 32

    package init() {}
}
