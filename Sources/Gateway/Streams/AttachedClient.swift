import HTTPServer
import HTTPWire
import Metering
import StreamBytes

/// One client of a stream: its place in the log and the form in which it gets the events.
///
/// A class, because it holds much: passing it on must not copy that. It belongs to its stream's
/// actor alone.
final class AttachedClient {
    let number: UInt32
    let exchange: Exchange
    /// What the response carries beside the stream's own fields; empty once it has begun.
    var fields: HeaderFields
    let sendsHeartbeatEvents: Bool?
    var coding: ResponseCoding
    var cursor: EventLog.Cursor
    var path: StreamPath
    var flush: FlushPolicy
    /// The last event that was there when the client came, and when that was, in microseconds since
    /// the stream was opened.
    let cameAfter: (sequence: UInt64, atMicroseconds: UInt32)
    /// Whether the response head is out.
    var hasHead = false
    /// The last time that bytes were handed to the connection, or the client came.
    var lastHandOut: MonotonicTime
    /// What has to go out beside events.
    var owed = OwedSignals()
    /// Bytes handed to the connection, until the kernel has them all.
    var unsentBytes = 0
    /// The events on their way to the kernel.
    var inFlight: [LatencyMark] = []
    var hasUnsent: Bool { unsentBytes > 0 }
    /// Until when gathered events wait.
    var flushAt: MonotonicTime?
    /// What its connection had counted when it was last asked: it may carry other streams, too.
    private var network = NetworkReading()
    /// Events that the client asked for and that are kept no more.
    var lostEvents: UInt64 = 0

    init(
        _ client: StreamClient,
        number: UInt32,
        cursor: EventLog.Cursor,
        path: StreamPath,
        flush: FlushPolicy,
        at now: MonotonicTime,
        after cameAfter: (sequence: UInt64, atMicroseconds: UInt32)
    ) {
        self.cameAfter = cameAfter
        self.number = number
        exchange = client.exchange
        fields = client.fields
        sendsHeartbeatEvents = client.sendsHeartbeatEvents
        coding = .undecided(client.accepted)
        self.cursor = cursor
        self.path = path
        self.flush = flush
        lastHandOut = now
        if let statistics = exchange.statistics() { network = NetworkReading(statistics) }
    }

    /// Adds to the meter what its connection has counted since it was last asked.
    func readNetwork(into meter: inout StreamMeter) {
        guard let statistics = exchange.statistics() else { return }
        let reading = NetworkReading(statistics)
        meter.network(reading, since: network)
        network = reading
    }
}

/// Signals that are not events of the log.
struct OwedSignals: OptionSet {
    let rawValue: UInt8

    static let heartbeat = Self(rawValue: 1)
    /// A comment that finds out whether the client is still there.
    static let probe = Self(rawValue: 2)
    static let gap = Self(rawValue: 4)
}

/// Events that were read at one time and handed out together.
struct LatencyMark {
    let readAtMicroseconds: UInt32
    var count: Int32
}

/// How a client left before its stream's end.
enum ClientEnd: Equatable {
    case gone
    case stuck
    /// The server closed the connection.
    case closedHere
}

extension AttachedClient {
    /// Notes an event that goes out now.
    ///
    /// How long it waited for a client that was away is no latency of ours.
    func mark(_ entry: EventLog.Entry) {
        let readAt =
            entry.sequence > cameAfter.sequence
            ? entry.readAtMicroseconds : cameAfter.atMicroseconds
        if let last = inFlight.indices.last,
            inFlight[last].readAtMicroseconds == readAt || inFlight.count == Self.markLimit
        {
            inFlight[last].count += 1
        } else {
            inFlight.append(LatencyMark(readAtMicroseconds: readAt, count: 1))
        }
    }

    /// Beyond it, later events count with the time of the last mark.
    private static let markLimit = 64
}
