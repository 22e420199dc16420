import Compression
import Providers
import Reactor
import Sealing
import StreamBytes

/// The streams of one reactor, the requests that wait for their token, and what has been counted.
package actor StreamRegistry {
    package nonisolated let executor: any StreamExecutor
    package nonisolated let pool: ProviderPool
    nonisolated let codings: Guarded<ReactorCodings>
    nonisolated let sealing = SealingContext()
    /// Room for the deltas of one read.
    private nonisolated let batch = Guarded(DeltaBatch())
    private var streams: [StreamID: Generation] = [:]
    private var tokens: [String: TokenEntry] = [:]
    private var counters = GatewayCounters()
    /// The same, for each account; one per account of the configuration.
    private var accounts: [String: GatewayCounters] = [:]

    /// The most tokens that wait to be used, per reactor.
    private static let tokenLimit = 10_000

    private struct TokenEntry {
        var use: TokenUse
        let expiresAt: MonotonicTime
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(
        on executor: any StreamExecutor,
        resolver: any AddressResolver,
        codingBudget: CompressionBudget
    ) {
        self.executor = executor
        codings = Guarded(ReactorCodings(on: executor, budget: codingBudget))
        pool = ProviderPool(on: executor, resolver: resolver)
    }
}

/// What presenting a token means.
enum TokenUse: Sendable {
    /// It starts this request, once.
    case start(StreamOrder)
    /// It was used: it reconnects to this stream and to nothing else.
    case resume(StreamID, Caller)
}

// Everything below is called on the registry's reactor.
extension StreamRegistry {
    /// Lends room for deltas, which whoever has finished with it gives back.
    nonisolated func takeBatch() -> DeltaBatch {
        batch.withLock { shared in
            var batch = DeltaBatch()
            swap(&batch, &shared)
            return batch
        }
    }

    nonisolated func returnBatch(_ batch: consuming DeltaBatch) {
        guard batch.bytes.capacity <= Self.batchLimit else { return }
        batch.removeAll()
        self.batch.withLock { swap(&batch, &$0) }
    }

    /// What a large read took is given back to the system.
    private nonisolated static let batchLimit = 65_536

    nonisolated func add(_ generation: Generation) {
        assumeIsolated {
            $0.streams[generation.id] = generation
            $0.counters.opened += 1
            $0.accounts[generation.order.caller.account, default: GatewayCounters()].opened += 1
        }
    }

    nonisolated func remove(_ id: StreamID) { assumeIsolated { $0.streams[id] = nil } }

    nonisolated func generation(_ id: StreamID) -> Generation? {
        assumeIsolated { $0.streams[id] }
    }

    nonisolated var generations: [Generation] { assumeIsolated { Array($0.streams.values) } }

    nonisolated func count(_ change: @Sendable (inout GatewayCounters) -> Void) {
        assumeIsolated { change(&$0.counters) }
    }

    nonisolated func count(_ stream: StreamEndCounts, account: String) {
        assumeIsolated {
            $0.counters.add(stream)
            $0.accounts[account, default: GatewayCounters()].add(stream)
        }
    }

    /// Counts a response that has begun.
    nonisolated func count(_ choice: CodingChoice, account: String) {
        assumeIsolated {
            $0.counters.codings[choice, default: 0] += 1
            $0.accounts[account, default: GatewayCounters()].codings[choice, default: 0] += 1
        }
    }

    /// What was counted for one account, or for all.
    nonisolated func counters(ofAccount account: String?) -> GatewayCounters {
        assumeIsolated { registry in
            guard let account else { return registry.counters }
            return registry.accounts[account] ?? GatewayCounters()
        }
    }

    /// Keeps a request until its token is presented.
    ///
    /// - Returns: false when too many wait.
    nonisolated func keep(
        _ order: StreamOrder,
        under token: String,
        for duration: Duration
    )
        -> Bool
    {
        assumeIsolated { $0.insert(order, token, $0.executor.now + duration) }
    }

    nonisolated func use(of token: String) -> TokenUse? {
        assumeIsolated { registry in
            guard let entry = registry.tokens[token], entry.expiresAt > registry.executor.now else {
                return nil
            }
            return entry.use
        }
    }

    /// From now on the token means that stream; it lives while reconnects to it may come.
    nonisolated func bind(_ token: String, to id: StreamID, of caller: Caller, for life: Duration) {
        assumeIsolated { registry in
            registry.tokens[token] = TokenEntry(
                use: .resume(id, caller),
                expiresAt: registry.executor.now + life
            )
        }
    }

    private func insert(_ order: StreamOrder, _ token: String, _ expiry: MonotonicTime) -> Bool {
        if tokens.count >= Self.tokenLimit {
            let now = executor.now
            tokens = tokens.filter { $0.value.expiresAt > now }
        }
        guard tokens.count < Self.tokenLimit else { return false }
        tokens[token] = TokenEntry(use: .start(order), expiresAt: expiry)
        return true
    }
}
