import Reactor
import StreamBytes
import TestSupport
import Testing

/// Passes bytes from one socket to another: the smallest thing that a gateway does.
private final class Relay: SocketHandler, @unchecked Sendable {
    // Confined to its executor.
    private let executor: any StreamExecutor
    private var client: (any StreamSocket)?
    private var provider: (any StreamSocket)?
    private var pending: [UInt8] = []
    private var isEnded = false
    private var isClosed = false

    init(
        _ socket: consuming PassedSocket,
        to address: SocketAddress,
        on executor: any StreamExecutor
    ) {
        self.executor = executor
        client = executor.adopt(socket, handler: self)
        provider = try? executor.connect(to: address, security: nil, handler: self)
    }

    func socketIsReady(_ readiness: Readiness) {
        guard !isClosed else { return }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while flush(), let provider {
            switch provider.read(into: &buffer) {
            case .bytes(let count): pending = Array(buffer[..<count])
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
    }

    private func flush() -> Bool {
        while !pending.isEmpty, let client {
            switch client.write(pending.span) {
            case .wrote(0): return false
            case .wrote(let count): pending.removeFirst(count)
            case .failed:
                close()
                return false
            }
        }
        return !isClosed
    }

    private func close() {
        isClosed = true
        client?.close()
        provider?.close()
    }
}

private struct RelayAcceptor: ConnectionAcceptor {
    let provider: SocketAddress

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        _ = Relay(socket, to: provider, on: executor)
    }
}

private actor Notes {
    nonisolated let executor: SimulatedExecutor
    private(set) var lines: [String] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(on executor: SimulatedExecutor) { self.executor = executor }

    func note(_ line: String) {
        precondition(executor.isCurrent)
        lines.append(line)
    }

    nonisolated var now: [String] { assumeIsolated { $0.lines } }
}

struct SimulationTests {
    private let gateway = SocketAddress.v4(0x7f00_0001, port: 8080)
    private let provider = SocketAddress.v4(0x7f00_0001, port: 9000)

    /// Streams through relays; returns what the clients saw, with the time.
    private func stream(
        seed: UInt64,
        streams: Int,
        events: Int,
        faults: NetworkFaults = NetworkFaults()
    ) -> (received: [[UInt8]], ends: [ReadResult?], took: Duration, leaks: Simulation.Leaks) {
        let world = Simulation(seed: seed, executorCount: 3, faults: faults)
        let start = world.now
        let event = Array(("data: " + String(repeating: "x", count: 200) + "\n\n").utf8)
        let far = world.executors[2]
        let providers = SimulatedPeerAcceptor { peer in
            let pace = Pace(peer, event: event, count: events)
            pace.start()
        }
        world.listen(on: provider, executors: [far], acceptor: providers)
        world.listen(
            on: gateway,
            executors: Array(world.executors[..<2]),
            acceptor: RelayAcceptor(provider: provider)
        )
        let clients = (0..<streams).map { _ in SimulatedPeer(on: far) }
        for client in clients {
            client.onEnd = { $0.close() }
            client.connect(to: gateway)
        }
        world.run(until: { clients.allSatisfy { $0.end != nil } })
        for peer in providers.peers { peer.close() }
        world.runUntilIdle()
        let took = world.now - start
        return (clients.map(\.received), clients.map(\.end), took, world.finish())
    }

    private final class Pace: TimerHandler, @unchecked Sendable {
        // Confined to the simulation.
        private let peer: SimulatedPeer
        private let event: [UInt8]
        private var left: Int
        init(_ peer: SimulatedPeer, event: [UInt8], count: Int) {
            self.peer = peer
            self.event = event
            left = count
        }

        func start() {
            let timer = peer.executor.makeTimer(for: self)
            timerFired(timer)
        }

