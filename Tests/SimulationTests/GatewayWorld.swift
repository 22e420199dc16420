import Cryptography
import Dialects
import Gateway
import HTTPServer
import Metering
import Providers
import Reactor
import Sealing
import StreamBytes
import Telemetry
import TestSupport

/// A whole gateway on virtual time: two reactors, a provider, and everything that they meter.
final class GatewayWorld {
    let simulation: Simulation
    let core: GatewayCore
    let sink = MemoryUsageSink()
    let registry: ConnectionRegistry
    let scripts: [StreamScript]
    let clients: [SimulatedClient]
    private(set) var requests: [Int: Int] = [:]
    private var providers: [ScriptedProvider] = []

    private let gatewayAddress = SocketAddress.v4(0x7F00_0001, port: 8_080)
    private let providerAddress = SocketAddress.v4(0x7F00_0001, port: 9_000)

    init(seed: UInt64, streamCount: Int, faults: NetworkFaults) {
        let simulation = Simulation(seed: seed, executorCount: 4, faults: faults)
        self.simulation = simulation
        let gateways = Array(simulation.executors[0..<2])
        let outside = Array(simulation.executors[2...])
        scripts = (0..<streamCount).map { StreamScript(seed: seed, index: $0) }
        sink.refusals = SeededChance(seed: seed ^ 0xABCD)
        core = GatewayCore(
            settings: Self.settings(provider: providerAddress),
            executors: gateways,
            resolver: LiteralResolver(address: providerAddress),
            callers: OneCaller(),
            meter: sink,
            log: NoLog(),
            startedAt: simulation.wallClock
        )
        var server = ServerConfiguration()
        server.stuckTimeout = .seconds(5)
        registry = ConnectionRegistry(configuration: server, reactorCount: 2)
        let address = gatewayAddress
        clients = (0..<streamCount).map {
            Self.client($0, seed: seed, on: outside[$0 % 2], to: address)
        }
        let acceptor = Acceptor(
            registry: registry,
            handlers: (0..<2).map { [core] in
                GatewayHandler(core: core, reactor: $0, isAdmin: false)
            }
        )
        simulation.listen(on: gatewayAddress, executors: gateways, acceptor: acceptor)
        listenAsProvider(on: outside, seed: seed)
    }

    /// Runs until every client is done and every stream is forgotten.
    ///
    /// - Returns: whether that happened within the steps.
    func run() -> Bool {
        for client in clients { client.start() }
        let isDone = simulation.run(stepLimit: 2_000_000) { [self] in
            clients.allSatisfy(\.isDone) && core.openStreamCount == 0
        }
        // Streams are kept for a resume, connections for another request.
        let rest = simulation.run(for: .seconds(200), stepLimit: 2_000_000)
        return isDone && rest
    }

    /// Ends the world, which otherwise keeps itself alive.
    func finish() {
        simulation.finish()
        for client in clients { client.forget() }
        for provider in providers { provider.forget() }
        providers = []
    }

    private func listenAsProvider(on executors: [SimulatedExecutor], seed: UInt64) {
        var count: UInt64 = 0
        let acceptor = SimulatedPeerAcceptor { [self] peer in
            count += 1
            let provider = ScriptedProvider(
                on: peer,
                random: SeededChance(seed: seed ^ (count << 20)),
                script: { [scripts] in scripts[$0] },
                noteRequest: { [self] in requests[$0, default: 0] += 1 }
            )
            providers.append(provider)
        }
        simulation.listen(on: providerAddress, executors: executors, acceptor: acceptor)
    }

    private static func client(
        _ index: Int,
        seed: UInt64,
        on executor: SimulatedExecutor,
        to address: SocketAddress
    ) -> SimulatedClient {
        var random = SeededChance(seed: seed &* 7_919 &+ UInt64(index) &+ 1)
        let isOpenAI = random.chance(perMille: 500)
        let limit = random.within(0...4_000)
        let manner: SimulatedClient.Manner =
            switch random.below(100) {
            case 0..<45: .patient
            case 45..<50: .stuck(after: limit)
            case 50..<65: .slow
            case 65..<75: .halfClosed
            case 75..<85: .leaves(after: limit)
            default: isOpenAI ? .patient : .returns(after: limit)
            }
        return SimulatedClient(
            index,
            manner: manner,
            isOpenAI: isOpenAI,
            asksForUsage: random.chance(perMille: 500),
            codings: codings(index, seed: seed),
            // Not by chance: seeds that have found something shall find it again.
            sealingKey: seed % 4 == 1 && index % 3 > 0 ? sealingKey.secret : nil,
            on: executor,
            to: address,
            random: random
        )
    }

