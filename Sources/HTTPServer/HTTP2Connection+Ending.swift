import HTTP2
import HTTPWire
import Reactor
import StreamBytes

extension HTTP2Connection {
    private static let discardLimit = 16

    // MARK: Streams

    /// Ends a stream before its end, with an error that the client sees.
    func abandon(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode, _ reason: ResponseEnd) {
        session?.reset(stream.id, code)
        requestFlush()
        forget(stream, reason)
    }

    /// Forgets a stream whose request will not be whole.
    func drop(_ stream: HTTP2Stream) {
        session?.reset(stream.id, .cancel)
        forget(stream, .clientGone)
    }

    /// Lets go of a stream and tells whoever waits for it.
    func forget(_ stream: HTTP2Stream, _ reason: ResponseEnd) {
        guard streams.removeValue(forKey: stream.id) != nil else { return }
        releaseIncoming(stream)
        let (source, onClientGone) = (stream.source, stream.onClientGone)
        stream.source = nil
        stream.onClientGone = nil
        stream.held = []
        if streams.isEmpty, phase == .open {
            idleAt = executor.now
            arm(at: executor.now + registry.configuration.idleTimeout)
            // The connection may be over with its last stream.
            requestFlush()
        }
        let outer = leaving
        leaving = stream
        source?.responseEnded(reason)
        onClientGone?()
        leaving = outer
    }

    // MARK: Time

    /// Has the timer fire at `deadline` or sooner.
    func arm(at deadline: MonotonicTime) {
        guard let timer else { return }
        if let armedAt, armedAt <= deadline { return }
        armedAt = deadline
        executor.setTimer(timer, at: deadline)
    }

    func checkTimes() {
        armedAt = nil
        guard phase != .closed else { return }
        let now = executor.now
        if let lingersUntil {
            guard now >= lingersUntil else { return arm(at: lingersUntil) }
            return close(.closedHere, resets: false)
        }
        checkLine(at: now)
        checkHead(at: now)
        checkStreams(at: now)
        checkIdleness(at: now)
        checkGoAway(at: now)
    }

    /// The kernel reports room only when a third of its buffer is free: a client that reads slowly
    /// is told from one that reads nothing by what a write takes and by what was acknowledged.
    private func checkLine(at now: MonotonicTime) {
        sendOutput()
        guard !output.isEmpty, let socket else { return }
        let acknowledged = socket.statistics()?.bytesAcknowledged ?? 0
        if acknowledged > acknowledgedByteCount {
            acknowledgedByteCount = acknowledged
            progressAt = now
        }
        let limit = registry.configuration.stuckTimeout
        let due = progressAt + limit
        guard now < due else { return close(.clientStuck, resets: true) }
        arm(at: min(due, now + limit / 3))
    }

    private func checkHead(at now: MonotonicTime) {
        guard let headStartedAt, phase == .open else { return }
        let due = headStartedAt + registry.configuration.headTimeout
        guard now >= due else { return arm(at: due) }
        registry.countError("slow_head")
        end(.protocolError)
    }

    private func checkStreams(at now: MonotonicTime) {
        guard phase == .open else { return }
        let configuration = registry.configuration
        for stream in streams.values {
            if let incoming = stream.incoming {
                // The more of a body has come, the longer the rest may take.
                let pace = max(1, configuration.bodyBytesPerSecond)
                let earned = Duration.milliseconds(incoming.body.count * 1_000 / pace)
                let due = incoming.startedAt + (configuration.bodyTimeout + earned)
                if now >= due {
                    refuse(stream, status: 408, reason: "the request came too slowly")
                } else {
                    arm(at: due)
                }
            } else if let blockedAt = stream.blockedAt {
                let due = blockedAt + configuration.stuckTimeout
                if now >= due {
                    abandon(stream, .cancel, .clientStuck)
                } else {
                    arm(at: due)
                }
            }
        }
    }

    private func checkIdleness(at now: MonotonicTime) {
        guard let idleAt, phase == .open, streams.isEmpty else { return }
        let due = idleAt + registry.configuration.idleTimeout
        guard now >= due else { return arm(at: due) }
        end(.noError)
    }

    private func checkGoAway(at now: MonotonicTime) {
        guard let endAnnouncedAt, phase == .open else { return }
        let due = endAnnouncedAt + registry.configuration.goAwayTimeout
        guard now >= due else { return arm(at: due) }
        refuseStreams()
    }

    // MARK: Endings

    /// Tells the client that the connection ends, and what it has opened by the time it knows is
    /// still served (RFC 9113, section 6.8).
    func beginDraining() {
        guard phase == .open, !isDraining else { return }
        isDraining = true
        session?.announceEnd()
        session?.ping()
        endAnnouncedAt = executor.now
        arm(at: executor.now + registry.configuration.goAwayTimeout)
        requestFlush()
    }

    func refuseStreams() {
        endAnnouncedAt = nil
        session?.refuseStreams()
        requestFlush()
    }

    /// The client broke the rules of the connection: GOAWAY says how.
    func fail(_ failure: HTTP2Failure) {
        switch failure {
        case .flood(let kind): registry.countError(kind.rawValue)
        case .malformed(let code): registry.countError(code.name)
        case .outOfMemory: return close(.closedHere, resets: true)
        }
        phase = .ending
        loseStreams(.clientGone)
        requestFlush()
    }

    /// Ends the connection with all its streams.
    private func end(_ code: HTTP2ErrorCode) {
        session?.end(code)
        phase = .ending
        loseStreams(.closedHere)
        requestFlush()
    }

    private func loseStreams(_ reason: ResponseEnd) {
        for stream in Array(streams.values) { forget(stream, reason) }
        queue = []
        queueStart = 0
    }

    /// Ends the sending side after the last frame and waits for the client to close, because a
    /// close with unread input would reset the connection and take that frame from the client.
    func finishSending() {
        guard let socket, phase != .closed else { return }
        if phase == .open, let error = session?.sentError { registry.countError(error.name) }
        loseStreams(.clientGone)
        guard phase != .closed else { return }
        phase = .lingering
        socket.shutdownSending()
        let until = executor.now + registry.configuration.lingerTimeout
        lingersUntil = until
        arm(at: until)
        inputMayWait = true
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
                    return close(.closedHere, resets: false)
                }
            case .wouldBlock: return
            case .endOfStream, .failed: return close(.closedHere, resets: false)
            }
        }
        executor.perform { self.assumeIsolated { $0.discardInput() } }
    }

    /// Closes the socket and tells whoever waits for an answer.
    func close(_ reason: ResponseEnd, resets: Bool) {
        guard phase != .closed, let socket else { return }
        phase = .closed
        // Before the socket goes: they may ask for its statistics a last time.
        loseStreams(reason)
        if resets { socket.reset() } else { socket.close() }
        self.socket = nil
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        registry.remove(self)
        sending = []
        output = []
        outputStart = 0
        session = nil
    }
}
