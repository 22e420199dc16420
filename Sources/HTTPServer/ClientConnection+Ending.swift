import HTTPWire
import Reactor
import StreamBytes

extension ClientConnection {
    private static let discardLimit = 16

    // MARK: Time

    func setDeadline(_ deadline: MonotonicTime?) {
        guard let timer, deadline != self.deadline else { return }
        self.deadline = deadline
        executor.setTimer(timer, at: deadline)
    }

    func deadlineMayHavePassed() {
        guard let timer, let due = deadline else { return }
        guard executor.now >= due else { return executor.setTimer(timer, at: due) }
        deadline = nil
        switch phase {
        case .reading: requestIsLate()
        case .responding, .streaming, .flushing:
            clientMayBeStuck()
        case .handshaking, .lingering: end(.closedHere, resets: false)
        case .closed: break
        }
    }

    /// The kernel reports room only when a third of its buffer is free: a client that reads slowly
    /// is told from one that reads nothing by what a write takes and by what was acknowledged.
    private func clientMayBeStuck() {
        flush()
        guard !output.isEmpty, deadline == nil, let socket else { return }
        let acknowledged = socket.statistics()?.bytesAcknowledged ?? 0
        if acknowledged > acknowledgedByteCount {
            acknowledgedByteCount = acknowledged
            progressAt = executor.now
        }
        let limit = registry.configuration.stuckTimeout
        let due = progressAt + limit
        guard executor.now < due else { return end(.clientStuck, resets: true) }
        setDeadline(min(due, executor.now + limit / 3))
    }

    private func requestIsLate() {
        if !output.isEmpty { return clientMayBeStuck() }
        if parser.isBetweenRequests { return end(.closedHere, resets: false) }
        if !parser.isInHead, let later = bodyDeadline(), later > executor.now {
            return setDeadline(later)
        }
        refuse(status: 408, reason: "the request came too slowly")
    }

    /// The more of a body has come, the longer the rest may take.
    func bodyDeadline() -> MonotonicTime? {
        guard let count = request?.body.count else { return nil }
        let configuration = registry.configuration
        let earned = Duration.milliseconds(count * 1_000 / max(1, configuration.bodyBytesPerSecond))
        return bodyStartedAt + (configuration.bodyTimeout + earned)
    }

    // MARK: Endings

    /// The socket is broken: the client is gone.
    func connectionFailed() { end(.clientGone, resets: false) }

    /// Ends the sending side after the last answer and waits for the client to close, because a
    /// close with unread input would reset the connection and take the answer from the client.
    func finishSending() {
        guard let socket, phase != .closed else { return }
        phase = .lingering
        unread = []
        socket.shutdownSending()
        setDeadline(executor.now + registry.configuration.lingerTimeout)
        discardInput()
    }

    func discardInput() {
        guard let socket, phase == .lingering else { return }
        var scratch = executor.takeScratch()
        defer { executor.returnScratch(scratch) }
        for _ in 0..<Self.discardLimit {
            switch socket.read(into: &scratch) {
            case .bytes(let count):
                lingeredByteCount += count
                if lingeredByteCount > registry.configuration.lingerByteLimit {
                    return end(.closedHere, resets: false)
                }
            case .wouldBlock: return
            case .endOfStream, .failed: return end(.closedHere, resets: false)
            }
        }
        executor.perform { self.assumeIsolated { $0.discardInput() } }
    }

    /// Closes and tells whoever waits for the answer.
    func end(_ reason: ResponseEnd, resets: Bool) {
        guard phase != .closed, let socket else { return }
        let source = source
        let onClientGone = onClientGone
        lostItsRequest = phase == .responding
        phase = .closed
        // Before the socket goes: they may ask for its statistics a last time.
        source?.responseEnded(reason)
        onClientGone?()
        if resets { socket.reset() } else { socket.close() }
        release()
    }

    /// Lets go of everything: nothing will come any more.
    func release() {
        phase = .closed
        releaseBody()
        socket = nil
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        deadline = nil
        source = nil
        startedHead = nil
        onClientGone = nil
        request = nil
        refusal = nil
        output = []
        outputStart = 0
        unread = []
        registry.remove(self)
    }

    func beginDraining() {
        isDraining = true
        if phase == .handshaking { return end(.closedHere, resets: false) }
        if phase == .reading, parser.isBetweenRequests, unread.isEmpty { finishSending() }
    }

    // MARK: Moving

    /// Gives the connection with the request in hand to another reactor.
    func pass(to target: any StreamExecutor, _ handler: any RequestHandler) {
        guard let socket, let request else { return }
        // Of an interim response some may wait, and TLS may have encrypted it already.
        let moved = MovedRequest(
            request: request,
            closesAfterAnswer: closesAfterAnswer,
            output: Array(output[outputStart...])
        )
        let passed = Guarded<PassedSocket?>(socket.detach(unread: unread))
        let registry = registry
        release()
        number += 1
        target.perform {
            guard let socket = passed.withLock({ $0.take() }) else { return }
            _ = ClientConnection(
                socket: socket,
                on: target,
                handler: handler,
                registry: registry,
                moved: moved
            )
        }
    }
}
