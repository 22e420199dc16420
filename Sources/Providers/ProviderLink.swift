import HTTPWire
import Reactor
import StreamBytes

/// One request to a provider: on a connection of its own, one after the other, or on a stream of one
/// that it shares with others; runs on its pool's reactor.
package actor ProviderLink {
    package nonisolated let executor: any StreamExecutor
    nonisolated let endpoint: ProviderEndpoint
    let pool: ProviderPool
    let resolver: any AddressResolver

    var socket: (any StreamSocket)?
    /// The host's addresses that were not tried yet.
    var otherAddresses: [SocketAddress] = []
    /// Whether others wait to share the connection that is being opened.
    var opensForOthers = false
    private var timer: TimerID?
    private var armedAt: MonotonicTime?
    private var deadline: MonotonicTime?

    var state = State.idle
    var request: ProviderRequest?
    var timeouts = ProviderTimeouts()
    var receiver: (any ProviderReceiver)?
    var isPaused = false

    // On a connection of its own:
    var outgoing: [UInt8] = []
    var sentCount = 0
    var parser = ResponseParser(limits: .endless, isReplyToHead: false)
    var isReused = false
    var hasUnreadInput = false
    var peerHasClosed = false

    // On a shared one:
    var session: ProviderSession?
    var stream: UInt64 = 0
    /// How often the request was put on a connection that did not take it.
    var refusedCount = 0

    /// How long the end of an answer may lag behind its last event.
    private static let endLimit = Duration.seconds(1)
    /// How long a parked connection is kept.
    static let idleLimit = Duration.seconds(30)

    enum State {
        case idle
        /// Another link opens the connection that this one will share.
        case waiting
        case resolving, connecting, sending, awaitingHead, receiving, closed
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(to endpoint: ProviderEndpoint, pool: ProviderPool, resolver: any AddressResolver) {
        self.endpoint = endpoint
        self.pool = pool
        self.resolver = resolver
        executor = pool.executor
    }

    deinit {
        let isOpen = socket != nil
        assert(!isOpen, "a link closes its socket before it goes")
    }

    /// Sends a request and tells its receiver of the answer; the link must be fresh or parked.
    nonisolated func serve(_ request: ProviderRequest, receiver: any ProviderReceiver) {
        assumeIsolated { $0.begin(request, receiver: receiver) }
    }

    /// Gives the request up: its connection or its stream is closed, and the receiver hears nothing
    /// more.
    package nonisolated func cancel() { assumeIsolated { $0.stop() } }

    /// Tells the link that nothing of the answer is wanted any more but its end, which makes the
    /// connection fit for another request; it is closed when the end does not come soon.
    package nonisolated func expectEnd() { assumeIsolated { $0.awaitEnd() } }

    /// Stops reading, so that the provider is held back by its own connection, or by the window of
    /// its stream.
    package nonisolated func pause() { assumeIsolated { $0.isPaused = true } }

    /// Reads on, within the caller's turn.
    package nonisolated func resume() { assumeIsolated { $0.continueReading() } }

    /// Closes a parked link.
    nonisolated func closeParked() { assumeIsolated { $0.close() } }
}

// Proof for `@preconcurrency`: the reactor calls from its own thread, which each call checks. Unlike
// `assumeIsolated` that needs no closure, and these calls are made for every event.
extension ProviderLink: @preconcurrency SocketHandler, @preconcurrency TimerHandler {
    package func socketIsReady(_ readiness: Readiness) { handle(readiness) }

    package func timerFired(_ timer: TimerID) { checkDeadline() }
}

// MARK: - Ending

extension ProviderLink {
    private func continueReading() {
        guard isPaused else { return }
        isPaused = false
        wait(atMost: timeouts.silence)
        if let session {
            session.release(stream)
        } else if hasUnreadInput {
            read()
        }
    }

    func fail(_ trouble: ProviderTrouble) {
        let receiver = end()
        close()
        receiver?.providerEnded(.failed(trouble))
    }

    private func awaitEnd() {
        guard state == .receiving else { return }
        if isPaused { return stop() }
        wait(atMost: Self.endLimit)
    }

    func stop() {
        _ = end()
        close()
    }

    /// Forgets the request.
    ///
    /// - Returns: who must be told.
    func end() -> (any ProviderReceiver)? {
        defer { receiver = nil }
        request = nil
        outgoing = []
        deadline = nil
        return receiver
    }

    func close() {
        state = .closed
        socket?.close()
        socket = nil
        session?.cancel(stream)
        session = nil
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        letOthersOpen()
    }

    /// Those who waited for this link's connection have to see for themselves.
    func letOthersOpen() {
        guard opensForOthers else { return }
        opensForOthers = false
        pool.openingEnded(endpoint)
    }

    /// Moves the deadline; the timer itself is armed again only when it fires or must come sooner.
    func wait(atMost duration: Duration) {
        let instant = executor.now + duration
        deadline = instant
        if let armedAt, timer != nil, armedAt <= instant { return }
        let timer = timer ?? executor.makeTimer(for: self)
        self.timer = timer
        armedAt = instant
        executor.setTimer(timer, at: instant)
    }

    private func checkDeadline() {
        armedAt = nil
        guard let deadline else { return }
        guard executor.now >= deadline else {
            armedAt = deadline
            if let timer { executor.setTimer(timer, at: deadline) }
            return
        }
        switch state {
        case .waiting, .resolving, .connecting: fail(.connectTimedOut)
        case .sending, .awaitingHead: fail(.firstByteTimedOut)
        case .receiving where isPaused: wait(atMost: timeouts.silence)
        case .receiving: fail(.silent)
        case .idle:
            pool.forget(self)
            close()
        case .closed: break
        }
    }
}
