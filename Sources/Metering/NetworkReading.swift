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
    private var windowLimitedAtStart: UInt64 = 0
    private var receiveWindowLimitedMicroseconds: UInt64 = 0
    private var streamWindowClosedAtStart: UInt64 = 0
    private var streamWindowClosedMicroseconds: UInt64 = 0
    private var retransmitsAtStart: UInt32 = 0
    private(set) var retransmits: UInt32 = 0
    private(set) var lost: UInt32 = 0
    /// 0 before the first reading.
    private(set) var roundTripMicroseconds: UInt32 = 0

    /// How long the peer gave no room, by whichever window was closed for longer: both may have been
    /// at once.
    var windowLimitedMicroseconds: UInt64 {
        max(receiveWindowLimitedMicroseconds, streamWindowClosedMicroseconds)
    }

    /// Counts from `reading` on: a connection that may have carried something else before.
    mutating func rebase(on reading: NetworkReading) {
        windowLimitedAtStart = reading.receiveWindowLimitedMicroseconds
        streamWindowClosedAtStart = reading.streamWindowClosedMicroseconds
        retransmitsAtStart = reading.retransmits
    }

    mutating func add(_ reading: NetworkReading) {
        receiveWindowLimitedMicroseconds &+= reading.receiveWindowLimitedMicroseconds.growth(
            since: windowLimitedAtStart
        )
        streamWindowClosedMicroseconds &+= reading.streamWindowClosedMicroseconds.growth(
            since: streamWindowClosedAtStart
        )
        retransmits &+= reading.retransmits.growth(since: retransmitsAtStart)
        lost = reading.lost
        roundTripMicroseconds = reading.roundTripMicroseconds
        rebase(on: reading)
    }

    mutating func beginStretch() {
        receiveWindowLimitedMicroseconds = 0
        streamWindowClosedMicroseconds = 0
        retransmits = 0
    }
}

extension FixedWidthInteger {
    /// How much a counter grew; one that fell was started anew.
    fileprivate func growth(since earlier: Self) -> Self { self >= earlier ? self - earlier : self }
}
