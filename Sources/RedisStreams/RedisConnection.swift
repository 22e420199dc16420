import Reactor
import StreamBytes

/// One connection to a Redis server; connects when it is first needed and again after a loss.
///
/// Commands leave in the order of the calls and are pipelined. Those that were sent when the
/// connection is lost fail; those that were not yet sent wait for the next connection, until their
/// deadline.
package actor RedisConnection: SocketHandler, TimerHandler {
    /// Connects to a server whose address is not yet known.
    package typealias Resolver = @Sendable (String, UInt16) async -> SocketAddress?

    private enum State {
        case idle
        case resolving
        case connecting
        case loggingIn
        case open
        case pausing(until: MonotonicTime)
        case closed
    }

    private nonisolated let executor: any StreamExecutor
    private let url: RedisURL
    private let limits: RedisLimits
    private let resolver: Resolver?
    private var state = State.idle
    private var connectDeadline: MonotonicTime?
    private var socket: (any StreamSocket)?
    private var reader: ReplyReader?
    private var timer: TimerID?
    private var backoff: Backoff
    private var lastFailure = "not connected yet"
    /// Sent, waiting for replies; the oldest first.
    private var sent: [CommandBatch] = []
    private var waiting: [CommandBatch] = []
    private var waitingByteCount = 0
    private var outgoing: [UInt8] = []
    private var outgoingOffset = 0
    /// Why the connection is to be dropped once everything that was sent is answered.
    private var farewell: RedisRefusal?
    private var whenOpened: @Sendable (RedisIdentity?) -> Void = { _ in }
    private nonisolated let counted = Guarded(RedisCounts())

    /// Who answers on the connection, or answered on the last one; nil before the first and where
    /// the server does not say (its ACL must allow `INFO`).
    package private(set) var identity: RedisIdentity?

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a connection that is not open yet; `close` must be called before it is dropped.
    ///
    /// - Parameters:
    ///   - url: the server.
    ///   - executor: its reactor.
    ///   - limits: sizes and times.
    ///   - resolver: finds the address of a host name; nil: only IP addresses and `localhost`.
    package init(
        to url: RedisURL,
        on executor: any StreamExecutor,
        limits: RedisLimits = RedisLimits(),
        resolver: Resolver? = nil
    ) {
        self.url = url
        self.executor = executor
        self.limits = limits
        self.resolver = resolver
        backoff = Backoff(shortest: limits.backoff, longest: limits.longestBackoff)
    }

    deinit {
        let isClosed = socket == nil
        assert(isClosed, "a connection is closed on its reactor before it is dropped")
    }

    /// Sends the commands together and returns their replies in order, refusals among them.
    ///
    /// - Parameters:
    ///   - commands: at least one.
    ///   - timeout: for all of them, connecting included.
    /// - Returns: one reply for each command.
    /// - Throws: `RedisError` except `refused`.
    package func send(
        _ commands: [RedisCommand],
        within timeout: Duration = .seconds(5)
    ) async throws(RedisError) -> [RedisValue] {
        precondition(!commands.isEmpty, "a batch has commands")
        let outcome = await withCheckedContinuation { continuation in
            enqueue(
                CommandBatch(commands, deadline: executor.now + timeout) {
                    continuation.resume(returning: $0)
                }
            )
        }
        return try outcome.get()
    }

    /// Sends one command.
    ///
    /// - Parameters:
    ///   - command: what to send.
    ///   - timeout: connecting included.
    /// - Returns: the reply, which is no refusal.
    /// - Throws: `RedisError`; `refused` with the server's message.
    package func send(
        _ command: RedisCommand,
        within timeout: Duration = .seconds(5)
    ) async throws(RedisError) -> RedisValue {
        let reply = try await send([command], within: timeout)[0]
        if let refusal = reply.refusal { throw .refused(refusal) }
        return reply
    }

    /// What happened so far.
    ///
    /// Call from any thread.
    package nonisolated var counts: RedisCounts { counted.withLock(\.self) }

    /// Has `body` called each time the connection has been opened, on its reactor and before
    /// anything that waits is sent.
    ///
    /// - Parameter body: gets `identity`; replaces the one given before.
    package func whenOpened(_ body: @escaping @Sendable (RedisIdentity?) -> Void) {
        whenOpened = body
    }

    /// Closes the connection for good; what waits fails with `RedisError.closed`.
    package func close() {
        disconnect(.closed)
        failWaiting { _ in .closed }
        state = .closed
        if let timer { executor.releaseTimer(timer) }
        timer = nil
    }

    package nonisolated func socketIsReady(_ readiness: Readiness) {
        assumeIsolated { $0.handle(readiness) }
    }

    package nonisolated func timerFired(_ timer: TimerID) {
        assumeIsolated { $0.checkDeadlines() }
    }
}

