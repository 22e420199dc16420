import HTTPWire
import Reactor
import StreamBytes

/// One connection to a provider, serving one request after the other; runs on its reactor.
package actor ProviderLink {
    package nonisolated let executor: any StreamExecutor
    nonisolated let endpoint: ProviderEndpoint
    private let pool: ProviderPool
    private let resolver: any AddressResolver

    private var socket: (any StreamSocket)?
    /// The host's addresses that were not tried yet.
    private var otherAddresses: [SocketAddress] = []
    private var timer: TimerID?
    private var armedAt: MonotonicTime?
    private var deadline: MonotonicTime?

    private var state = State.idle
    private var request: ProviderRequest?
    private var timeouts = ProviderTimeouts()
    private var receiver: (any ProviderReceiver)?
    private var outgoing: [UInt8] = []
    private var sentCount = 0
    private var parser = ResponseParser(limits: .endless, isReplyToHead: false)
    private var isReused = false
    private var isPaused = false
    private var hasUnreadInput = false
    private var peerHasClosed = false

    /// How long the end of an answer may lag behind its last event.
    private static let endLimit = Duration.seconds(1)
    /// How long a parked connection is kept.
    private static let idleLimit = Duration.seconds(30)

    private static let input: Readiness = [.isReadable, .peerClosed, .hasFailed]
    private static let end: Readiness = [.peerClosed, .hasFailed]

    private enum State {
        case idle, resolving, connecting, sending, awaitingHead, receiving, closed
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

    /// Gives the request up: the connection is closed and the receiver hears nothing more.
    package nonisolated func cancel() { assumeIsolated { $0.stop() } }

    /// Tells the link that nothing of the answer is wanted any more but its end, which makes the
    /// connection fit for another request; it is closed when the end does not come soon.
    package nonisolated func expectEnd() { assumeIsolated { $0.awaitEnd() } }

    /// Stops reading, so that the provider is held back by its own connection.
    package nonisolated func pause() { assumeIsolated { $0.isPaused = true } }

    /// Reads on, within the caller's turn.
    package nonisolated func resume() { assumeIsolated { $0.continueReading() } }

    /// Closes a parked link.
    nonisolated func closeParked() { assumeIsolated { $0.close() } }
}

extension ProviderLink: SocketHandler, TimerHandler {
    package nonisolated func socketIsReady(_ readiness: Readiness) {
        assumeIsolated { $0.handle(readiness) }
    }

    package nonisolated func timerFired(_ timer: TimerID) { assumeIsolated { $0.checkDeadline() } }
}

// MARK: - Opening

extension ProviderLink {
    private func begin(_ request: ProviderRequest, receiver: any ProviderReceiver) {
        precondition(state == .idle, "a link serves one request at a time")
        self.request = request
        timeouts = request.timeouts
        self.receiver = receiver
        do throws(HTTPError) {
            outgoing = try request.encoded()
        } catch {
            return fail(.unsendable)
        }
        sentCount = 0
        isPaused = false
        hasUnreadInput = false
        parser = ResponseParser(limits: .endless, isReplyToHead: false)
        if isQuiet {
            isReused = true
            wait(atMost: timeouts.firstByte)
            send()
        } else {
            reopen()
        }
    }

    private func open() {
        isReused = false
        state = .resolving
        wait(atMost: timeouts.connect)
        resolver.addresses(of: endpoint.host, port: endpoint.port, on: executor) {
            [self] addresses in
            assumeIsolated { $0.connect(to: addresses) }
        }
    }

    private func connect(to addresses: [SocketAddress]) {
        guard state == .resolving else { return }
        guard !addresses.isEmpty else { return fail(.nameNotFound) }
        otherAddresses = addresses
        connectToNextAddress()
    }

    private func connectToNextAddress() {
        let address = otherAddresses.removeFirst()
        let security =
            endpoint.isSecure
            ? ClientSecurity(serverName: endpoint.host, authorityFile: endpoint.authorityFile) : nil
        state = .connecting
        peerHasClosed = false
        do throws(SocketError) {
            socket = try executor.connect(to: address, security: security, handler: self)
        } catch {
            connectingFailed(error)
        }
    }

    /// Tries the next address, unless somebody answered at this one or none would be better.
    private func connectingFailed(_ error: SocketError) {
        switch error {
        case .tls, .noDescriptors: return fail(.unreachable(error))
        default: break
        }
        guard !otherAddresses.isEmpty else { return fail(.unreachable(error)) }
        socket?.close()
        socket = nil
        connectToNextAddress()
    }

    private func handle(_ readiness: Readiness) {
        if !readiness.isDisjoint(with: Self.end) { peerHasClosed = true }
        switch state {
        case .connecting where readiness.contains(.hasFailed):
            connectingFailed(failureOfSocket())
        case .connecting where readiness.contains(.isWritable):
            otherAddresses = []
            wait(atMost: timeouts.firstByte)
            send()
            if !readiness.isDisjoint(with: Self.input) { read() }
        case .connecting, .resolving, .closed:
            break
        case .idle:
            guard !isQuiet else { return }
            pool.forget(self)
            close()
        case .sending, .awaitingHead, .receiving:
            if state == .sending, readiness.contains(.isWritable) { send() }
            if !readiness.isDisjoint(with: Self.input) { read() }
        }
    }

    /// Whether there is a connection on which nothing is to be read.
    ///
    /// Nothing is due on a parked one: bytes or an end alike make it useless. TLS may have had
    /// something to say for itself.
    private var isQuiet: Bool {
        guard let socket else { return false }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        return socket.read(into: &buffer) == .wouldBlock
    }

    private func failureOfSocket() -> SocketError {
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        guard case .failed(let error)? = socket?.read(into: &buffer) else { return .unreachable }
        return error
    }

    private func send() {
        state = .sending
        while sentCount < outgoing.count {
            guard let socket else { return }
            switch socket.write(outgoing.span.extracting(sentCount...)) {
            case .wrote(0): return
            case .wrote(let count): sentCount += count
            case .failed:
                // The answer, or the reason, may already be there to read.
                peerHasClosed = true
                return read()
            }
        }
        state = .awaitingHead
        if !isReused { outgoing = [] }
        wait(atMost: timeouts.firstByte)
    }
}

// MARK: - Receiving

extension ProviderLink {
    private func continueReading() {
        guard isPaused else { return }
        isPaused = false
        wait(atMost: timeouts.silence)
        if hasUnreadInput { read() }
    }

    private func read() {
        guard !isPaused else {
            hasUnreadInput = true
            return
        }
        hasUnreadInput = false
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while let socket, !isPaused {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                // A short read empties the socket, but an end that was told with it is told once.
                guard take(buffer, count: count), count == buffer.count || peerHasClosed else {
                    return
                }
                hasUnreadInput = isPaused
            case .wouldBlock: return
            case .endOfStream: return connectionEnded(isOrderly: true)
            case .failed: return connectionEnded(isOrderly: false)
            }
        }
    }

    /// Passes on what was read.
    ///
    /// - Returns: whether more of this answer is due.
    private func take(_ buffer: [UInt8], count: Int) -> Bool {
        wait(atMost: timeouts.silence)
        let receiver = receiver
        var offset = 0
        do throws(HTTPError) {
            // A step may follow the last byte: the end of a body whose length was given.
            steps: while true {
                let input = buffer.span.extracting(..<count)
                switch try parser.parse(input, from: &offset) {
                case .needsMore:
                    break steps
                case .interim:
                    continue
                case .head(let head):
                    // What is left of the request will not be sent: another one cannot follow.
                    if sentCount < outgoing.count { sentCount = 0 }
                    outgoing = []
                    state = .receiving
                    receiver?.providerAnswered(head)
                case .body(let range):
                    receiver?.providerSent(buffer, range)
                case .end:
                    complete(hasExcess: offset < count)
                    return false
                }
                // The receiver may have given the request up.
                guard state != .closed else { return false }
            }
        } catch {
            fail(.badAnswer(error.reason))
            return false
        }
        if state == .receiving { receiver?.providerReadEnded() }
        return state != .closed
    }

    /// - Parameter isOrderly: false when the connection broke, which is the end of no body.
    private func connectionEnded(isOrderly: Bool) {
        switch state {
        case .receiving:
            let isWhole = isOrderly && (try? parser.endOfStream()) ?? false
            let receiver = end()
            close()
            receiver?.providerEnded(isWhole ? .complete : .truncated)
        case .sending, .awaitingHead:
            if isReused, parser.hasNothing { reopen() } else { fail(.noAnswer) }
        case .idle, .resolving, .connecting, .closed:
            close()
        }
    }

    /// A connection from the pool may have been closed by the provider just before it was used;
    /// no byte of an answer came, so the request is sent again, once, on a new one.
    private func reopen() {
        socket?.close()
        socket = nil
        sentCount = 0
        open()
    }

    private func complete(hasExcess: Bool) {
        let canReuse =
            parser.canReuseConnection && !hasExcess && sentCount > 0 && !peerHasClosed
        let receiver = end()
        if canReuse {
            state = .idle
            wait(atMost: Self.idleLimit)
            pool.park(self)
        } else {
            close()
        }
        receiver?.providerEnded(.complete)
    }
}

