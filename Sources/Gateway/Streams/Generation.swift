import Dialects
import HTTPServer
import HTTPWire
import Metering
import Providers
import Reactor
import Sealing
import StreamBytes

/// One answer of a model: owns the provider's attempt, the events, the meter, and the clients that
/// follow it. Runs on the reactor on which it was asked for.
package actor Generation {
    nonisolated let executor: any StreamExecutor
    nonisolated let id: StreamID
    nonisolated let order: StreamOrder
    nonisolated let core: GatewayCore
    nonisolated let registry: StreamRegistry
    nonisolated let settings: StreamSettings

    let openedAt: MonotonicTime
    let openedWall: WallTime
    let meteringInterval: Duration

    var log = EventLog()
    var retained = 0
    var decoder: DialectDecoder
    /// Whether the decoder has seen the answer's end, or trouble.
    var answerIsOver = false
    var meter: StreamMeter
    /// Where the counters of the running stretch outlive the process.
    var slot: MeterSlot
    var hasUnsavedEvents = false
    /// Set while clients are offered what is new.
    var isFlushing = false
    var clients: [AttachedClient] = []
    /// What was agreed with a client whose events are sealed, as long as further ones may come.
    var session: SealingSession?
    var clientCount: UInt32 = 0
    var codings: CodingSet = []
    /// That of the response that began last.
    var lastCoding: CodingChoice?

    var link: ProviderLink?
    var answer = ProviderAnswer.none
    var isProviderHeld = false
    /// What an answer of one object reported of its tokens, and what it holds.
    var wholeAnswer: (usage: TokenUsage?, counted: OutputCount)?

    var outcome: StreamOutcome?
    var wasDelivered = false
    var lastClientEnd: ClientEnd?
    /// Whether nobody will come back for what is left.
    var isAbandoned = false
    var endedAt: MonotonicTime?
    var hasFinalRecord = false
    var isClosed = false

    var timer: TimerID?
    var armedAt: MonotonicTime?
    var cutPostponedUntil: MonotonicTime?
    var recent: RecentTotals
    /// When a stream without clients is given up, or one that has ended is forgotten.
    var windowEndsAt: MonotonicTime?

    /// What the provider's bytes are.
    enum ProviderAnswer {
        case none
        case events
        /// One JSON object, collected.
        case whole([UInt8])
        /// An error's body, collected, with its status and head.
        case refusal(status: Int, retryAfter: String?, body: [UInt8])
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a stream that `start` begins; call on its reactor.
    ///
    /// - Returns: nil when there is no room left to meter it.
    static func open(
        _ order: StreamOrder,
        core: GatewayCore,
        registry: StreamRegistry
    ) -> Generation? {
        let id = StreamID(on: registry.executor)
        let opening = order.opening(of: id, segment: 0, at: registry.executor.wallClock)
        guard let slot = core.meter.begin(opening) else { return nil }
        return Generation(order, id, slot, core: core, registry: registry)
    }

    private init(
        _ order: StreamOrder,
        _ id: StreamID,
        _ slot: MeterSlot,
        core: GatewayCore,
        registry: StreamRegistry
    ) {
        session = order.session
        var order = order
        order.session = nil
        self.order = order
        self.id = id
        self.slot = slot
        self.core = core
        self.registry = registry
        let executor = registry.executor
        self.executor = executor
        let settings = core.settings
        self.settings = settings.streams
        meteringInterval = settings.meteringInterval
        openedAt = executor.now
        openedWall = executor.wallClock
        meter = .opened(at: executor.now, wall: executor.wallClock)
        recent = RecentTotals(openedAt: executor.now)
        decoder = DialectDecoder(order.target.dialect, mode: order.deltaMode)
    }

    deinit {
        let isClosed = isClosed
        assert(isClosed, "a stream is closed before it goes")
    }

    /// Attaches the client that asked and sends the request; call once, on the stream's reactor.
    nonisolated func start(for client: StreamClient) {
        registry.add(self)
        assumeIsolated { $0.begin(for: client) }
    }

    private func begin(for client: StreamClient) {
        if order.isResumable { append(.start, []) }
        attach(client, after: 0)
        armTimer()
        meter.attemptStarted(at: executor.now)
        saveCounters()
        let link = registry.pool.start(order.providerRequest, receiver: self)
        if outcome == nil { self.link = link }
    }
}

extension StreamOrder {
    fileprivate var deltaMode: DeltaMode {
        if passesThrough, case .openAI(let includesUsage) = form {
            return .raw(model: model.name, includesUsage: includesUsage)
        }
        return .deltas
    }

    fileprivate var providerRequest: ProviderRequest {
        var fields: HeaderFields = ["Content-Type": "application/json"]
        fields.append("Accept", isWholePassedThrough ? "application/json" : "text/event-stream")
        fields.append("User-Agent", "weir")
        for (name, value) in target.dialect.authorization(key: target.apiKey ?? "")
        where target.apiKey != nil || name.hasPrefix("anthropic-") {
            fields.append(name, value)
        }
        return ProviderRequest(
            endpoint: target.endpoint,
            path: target.dialect.target(basePath: target.basePath),
            fields: fields,
            body: body,
            timeouts: target.timeouts
        )
    }

    /// Whether the provider is asked for one JSON object and the client gets it.
    var isWholePassedThrough: Bool {
        if case .whole = form { return passesThrough }
        return false
    }
}
