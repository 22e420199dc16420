import HTTPWire
import Reactor
import StreamBytes

/// One accepted connection: parses requests, answers them in order, streams bodies.
///
/// It lives on the reactor of its socket, which holds it until it is closed.
///
/// Proof for `@preconcurrency`: exchanges call on the reactor of their connection, which each call
/// checks. Unlike `assumeIsolated` that needs no closure, and a body is ready for every event.
package actor ClientConnection: SocketHandler, TimerHandler, ServerConnection,
    @preconcurrency ExchangeCarrier
{
    enum Phase: Equatable {
        /// TLS is not open yet.
        case handshaking
        /// Waits for a request or reads one.
        case reading
        /// The handler has the request.
        case responding
        /// A body source is pulled.
        case streaming
        /// The whole answer was made; some of it waits for the client.
        case flushing
        /// The last answer is out; what the client still sends is thrown away until it closes.
        case lingering
        case closed
    }

    package nonisolated let executor: any StreamExecutor
    nonisolated let registry: ConnectionRegistry
    let handler: any RequestHandler
    var socket: (any StreamSocket)?
    var timer: TimerID?
    var phase = Phase.reading
    var parser: RequestParser

    /// The number of the exchange in hand, or of the last one.
    var number: UInt64 = 0
    /// The request in hand; dropped when its answer starts.
    var request: HTTPRequest?
    /// The answer to a request whose body is still to be dropped.
    var refusal: HTTPResponse?
    var isReplyToHead = false
    var isHTTP10 = false
    var closesAfterAnswer = false
    var isDraining = false
    let isSecure: Bool

    var source: (any BodySource)?
    var startedHead: ResponseHead?
    var sourceHasFinished = false
    var onClientGone: (@Sendable () -> Void)?
    var wasProbed = false
    /// Whether the client went away before the last request was answered.
    var lostItsRequest = false

    /// What the kernel did not take yet.
    var output: [UInt8] = []
    var outputStart = 0
    /// What was read behind the request in hand.
    var unread: [UInt8] = []
    /// What may become the preface of HTTP/2; nil once it is known that this is HTTP/1.1.
    var preface: [UInt8]? = []
    var inputMayWait = false
    var peerHasClosed = false
    var isPumping = false
    var isPulling = false
    var pullsAgain = false

    /// When the timer's work is due; the timer itself may fire earlier.
    var deadline: MonotonicTime?
    /// Of the request's body, as counted by the registry until it is complete.
    var heldBodyByteCount = 0
    var bodyStartedAt = MonotonicTime(nanoseconds: 0)
    var lingeredByteCount = 0
    /// When the client last took something, while bytes wait for it.
    var progressAt = MonotonicTime(nanoseconds: 0)
    /// What the client had acknowledged when that was last asked.
    var acknowledgedByteCount: UInt64 = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Takes over a socket; call on `executor`.
    ///
    /// - Parameters:
    ///   - socket: just accepted, or passed on by another reactor.
    ///   - executor: the reactor that owns it from now on.
    ///   - security: begins TLS on it; nil if it is plain, or moved with its TLS.
    ///   - handler: answers its requests.
    ///   - registry: counts it until it is closed.
    ///   - moved: a request that another reactor read from it; answered first.
    package init(
        socket: consuming PassedSocket,
        on executor: any StreamExecutor,
        security: ServerSecurity? = nil,
        handler: any RequestHandler,
        registry: ConnectionRegistry,
        moved: MovedRequest? = nil
    ) {
        self.executor = executor
        self.handler = handler
        self.registry = registry
        parser = RequestParser(limits: registry.configuration.limits)
        isSecure = security != nil || socket.isSecure
        if let security {
            phase = .handshaking
            let adopted = executor.adopt(socket, security: security, handler: self)
            assumeIsolated { $0.begin(adopted, nil) }
        } else {
            let adopted = executor.adopt(socket, handler: self)
            assumeIsolated { $0.begin(adopted, moved) }
        }
    }

    package nonisolated func socketIsReady(_ readiness: Readiness) {
        assumeIsolated { $0.handle(readiness) }
    }

    package nonisolated func timerFired(_ timer: TimerID) {
        assumeIsolated { $0.deadlineMayHavePassed() }
    }

    nonisolated func drain() { assumeIsolated { $0.beginDraining() } }

    nonisolated func abort() { assumeIsolated { $0.end(.closedHere, resets: true) } }

    // MARK: For exchanges

    func send(_ response: HTTPResponse, exchange: UInt64) {
        if isCurrent(exchange) { answer(response) }
    }

    func start(_ head: ResponseHead, body: any BodySource, exchange: UInt64) {
        if isCurrent(exchange) {
            startAnswer(head, body)
        } else {
            body.responseEnded(.clientGone)
        }
    }

    func bodyIsReady(exchange: UInt64) {
        if number == exchange { pull() }
    }

    func onClientGone(exchange: UInt64, _ action: @escaping @Sendable () -> Void) {
        watchClient(exchange, action)
    }

    func statistics(exchange: UInt64) -> ExchangeStatistics? {
        socket?.statistics().map(ExchangeStatistics.init)
    }

    func unsentBytes(exchange: UInt64) -> Int { output.count - outputStart }

    func move(to executor: any StreamExecutor, handler: any RequestHandler, exchange: UInt64) {
        if isCurrent(exchange) { pass(to: executor, handler) }
    }

    private func isCurrent(_ exchange: UInt64) -> Bool {
        phase == .responding && number == exchange
    }

    // MARK: Events

    private func begin(_ adopted: any StreamSocket, _ moved: MovedRequest?) {
        socket = adopted
        timer = executor.makeTimer(for: self)
        isDraining = registry.drains
        registry.add(self)
        if phase == .handshaking {
            return setDeadline(executor.now + registry.configuration.headTimeout)
        }
        guard let moved else { return waitForRequest() }
        preface = nil
        closesAfterAnswer = moved.closesAfterAnswer
        output = moved.output
        progressAt = executor.now
        handOver(moved.request)
    }

    private func handle(_ readiness: Readiness) {
        guard phase != .closed else { return }
        if readiness.contains(.isReadable) { inputMayWait = true }
        if readiness.contains(.hasFailed) { return connectionFailed() }
        if phase == .handshaking {
            if readiness.contains(.isPlainText) { return refusePlainText() }
            guard readiness.contains(.isWritable) else { return }
            switch socket?.negotiatedProtocol {
            case .http2: return becomeHTTP2(unread: [])
            case .http1: preface = nil
            case nil: break
            }
            waitForRequest()
            if phase == .closed { return }
        }
        if readiness.contains(.isWritable) { flush() }
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
        switch phase {
        case .responding: probeClient()
        case .streaming:
            source?.clientClosedItsSendingSide()
            pull()
        case .handshaking, .reading, .flushing, .lingering, .closed: break
        }
    }

    private func watchClient(_ exchange: UInt64, _ action: @escaping @Sendable () -> Void) {
        guard number == exchange else { return }
        if lostItsRequest { return action() }
        guard phase == .responding else { return }
        onClientGone = action
        if peerHasClosed { probeClient() }
    }

    /// Sends an interim response that a client ignores and the kernel of a dead one answers with a
    /// reset.
    private func probeClient() {
        guard onClientGone != nil, !isHTTP10, !wasProbed else { return }
        wasProbed = true
        transmit(Self.interimResponse, from: 0)
    }

    static let interimResponse = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
}

/// A request on its way to another reactor.
package struct MovedRequest: Sendable {
    let request: HTTPRequest
    let closesAfterAnswer: Bool
    /// What the client is to get before the answer.
    let output: [UInt8]
}
