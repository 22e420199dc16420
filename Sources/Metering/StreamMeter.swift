import StreamBytes

/// What one stream adds up, stretch by stretch, until it goes to billing.
///
/// It is told what happened and when, and never looks at a clock. Nothing in it allocates but
/// `cut`. Times must not run backwards between calls; where they do, the part counts as 0.
///
/// What each figure means:
/// - **duration**: monotonic time from `opened` or the last cut to this cut. What is cut off below
///   a millisecond is carried over, so a stream's durations add up.
/// - **bytes out**: `handedOut`; of a stretch that others follow, without what the kernel has not
///   taken yet, which counts in the next one. **Raw bytes**: as they were before content coding.
/// - **busy**: time with unsent bytes queued for a client.
/// - **downtime**: time that no provider attempt covered, or that only an attempt covered which
///   then failed, counted from that attempt's start or its last event; it ends when the next
///   attempt starts. What lies before this stretch's begin is left out.
/// - **provider stall**: silences of the provider of a second and more, from the first instant of
///   the silence, while the client was not holding the provider back.
/// - **client stall**: time in which the provider was held back because the client was slow.
/// - **latency**: mean, minimum and maximum of this stretch; percentiles are those of the stream's
///   life, brought between this stretch's minimum and maximum.
/// - **gap**: from one event to the next; events of one batch have none.
/// - **first token** stands in the record of the stretch in which it came.
/// - **attempts, retransmits** are this stretch's; **lost, round trip** are the last reading.
/// - **excluded from the SLA**: the client's receive window was the limit for more than half of the
///   busy time, or `isInMaintenance`.
package struct StreamMeter: ~Copyable, Sendable {
    /// Shorter silences of the provider are no stalls.
    package static let stallThresholdNanoseconds: Int64 = 1_000_000_000

    /// The number of the stretch that is running, from 0.
    package private(set) var segment: UInt32 = 0
    /// Events since the stream opened.
    package private(set) var totalEvents: UInt64 = 0
    /// Bytes handed out since the stream opened.
    package private(set) var totalBytes: UInt64 = 0
    /// Provider attempts since the stream opened.
    package private(set) var totalAttempts: UInt32 = 0
    /// Latencies of the stream's life.
    package private(set) var latencies = LatencyHistogram()
    /// Gaps between batches of events, over the stream's life.
    package private(set) var gaps = GapHistogram()
    /// Whether what happens now is outside the SLA for a reason of our own.
    package var isInMaintenance = false

    private let openedAt: MonotonicTime
    private var stretchStartedAt: MonotonicTime
    private var stretchStartedWall: WallTime
    private var events: UInt32 = 0
    private var attempts: UInt32 = 0
    private var bytes: UInt64 = 0
    private var rawBytes: UInt64 = 0
    /// Bytes handed out that are not known to be taken by the kernel.
    package private(set) var inFlight: UInt64 = 0
    private var busy = Stopwatch()
    private var clientStall = Stopwatch()
    private var down = Stopwatch()
    private var providerStall: Int64 = 0
    /// The last time the provider was known to be good; silence is counted from here.
    private var providerSpokeAt: MonotonicTime
    private var lastEventAt: MonotonicTime
    private var firstToken: UInt32?
    private var stretchLatency = LatencyTally()
    private var network = NetworkTally()
    private var isFirstTokenReported = false
    private var hasAttempt = false

    /// Starts the meter of a stream that opens now.
    package static func opened(at now: MonotonicTime, wall: WallTime) -> Self {
        Self(openedAt: now, wall: wall)
    }

    private init(openedAt now: MonotonicTime, wall: WallTime) {
        openedAt = now
        stretchStartedAt = now
        stretchStartedWall = wall
        providerSpokeAt = now
        lastEventAt = now
    }

    /// A provider's events were taken in.
    package mutating func delivered(events count: Int, rawBytes: Int, at now: MonotonicTime) {
        recordGap(before: count, at: now)
        settleSilence(at: now)
        providerSpokeAt = now
        events &+= UInt32(clamping: count)
        totalEvents &+= UInt64(clamping: count)
        self.rawBytes &+= UInt64(clamping: rawBytes)
    }

    /// Bytes of the body went to a client's connection, coded, framing and TLS not counted.
    ///
    /// - Parameters:
    ///   - count: as they go to the connection.
    ///   - rawCount: as they were before content coding.
    package mutating func handedOut(bytes count: Int, rawBytes rawCount: Int = 0) {
        rawBytes &+= UInt64(clamping: rawCount)
        bytes &+= UInt64(clamping: count)
        totalBytes &+= UInt64(clamping: count)
        inFlight &+= UInt64(clamping: count)
    }

    /// The kernel has taken so many of the bytes handed out, or their connection is gone.
    package mutating func taken(bytes count: Int) {
        inFlight &-= min(inFlight, UInt64(clamping: count))
    }

    /// There are unsent bytes from now on, for the one client or the first of several.
    package mutating func lineBecameBusy(at now: MonotonicTime) { busy.start(at: now) }

    /// No client has unsent bytes any more.
    package mutating func lineBecameIdle(at now: MonotonicTime) { busy.stop(at: now) }

    /// So many events took this long from the provider's socket into the kernel's send buffer.
    package mutating func latency(microseconds: Int64, count: Int = 1) {
        let value = UInt32(clamping: microseconds)
        latencies.record(value, times: UInt32(clamping: count))
        stretchLatency.add(value, times: UInt32(clamping: count))
    }

    /// The first visible output left; later calls change nothing.
    package mutating func firstToken(at now: MonotonicTime) {
        if firstToken == nil {
            firstToken = UInt32(clamping: now.nanoseconds(since: openedAt) / 1_000)
        }
    }

    /// Microseconds from opening to the first visible output; nil before it.
    package var firstTokenMicroseconds: UInt32? { firstToken }

    /// An attempt at a provider begins.
    package mutating func attemptStarted(at now: MonotonicTime) {
        settleSilence(at: now)
        down.stop(at: now)
        attempts &+= 1
        totalAttempts &+= 1
        hasAttempt = true
        providerSpokeAt = now
    }

    /// The attempt in hand has failed; until the next one starts, nobody delivers.
    package mutating func attemptFailed(at now: MonotonicTime) {
        settleSilence(at: now)
        if hasAttempt { down.start(at: max(providerSpokeAt, stretchStartedAt)) }
        hasAttempt = false
        providerSpokeAt = now
    }

    /// The provider is held back from now on because a client does not keep up.
    package mutating func clientStalled(at now: MonotonicTime) {
        settleSilence(at: now)
        clientStall.start(at: now)
    }

    /// The provider is read again.
    package mutating func clientResumed(at now: MonotonicTime) {
        guard clientStall.isRunning else { return }
        clientStall.stop(at: now)
        providerSpokeAt = now
    }

    /// Adds what was counted on a client's connection between two readings; call right before `cut`,
    /// and when the client leaves.
    package mutating func network(_ reading: NetworkReading, since earlier: NetworkReading) {
        network.add(reading, since: earlier)
    }

    /// How long the provider has stalled this stretch, so far, in milliseconds.
    package func providerStallMilliseconds(at now: MonotonicTime) -> Int64 {
        (providerStall &+ silence(at: now)) / 1_000_000
    }

    /// How long clients have held the provider back this stretch, so far, in milliseconds.
    package func clientStallMilliseconds(at now: MonotonicTime) -> Int64 {
        clientStall.elapsed(at: now) / 1_000_000
    }

    /// When this stretch has to be cut, and with which reason: after `interval`, or at the end of
    /// the month in UTC when that is sooner.
    package func nextCut(interval: Duration) -> (at: MonotonicTime, end: StretchEnd) {
        let untilMonthEnd =
            CalendarMonth(containing: stretchStartedWall).end.milliseconds
            - stretchStartedWall.milliseconds
        let remaining = Duration.milliseconds(untilMonthEnd)
        return remaining <= interval
            ? (stretchStartedAt + remaining, .period) : (stretchStartedAt + interval, .interval)
    }

    /// Ends the stretch and begins the next one.
    ///
    /// A stretch cut at the month's end belongs to the month that ends: it is dated one
    /// millisecond before the boundary when the timer came later than that.
    ///
    /// - Parameters:
    ///   - now: the monotonic clock.
    ///   - wall: the wall clock at the same time.
    ///   - end: why the stretch ends.
    /// - Returns: a record with everything that was measured; identity, names, usage and numbers
    ///   are the caller's to fill in.
    package mutating func cut(
        at now: MonotonicTime,
        wall: WallTime,
        end: StretchEnd
    ) -> UsageRecord {
        settleSilence(at: now)
        var record = UsageRecord()
        record.end = end
        record.segment = Int64(segment)
        record.startedAtMilliseconds = stretchStartedWall.milliseconds
        record.endedAtMilliseconds = endOfStretch(wall: wall, end: end).milliseconds
        writeTimes(into: &record, at: now)
        let carried = end == .interval || end == .period ? min(inFlight, bytes) : 0
        writeCounts(into: &record, without: carried)
        begin(
            at: stretchStartedAt + .milliseconds(record.durationMilliseconds),
            wall: wall,
            carrying: carried
        )
        return record
    }
}