// MARK: - Ending

extension ProviderLink {
    private func fail(_ trouble: ProviderTrouble) {
        let receiver = end()
        close()
        receiver?.providerEnded(.failed(trouble))
    }

    private func awaitEnd() {
        guard state == .receiving else { return }
        if isPaused { return stop() }
        wait(atMost: Self.endLimit)
    }

    private func stop() {
        _ = end()
        close()
    }

    /// Forgets the request.
    ///
    /// - Returns: who must be told.
    private func end() -> (any ProviderReceiver)? {
        defer { receiver = nil }
        request = nil
        outgoing = []
        deadline = nil
        return receiver
    }

    private func close() {
        state = .closed
        socket?.close()
        socket = nil
        if let timer { executor.releaseTimer(timer) }
        timer = nil
    }

    /// Moves the deadline; the timer itself is armed again only when it fires or must come sooner.
    private func wait(atMost duration: Duration) {
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
        case .resolving, .connecting: fail(.connectTimedOut)
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

extension ProviderRequest {
    /// Returns the request as it goes on the wire.
    fileprivate func encoded() throws(HTTPError) -> [UInt8] {
        var fields: HeaderFields = ["host": endpoint.authority]
        for field in self.fields.fields { fields.append(field.name, field.value) }
        fields.append("accept-encoding", "identity")
        let head = RequestHead(
            method: "POST",
            target: path,
            path: path,
            query: nil,
            minorVersion: 1,
            fields: fields
        )
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count + 1_024)
        try head.encode(into: &bytes, bodyByteCount: body.count)
        bytes.append(contentsOf: body)
        return bytes
    }
}