// MARK: Sending

extension RedisConnection {
    private func enqueue(_ batch: CommandBatch) {
        if case .closed = state { return batch.fail(.closed) }
        let unsent = waitingByteCount + outgoing.count - outgoingOffset
        guard unsent + batch.bytes.count <= limits.waitingByteLimit else {
            return batch.fail(.tooMuchWaiting)
        }
        waiting.append(batch)
        waitingByteCount += batch.bytes.count
        if case .idle = state { connect() }
        flushWaiting()
        armTimer()
    }

    private func flushWaiting() {
        guard case .open = state, farewell == nil, !waiting.isEmpty else { return }
        for batch in waiting {
            outgoing.append(contentsOf: batch.bytes)
            sent.append(batch)
        }
        waiting.removeAll()
        waitingByteCount = 0
        writeOutgoing()
    }

    private func writeOutgoing() {
        while outgoingOffset < outgoing.count, let socket {
            switch socket.write(outgoing.span.extracting(outgoingOffset...)) {
            case .wrote(0): return
            case .wrote(let count): outgoingOffset += count
            case .failed(let error): return lose(.connectionLost("\(error)"))
            }
        }
        outgoing.removeAll(keepingCapacity: outgoing.count < 1 << 20)
        outgoingOffset = 0
    }
}

// MARK: Connecting

extension RedisConnection {
    private func connect() {
        connectDeadline = executor.now + limits.connectTimeout
        switch url.location {
        case .unix: open(url.literalAddress)
        case .host where url.literalAddress != nil: open(url.literalAddress)
        case .host(let name, let port): resolve(name, port: port)
        }
    }

    private func resolve(_ name: String, port: UInt16) {
        guard let resolver else { return fail("\(name) is no IP address") }
        state = .resolving
        let deadline = connectDeadline
        Task {
            let address = await resolver(name, port)
            guard case .resolving = state, deadline == connectDeadline else { return }
            open(address)
            armTimer()
        }
    }

    private func open(_ address: SocketAddress?) {
        guard let address else { return fail("the server's name has no address") }
        state = .connecting
        do {
            reader = try ReplyReader(
                byteLimit: limits.replyByteLimit,
                valueLimit: limits.replyValueLimit
            )
            socket = try executor.connect(to: address, security: url.security, handler: self)
        } catch {
            fail("\(error)")
        }
    }

    /// No connection can be made now.
    private func fail(_ reason: String) {
        count(.unavailable(reason))
        pause(reason)
    }

    private func logIn() {
        state = .loggingIn
        let login = RedisLogin(url)
        let deadline = connectDeadline ?? executor.now + limits.connectTimeout
        let batch = CommandBatch(login.commands, deadline: deadline) { [weak self] outcome in
            self?.assumeIsolated { $0.finish(login, outcome) }
        }
        sent.append(batch)
        outgoing.append(contentsOf: batch.bytes)
        writeOutgoing()
    }

    private func finish(_ login: RedisLogin, _ outcome: CommandBatch.Outcome) {
        guard case .loggingIn = state, case .success(let replies) = outcome else { return }
        do throws(RedisRefusal) {
            identity = try login.identity(replies)
        } catch {
            return refuse(error)
        }
        counted.withLock { counts in
            counts.opened += 1
            counts.problem = nil
        }
        whenOpened(identity)
        becomeOpen()
    }

    /// The server turns the whole connection down.
    private func refuse(_ refusal: RedisRefusal) {
        count(.refused(refusal))
        pause("\(refusal)")
        armTimer()
    }

    private func count(_ error: RedisError) {
        counted.withLock { $0.failures[error.label, default: 0] += 1 }
    }

    private func becomeOpen() {
        state = .open
        connectDeadline = nil
        flushWaiting()
    }

    /// Drops the connection and tries again after a pause.
    private func lose(_ error: RedisError) {
        let reason: String
        switch error {
        case .connectionLost(let text):
            reason = text + hint
            count(isOpen ? error : .unavailable(text))
        case .protocolViolation(let text):
            reason = text
            count(error)
        default:
            reason = "\(error)"
            count(error)
        }
        disconnect(error)
        pause(reason)
        armTimer()
    }

    private var isOpen: Bool { if case .open = state { true } else { false } }

    /// What a loss can mean that names no reason itself.
    private var hint: String {
        // The server's own words may get lost with the connection.
        guard case .loggingIn = state, let encryption = url.encryption,
            encryption.certificate == nil
        else { return "" }
        return "; a server that asks for a client's certificate (redis.certificate) does that"
    }

    private func pause(_ reason: String) {
        lastFailure = reason
        farewell = nil
        counted.withLock { $0.problem = reason }
        disconnect(.connectionLost(reason))
        connectDeadline = nil
        state = .pausing(until: executor.now + backoff.next(randomBits: executor.randomBits()))
    }