extension StreamMeter {
    /// When the running stretch began.
    package var startedAt: WallTime { stretchStartedWall }

    /// What the running stretch has added up so far; the tokens are the caller's to fill in.
    package func counters(at now: MonotonicTime) -> StretchCounters {
        var counters = StretchCounters()
        counters.bytesOut = bytes &- min(bytes, inFlight)
        counters.inFlightBytes = UInt32(clamping: inFlight)
        counters.bytesRaw = rawBytes
        counters.events = events
        counters.attempts = attempts
        counters.durationMilliseconds = Self.milliseconds(now.nanoseconds(since: stretchStartedAt))
        counters.busyMilliseconds = Self.milliseconds(busy.elapsed(at: now))
        counters.downtimeMilliseconds = Self.milliseconds(down.elapsed(at: now))
        counters.stallClientMilliseconds = Self.milliseconds(clientStall.elapsed(at: now))
        counters.stallProviderMilliseconds = Self.milliseconds(providerStall)
        stretchLatency.write(into: &counters)
        if let firstToken, !isFirstTokenReported { counters.firstTokenMicroseconds = firstToken }
        return counters
    }

    private static func milliseconds(_ nanoseconds: Int64) -> UInt32 {
        UInt32(clamping: nanoseconds / 1_000_000)
    }

