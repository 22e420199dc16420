import HTTPWire
import Reactor
import StreamBytes

/// The far end of an exchange that is answered on another reactor than its connection's.
///
/// What the handler's body source has is taken at once, up to a limit of bytes on their way, and
/// crosses in one piece for each turn; the source is pulled again as the client takes them.
actor ExchangeRelay: ExchangeCarrier {
    /// The most bytes on their way to the client.
    private static let byteLimit = 65_536

    nonisolated let executor: any StreamExecutor
    private let near: RelayedBody
    private var source: (any BodySource)?
    private var onClientGone: (@Sendable () -> Void)?
    private var knownStatistics: ExchangeStatistics?
    private var hasAnswered = false
    private var isOver = false
    private var sourceHasFinished = false
    private var isPulling = false
    private var pullsAgain = false
    private var unsentCount = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    private init(
        on executor: any StreamExecutor,
        near: RelayedBody,
        statistics: ExchangeStatistics?
    ) {
        self.executor = executor
        self.near = near
        knownStatistics = statistics
    }

    /// Has `request` answered on another reactor; call on the exchange's own.
    ///
    /// - Parameters:
    ///   - exchange: nothing was sent for it yet.
    ///   - request: its own.
    ///   - executor: where it is answered.
    ///   - handler: answers it there.
    static func pass(
        _ exchange: Exchange,
        _ request: HTTPRequest,
        to executor: any StreamExecutor,
        _ handler: any RequestHandler
    ) {
        let near = RelayedBody(of: exchange)
        let relay = ExchangeRelay(on: executor, near: near, statistics: exchange.statistics())
        near.open(relay)
        executor.perform {
            handler.respond(to: request, through: Exchange(through: relay, number: 0))
        }
    }

    // MARK: For exchanges

    nonisolated func send(_ response: HTTPResponse, exchange: UInt64) {
        assumeIsolated { relay in
            guard relay.beginAnswer() else { return }
            relay.isOver = true
            relay.near.perform { $0.send(response) }
        }
    }

    nonisolated func start(_ head: ResponseHead, body: any BodySource, exchange: UInt64) {
        assumeIsolated { relay in
            guard relay.beginAnswer() else { return body.responseEnded(.clientGone) }
            relay.source = body
            relay.near.perform { $0.start(head) }
            relay.pull()
        }
    }

    nonisolated func bodyIsReady(exchange: UInt64) { assumeIsolated { $0.pull() } }

    nonisolated func onClientGone(exchange: UInt64, _ action: @escaping @Sendable () -> Void) {
        assumeIsolated { relay in
            if relay.isOver, !relay.hasAnswered { return action() }
            if !relay.hasAnswered { relay.onClientGone = action }
        }
    }

    nonisolated func breakOff(sending bytes: [UInt8], resets: Bool, exchange: UInt64) {
        assumeIsolated { relay in
            guard relay.source != nil else { return }
            relay.near.perform { $0.exchange.breakOff(sending: bytes, resets: resets) }
        }
    }

    /// What was known last; asking has a newer reading sent.
    nonisolated func statistics(exchange: UInt64) -> ExchangeStatistics? {
        assumeIsolated { relay in
            if !relay.isOver { relay.near.perform { $0.sendStatistics() } }
            return relay.knownStatistics
        }
    }

    nonisolated func unsentBytes(exchange: UInt64) -> Int { assumeIsolated { $0.unsentCount } }

    nonisolated func move(
        to executor: any StreamExecutor,
        handler: any RequestHandler,
        exchange: UInt64
    ) {
        assumeIsolated { relay in
            guard relay.beginAnswer() else { return }
            relay.isOver = true
            relay.near.perform { near in
                near.close()
                near.exchange.move(to: executor, handler: handler)
            }
        }
    }

    private func beginAnswer() -> Bool {
        guard !hasAnswered, !isOver else { return false }
        hasAnswered = true
        onClientGone = nil
        return true
    }

    // MARK: The source

    private func pull() {
        guard !isPulling else {
            pullsAgain = true
            return
        }
        isPulling = true
        defer { isPulling = false }
        var batch: [UInt8] = []
        var end: BodyProgress?
        repeat {
            pullsAgain = false
            let room = Self.byteLimit - unsentCount - batch.count
            guard let source, !sourceHasFinished, room > 0 else { break }
            switch source.nextBytes(into: &batch, limit: room) {
            case .pending: break
            case .more: pullsAgain = true
            case .finished: end = .finished
            case .aborted: end = .aborted
            }
            sourceHasFinished = end != nil
        } while pullsAgain
        guard !batch.isEmpty || end != nil else { return }
        unsentCount += batch.count
        near.perform { [batch, end] in $0.take(batch, end) }
    }

    // MARK: From the connection

    /// The kernel has taken so many bytes; call from any thread, as the others below.
    nonisolated func sent(_ byteCount: Int, at now: MonotonicTime) {
        perform { relay in
            relay.unsentCount -= byteCount
            if relay.unsentCount == 0 { relay.source?.everythingWasSent(at: now) }
            relay.pull()
        }
    }

    nonisolated func clientClosedItsSendingSide() {
        perform { relay in
            relay.source?.clientClosedItsSendingSide()
            relay.pull()
        }
    }

    nonisolated func note(_ statistics: ExchangeStatistics?) {
        perform { $0.knownStatistics = statistics }
    }

    nonisolated func ended(_ reason: ResponseEnd) {
        perform { relay in
            relay.isOver = true
            let (source, onClientGone) = (relay.source, relay.onClientGone)
            relay.source = nil
            relay.onClientGone = nil
            source?.responseEnded(reason)
            onClientGone?()
        }
    }

    private nonisolated func perform(_ action: @escaping @Sendable (isolated ExchangeRelay) -> Void)
    {
        executor.perform { self.assumeIsolated { action($0) } }
    }
}

