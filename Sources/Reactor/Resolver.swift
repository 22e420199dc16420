import CLinux
import StreamBytes

/// Why a name has no addresses.
package enum ResolveError: Error, Equatable, Sendable {
    case notFound
    /// The name servers did not answer.
    case temporary
    /// Too many names are being looked up.
    case busy
    /// Any other failure, an empty name included.
    case failed
}

/// Asks the system for the addresses of hosts, on a thread of its own, and remembers the answers.
package final class Resolver: Sendable {
    private typealias Answer = Result<[SocketAddress], ResolveError>

    private struct Known {
        let addresses: [SocketAddress]
        let until: MonotonicTime
    }

    private struct State {
        var known: [String: Known] = [:]
        var waiting: [String: [@Sendable (Answer) -> Void]] = [:]
        var waitingCount = 0
    }

    /// How long an answer is good for.
    private static let lifetime = Duration.seconds(30)
    private static let knownLimit = 1_024
    private static let waitingLimit = 4_096
    private static let addressLimit: Int32 = 16

    private let thread: BlockingThread
    private let state = Guarded(State())
    private let clock: @Sendable () -> MonotonicTime
    private let lookUp: @Sendable (String) -> Result<[SocketAddress], ResolveError>

    /// Starts the resolver's thread.
    ///
    /// - Parameters:
    ///   - clock: decides when an answer is too old.
    ///   - lookUp: asks for a host's addresses, and may block.
    /// - Throws: `SocketError.system` when the system refuses a thread.
    package init(
        clock: @escaping @Sendable () -> MonotonicTime = {
            MonotonicTime(nanoseconds: CLinux_monotonic_ns())
        },
        lookUp: @escaping @Sendable (String) -> Result<[SocketAddress], ResolveError> =
            Resolver.askSystem
    ) throws(SocketError) {
        thread = try BlockingThread(name: "resolver")
        self.clock = clock
        self.lookUp = lookUp
    }

    /// Answers what waits and ends the thread.
    package func stop() { thread.stop() }

    /// Finds the addresses of a host, in the order to try them.
    ///
    /// Call on `executor`.
    ///
    /// - Parameters:
    ///   - host: a name, or an address in digits.
    ///   - port: goes into the addresses.
    ///   - executor: where `completion` is called: at once when the answer is known, else later.
    ///   - completion: called once, with at least one address or an error.
    package func resolve(
        host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable (Result<[SocketAddress], ResolveError>) -> Void
    ) {
        if let answer = immediateAnswer(host) {
            return completion(Self.adding(port, to: answer))
        }
        ask(host) { answer in
            executor.perform { completion(Self.adding(port, to: answer)) }
        }
    }

    /// Finds the addresses of a host, in the order to try them.
    ///
    /// - Parameters:
    ///   - host: a name, or an address in digits, which is answered without leaving the thread.
    ///   - port: goes into the addresses.
    /// - Returns: at least one address.
    /// - Throws: `ResolveError`.
    package func resolve(
        _ host: String,
        port: UInt16
    ) async throws(ResolveError) -> [SocketAddress] {
        if let answer = immediateAnswer(host) { return try Self.adding(port, to: answer).get() }
        let answer: Answer = await withCheckedContinuation { continuation in
            ask(host) { continuation.resume(returning: $0) }
        }
        return try Self.adding(port, to: answer).get()
    }

    /// Asks the system's resolver: files, then name servers.
    ///
    /// Blocks for seconds at times.
    package static let askSystem: @Sendable (String) -> Result<[SocketAddress], ResolveError> = {
        host in
        var raw = [CLinux_address](repeating: CLinux_address(), count: Int(addressLimit))
        let count = unsafe CLinux_resolve(host, 0, &raw, addressLimit)
        return switch count {
        case 1...: .success(raw[..<Int(count)].map { SocketAddress($0) })
        case -1: .failure(.notFound)
        case -2: .failure(.temporary)
        default: .failure(.failed)
        }
    }

    private func immediateAnswer(_ host: String) -> Answer? {
        guard !host.isEmpty, host.utf8.count < 256, !host.utf8.contains(0) else {
            return .failure(.failed)
        }
        if let address = SocketAddress(literal: host, port: 0) { return .success([address]) }
        let now = clock()
        return state.withLock { state in
            guard let known = state.known[host], known.until > now else { return nil }
            return .success(known.addresses)
        }
    }

    private func ask(_ host: String, _ completion: @escaping @Sendable (Answer) -> Void) {
        let (isTaken, isFirst) = state.withLock { state in
            guard state.waitingCount < Self.waitingLimit else { return (false, false) }
            state.waitingCount += 1
            state.waiting[host, default: []].append(completion)
            return (true, state.waiting[host]?.count == 1)
        }
        guard isTaken else { return completion(.failure(.busy)) }
        guard isFirst else { return }
        thread.perform { [self] in
            let answer = lookUp(host)
            for completion in remember(answer, for: host) { completion(answer) }
        }
    }

    private func remember(
        _ answer: Answer,
        for host: String
    ) -> [@Sendable (Answer) -> Void] {
        let now = clock()
        return state.withLock { state in
            let waiting = state.waiting.removeValue(forKey: host) ?? []
            state.waitingCount -= waiting.count
            guard case .success(let addresses) = answer else { return waiting }
            if state.known.count >= Self.knownLimit {
                state.known = state.known.filter { $0.value.until > now }
                if state.known.count >= Self.knownLimit { state.known = [:] }
            }
            state.known[host] = Known(addresses: addresses, until: now + Self.lifetime)
            return waiting
        }
    }

    private static func adding(_ port: UInt16, to answer: Answer) -> Answer {
        answer.map { addresses in addresses.map { $0.with(port: port) } }
    }
}
