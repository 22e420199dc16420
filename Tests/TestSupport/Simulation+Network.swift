import Reactor
import StreamBytes

extension Simulation {
    /// Listens on an address with some executors, or all; each connection goes to one by chance.
    package func listen(
        on address: SocketAddress,
        executors: [SimulatedExecutor]? = nil,
        acceptor: any ConnectionAcceptor
    ) {
        listeners[address] = (executors ?? self.executors).map {
            Listening(executor: $0, acceptor: acceptor)
        }
    }

    package func stopListening(on address: SocketAddress) { listeners[address] = nil }

    func listener(at address: SocketAddress) -> Listening? {
        guard let candidates = listeners[address], !candidates.isEmpty,
            !random.chance(perMille: faults.refusalsPerMille)
        else { return nil }
        return candidates[random.below(candidates.count)]
    }

    func makePair() -> (SimulatedEnd, SimulatedEnd) {
        let near = SimulatedEnd(capacity: random.within(faults.bufferByteCounts))
        let far = SimulatedEnd(capacity: random.within(faults.bufferByteCounts))
        near.other = far
        far.other = near
        return (near, far)
    }

    /// Gives the end a descriptor, under which it waits to be adopted.
    func park(_ end: SimulatedEnd) -> Int32 {
        lastDescriptor += 1
        passing[lastDescriptor] = end
        return lastDescriptor
    }

    func accept(
        _ end: SimulatedEnd,
        from peer: SocketAddress,
        at local: SocketAddress,
        by listening: Listening
    ) {
        let descriptor = park(end)
        after(microseconds: random.below(100), on: listening.executor) {
            let socket = PassedSocket(
                descriptor: descriptor,
                peer: peer,
                local: local,
                unread: []
            )
            listening.acceptor.accept(socket, on: listening.executor)
        }
    }

    /// Part of a count, sometimes.
    func split(_ count: Int) -> Int {
        guard count > 1, random.chance(perMille: faults.splitsPerMille) else { return count }
        return 1 + random.below(count - 1)
    }

    func delay() -> Int {
        if random.chance(perMille: faults.stallsPerMille) {
            return random.within(faults.stallMilliseconds) * 1_000
        }
        return random.within(faults.delayMicroseconds)
    }

    /// Lets what was sent arrive; bytes sent while others travel arrive with them.
    func deliver(to end: SimulatedEnd) {
        guard !end.isArrivalDue else { return }
        end.isArrivalDue = true
        travel(to: end) {
            end.isArrivalDue = false
            // After a failure what was on its way is lost.
            guard end.failure == nil else { return }
            end.arrivedCount = end.waitingCount
            end.owner?.tell(
                self.isSpurious ? [.isReadable, .isWritable] : .isReadable
            )
        }
    }

    func sendEnd(to end: SimulatedEnd) {
        guard !end.endIsSent else { return }
        end.endIsSent = true
        travel(to: end) {
            guard end.failure == nil else { return }
            end.arrivedCount = end.waitingCount
            end.endHasArrived = true
            end.owner?.tell([.isReadable, .peerClosed])
        }
    }

    func breakLater(_ end: SimulatedEnd) {
        travel(to: end) {
            guard end.failure == nil, !end.isClosed else { return }
            end.failure = .reset
            end.owner?.tell([.isReadable, .hasFailed])
        }
    }

    func later(_ readiness: Readiness, to end: SimulatedEnd) {
        guard let executor = end.owner?.executor else { return }
        after(microseconds: random.below(200), on: executor) { [self] in
            // The end may have moved to another reactor meanwhile.
            guard let owner = end.owner, owner.executor !== executor else {
                end.owner?.tell(readiness)
                return
            }
            after(microseconds: 0, on: owner.executor) { end.owner?.tell(readiness) }
        }
    }

    func close(_ end: SimulatedEnd, withReset: Bool) {
        end.owner = nil
        end.isClosed = true
        guard let other = end.other else { return }
        if withReset || end.waitingCount > 0 {
            breakLater(other)
        } else {
            sendEnd(to: other)
        }
        // A closed end takes whatever its peer's full buffer held back.
        if other.waitsForRoom {
            other.waitsForRoom = false
            later(.isWritable, to: other)
        }
        if other.isClosed {
            other.other = nil
            end.other = nil
        }
    }

    private var isSpurious: Bool { random.chance(perMille: faults.spuriousPerMille) }

    /// Runs `arrival` at the end's executor after a delay, in the order of the calls.
    private func travel(to end: SimulatedEnd, _ arrival: @escaping () -> Void) {
        let time = max(now + .microseconds(delay()), end.lastArrival + .nanoseconds(1))
        end.lastArrival = time
        let executor = end.owner?.executor ?? executors[0]
        at(time, on: executor) { [self] in
            // The end may have moved to another reactor while the bytes travelled.
            guard let owner = end.owner, owner.executor !== executor else { return arrival() }
            after(microseconds: 0, on: owner.executor, arrival)
        }
    }
}
