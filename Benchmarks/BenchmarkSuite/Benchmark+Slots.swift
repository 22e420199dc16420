import Glibc
import MeterLog
import Metering
import StreamBytes

extension Benchmark {
    /// What the meter is told of one event, 10,000 streams in turn, so that no cache holds them.
    static let meterMany = overStreams("meter an event of 10,000 streams", keeps: false)

    /// The same, with the counters kept in shared memory before the event is written and after it.
    static let meterAndKeep = overStreams("meter and keep an event of 10,000 streams", keeps: true)

    private static func overStreams(_ name: String, keeps: Bool) -> Benchmark {
        Benchmark(name, unit: "event", smoke: 500, full: 2_000_000) { count in
            let settings = SlotSettings(
                folder: "/dev/shm",
                gateway: "bench-\(getpid())",
                streamLimit: 10_000
            )
            let slots = MeterSlots()
            defer { unsafe unlink(settings.path) }
            guard (try? slots.open(settings)) != nil else { return 0 }
            let streams = (0..<10_000).compactMap { MeteredStream($0, in: slots) }
            guard streams.count == 10_000 else { return 0 }
            var now = MonotonicTime(nanoseconds: 0)
            var checksum = 0
            for number in 0..<count {
                now = now + .microseconds(20)
                // A step that visits every stream, none near the one before.
                let stream = streams[number &* 7_919 % 10_000]
                checksum &+= stream.event(at: now, in: slots, keeps: keeps)
            }
            return checksum
        }
    }
}

/// A stream with nothing but a meter.
private final class MeteredStream {
    private var meter: StreamMeter
    private var slot: MeterSlot

    init?(_ number: Int, in slots: any UsageSink) {
        var opening = UsageRecord()
        opening.recordID = "s0-\(number).0"
        guard let slot = slots.begin(opening) else { return nil }
        self.slot = slot
        meter = .opened(
            at: MonotonicTime(nanoseconds: 0),
            wall: WallTime(milliseconds: 1_767_225_600_000)
        )
    }

    func event(at now: MonotonicTime, in slots: any UsageSink, keeps: Bool) -> Int {
        meter.delivered(events: 1, rawBytes: 0, at: now)
        meter.handedOut(bytes: 260, rawBytes: 260)
        if keeps { slots.note(inFlightBytes: meter.inFlight, in: slot) }
        meter.taken(bytes: 260)
        meter.latency(microseconds: 80)
        meter.lineBecameIdle(at: now)
        if keeps { slots.save(meter.counters(at: now), in: &slot) }
        return Int(truncatingIfNeeded: slot.generation) &+ Int(meter.totalEvents)
    }
}
