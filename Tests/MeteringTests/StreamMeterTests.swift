import Metering
import StreamBytes
import Testing

@Suite struct StreamMeterTests {
    private let noon = WallTime(milliseconds: 1_768_478_400_000)  // 2026-01-15 12:00 UTC

    private func instant(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 5_000_000_000 + milliseconds * 1_000_000)
    }

    private func wall(_ milliseconds: Int64) -> WallTime {
        WallTime(milliseconds: noon.milliseconds + milliseconds)
    }

    @Test func `a meter is small enough for ten thousand streams`() {
        #expect(MemoryLayout<StreamMeter>.size <= 512)
    }

    @Test func `a stretch carries what happened in it and the next one starts from zero`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.attemptStarted(at: instant(1))
        meter.delivered(events: 3, rawBytes: 300, at: instant(100))
        meter.firstToken(at: instant(101))
        meter.firstToken(at: instant(900))
        meter.handedOut(bytes: 120)
        meter.taken(bytes: 120)
        meter.latency(microseconds: 40, count: 3)

        let first = meter.cut(at: instant(1_000), wall: wall(1_000), end: .interval)
        let second = meter.cut(at: instant(1_500), wall: wall(1_500), end: .complete)

        #expect(first.segment == 0)
        #expect(first.durationMilliseconds == 1_000)
        #expect(first.startedAtMilliseconds == noon.milliseconds)
        #expect(first.endedAtMilliseconds == noon.milliseconds + 1_000)
        #expect(first.events == 3)
        #expect(first.bytesRaw == 300)
        #expect(first.bytesOut == 120)
        #expect(first.attempts == 1)
        #expect(first.firstTokenMicroseconds == 101_000)
        #expect(
            first.latency
                == LatencySummary(mean: 40, minimum: 40, p95: 40, p99: 40, maximum: 40)
        )
        #expect(first.end == .interval)
        #expect(second.segment == 1)
        #expect(second.durationMilliseconds == 500)
        #expect(second.startedAtMilliseconds == first.endedAtMilliseconds)
        #expect(second.events == 0)
        #expect(second.bytesOut == 0)
        #expect(second.bytesRaw == 0)
        #expect(second.attempts == 0)
        #expect(second.firstTokenMicroseconds == nil)
        #expect(second.latency == nil)
        #expect(meter.totalEvents == 3)
        #expect(meter.totalBytes == 120)
    }

    @Test func `bytes that the kernel has not taken count in the next stretch`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.handedOut(bytes: 100)
        meter.taken(bytes: 100)
        meter.handedOut(bytes: 40)

        let first = meter.cut(at: instant(1_000), wall: wall(1_000), end: .interval)
        let kept = meter.counters(at: instant(1_000))
        meter.taken(bytes: 40)
        meter.handedOut(bytes: 7)
        let last = meter.cut(at: instant(2_000), wall: wall(2_000), end: .clientGone)

        #expect(first.bytesOut == 100)
        #expect(kept.bytesOut == 0)
        #expect(kept.inFlightBytes == 40)
        #expect(last.bytesOut == 47)
        #expect(meter.totalBytes == 147)
    }

    @Test func `the counters that are kept are those of the record`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.attemptStarted(at: instant(0))
        meter.delivered(events: 3, rawBytes: 5, at: instant(2_000))
        meter.handedOut(bytes: 120, rawBytes: 300)
        meter.taken(bytes: 120)
        meter.firstToken(at: instant(2_001))
        meter.latency(microseconds: 50)
        meter.latency(microseconds: 70, count: 2)
        meter.lineBecameBusy(at: instant(2_100))
        meter.clientStalled(at: instant(2_200))
        meter.clientResumed(at: instant(2_700))
        meter.lineBecameIdle(at: instant(2_800))
        meter.attemptFailed(at: instant(3_000))

        var kept = UsageRecord()
        kept.startedAtMilliseconds = noon.milliseconds
        kept.take(meter.counters(at: instant(3_500)))
        var record = meter.cut(at: instant(3_500), wall: wall(3_500), end: .interrupted)

        #expect(kept.latency == LatencySummary(mean: 63, minimum: 50, maximum: 70))
        #expect(kept.usage == TokenUsage())
        kept.end = .interrupted
        record.usage = kept.usage
        record.latency = kept.latency
        record.inFlightBytes = 0
        #expect(kept == record)
    }

    @Test func `a stretch never ends before it began, although the clock was set back`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        let first = meter.cut(at: instant(1_000), wall: wall(-3_600_000), end: .interval)
        let second = meter.cut(at: instant(2_000), wall: wall(-3_599_000), end: .complete)

        #expect(first.endedAtMilliseconds == noon.milliseconds)
        #expect(first.durationMilliseconds == 1_000)
        #expect(second.startedAtMilliseconds == noon.milliseconds - 3_600_000)
        #expect(second.endedAtMilliseconds == noon.milliseconds - 3_599_000)
        #expect(second.durationMilliseconds == 1_000)
    }

    @Test func `the parts of a millisecond that a cut leaves over are not lost`() {
        var meter = StreamMeter.opened(at: MonotonicTime(nanoseconds: 0), wall: noon)
        var total: Int64 = 0
        for cut in 1...1_000 {
            let now = MonotonicTime(nanoseconds: Int64(cut) * 1_700_000)
            total += meter.cut(at: now, wall: noon, end: .interval).durationMilliseconds
        }
        #expect(total == 1_700)
    }

    @Test func `busy time runs while bytes wait and is split between stretches`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.lineBecameBusy(at: instant(100))
        meter.lineBecameBusy(at: instant(150))
        meter.lineBecameIdle(at: instant(300))
        meter.lineBecameBusy(at: instant(900))

        let first = meter.cut(at: instant(1_000), wall: wall(1_000), end: .interval)
        meter.lineBecameIdle(at: instant(1_250))
        let second = meter.cut(at: instant(2_000), wall: wall(2_000), end: .complete)

        #expect(first.busyMilliseconds == 300)
        #expect(second.busyMilliseconds == 250)
    }

    @Test func `an attempt that fails was down since it last delivered, until the next starts`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.attemptStarted(at: instant(10))
        meter.delivered(events: 1, rawBytes: 1, at: instant(50))
        meter.attemptFailed(at: instant(200))
        meter.attemptStarted(at: instant(260))
        meter.delivered(events: 1, rawBytes: 1, at: instant(700))

        let record = meter.cut(at: instant(1_000), wall: wall(1_000), end: .complete)

        #expect(record.downtimeMilliseconds == 210)
        #expect(record.attempts == 2)
    }

    @Test func `downtime stays within its stretch and goes on into the next`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.attemptStarted(at: instant(0))
        let first = meter.cut(at: instant(1_000), wall: wall(1_000), end: .interval)
        meter.attemptFailed(at: instant(1_100))
        let second = meter.cut(at: instant(2_000), wall: wall(2_000), end: .interval)
        meter.attemptStarted(at: instant(2_300))
        let third = meter.cut(at: instant(3_000), wall: wall(3_000), end: .complete)

        #expect(first.downtimeMilliseconds == 0)
        #expect(second.downtimeMilliseconds == 1_000)
        #expect(third.downtimeMilliseconds == 300)
    }

    @Test func `a provider's silence of a second is a stall, unless the client held it back`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.attemptStarted(at: instant(0))
        meter.delivered(events: 1, rawBytes: 1, at: instant(999))
        meter.delivered(events: 1, rawBytes: 1, at: instant(2_499))
        meter.clientStalled(at: instant(2_500))
        meter.clientResumed(at: instant(9_000))
        meter.delivered(events: 1, rawBytes: 1, at: instant(9_900))

        let record = meter.cut(at: instant(10_000), wall: wall(10_000), end: .complete)

        #expect(record.stallProviderMilliseconds == 1_500)
        #expect(record.stallClientMilliseconds == 6_500)
    }

    @Test func `a silence over a cut is shared between both stretches`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.attemptStarted(at: instant(0))
        let first = meter.cut(at: instant(3_000), wall: wall(3_000), end: .interval)
        meter.delivered(events: 1, rawBytes: 1, at: instant(3_500))
        let second = meter.cut(at: instant(4_000), wall: wall(4_000), end: .complete)

        #expect(first.stallProviderMilliseconds == 3_000)
        #expect(second.stallProviderMilliseconds == 500)
    }

    @Test(arguments: [(1_000, false), (1_001, true)])
    func `a client's full window for over half of the busy time excludes from the SLA`(
        windowLimitedMicroseconds: UInt64,
        isExcluded: Bool
    ) {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        var earlier = NetworkReading()
        earlier.receiveWindowLimitedMicroseconds = 70_000
        var reading = earlier
        meter.lineBecameBusy(at: instant(0))
        meter.lineBecameIdle(at: instant(2))
        reading.receiveWindowLimitedMicroseconds += windowLimitedMicroseconds
        meter.network(reading, since: earlier)

        let first = meter.cut(at: instant(10), wall: wall(10), end: .interval)
        let second = meter.cut(at: instant(20), wall: wall(20), end: .complete)

        #expect(first.isExcludedFromSLA == isExcluded)
        #expect(!second.isExcludedFromSLA)
    }

    @Test(arguments: [(1_000, false), (1_001, true)])
    func `a window of HTTP/2 closed for over half of the busy time excludes from the SLA`(
        closedMicroseconds: UInt64,
        isExcluded: Bool
    ) {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        var reading = NetworkReading()
        reading.receiveWindowLimitedMicroseconds = 1_000
        reading.streamWindowClosedMicroseconds = closedMicroseconds
        meter.lineBecameBusy(at: instant(0))
        meter.lineBecameIdle(at: instant(2))
        meter.network(reading, since: NetworkReading())

        let first = meter.cut(at: instant(10), wall: wall(10), end: .interval)
        meter.lineBecameBusy(at: instant(10))
        meter.lineBecameIdle(at: instant(12))
        meter.network(reading, since: reading)
        let second = meter.cut(at: instant(20), wall: wall(20), end: .complete)

        #expect(first.isExcludedFromSLA == isExcluded)
        #expect(!second.isExcludedFromSLA)
    }

    @Test func `maintenance excludes from the SLA`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.isInMaintenance = true
        #expect(meter.cut(at: instant(1), wall: wall(1), end: .drain).isExcludedFromSLA)
    }

    @Test func `a client that leaves after another came counts once`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        var first = NetworkReading()
        first.streamWindowClosedMicroseconds = 20_000
        meter.network(first, since: NetworkReading())
        _ = meter.cut(at: instant(60), wall: wall(60), end: .interval)
        let second = NetworkReading()
        meter.network(second, since: NetworkReading())
        meter.lineBecameBusy(at: instant(61))
        meter.lineBecameIdle(at: instant(71))
        meter.network(first, since: first)

        let record = meter.cut(at: instant(80), wall: wall(80), end: .complete)

        #expect(!record.isExcludedFromSLA)
    }

    @Test func `readings of several connections add up`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        var reading = NetworkReading()
        reading.retransmits = 7
        reading.roundTripMicroseconds = 900
        meter.network(reading, since: NetworkReading())
        reading.retransmits = 9
        reading.roundTripMicroseconds = 400
        reading.lost = 2
        meter.network(reading, since: NetworkReading())

        let record = meter.cut(at: instant(1), wall: wall(1), end: .complete)

        #expect(record.retransmits == 16)
        #expect(record.roundTripMicroseconds == 400)
        #expect(record.lost == 2)
    }

    @Test func `a stretch is cut after the interval, or at the month's end if that is sooner`() {
        let lastSecond = WallTime(milliseconds: 1_769_903_999_000)  // 2026-01-31 23:59:59
        let meter = StreamMeter.opened(at: instant(0), wall: noon)
        let late = StreamMeter.opened(at: instant(0), wall: lastSecond)

        #expect(meter.nextCut(interval: .seconds(60)) == (instant(60_000), .interval))
        #expect(late.nextCut(interval: .seconds(60)) == (instant(1_000), .period))
        #expect(late.nextCut(interval: .seconds(1)) == (instant(1_000), .period))
    }

    @Test func `a stretch cut at the month's end belongs to the month that ends`() {
        let boundary: Int64 = 1_769_904_000_000  // 2026-02-01 00:00
        var meter = StreamMeter.opened(
            at: instant(0),
            wall: WallTime(milliseconds: boundary - 1_000)
        )

        let first = meter.cut(
            at: instant(1_007),
            wall: WallTime(milliseconds: boundary + 7),
            end: .period
        )
        let next = meter.nextCut(interval: .seconds(3_600))

        #expect(first.endedAtMilliseconds == boundary - 1)
        #expect(CalendarMonth(containing: WallTime(milliseconds: boundary - 1)).month == 1)
        #expect(next.end == .interval)
    }

    @Test func `gaps are counted between events`() {
        var meter = StreamMeter.opened(at: instant(0), wall: noon)
        meter.delivered(events: 1, rawBytes: 1, at: instant(500))
        meter.delivered(events: 2, rawBytes: 2, at: instant(700))
        #expect(meter.gaps.count == 2)
        #expect(meter.gaps.maximum == 200)
        #expect(meter.gaps.minimum == 0)
    }

    @Test func `a clock that runs backwards yields zeros, not nonsense`() {
        var meter = StreamMeter.opened(at: instant(1_000), wall: noon)
        meter.attemptStarted(at: instant(900))
        meter.lineBecameBusy(at: instant(1_000))
        meter.delivered(events: 1, rawBytes: 1, at: instant(500))
        meter.latency(microseconds: -5)

        let record = meter.cut(at: instant(400), wall: noon, end: .complete)

        #expect(record.durationMilliseconds == 0)
        #expect(record.busyMilliseconds == 0)
        #expect(record.latency?.mean == 0)
    }
}
