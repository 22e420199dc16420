import Glibc
import Reactor
import StreamBytes

/// One end of a simulated connection; outlives the sockets that own it one after another.
///
/// Proof for `@unchecked Sendable`: as for `Simulation`.
final class SimulatedEnd: @unchecked Sendable {
    var other: SimulatedEnd?
    var owner: SimulatedSocket?
    let capacity: Int

    /// Bytes on their way here, of which the first `arrivedCount` can be read.
    var inbound: [UInt8] = []
    var inboundStart = 0
    var arrivedCount = 0
    var isArrivalDue = false
    var lastArrival = MonotonicTime(nanoseconds: 0)
    /// The other side ended its sending; seen when everything has arrived.
    var endIsSent = false
    var endHasArrived = false
    var failure: SocketError?
    var isClosed = false
    /// A write was short: room is to be told.
    var waitsForRoom = false
    var hasShutDown = false
    var acknowledged: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var waitingCount: Int { inbound.count - inboundStart }

    /// In one piece: a loop would cost more than everything else in a debug build.
    func copy(_ count: Int, into buffer: inout [UInt8]) {
        unsafe inbound.withUnsafeBytes { from in
            unsafe buffer.withUnsafeMutableBytes { to in
                let rest = unsafe from[inboundStart..<inboundStart + count]
                unsafe to.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest))
            }
        }
    }

    func drop(_ count: Int) {
        inboundStart += count
        arrivedCount -= count
        if inboundStart == inbound.count {
            inbound.removeAll(keepingCapacity: true)
            inboundStart = 0
        } else if inboundStart > 65_536 {
            inbound.removeSubrange(0..<inboundStart)
            inboundStart = 0
        }
    }
}

/// A socket of a simulation.
///
/// Proof for `@unchecked Sendable`: as for `Simulation`; every call checks its executor.
final class SimulatedSocket: StreamSocket, @unchecked Sendable {
    let peer: SocketAddress
    private(set) var local: SocketAddress

    let executor: SimulatedExecutor
    private var handler: (any SocketHandler)?
    private var end: SimulatedEnd?
    private var unread: [UInt8] = []
    private var failure: SocketError?
    private var isClosed = false

    private var simulation: Simulation { executor.simulation }

    init(
        connectingTo address: SocketAddress,
        security: ClientSecurity?,
        on executor: SimulatedExecutor,
        handler: any SocketHandler
    ) {
        peer = address
        self.executor = executor
        self.handler = handler
        let simulation = executor.simulation
        simulation.lastDescriptor += 1
        local = .v4(0x7f00_0001, port: UInt16(truncatingIfNeeded: simulation.lastDescriptor))
        simulation.openSocketCount += 1
        simulation.after(microseconds: simulation.delay(), on: executor) { [self] in
            establish(security)
        }
    }

    init(
        adopting end: SimulatedEnd,
        peer: SocketAddress,
        local: SocketAddress,
        unread: [UInt8],
        on executor: SimulatedExecutor,
        handler: any SocketHandler
    ) {
        self.peer = peer
        self.local = local
        self.executor = executor
        self.handler = handler
        self.end = end
        self.unread = unread
        end.owner = self
        executor.simulation.openSocketCount += 1
        executor.simulation.after(microseconds: 0, on: executor) { [self] in
            tell(pendingReadiness)
        }
    }

    private func establish(_ security: ClientSecurity?) {
        guard !isClosed, !simulation.silentAddresses.contains(peer) else { return }
        if let security, let reason = simulation.securityFailures[security.serverName] {
            return fail(.tls(reason))
        }
        guard let listening = simulation.listener(at: peer) else { return fail(.refused) }
        let (near, far) = simulation.makePair()
        near.owner = self
        end = near
        simulation.accept(far, from: local, at: peer, by: listening)
        tell(.isWritable)
    }

    // MARK: Bytes

    func read(into buffer: inout [UInt8]) -> ReadResult {
        check()
        precondition(!buffer.isEmpty, "a read needs room")
        if isClosed { return .failed(.system(EBADF)) }
        if !unread.isEmpty { return readUnread(into: &buffer) }
        guard let end else { return failure.map(ReadResult.failed) ?? .wouldBlock }
        guard end.arrivedCount > 0 else {
            if let failure = end.failure { return .failed(failure) }
            return end.endHasArrived ? .endOfStream : .wouldBlock
        }
        let possible = min(end.arrivedCount, buffer.count)
        let count = simulation.split(possible)
        end.copy(count, into: &buffer)
        end.drop(count)
        if count < possible { simulation.later(.isReadable, to: end) }
        end.other?.acknowledged += UInt64(count)
        tellRoom(to: end.other)
        return .bytes(count)
    }