    private func endOfStretch(wall: WallTime, end: StretchEnd) -> WallTime {
        // The wall clock may have been set back meanwhile.
        let ended = max(wall, stretchStartedWall)
        guard end == .period else { return ended }
        let monthEnd = CalendarMonth(containing: stretchStartedWall).end
        return min(ended, WallTime(milliseconds: monthEnd.milliseconds - 1))
    }

    private mutating func writeTimes(into record: inout UsageRecord, at now: MonotonicTime) {
        let duration = max(0, now.nanoseconds(since: stretchStartedAt) / 1_000_000)
        let busyMicroseconds = busy.elapsed(at: now) / 1_000
        let isClientsLimit =
            busyMicroseconds > 0
            && network.windowLimitedMicroseconds > UInt64(busyMicroseconds) / 2
        record.isExcludedFromSLA = isInMaintenance || isClientsLimit
        record.durationMilliseconds = duration
        record.downtimeMilliseconds = down.takeMilliseconds(at: now, limit: duration)
        record.busyMilliseconds = busy.takeMilliseconds(at: now, limit: duration)
        record.stallClientMilliseconds = clientStall.takeMilliseconds(at: now, limit: duration)
        record.stallProviderMilliseconds = min(providerStall / 1_000_000, duration)
    }

    private mutating func writeCounts(into record: inout UsageRecord, without carried: UInt64) {
        record.bytesOut = Int64(clamping: bytes - carried)
        record.bytesRaw = Int64(clamping: rawBytes)
        record.events = Int64(events)
        record.attempts = Int64(attempts)
        record.latency = stretchLatency.summary(with: latencies)
        record.retransmits = Int64(network.retransmits)
        record.lost = Int64(network.lost)
        if network.roundTripMicroseconds > 0 {
            record.roundTripMicroseconds = Int64(network.roundTripMicroseconds)
        }
        if let firstToken, !isFirstTokenReported {
            record.firstTokenMicroseconds = Int64(firstToken)
            isFirstTokenReported = true
        }
    }

