import HTTPServer
import HTTPWire
import Providers
import Reactor
import StreamBytes
import Testing

/// A provider whose answers the test makes, over HTTP/2 or HTTP/1.1.
final class SharedProvider: ConnectionAcceptor, RequestHandler {
    private struct State {
        var connectionCount = 0
        var requests: [HTTPRequest] = []
        var exchanges: [Exchange] = []
        var bodies: [TestBody] = []
    }

    let registry: ConnectionRegistry
    private let security: ServerSecurity?
    private let state = Guarded(State())

    /// - Parameters:
    ///   - group: has the reactors that it will listen with.
    ///   - security: nil for plain connections.
    ///   - adjust: changes the defaults.
    init(
        of group: ReactorGroup,
        security: ServerSecurity? = nil,
        _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) {
        var configuration = ServerConfiguration()
        adjust(&configuration)
        registry = ConnectionRegistry(
            configuration: configuration,
            reactorCount: group.reactors.count
        )
        self.security = security
    }

    /// Listens with every reactor of `group`.
    ///
    /// - Returns: the port.
    /// - Throws: `ListenError`.
    func listen(with group: ReactorGroup) throws -> UInt16 {
        try group.listen(on: .v4(0x7f00_0001, port: 0), acceptor: self).port
    }

    var connectionCount: Int { state.withLock { $0.connectionCount } }
    var requestCount: Int { state.withLock { $0.requests.count } }
    var bodies: [TestBody] { state.withLock { $0.bodies } }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        state.withLock { $0.connectionCount += 1 }
        registry.accept(socket, on: executor, security: security, handler: self)
    }

    func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission {
        .take(limit: 4_194_304)
    }

    /// Echoes bodies, but for those that say `hold`, which the test answers.
    func respond(to request: HTTPRequest, through exchange: Exchange) {
        let holds = request.body.starts(with: Array("hold".utf8))
        state.withLock { state in
            state.requests.append(request)
            if holds { state.exchanges.append(exchange) }
        }
        if !holds {
            exchange.send(HTTPResponse(head: ResponseHead(status: 200), body: request.body))
        }
    }

    func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        HTTPResponse(head: ResponseHead(status: status), body: Array(reason.utf8))
    }

    /// Begins the answer to each request that waits for one.
    func answerHeld(_ text: String, isWhole: Bool = false) {
        for exchange in state.withLock({ $0.exchanges }) {
            let body = TestBody(text, isWhole: isWhole)
            state.withLock { $0.bodies.append(body) }
            exchange.executor.perform {
                body.exchange.withLock { $0 = exchange }
                exchange.start(ResponseHead(status: 200), body: body)
            }
        }
        state.withLock { $0.exchanges = [] }
    }
}

/// A body that a test fills and ends.
final class TestBody: BodySource {
    private struct State {
        var waiting: ArraySlice<UInt8>
        var isWhole: Bool
        var end: ResponseEnd?
    }

    let exchange = Guarded<Exchange?>(nil)
    private let state: Guarded<State>

    init(_ text: String, isWhole: Bool) {
        state = Guarded(State(waiting: Array(text.utf8)[...], isWhole: isWhole))
    }

    var end: ResponseEnd? { state.withLock { $0.end } }
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func finish(_ text: String = "") {
        state.withLock { state in
            state.waiting.append(contentsOf: text.utf8)
            state.isWhole = true
        }
        guard let exchange = exchange.withLock({ $0 }) else { return }
        exchange.executor.perform { exchange.bodyIsReady() }
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        state.withLock { state in
            let part = state.waiting.prefix(limit)
            buffer.append(contentsOf: part)
            state.waiting = state.waiting.dropFirst(part.count)
            guard state.waiting.isEmpty else { return .more }
            return state.isWhole ? .finished : .pending
        }
    }

    func everythingWasSent(at now: MonotonicTime) {}
    func clientClosedItsSendingSide() {}
    func responseEnded(_ reason: ResponseEnd) { state.withLock { $0.end = reason } }
}

/// One request and what came of it.
final class TestCall: ProviderReceiver {
    private struct State {
        var link: ProviderLink?
        var answer = ReceivedAnswer()
        var pausesAtOnce = false
    }

    private let reactor: ReactorThread
    private let state = Guarded(State())

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - bench: has the pool.
    ///   - endpoint: where to.
    ///   - body: what is sent.
    ///   - pausesAtOnce: whether the link is held back with its first bytes.
    ///   - adjust: changes the timeouts.
    init(
        _ bench: ProviderBench,
        to endpoint: ProviderEndpoint,
        _ body: String,
        pausesAtOnce: Bool = false,
        adjust: (inout ProviderTimeouts) -> Void = { _ in }
    ) {
        reactor = bench.reactor
        var timeouts = ProviderTimeouts()
        adjust(&timeouts)
        let request = ProviderRequest(
            endpoint: endpoint,
            path: "/v1",
            fields: ["Content-Type": "text/plain"],
            body: Array(body.utf8),
            timeouts: timeouts
        )
        state.withLock { $0.pausesAtOnce = pausesAtOnce }
        reactor.perform { [self] in
            let link = bench.pool.start(request, receiver: self)
            state.withLock { if $0.answer.end == nil { $0.link = link } }
        }
    }

    var answer: ReceivedAnswer { state.withLock { $0.answer } }

    func cancel() { withLink { $0.cancel() } }
    func resume() { withLink { $0.resume() } }

    private func withLink(_ action: @escaping @Sendable (ProviderLink) -> Void) {
        reactor.perform { [self] in
            if let link = state.withLock({ $0.link }) { action(link) }
        }
    }

    func providerAnswered(_ head: ResponseHead) { state.withLock { $0.answer.head = head } }

    func providerSent(_ bytes: [UInt8], _ range: Range<Int>) {
        state.withLock { $0.answer.body += bytes[range] }
    }

    func providerReadEnded() {
        let link = state.withLock { state in
            defer { state.pausesAtOnce = false }
            return state.pausesAtOnce ? state.link : nil
        }
        link?.pause()
    }

    func providerEnded(_ end: ProviderEnd) {
        state.withLock { state in
            state.answer.end = end
            state.link = nil
        }
    }
}

/// Waits until the condition holds; false when it does not within twenty seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return false
}