    /// What a client accepts; by numbers of its own, so that the rest of a seed stays as it was.
    private static func codings(_ index: Int, seed: UInt64) -> String? {
        var random = SeededChance(seed: seed &* 104_729 &+ UInt64(index))
        return switch random.below(10) {
        case 0..<4: nil
        case 4..<6: "gzip"
        case 6: "deflate"
        case 7: "br"
        case 8: "br, gzip;q=0.5"
        default: "gzip, identity;q=0"
        }
    }
    private static let sealingKey = SharedKey(
        id: "k1",
        account: "acme",
        secret: SecretBytes([UInt8](repeating: 7, count: 32).span)
    )

    private static func settings(provider: SocketAddress) -> GatewaySettings {
        var timeouts = ProviderTimeouts()
        timeouts.connect = .seconds(5)
        timeouts.firstByte = .seconds(8)
        timeouts.silence = .seconds(8)
        let target = RouteTarget(
            provider: "p",
            dialect: .openAI,
            endpoint: ProviderEndpoint(
                host: "provider",
                port: 9_000,
                isSecure: false,
                authorityFile: nil
            ),
            basePath: "/v1",
            model: "upstream",
            apiKey: "secret",
            onDisconnect: .cancel,
            includesUsage: true,
            timeouts: timeouts
        )
        var settings = GatewaySettings()
        settings.models = ModelCatalog([Model(name: "m", price: "openai/gpt-4", route: [target])])
        settings.sealing.keys = [sealingKey.id: sealingKey]
        settings.sealing.rotation.eventLimit = 7
        settings.sealing.rotation.interval = .seconds(2)
        settings.streams.heartbeat = .seconds(1)
        settings.streams.resumeWindow = .seconds(5)
        settings.streams.lifetime = .seconds(60)
        settings.streams.bufferLimit = 2_048
        settings.streams.bufferBytes = 1_024
        settings.meteringInterval = .seconds(3)
        settings.streams.codings = [.gzip, .brotli, .deflate]
        // Room for two of brotli's encoders.
        settings.streams.codingBudget = 2_000_000
        return settings
    }

    private struct Acceptor: ConnectionAcceptor {
        let registry: ConnectionRegistry
        let handlers: [GatewayHandler]

        func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
            registry.accept(socket, on: executor, handler: handlers[executor.index])
        }
    }
}

/// Slots and records in memory; now and then there is no slot.
///
/// Proof for `@unchecked Sendable`: a simulation runs on one thread.
final class MemoryUsageSink: UsageSink, @unchecked Sendable {
    private(set) var records: [UsageRecord] = []
    var refusals = SeededChance(seed: 0)
    /// What is kept of stretches that run, by the number of their slot.
    private(set) var running: [UInt32: (opening: UsageRecord, counters: StretchCounters)] = [:]
    private var lastNumber: UInt32 = 0

    var refusal: String? { nil }

    func begin(_ opening: UsageRecord) -> MeterSlot? {
        if opening.segment > 0, refusals.chance(perMille: 100) { return nil }
        lastNumber += 1
        running[lastNumber] = (opening, StretchCounters())
        return MeterSlot(number: lastNumber)
    }

    func save(_ counters: StretchCounters, in slot: inout MeterSlot) {
        slot.generation += 1
        precondition(running[slot.number] != nil, "counters are saved while a stretch runs")
        running[slot.number]?.counters = counters
    }

    func note(inFlightBytes: UInt64, in slot: MeterSlot) {
        precondition(running[slot.number] != nil, "bytes are in flight while a stretch runs")
    }

    func finish(_ record: UsageRecord, in slot: MeterSlot) {
        let place = running.removeValue(forKey: slot.number)
        precondition(place?.opening.recordID == record.recordID, "a slot ends as it began")
        records.append(record)
    }
}

private struct OneCaller: CallerDirectory {
    func caller(presenting key: String) -> Caller? {
        key == "key" ? Caller(account: "acme", keyID: "k1") : nil
    }
}

private struct LiteralResolver: AddressResolver {
    let address: SocketAddress

    func addresses(
        of host: String,
        port: UInt16,
        on executor: any StreamExecutor,
        completion: @escaping @Sendable ([SocketAddress]) -> Void
    ) { completion([address]) }
}