    /// Closes the socket; what was sent on it fails.
    private func disconnect(_ error: RedisError) {
        socket?.close()
        socket = nil
        reader = nil
        outgoing = []
        outgoingOffset = 0
        let lost = sent
        sent = []
        for batch in lost { batch.fail(error) }
    }
}

// MARK: What happens

extension RedisConnection {
    private func handle(_ readiness: Readiness) {
        guard socket != nil else { return }
        let isEnding = !readiness.isDisjoint(with: [.peerClosed, .hasFailed])
        if readiness.contains(.isWritable), !readiness.contains(.hasFailed) {
            if case .connecting = state { logIn() }
            writeOutgoing()
        }
        // Replies that came before the end, or before the failure, count.
        if isEnding || readiness.contains(.isReadable) { read(toEnd: isEnding) }
        if readiness.contains(.hasFailed), socket != nil {
            lose(.connectionLost("the connection broke"))
        }
        armTimer()
    }

    /// - Parameter toEnd: whether to go on after a short read: the end is there already and will not
    ///   be announced again.
    private func read(toEnd: Bool) {
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while let socket {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                take(buffer.span.extracting(..<count))
                if count < buffer.count, !toEnd { return }
            case .wouldBlock: return
            case .endOfStream: return lose(.connectionLost("the server closed the connection"))
            case .failed(let error): return lose(.connectionLost("\(error)"))
            }
        }
    }

    /// Hands replies out once all that came together are known: when there are more than commands,
    /// it is open which of them is foreign, and none counts.
    private func take(_ bytes: Span<UInt8>) {
        var replies: [RedisValue] = []
        var failure: ReplyError?
        do throws(ReplyError) {
            try reader?.feed(bytes)
            while let reply = try reader?.next() { replies.append(reply) }
        } catch {
            failure = error
        }
        let awaitedCount = sent.reduce(0) { $0 + $1.count - $1.replies.count }
        guard replies.count <= awaitedCount else {
            return lose(.protocolViolation("more replies than commands"))
        }
        for reply in replies where !sent.isEmpty { deliver(reply) }
        if let failure, socket != nil { lose(.protocolViolation("\(failure)")) }
    }

    private func deliver(_ reply: RedisValue) {
        if case .open = state { note(reply) }
        if sent[0].take(reply) {
            // Removed first: the one that asked may send more at once.
            sent.removeFirst().succeed()
        }
        guard let farewell, sent.isEmpty else { return }
        pause("\(farewell)")
    }

    private func note(_ reply: RedisValue) {
        guard let refusal = reply.refusal else { return backoff.succeeded() }
        count(.refused(refusal))
        if refusal.needsNewConnection { farewell = farewell ?? refusal }
    }
}

// MARK: Time

extension RedisConnection {
    private func checkDeadlines() {
        let now = executor.now
        if case .pausing(let end) = state, now >= end {
            state = .idle
            if !waiting.isEmpty { connect() }
        }
        if let connectDeadline, now >= connectDeadline {
            lose(.connectionLost("no answer in time"))
        }
        if sent.contains(where: { now >= $0.deadline }) { lose(.timedOut) }
        failWaiting { [lastFailure] batch in
            now >= batch.deadline ? .unavailable(lastFailure) : nil
        }
        armTimer()
    }

    private func failWaiting(_ reason: (CommandBatch) -> RedisError?) {
        let all = waiting
        waiting = []
        waitingByteCount = 0
        for batch in all {
            if let error = reason(batch) {
                batch.fail(error)
            } else {
                waiting.append(batch)
                waitingByteCount += batch.bytes.count
            }
        }
    }

    private func armTimer() {
        if case .closed = state { return }
        var next = connectDeadline
        if case .pausing(let end) = state { next = min(next ?? end, end) }
        for batch in sent { next = min(next ?? batch.deadline, batch.deadline) }
        for batch in waiting { next = min(next ?? batch.deadline, batch.deadline) }
        if timer == nil { timer = executor.makeTimer(for: self) }
        if let timer { executor.setTimer(timer, at: next) }
    }
}

extension RedisURL {
    /// The address where it needs no asking.
    fileprivate var literalAddress: SocketAddress? {
        switch location {
        case .unix(let path): .unix(path: path)
        case .host("localhost", let port): .v4(0x7F00_0001, port: port)
        case .host(let name, let port): SocketAddress(literal: name, port: port)
        }
    }

    /// What TLS needs; nil without it.
    fileprivate var security: ClientSecurity? {
        guard case .host(let name, _) = location, let encryption else { return nil }
        return ClientSecurity(
            serverName: name,
            authorityFile: encryption.authorityFile,
            certificate: encryption.certificate,
            protocols: []
        )
    }
}
