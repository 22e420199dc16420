import HTTP2
import HTTPWire
import Reactor
import StreamBytes

/// A connection of HTTP/2 to a provider, which many requests share; runs on its pool's reactor.
actor ProviderSession: SocketHandler, TimerHandler {
    nonisolated let executor: any StreamExecutor
    nonisolated let endpoint: ProviderEndpoint
    private let pool: ProviderPool
    private var socket: (any StreamSocket)?
    private var timer: TimerID?
    private var session: HTTP2Session?
    private var calls: [HTTP2StreamID: Call] = [:]
    private var events: [HTTP2Event] = []
    private var output: [UInt8] = []
    private var outputStart = 0
    private var flushIsDue = false
    private var peerHasClosed = false
    /// Whether it takes no more requests.
    private var isLeaving = false
    /// The most requests at once, where the provider has refused more than it had announced.
    private var learntLimit = Int.max
    private var readCount = 0
    private var lastReadAt: MonotonicTime
    private var pingedAt: MonotonicTime?
    private var idleAt: MonotonicTime?

    /// One request.
    private struct Call {
        let link: ProviderLink
        /// Set when the connection was kept from earlier requests: its reads by then.
        let readsBefore: Int?
        /// What came while the link was held back; the window of the stream bounds it.
        var held: [UInt8] = []
        /// How the stream ended meanwhile.
        var end: StreamEnd?
    }

    /// The most requests at once, whatever the provider allows.
    private static let callLimit = 1_000
    /// The silence after which the connection is asked whether it lives, and how long the answer
    /// may take.
    private static let pingInterval = Duration.seconds(15)
    private static let pongLimit = Duration.seconds(10)
    /// How many reads one turn makes.
    private static let readLimit = 16
    /// About the most bytes of one write.
    private static let writeLimit = 262_144

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Takes over a socket that is open; call on `executor`.
    init(
        on executor: any StreamExecutor,
        socket: consuming PassedSocket,
        endpoint: ProviderEndpoint,
        pool: ProviderPool
    ) {
        self.executor = executor
        self.endpoint = endpoint
        self.pool = pool
        lastReadAt = executor.now
        let adopted = executor.adopt(socket, handler: self)
        assumeIsolated { $0.begin(adopted) }
    }

    deinit {
        let isOpen = socket != nil
        assert(!isOpen, "a session closes its socket before it goes")
    }

    nonisolated func socketIsReady(_ readiness: Readiness) {
        assumeIsolated { $0.handle(readiness) }
    }

    nonisolated func timerFired(_ timer: TimerID) { assumeIsolated { $0.checkTimes() } }

    // MARK: For links and the pool

    /// Whether one more request fits.
    nonisolated var hasRoom: Bool {
        assumeIsolated { session in
            guard !session.isLeaving, let limit = session.session?.peerStreamLimit else {
                return false
            }
            return session.calls.count < min(limit, session.learntLimit, Self.callLimit)
        }
    }

    /// Sends a request.
    ///
    /// - Returns: its stream; nil if the connection takes no more.
    nonisolated func open(_ request: ProviderRequest, for link: ProviderLink) -> UInt64? {
        assumeIsolated { $0.send(request, for: link) }
    }

    /// Gives a stream up, if it is still open.
    nonisolated func cancel(_ stream: UInt64) {
        assumeIsolated { session in
            let id = HTTP2StreamID(stream)
            guard session.calls.removeValue(forKey: id) != nil else { return }
            session.session?.reset(id, .cancel)
            session.callEnded()
        }
    }

    /// Passes on what came while the link was held back, and opens its window again.
    nonisolated func release(_ stream: UInt64) {
        assumeIsolated { $0.handOut(HTTP2StreamID(stream)) }
    }

    /// Ends the connection, with all requests on it.
    nonisolated func close() { assumeIsolated { $0.end() } }

    // MARK: Requests

    private func begin(_ adopted: any StreamSocket) {
        socket = adopted
        timer = executor.makeTimer(for: self)
        var settings = HTTP2Settings()
        settings.connectionWindow = 4_194_304
        do throws(HTTP2Failure) {
            session = try HTTP2Session(.client, settings)
        } catch {
            return end()
        }
        armTimer()
        requestFlush()
    }

    private func send(_ request: ProviderRequest, for link: ProviderLink) -> UInt64? {
        guard !isLeaving, let fields = try? request.http2Fields(),
            let id = session?.request(fields, body: request.body)
        else { return nil }
        let wasKept = idleAt != nil && calls.isEmpty
        idleAt = nil
        calls[id] = Call(link: link, readsBefore: wasKept ? readCount : nil)
        requestFlush()
        return UInt64(id)
    }

    private func handOut(_ id: HTTP2StreamID) {
        guard var call = calls[id] else { return }
        var held: [UInt8] = []
        swap(&held, &call.held)
        calls[id] = call
        if !held.isEmpty {
            session?.consumeStream(held.count, on: id)
            requestFlush()
            call.link.handedOut(held)
        }
        if let end = calls[id]?.end { finish(id, end) }
    }

    /// Ends a call, once what was held back of it is handed out.
    private func finish(_ id: HTTP2StreamID, _ end: StreamEnd) {
        guard var call = calls[id] else { return }
        guard call.held.isEmpty else {
            call.end = call.end ?? end
            calls[id] = call
            return
        }
        calls[id] = nil
        call.link.streamEnded(end)
        callEnded()
    }

    private func callEnded() {
        requestFlush()
        if calls.isEmpty {
            idleAt = executor.now
            armTimer()
        }
    }

    // MARK: Reading

    private func handle(_ readiness: Readiness) {
        if !readiness.isDisjoint(with: [.peerClosed, .hasFailed]) { peerHasClosed = true }
        if readiness.contains(.isWritable) { sendOutput() }
        if readiness.contains(.isReadable) || peerHasClosed { read() }
    }

    private func read() {
        var scratch = executor.takeScratch()
        defer { executor.returnScratch(scratch) }
        for _ in 0..<Self.readLimit {
            guard let socket else { return }
            switch socket.read(into: &scratch) {
            case .bytes(let count):
                take(scratch, count)
                guard count == scratch.count || peerHasClosed else { return }
            case .wouldBlock: return
            case .endOfStream, .failed: return lose()
            }
        }
        executor.perform { self.assumeIsolated { $0.read() } }
    }

    private func take(_ input: [UInt8], _ count: Int) {
        readCount += 1
        lastReadAt = executor.now
        pingedAt = nil
        var arrived: [HTTP2Event] = []
        swap(&arrived, &events)
        var hasFailed = false
        do throws(HTTP2Failure) {
            try session?.receive(
                input.span.extracting(0..<count),
                at: executor.now,
                into: &arrived
            )
        } catch {
            hasFailed = true
        }
        var touched: [ProviderLink] = []
        for event in arrived where socket != nil { handle(event, input, &touched) }
        for link in touched { link.readEnded() }
        arrived.removeAll(keepingCapacity: true)
        swap(&arrived, &events)
        if hasFailed { return lose() }
        requestFlush()
    }

    private func handle(
        _ event: HTTP2Event,
        _ input: [UInt8],
        _ touched: inout [ProviderLink]
    ) {
        switch event {
        case .head(let id, let head): calls[id]?.link.answered(head)
        case .data(let id, let range): take(input, range, on: id, &touched)
        case .end(let id):
            tell(id, &touched)
            finish(id, .complete)
        case .closed(let id, let code, _):
            tell(id, &touched)
            streamClosed(id, code)
        case .goAway: leave()
        case .settingsChanged, .windowGrew, .pong: break
        }
    }

    /// What a read brought to a stream is complete before its end is told.
    private func tell(_ id: HTTP2StreamID, _ touched: inout [ProviderLink]) {
        guard let link = calls[id]?.link, let index = touched.firstIndex(where: { $0 === link })
        else { return }
        touched.remove(at: index)
        link.readEnded()
    }

    private func take(
        _ input: [UInt8],
        _ range: Range<Int>,
        on id: HTTP2StreamID,
        _ touched: inout [ProviderLink]
    ) {
        guard let link = calls[id]?.link else {
            session?.consume(range.count, on: id)
            return
        }
        guard link.received(input, range) else {
            // The connection stays open to the other streams.
            session?.consumeConnection(range.count)
            calls[id]?.held.append(contentsOf: input[range])
            return
        }
        session?.consume(range.count, on: id)
        if touched.last !== link { touched.append(link) }
    }

    private func streamClosed(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard calls[id] != nil else { return }
        switch code {
        case .refusedStream:
            learntLimit = max(1, calls.count - 1)
            finish(id, .notTaken)
        case .http11Required:
            pool.agreedOnHTTP1(endpoint)
            leave()
            finish(id, .notTaken)
        default: finish(id, .broken)
        }
    }

    // MARK: Writing

    private func requestFlush() {
        guard !flushIsDue, socket != nil else { return }
        flushIsDue = true
        executor.perform { self.assumeIsolated { $0.flush() } }
    }

    private func flush() {
        flushIsDue = false
        guard output.isEmpty, socket != nil else { return }
        session?.appendOutput(to: &output, limit: Self.writeLimit)
        outputStart = 0
        sendOutput()
    }

    private func sendOutput() {
        if !output.isEmpty, let socket {
            switch socket.write(output.span.extracting(outputStart...)) {
            case .wrote(let count): outputStart += count
            case .failed: return lose()
            }
        }
        guard outputStart >= output.count, socket != nil else { return }
        output.removeAll(keepingCapacity: output.capacity < 65_536)
        outputStart = 0
        if session?.hasOutput == true { return requestFlush() }
        if isLeaving && calls.isEmpty || session?.isOver != false { lose() }
    }

    // MARK: Time

    private func armTimer() {
        guard let timer else { return }
        var due = lastReadAt + Self.pingInterval
        if let pingedAt { due = pingedAt + Self.pongLimit }
        if let idleAt { due = idleAt + ProviderLink.idleLimit }
        executor.setTimer(timer, at: max(due, executor.now))
    }

    private func checkTimes() {
        guard socket != nil else { return }
        let now = executor.now
        if let idleAt {
            if now >= idleAt + ProviderLink.idleLimit {
                leave()
                session?.end(.noError)
                requestFlush()
                return
            }
        } else if let pingedAt {
            if now >= pingedAt + Self.pongLimit { return lose() }
        } else if now >= lastReadAt + Self.pingInterval {
            pingedAt = now
            session?.ping()
            requestFlush()
        }
        armTimer()
    }

    // MARK: Endings

    /// Takes no more requests; those that are open come to their end.
    private func leave() {
        guard !isLeaving else { return }
        isLeaving = true
        pool.remove(self)
        requestFlush()
    }

    /// The connection is gone, and with it what was open on it.
    private func lose() {
        guard socket != nil else { return }
        let lost = calls
        release()
        for call in lost.values {
            // What was held back came, and in order; then comes the end.
            if !call.held.isEmpty { call.link.handedOut(call.held) }
            let isUnanswered = call.readsBefore == readCount
            call.link.streamEnded(call.end ?? (isUnanswered ? .lostUnanswered : .broken))
        }
    }

    private func end() {
        guard socket != nil else { return }
        session?.end(.noError)
        if output.isEmpty { session?.appendOutput(to: &output) }
        sendOutput()
        lose()
    }

    private func release() {
        isLeaving = true
        pool.remove(self)
        socket?.close()
        socket = nil
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        session = nil
        calls = [:]
        output = []
    }
}
