import HTTP2
import HTTPWire
import Reactor
import StreamBytes

/// One accepted connection that carries many exchanges at once.
///
/// It lives on the reactor of its socket, which holds it until it is closed. What its streams have to
/// send gathers until the end of the turn and leaves in one write.
actor HTTP2Connection: SocketHandler, TimerHandler, ServerConnection, ExchangeCarrier {
    enum Phase: Equatable {
        case open
        /// The session is over; what is left of it goes out.
        case ending
        /// Everything is out; what the client still sends is thrown away until it closes.
        case lingering
        case closed
    }

    nonisolated let executor: any StreamExecutor
    nonisolated let registry: ConnectionRegistry
    let handler: any RequestHandler
    let isSecure: Bool
    var socket: (any StreamSocket)?
    var timer: TimerID?
    var phase = Phase.open
    /// Nil only where memory lacked for it.
    var session: HTTP2Session?

    var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    /// Forgotten, and its end being told.
    var leaving: HTTP2Stream?
    /// The streams that may have bytes, in the order of their turns, from `queueStart` on.
    var queue: [HTTP2Stream] = []
    var queueStart = 0
    /// The streams whose bytes the last write held.
    var sending: [HTTP2Stream] = []
    var events: [HTTP2Event] = []

    /// What the kernel did not take yet.
    var output: [UInt8] = []
    var outputStart = 0
    var flushIsDue = false
    var inputMayWait = false
    var isPumping = false
    var peerHasClosed = false
    var wasProbed = false
    var isDraining = false

    /// When the timer fires, at the latest when something is due.
    var armedAt: MonotonicTime?
    /// Since when no stream is open.
    var idleAt: MonotonicTime?
    /// When the header section in hand began.
    var headStartedAt: MonotonicTime?
    /// When the client was told of the end, if it may still open streams.
    var endAnnouncedAt: MonotonicTime?
    var lingersUntil: MonotonicTime?
    /// When the client last took something, while bytes wait for it.
    var progressAt = MonotonicTime(nanoseconds: 0)
    var acknowledgedByteCount: UInt64 = 0
    var lingeredByteCount = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Takes over a socket on which the client speaks HTTP/2; call on `executor`.
    ///
    /// - Parameters:
    ///   - socket: its unread bytes begin with the client's preface, if there are any.
    ///   - executor: the reactor that owns it.
    ///   - isSecure: whether TLS is spoken on it.
    ///   - handler: answers its requests.
    ///   - registry: counts it until it is closed.
    init(
        socket: consuming PassedSocket,
        on executor: any StreamExecutor,
        isSecure: Bool,
        handler: any RequestHandler,
        registry: ConnectionRegistry
    ) {
        self.executor = executor
        self.isSecure = isSecure
        self.handler = handler
        self.registry = registry
        let adopted = executor.adopt(socket, handler: self)
        assumeIsolated { $0.begin(adopted) }
    }

    nonisolated func socketIsReady(_ readiness: Readiness) {
        assumeIsolated { $0.handle(readiness) }
    }

    nonisolated func timerFired(_ timer: TimerID) { assumeIsolated { $0.checkTimes() } }

    nonisolated func drain() { assumeIsolated { $0.beginDraining() } }

    nonisolated func abort() { assumeIsolated { $0.close(.closedHere, resets: true) } }

    private func begin(_ adopted: any StreamSocket) {
        socket = adopted
        timer = executor.makeTimer(for: self)
        registry.add(self)
        do throws(HTTP2Failure) {
            session = try HTTP2Session(.server, registry.configuration.http2)
        } catch {
            return close(.closedHere, resets: true)
        }
        // Until the client's preface is whole, its head is late.
        headStartedAt = executor.now
        idleAt = executor.now
        arm(at: executor.now + registry.configuration.headTimeout)
        requestFlush()
        if registry.drains { beginDraining() }
    }

    private func handle(_ readiness: Readiness) {
        guard phase != .closed else { return }
        if readiness.contains(.isReadable) { inputMayWait = true }
        if readiness.contains(.hasFailed) { return close(.clientGone, resets: false) }
        if readiness.contains(.isWritable) { sendOutput() }
        if readiness.contains(.peerClosed), !peerHasClosed {
            peerHasClosed = true
            inputMayWait = true
            clientClosedItsSendingSide()
        }
        if phase == .lingering { discardInput() }
        pump()
    }

    /// The client may be gone or only silent: a write tells.
    private func clientClosedItsSendingSide() {
        for stream in streams.values {
            if let source = stream.source {
                source.clientClosedItsSendingSide()
                enqueue(stream)
            } else if stream.onClientGone != nil {
                probeClient()
            }
        }
    }

    /// Sends what a client ignores and the kernel of a dead one answers with a reset.
    func probeClient() {
        guard !wasProbed else { return }
        wasProbed = true
        session?.ping()
        requestFlush()
    }
}