        func timerFired(_ timer: TimerID) {
            guard left > 0 else {
                peer.finishSending()
                return peer.executor.releaseTimer(timer)
            }
            left -= 1
            peer.send(event)
            peer.executor.setTimer(timer, at: peer.executor.now + .milliseconds(20))
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `every byte passes once and in order, whatever the cuts and delays`(seed: UInt64) {
        let outcome = stream(seed: seed, streams: 20, events: 50)
        for received in outcome.received {
            #expect(received.count == 50 * 208)
            #expect(received.count { $0 == 0x0a } == 100)
        }
        #expect(outcome.ends.allSatisfy { $0 == .endOfStream })
        #expect(outcome.leaks == Simulation.Leaks())
    }

    @Test func `the same seed plays the same, another does not`() {
        var faults = NetworkFaults()
        faults.resetsPerMille = 20
        let first = stream(seed: 7, streams: 10, events: 30, faults: faults)
        let again = stream(seed: 7, streams: 10, events: 30, faults: faults)
        let other = stream(seed: 8, streams: 10, events: 30, faults: faults)
        #expect(first.received == again.received)
        #expect(first.ends == again.ends)
        #expect(first.took == again.took)
        #expect(first.took != other.took)
    }

    @Test func `resets break some streams, and leave nothing behind`() {
        var faults = NetworkFaults()
        faults.resetsPerMille = 20
        let outcome = stream(seed: 3, streams: 20, events: 50, faults: faults)
        #expect(outcome.received.contains { $0.count < 50 * 208 })
        #expect(outcome.leaks == Simulation.Leaks())
    }

    @Test func `a thousand streams take seconds at most`() {
        let start = ContinuousClock.now
        let outcome = stream(seed: 1, streams: 1_000, events: 50)
        #expect(outcome.received.count { $0.count == 50 * 208 } == 1_000)
        print("50,000 simulated events:", ContinuousClock.now - start)
    }

    @Test func `tasks and actors run on virtual time in a reproducible order`() {
        func play(_ seed: UInt64) -> [String] {
            let world = Simulation(seed: seed, executorCount: 2)
            let notes = Notes(on: world.executors[0])
            for name in ["a", "b", "c"] {
                for executor in world.executors {
                    Task(executorPreference: executor) {
                        await notes.note("\(name)\(executor.index)")
                        await notes.note("\(name)\(executor.index)'")
                    }
                }
            }
            world.runUntilIdle()
            let lines = world.executors[0].enter { notes.now }
            #expect(world.finish() == Simulation.Leaks())
            return lines
        }
        #expect(play(1).count == 12)
        #expect(play(1) == play(1))
        #expect(Set((0..<20 as Range<UInt64>).map(play)).count > 1)
    }

    @Test func `a timer fires at its virtual deadline or up to a tick later`() {
        let world = Simulation(seed: 5)
        let executor = world.executors[0]
        let bell = Bell(executor)
        let timer = executor.enter { executor.makeTimer(for: bell) }
        let start = world.now
        executor.enter {
            executor.setTimer(timer, at: executor.now + .seconds(1))
            executor.setTimer(timer, at: executor.now + .seconds(3_600))
        }
        world.run(for: .seconds(3_599))
        #expect(bell.rings == [])
        #expect(world.leaks.armedTimers == 1)
        world.runUntilIdle()
        #expect(bell.rings.count == 1)
        let late = bell.rings[0] - (start + .seconds(3_600))
        #expect(late >= .zero && late <= .milliseconds(10))
        executor.enter { executor.releaseTimer(timer) }
        #expect(world.finish() == Simulation.Leaks())
    }

    private final class Bell: TimerHandler, @unchecked Sendable {
        // Confined to the simulation.
        let executor: SimulatedExecutor
        var rings: [MonotonicTime] = []
        init(_ executor: SimulatedExecutor) { self.executor = executor }
        func timerFired(_ timer: TimerID) { rings.append(executor.now) }
    }

    @Test func `refused, silent and untrusted addresses behave as such`() {
        let world = Simulation(seed: 2)
        let acceptor = SimulatedPeerAcceptor()
        world.listen(on: provider, acceptor: acceptor)
        world.securityFailures["bad.example"] = "certificate has expired"
        let silent = SocketAddress.v4(1, port: 1)
        world.silentAddresses = [silent]
        let clients = (0..<4).map { _ in SimulatedPeer(on: world.executors[0]) }
        clients[0].connect(to: gateway)
        clients[1].connect(to: silent)
        let bad = ClientSecurity(serverName: "bad.example", authorityFile: nil)
        clients[2].connect(to: provider, security: bad)
        let good = ClientSecurity(serverName: "good.example", authorityFile: nil)
        clients[3].connect(to: provider, security: good)
        world.runUntilIdle()
        #expect(clients[0].end == .failed(.refused))
        #expect(clients[1].readiness == [])
        #expect(clients[2].end == .failed(.tls("certificate has expired")))
        #expect(clients[3].readiness.contains(.isWritable))
        #expect(acceptor.peers.count == 1)
        for client in clients + acceptor.peers { client.close() }
        world.runUntilIdle()
        #expect(world.finish() == Simulation.Leaks())
    }

    @Test func `a paused reader holds the writer back, a closed one breaks it`() {
        let world = Simulation(seed: 4, faults: .none)
        let acceptor = SimulatedPeerAcceptor { $0.pause() }
        world.listen(on: provider, acceptor: acceptor)
        let client = SimulatedPeer(on: world.executors[0])
        client.connect(to: provider)
        client.send([UInt8](repeating: 1, count: 200_000))
        world.runUntilIdle()
        #expect(client.unsentCount == 200_000 - 65_536)
        acceptor.peers[0].resume()
        world.runUntilIdle()
        #expect(acceptor.peers[0].received.count == 200_000)
        client.finishSending()
        world.runUntilIdle()
        #expect(acceptor.peers[0].end == .endOfStream)
        acceptor.peers[0].send("still here")
        world.runUntilIdle()
        #expect(client.received == Array("still here".utf8))
        client.close()
        acceptor.peers[0].send("gone?")
        world.runUntilIdle()
        #expect(acceptor.peers[0].readiness.contains(.hasFailed))
        acceptor.peers[0].close()
        #expect(world.finish() == Simulation.Leaks())
    }
}
