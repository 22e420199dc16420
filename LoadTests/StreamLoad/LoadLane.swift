import Reactor
import StreamBytes

/// The streams of one reactor.
///
/// Proof for `@unchecked Sendable`: `published` guards itself; everything else is used by the
/// reactor's thread alone.
final class LoadLane: TimerHandler, @unchecked Sendable {
    let reactor: any StreamExecutor
    let request: LoadRequest
    var tally = LoadTally()
    /// For other threads: counts while it runs, the whole tally when it is over.
    let published = Guarded(LaneState())

    private let plan: LanePlan
    private var streams: [LoadStream] = []
    /// The connections that streams share, in HTTP/2.
    private var sessions: [LoadSession] = []
    private var timer: TimerID?
    private var startedAt: MonotonicTime
    private var startedCount = 0
    private var endsAt: MonotonicTime?
    private var publishesAt: MonotonicTime
    /// Streams that wait before they try again.
    private var resting: [(number: Int, until: MonotonicTime)] = []
    private var doneCount = 0

    init(_ plan: LanePlan, request: LoadRequest, on reactor: any StreamExecutor) {
        self.plan = plan
        self.request = request
        self.reactor = reactor
        startedAt = reactor.now
        publishesAt = startedAt
    }

    /// Begins; on the reactor's thread.
    func begin() {
        startedAt = reactor.preciseNow
        streams = (0..<plan.streamCount).map { LoadStream(self, number: $0) }
        if let share = plan.streamsPerConnection {
            let count = (plan.streamCount + share - 1) / share
            sessions = (0..<count).map { LoadSession(self, number: $0) }
        }
        timer = reactor.makeTimer(for: self)
        work()
    }

    /// Closes what is open and ends; on the reactor's thread.
    func end() {
        guard let timer else { return }
        reactor.releaseTimer(timer)
        self.timer = nil
        for stream in streams { stream.cut() }
        for session in sessions { session.close() }
        sessions = []
        // Streams and lane refer to each other.
        streams = []
        publish(isOver: true)
    }

    func timerFired(_ timer: TimerID) { work() }

    /// The connection that a stream shares; nil: it has its own.
    func session(of stream: Int) -> LoadSession? {
        plan.streamsPerConnection.map { sessions[stream / $0] }
    }

    func connect(
        _ handler: any SocketHandler,
        number: Int
    ) throws(SocketError) -> any StreamSocket {
        if let source = plan.source(of: number) {
            return try SourceSocket.connect(from: source, to: plan.address, on: reactor, handler)
        }
        return try reactor.connect(to: plan.address, security: plan.security, handler: handler)
    }

    func streamEnded(_ number: Int, wasCompleted: Bool) {
        if plan.duration == nil {
            doneCount += 1
        } else {
            // Not at once: a server that refuses must not be asked again in a busy loop.
            let pause: Duration = wasCompleted ? .zero : .seconds(1)
            resting.append((number, reactor.now + pause))
        }
    }

    private func work() {
        let now = reactor.now
        startDue(at: now)
        reopenRested(at: now)
        if now >= publishesAt {
            publishesAt = now + .milliseconds(250)
            for stream in streams { stream.checkSilence(at: now, limit: plan.silenceLimit) }
            publish(isOver: false)
        }
        let isDone = plan.duration == nil && doneCount == plan.streamCount
        if isDone || endsAt.map({ now >= $0 }) ?? false { return end() }
        if let timer { reactor.setTimer(timer, at: now + .milliseconds(10)) }
    }

    private func startDue(at now: MonotonicTime) {
        guard startedCount < streams.count else { return }
        let elapsed = Double((now - startedAt).wholeNanoseconds) / 1e9
        let due = min(Double(streams.count), elapsed * plan.connectRate + 1)
        while startedCount < Int(due) {
            streams[startedCount].open()
            startedCount += 1
        }
        if startedCount == streams.count, let duration = plan.duration { endsAt = now + duration }
    }

    private func reopenRested(at now: MonotonicTime) {
        let due = resting.filter { $0.until <= now }
        guard !due.isEmpty else { return }
        resting.removeAll { $0.until <= now }
        for entry in due { streams[entry.number].open() }
    }

    private func publish(isOver: Bool) {
        var state = LaneState(
            open: streams.count { $0.isOpen },
            started: startedCount,
            completed: tally.completed,
            failed: tally.failed,
            events: tally.events
        )
        if isOver { state.result = tally }
        published.withLock { $0 = state }
    }
}

/// What one lane shall do.
struct LanePlan: Sendable {
    let streamCount: Int
    /// Connections a second.
    let connectRate: Double
    let duration: Duration?
    let silenceLimit: Duration
    let address: SocketAddress
    let security: ClientSecurity?
    /// Nil: HTTP/1.1, and a connection for each stream.
    let streamsPerConnection: Int?
    /// The first source address of this lane's, and how many streams share one; nil: the system's.
    let sources: (first: UInt32, count: Int)?

    func source(of stream: Int) -> UInt32? {
        sources.map { $0.first + UInt32(stream % $0.count) }
    }
}

struct LaneState: Sendable {
    var open = 0
    var started = 0
    var completed = 0
    var failed = 0
    var events = 0
    /// Set when the lane is over.
    var result: LoadTally?
}
