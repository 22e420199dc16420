import Reactor
import StreamBytes
import TransportSecurity

/// Clients that come back all at once, by TLS, to a reactor that has streams to serve.
///
/// The streams' events are stamped where they are sent, on a reactor of its own, and the time that
/// passes until the busy one has read them is what they were held up.
package struct ReconnectStorm: Sendable {
    /// How many come back.
    package var clientCount = 2_000
    /// How many streams are served meanwhile, and how often each has an event.
    package var streamCount = 200
    package var interval = Duration.milliseconds(40)
    /// How many steps of handshakes one turn may make.
    package var handshakesPerTurn = 1

    package init() {}

    package struct Result: Sendable {
        /// From the first client's start until the last handshake was done.
        package var duration = Duration.zero
        /// Handshakes that were done.
        package var handshakeCount = 0
        /// How long events were on their way meanwhile, in ascending order.
        package var delays: [Duration] = []

        package func delay(permille: Int) -> Duration {
            delays.isEmpty ? .zero : delays[min(delays.count - 1, delays.count * permille / 1_000)]
        }
    }

    /// Runs it.
    ///
    /// - Parameter certificate: what the server shows; valid for `localhost`, and its own authority.
    /// - Returns: what the streams had to bear.
    /// - Throws: what the system refuses: descriptors, threads, the certificate.
    package func run(_ certificate: KeyPairFiles) async throws -> Result {
        let served = try ReactorGroup(count: 1, handshakesPerTurn: handshakesPerTurn)
        let outside = try ReactorGroup(count: 1)
        try served.start()
        try outside.start()
        defer {
            outside.stop(within: .zero)
            served.stop(within: .zero)
        }
        let record = Guarded(Record(expectedCount: clientCount))
        let security = try ServerSecurity([certificate])
        let loopback = SocketAddress.v4(0x7F00_0001, port: 0)
        let plain = try served.listen(on: loopback, acceptor: StreamAcceptor(record: record))
        let secure = try served.listen(
            on: loopback,
            acceptor: SecureAcceptor(security: security, record: record)
        )
        let reactor = outside.reactors[0]
        let source = EventSource(on: reactor, interval: interval)
        reactor.perform { source.start(streamCount, to: plain) }
        try await Task.sleep(for: .milliseconds(500))

        record.withLock { $0.begin(at: reactor.preciseNow) }
        let trust = ClientSecurity(
            serverName: "localhost",
            authorityFile: certificate.certificateFile
        )
        let crowd = Crowd(on: reactor)
        reactor.perform { crowd.start(clientCount, to: secure, trust) }
        while record.withLock({ !$0.isComplete }) { try await Task.sleep(for: .milliseconds(20)) }
        reactor.perform {
            source.stop()
            crowd.stop()
        }
        return record.withLock { $0.result }
    }
}

/// What was seen on the reactor that serves.
private struct Record {
    private let expectedCount: Int
    private var startedAt: MonotonicTime?
    private var failureCount = 0
    private(set) var result = ReconnectStorm.Result()

    init(expectedCount: Int) { self.expectedCount = expectedCount }

    var isComplete: Bool { result.handshakeCount + failureCount >= expectedCount }

    mutating func begin(at now: MonotonicTime) { startedAt = now }

    mutating func eventCame(sentAt: MonotonicTime, at now: MonotonicTime) {
        guard startedAt != nil, !isComplete else { return }
        result.delays.append(now - sentAt)
    }

    mutating func handshakeEnded(isDone: Bool, at now: MonotonicTime) {
        if isDone { result.handshakeCount += 1 } else { failureCount += 1 }
        guard isComplete, let startedAt else { return }
        result.duration = now - startedAt
        result.delays.sort()
    }
}

/// One end of a connection; what it hears is handed to a closure with the socket.
///
/// Proof for `@unchecked Sendable`: `socket` is set and used on its reactor's thread alone.
private final class End: SocketHandler, @unchecked Sendable {
    var socket: (any StreamSocket)?
    private let hear: @Sendable (End, Readiness) -> Void

