import Dialects
import Gateway
import HTTPWire
import Metering
import Replay
import StreamBytes

extension Benchmark {
    /// Decodes a recorded body, one event per read, again and again.
    static func decode(
        _ name: String,
        body: String,
        dialect: Dialect,
        mode: DeltaMode
    ) -> Benchmark {
        Benchmark(name, unit: "event", smoke: 500, full: 1_000_000) { count in
            guard let recorded = EmbeddedBodies.named(body) else { return 0 }
            var checksum = 0
            var decoded = 0
            while decoded < count {
                var decoder = DialectDecoder(dialect, mode: mode)
                var batch = DeltaBatch()
                for piece in recorded.pieces {
                    decoder.decode(recorded.bytes.span.extracting(piece), into: &batch)
                    checksum &+= batch.bytes.count &* 31 &+ batch.entries.count
                    batch.removeAll()
                }
                decoded += recorded.pieces.count
            }
            return checksum
        }
    }

    /// Appends events to a log and reads each once, as a stream with one client does.
    static let logAndRead = Benchmark(
        "log an event and read it",
        unit: "event",
        smoke: 500,
        full: 2_000_000
    ) { count in
        var log = EventLog()
        var cursor = log.end
        let payload = [UInt8](repeating: 0x61, count: 260)
        var checksum = 0
        for number in 0..<count {
            log.append(.raw, payload.span, readAtMicroseconds: UInt32(truncatingIfNeeded: number))
            while let entry = log.next(&cursor) {
                checksum &+= Int(log.bytes[entry.payload.lowerBound]) &+ entry.payload.count
            }
            log.trim(toByteLimit: 0, keeping: cursor)
        }
        return checksum
    }

    /// Everything that the meter is told of one event.
    static let meter = Benchmark("meter an event", unit: "event", smoke: 500, full: 2_000_000) {
        count in
        var now = MonotonicTime(nanoseconds: 0)
        var meter = StreamMeter.opened(at: now, wall: WallTime(milliseconds: 1_767_225_600_000))
        for _ in 0..<count {
            now = now + .milliseconds(1)
            meter.delivered(events: 1, rawBytes: 0, at: now)
            meter.handedOut(bytes: 260, rawBytes: 260)
            meter.taken(bytes: 260)
            meter.latency(microseconds: 80)
            meter.lineBecameIdle(at: now)
        }
        return Int(meter.totalEvents) &+ Int(meter.totalBytes)
    }

    /// Parses a browser's request head.
    static let parseRequestHead = Benchmark(
        "parse a request head",
        unit: "request",
        smoke: 200,
        full: 300_000
    ) { count in
        let text = """
            POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench\r\n\
            Accept: text/event-stream\r\nAuthorization: Bearer weir_0123456789abcdef\r\n\
            Content-Type: application/json\r\nContent-Length: 0\r\n\r\n
            """
        let bytes = Array(text.utf8)
        var checksum = 0
        for _ in 0..<count {
            var parser = RequestParser(limits: HTTPLimits())
            var offset = 0
            guard case .head(let head)? = try? parser.parse(bytes.span, from: &offset) else {
                return 0
            }
            checksum &+= head.fields.fields.count &+ offset
        }
        return checksum
    }
}