/// The near end: the body source of the connection, on the connection's reactor.
actor RelayedBody: BodySource {
    nonisolated let executor: any StreamExecutor
    nonisolated let exchange: Exchange
    /// Nil once nothing is to be told any more.
    private var relay: ExchangeRelay?
    private var waiting: [UInt8] = []
    private var waitingStart = 0
    private var end: BodyProgress?
    private var handedOutCount = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(of exchange: Exchange) {
        self.exchange = exchange
        executor = exchange.executor
    }

    /// Runs on the connection's reactor; call from any thread.
    nonisolated func perform(_ action: @escaping @Sendable (isolated RelayedBody) -> Void) {
        executor.perform { self.assumeIsolated { action($0) } }
    }

    nonisolated func open(_ relay: ExchangeRelay) {
        assumeIsolated { $0.relay = relay }
        exchange.onClientGone { [self] in
            assumeIsolated { near in
                near.relay?.ended(.clientGone)
                near.close()
            }
        }
    }

    func close() { relay = nil }

    func send(_ response: HTTPResponse) {
        close()
        exchange.send(response)
    }

    func start(_ head: ResponseHead) { exchange.start(head, body: self) }

    func take(_ bytes: [UInt8], _ end: BodyProgress?) {
        if waitingStart == waiting.count {
            waiting = bytes
            waitingStart = 0
        } else {
            waiting.append(contentsOf: bytes)
        }
        self.end = end
        exchange.bodyIsReady()
    }

    func sendStatistics() { relay?.note(exchange.statistics()) }

    // MARK: For the connection

    nonisolated func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        assumeIsolated { $0.handOut(&buffer, limit) }
    }

    private func handOut(_ buffer: inout [UInt8], _ limit: Int) -> BodyProgress {
        let part = waiting[waitingStart...].prefix(limit)
        buffer.append(contentsOf: part)
        waitingStart += part.count
        handedOutCount += part.count
        guard waitingStart == waiting.count else { return .more }
        waiting = []
        waitingStart = 0
        return end ?? .pending
    }

    nonisolated func everythingWasSent(at now: MonotonicTime) {
        assumeIsolated { near in
            guard near.handedOutCount > 0 else { return }
            near.relay?.sent(near.handedOutCount, at: now)
            near.handedOutCount = 0
        }
    }

    nonisolated func clientClosedItsSendingSide() {
        assumeIsolated { $0.relay?.clientClosedItsSendingSide() }
    }

    nonisolated func responseEnded(_ reason: ResponseEnd) {
        assumeIsolated { near in
            near.sendStatistics()
            near.relay?.ended(reason)
            near.close()
        }
    }
}