    private mutating func begin(at now: MonotonicTime, wall: WallTime, carrying carried: UInt64) {
        segment &+= 1
        stretchStartedAt = now
        stretchStartedWall = wall
        events = 0
        attempts = 0
        bytes = carried
        inFlight = carried
        rawBytes = 0
        providerStall = 0
        stretchLatency = LatencyTally()
        network.beginStretch()
    }

    private mutating func recordGap(before count: Int, at now: MonotonicTime) {
        guard count > 0 else { return }
        if totalEvents > 0 {
            let milliseconds = now.nanoseconds(since: lastEventAt) / 1_000_000
            gaps.record(UInt32(clamping: milliseconds))
        }
        gaps.record(0, times: UInt32(clamping: count - 1))
        lastEventAt = now
    }

    /// The part of the provider's silence that is a stall and lies in this stretch, in nanoseconds.
    private func silence(at now: MonotonicTime) -> Int64 {
        guard hasAttempt, !clientStall.isRunning,
            now.nanoseconds(since: providerSpokeAt) >= Self.stallThresholdNanoseconds
        else { return 0 }
        return now.nanoseconds(since: max(providerSpokeAt, stretchStartedAt))
    }

    private mutating func settleSilence(at now: MonotonicTime) {
        providerStall &+= max(0, silence(at: now))
    }
}

/// Latencies of one stretch.
private struct LatencyTally: Sendable {
    private var sum: UInt64 = 0
    private var count: UInt32 = 0
    private var minimum: UInt32 = .max
    private var maximum: UInt32 = 0

    mutating func add(_ value: UInt32, times: UInt32) {
        guard times > 0 else { return }
        sum = sum.addingSaturating(UInt64(value) * UInt64(times))
        count = count.addingSaturating(times)
        minimum = min(minimum, value)
        maximum = max(maximum, value)
    }

    func write(into counters: inout StretchCounters) {
        guard count > 0 else { return }
        counters.latencySumMicroseconds = sum
        counters.latencyCount = count
        counters.latencyMinimumMicroseconds = minimum
        counters.latencyMaximumMicroseconds = maximum
    }

    func summary(with life: LatencyHistogram) -> LatencySummary? {
        guard count > 0 else { return nil }
        let mean = (sum + UInt64(count) / 2) / UInt64(count)
        return LatencySummary(
            mean: Int64(clamping: mean),
            minimum: Int64(minimum),
            p95: Int64(min(max(life.percentile(permille: 950), minimum), maximum)),
            p99: Int64(min(max(life.percentile(permille: 990), minimum), maximum)),
            maximum: Int64(maximum)
        )
    }
}

extension MonotonicTime {
    /// Plain arithmetic: `Duration` counts in 128 bits, which shows on the event path.
    fileprivate func nanoseconds(since earlier: Self) -> Int64 {
        nanoseconds &- earlier.nanoseconds
    }
}
