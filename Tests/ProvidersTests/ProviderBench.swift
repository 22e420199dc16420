import HTTPWire
import Providers
import Reactor
import StreamBytes

/// A pool on a running reactor, and the names that it can resolve.
struct ProviderBench: Sendable {
    let reactor: ReactorThread
    let pool: ProviderPool
    let authorityFile: String?

    /// Runs `body` with a group of one reactor for a provider and one for the pool.
    static func run(
        trusting authorityFile: String? = nil,
        resolver: any AddressResolver = HostTable(),
        _ body: (ProviderBench, ReactorGroup) async throws -> Void
    ) async throws {
        let group = try ReactorGroup(count: 2)
        try group.start()
        defer { group.stop(within: .milliseconds(200)) }
        let pool = ProviderPool(on: group.reactors[1], resolver: resolver)
        defer { group.reactors[1].perform { pool.close() } }
        let bench = ProviderBench(
            reactor: group.reactors[1],
            pool: pool,
            authorityFile: authorityFile
        )
        try await body(bench, group)
    }

    /// Sends a request and waits for its end; `onBody` is called with each part of its body.
    func ask(
        _ port: UInt16,
        host: String = "good.example",
        isSecure: Bool = false,
        field: String = "application/json",
        body: [UInt8] = Array("{}".utf8),
        onBody: @escaping @Sendable () -> Void = {},
        adjust: (inout ProviderTimeouts) -> Void = { _ in }
    ) async -> ReceivedAnswer {
        var timeouts = ProviderTimeouts()
        adjust(&timeouts)
        let request = ProviderRequest(
            endpoint: ProviderEndpoint(
                host: host,
                port: port,
                isSecure: isSecure,
                authorityFile: authorityFile
            ),
            path: "/v1/chat/completions",
            fields: ["content-type": field],
            body: body,
            timeouts: timeouts
        )
        return await withCheckedContinuation { continuation in
            let receiver = AnswerCollector(onBody) { continuation.resume(returning: $0) }
            reactor.perform { _ = pool.start(request, receiver: receiver) }
        }
    }
}

/// What a receiver was told of an answer.
struct ReceivedAnswer: Sendable {
    var head: ResponseHead?
    var body: [UInt8] = []
    var end: ProviderEnd?

    var text: String { String(decoding: body, as: UTF8.self) }

    /// What an operator reads; nil unless it failed.
    var trouble: String? {
        guard case .failed(let trouble)? = end else { return nil }
        return trouble.summary
    }
}

/// Collects an answer and hands it over at its end.
private final class AnswerCollector: ProviderReceiver {
    private let answer = Guarded(ReceivedAnswer())
    private let onBody: @Sendable () -> Void
    private let completion: @Sendable (ReceivedAnswer) -> Void

    init(
        _ onBody: @escaping @Sendable () -> Void,
        _ completion: @escaping @Sendable (ReceivedAnswer) -> Void
    ) {
        self.onBody = onBody
        self.completion = completion
    }

    func providerAnswered(_ head: ResponseHead) { answer.withLock { $0.head = head } }

    func providerSent(_ bytes: [UInt8], _ range: Range<Int>) {
        answer.withLock { $0.body += bytes[range] }
        onBody()
    }

    func providerReadEnded() {}

    func providerEnded(_ end: ProviderEnd) {
        completion(
            answer.withLock { answer in
                answer.end = end
                return answer
            }
        )
    }
}

/// A few hosts, all of them here.
struct HostTable: AddressResolver {
    func addresses(
        of host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    ) {
        let here = SocketAddress.v4(0x7f00_0001, port: port)
        switch host {
        case "good.example", "other.example": completion([here])
        case "two.example": completion([.v4(0x7f00_0002, port: port), here])
        default: completion([])
        }
    }
}

/// Names that are looked up on another thread.
struct SlowNames: AddressResolver {
    let resolver: Resolver

    func addresses(
        of host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    ) {
        resolver.resolve(host: host, port: port, on: executor) { answer in
            completion((try? answer.get()) ?? [])
        }
    }
}