    /// Short only when nothing else is there, so that the count keeps its meaning.
    private func readUnread(into buffer: inout [UInt8]) -> ReadResult {
        let count = min(unread.count, buffer.count)
        buffer.replaceSubrange(0..<count, with: unread[..<count])
        unread.removeFirst(count)
        if let end { simulation.later(.isReadable, to: end) }
        return .bytes(count)
    }

    func write(_ bytes: Span<UInt8>) -> WriteResult {
        check()
        if isClosed { return .failed(.system(EBADF)) }
        if let failure = failure ?? end?.failure { return .failed(failure) }
        guard let end, let other = end.other, !bytes.isEmpty else { return .wrote(0) }
        if end.hasShutDown { return .failed(.reset) }
        let room = other.isClosed ? bytes.count : other.capacity - other.waitingCount
        let possible = min(room, bytes.count)
        let count = possible > 0 ? simulation.split(possible) : 0
        if count < bytes.count {
            end.waitsForRoom = true
            if possible > 0 { tellRoom(to: end) }
        }
        guard count > 0 else { return .wrote(0) }
        send(bytes.extracting(0..<count), from: end, to: other)
        return .wrote(count)
    }

    private func send(_ bytes: Span<UInt8>, from end: SimulatedEnd, to other: SimulatedEnd) {
        if other.isClosed {
            // Nobody is there: the other side's kernel answers with a reset.
            return simulation.breakLater(end)
        }
        unsafe bytes.withUnsafeBufferPointer { unsafe other.inbound.append(contentsOf: $0) }
        simulation.deliver(to: other)
        if simulation.random.chance(perMille: simulation.faults.resetsPerMille) {
            simulation.breakLater(end)
            simulation.breakLater(other)
        }
    }

    private func tellRoom(to end: SimulatedEnd?) {
        guard let end, end.waitsForRoom, let other = end.other,
            other.waitingCount < other.capacity
        else { return }
        end.waitsForRoom = false
        simulation.later(.isWritable, to: end)
    }

    func statistics() -> TCPStatistics? {
        guard !isClosed, let end else { return nil }
        var statistics = TCPStatistics()
        statistics.roundTripMicroseconds = 100
        statistics.bytesAcknowledged = end.acknowledged
        return statistics
    }

    // MARK: End

    func shutdownSending() {
        check()
        guard !isClosed, let end, !end.hasShutDown else { return }
        end.hasShutDown = true
        if let other = end.other { simulation.sendEnd(to: other) }
    }

    func close() { leave(withReset: false) }

    func reset() { leave(withReset: true) }

    func detach(unread: [UInt8]) -> PassedSocket {
        check()
        guard !isClosed, let end else {
            preconditionFailure("only an open socket can be passed on")
        }
        isClosed = true
        handler = nil
        end.owner = nil
        self.end = nil
        simulation.openSocketCount -= 1
        let descriptor = simulation.park(end)
        return PassedSocket(
            descriptor: descriptor,
            peer: peer,
            local: local,
            unread: unread + self.unread
        )
    }

    private func leave(withReset: Bool) {
        check()
        guard !isClosed else { return }
        isClosed = true
        handler = nil
        simulation.openSocketCount -= 1
        if let end { simulation.close(end, withReset: withReset || !unread.isEmpty) }
        end = nil
    }

    // MARK: Readiness

    var pendingReadiness: Readiness {
        var readiness: Readiness = [.isWritable]
        guard let end else { return readiness }
        if end.arrivedCount > 0 || !unread.isEmpty { readiness.insert(.isReadable) }
        if end.endHasArrived { readiness.formUnion([.isReadable, .peerClosed]) }
        if end.failure != nil { readiness.formUnion([.isReadable, .hasFailed]) }
        return readiness
    }

    func tell(_ readiness: Readiness) {
        guard !isClosed else { return }
        handler?.socketIsReady(readiness)
    }

    private func fail(_ error: SocketError) {
        failure = error
        tell(.hasFailed)
    }

    private func check() {
        precondition(executor.isCurrent, "a socket is used as work of its reactor")
    }
}
