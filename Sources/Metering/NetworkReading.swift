/// One reading of a client's connection: the kernel's view of it (`TCP_INFO`), and HTTP/2's.
package struct NetworkReading: Equatable, Sendable {
    /// Smoothed round trip.
    package var roundTripMicroseconds: UInt32 = 0
    /// Since the connection began.
    package var retransmits: UInt32 = 0
    /// Segments held to be lost at this moment.
    package var lost: UInt32 = 0
    /// Since the connection began: how long the peer's receive window held sending back.
    package var receiveWindowLimitedMicroseconds: UInt64 = 0
    /// Since the stream began: how long the peer's window of HTTP/2 kept its bytes from being sent.
    package var streamWindowClosedMicroseconds: UInt64 = 0

    package init() {}
}

/// What a stretch's readings add up to, over the connections it had.
struct NetworkTally: Sendable {
    private(set) var windowLimitedMicroseconds: UInt64 = 0
    private(set) var retransmits: UInt32 = 0
    private(set) var lost: UInt32 = 0
    /// 0 before the first reading.
    private(set) var roundTripMicroseconds: UInt32 = 0

    /// Adds what happened on one connection between two readings.
    mutating func add(_ reading: NetworkReading, since earlier: NetworkReading) {
        // Both windows may have been closed at once: the one that was for longer counts.
        windowLimitedMicroseconds &+= max(
            reading.receiveWindowLimitedMicroseconds.growth(
                since: earlier.receiveWindowLimitedMicroseconds
            ),
            reading.streamWindowClosedMicroseconds.growth(
                since: earlier.streamWindowClosedMicroseconds
            )
        )
        retransmits &+= reading.retransmits.growth(since: earlier.retransmits)
        lost = reading.lost
        roundTripMicroseconds = reading.roundTripMicroseconds
    }

    mutating func beginStretch() {
        windowLimitedMicroseconds = 0
        retransmits = 0
    }
}

extension FixedWidthInteger {
    /// How much a counter grew.
    fileprivate func growth(since earlier: Self) -> Self { self >= earlier ? self - earlier : 0 }
}