    init(_ hear: @escaping @Sendable (End, Readiness) -> Void) { self.hear = hear }

    func socketIsReady(_ readiness: Readiness) { hear(self, readiness) }
}

/// Takes the streams' connections and notes how old their events are.
private struct StreamAcceptor: ConnectionAcceptor {
    let record: Guarded<Record>

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        let end = End { [record] end, _ in
            var buffer = executor.takeScratch()
            defer { executor.returnScratch(buffer) }
            while case .bytes(let count)? = end.socket?.read(into: &buffer) {
                let now = executor.preciseNow
                for start in stride(from: 0, to: count - 7, by: 8) {
                    let sentAt = MonotonicTime(stamp: buffer[start..<start + 8])
                    record.withLock { $0.eventCame(sentAt: sentAt, at: now) }
                }
            }
        }
        end.socket = executor.adopt(socket, handler: end)
    }
}

private struct SecureAcceptor: ConnectionAcceptor {
    let security: ServerSecurity
    let record: Guarded<Record>

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        let end = End { [record] end, readiness in
            let isDone = readiness.contains(.isWritable)
            guard end.socket != nil, isDone || readiness.contains(.hasFailed) else { return }
            record.withLock { $0.handshakeEnded(isDone: isDone, at: executor.preciseNow) }
            end.socket?.close()
            end.socket = nil
        }
        end.socket = executor.adopt(socket, security: security, handler: end)
    }
}

/// Sends stamped events on many connections.
///
/// Proof for `@unchecked Sendable`: its state is used on its reactor's thread alone.
private final class EventSource: TimerHandler, @unchecked Sendable {
    private let reactor: ReactorThread
    private let interval: Duration
    private var ends: [End] = []
    private var timer: TimerID?
    private var next = 0

    init(on reactor: ReactorThread, interval: Duration) {
        self.reactor = reactor
        self.interval = interval
    }

    func start(_ count: Int, to address: SocketAddress) {
        for _ in 0..<count {
            let end = End { _, _ in }
            end.socket = try? reactor.connect(to: address, security: nil, handler: end)
            ends.append(end)
        }
        let timer = reactor.makeTimer(for: self)
        self.timer = timer
        reactor.setTimer(timer, at: reactor.now + .milliseconds(10))
    }

    /// Every 10 ms a part of the streams has an event.
    func timerFired(_ timer: TimerID) {
        let part = max(1, ends.count * 10 / max(1, Int(interval.wholeMilliseconds)))
        for _ in 0..<part {
            _ = ends[next].socket?.write(reactor.preciseNow.stamp.span)
            next = (next + 1) % ends.count
        }
        reactor.setTimer(timer, at: reactor.now + .milliseconds(10))
    }

    func stop() {
        if let timer { reactor.releaseTimer(timer) }
        for end in ends { end.socket?.close() }
    }
}

/// Clients that connect by TLS, all at once.
///
/// Proof for `@unchecked Sendable`: its state is used on its reactor's thread alone.
private final class Crowd: @unchecked Sendable {
    private let reactor: ReactorThread
    private var ends: [End] = []

    init(on reactor: ReactorThread) { self.reactor = reactor }

    func start(_ count: Int, to address: SocketAddress, _ trust: ClientSecurity) {
        for _ in 0..<count {
            let end = End { _, _ in }
            end.socket = try? reactor.connect(to: address, security: trust, handler: end)
            ends.append(end)
        }
    }

    func stop() { for end in ends { end.socket?.close() } }
}

extension MonotonicTime {
    /// Eight bytes.
    fileprivate var stamp: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: nanoseconds >> ($0 * 8)) }
    }

    fileprivate init(stamp: ArraySlice<UInt8>) {
        self.init(nanoseconds: stamp.reversed().reduce(0) { $0 << 8 | Int64($1) })
    }
}
