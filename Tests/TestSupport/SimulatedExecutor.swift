import Reactor
import StreamBytes

/// A reactor of a `Simulation`: virtual time, seeded chance, sockets in memory.
///
/// It is a task executor too: a task that prefers it runs all its steps here, in a reproducible
/// order. Proof for `@unchecked Sendable`: as for `Simulation`; `enqueue` and `perform` from other
/// threads go through its guarded inbox.
package final class SimulatedExecutor: StreamExecutor, TaskExecutor, @unchecked Sendable {
    package let index: Int
    package let simulation: Simulation

    private var random: SeededChance
    private var jobs: [(job: UnownedJob?, work: (@Sendable () -> Void)?)] = []
    private var timers: [Timer] = []
    private var freeTimers: [Int32] = []
    private var scratch: [[UInt8]] = []
    private var lentScratchCount = 0

    private struct Timer {
        var generation: UInt32 = 0
        var handler: (any TimerHandler)?
        var deadline: MonotonicTime?
        /// Counts the calls of `setTimer`: a scheduled firing of an older one is void.
        var setting: UInt32 = 0
    }

    init(index: Int, in simulation: Simulation, random: SeededChance) {
        self.index = index
        self.simulation = simulation
        self.random = random
    }

    // MARK: Executor

    package var isCurrent: Bool { simulation.isRunning(self) }

    package func enqueue(_ job: consuming ExecutorJob) { take(UnownedJob(job), nil) }

    package func perform(_ work: @escaping @Sendable () -> Void) { take(nil, work) }

    package func checkIsolated() {
        precondition(isCurrent, "what belongs to a reactor is called as its work")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Calls `body` at once as work of this executor: for tests that stand outside.
    package func enter<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try simulation.enter(self, body)
    }

    private func take(_ job: UnownedJob?, _ work: (@Sendable () -> Void)?) {
        if simulation.isHere {
            append(job, work)
        } else {
            simulation.leave(job, work, for: self)
        }
    }

    /// Jobs that wait for their turn.
    var jobCount: Int { jobs.count }

    func append(_ job: UnownedJob?, _ work: (@Sendable () -> Void)?) {
        jobs.append((job, work))
        guard jobs.count == 1 else { return }
        simulation.after(microseconds: simulation.random.below(30), on: self) { [self] in
            runJobs()
        }
    }

    /// One round, as a turn of a real reactor.
    private func runJobs() {
        let round = jobs
        jobs = []
        for (job, work) in round {
            if let job {
                unsafe job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(),
                    taskExecutor: asUnownedTaskExecutor()
                )
            }
            work?()
        }
    }

    // MARK: Time and chance

    package var now: MonotonicTime { simulation.now }
    package var preciseNow: MonotonicTime { simulation.now }
    package var wallClock: WallTime { simulation.wallClock }

    package func randomBits() -> UInt64 { random.next() }

    // MARK: Timers

    /// The timers that were made and not released.
    package var timerCount: Int { timers.count - freeTimers.count }

    /// The timers that are armed.
    package var armedTimerCount: Int { timers.count { $0.deadline != nil } }

    package func makeTimer(for handler: any TimerHandler) -> TimerID {
        check()
        let slot = freeTimers.popLast() ?? Int32(timers.count)
        if slot == timers.count { timers.append(Timer()) }
        timers[Int(slot)].handler = handler
        return TimerID(slot: slot, generation: timers[Int(slot)].generation)
    }

    package func setTimer(_ timer: TimerID, at deadline: MonotonicTime?) {
        check()
        let slot = Int(timer.slot)
        guard timers[slot].generation == timer.generation else { return }
        timers[slot].deadline = deadline
        timers[slot].setting &+= 1
        guard let deadline else { return }
        let setting = timers[slot].setting
        let late = Duration.microseconds(simulation.random.below(10_000))
        simulation.at(max(deadline, now) + late, on: self) { [self] in fire(timer, setting) }
    }

    package func releaseTimer(_ timer: TimerID) {
        check()
        let slot = Int(timer.slot)
        guard timers[slot].generation == timer.generation else { return }
        timers[slot] = Timer(generation: timer.generation &+ 1, setting: timers[slot].setting &+ 1)
        freeTimers.append(timer.slot)
    }

    private func fire(_ timer: TimerID, _ setting: UInt32) {
        let slot = Int(timer.slot)
        guard timers[slot].generation == timer.generation, timers[slot].setting == setting else {
            return
        }
        timers[slot].deadline = nil
        timers[slot].handler?.timerFired(timer)
    }

    // MARK: Sockets

    package func connect(
        to address: SocketAddress,
        security: ClientSecurity?,
        handler: any SocketHandler
    ) throws(SocketError) -> any StreamSocket {
        check()
        return SimulatedSocket(
            connectingTo: address,
            security: security,
            on: self,
            handler: handler
        )
    }

    package func adopt(
        _ socket: consuming PassedSocket,
        handler: any SocketHandler
    ) -> any StreamSocket {
        check()
        guard let end = simulation.passing.removeValue(forKey: socket.descriptor) else {
            preconditionFailure("a passed socket is adopted once, in its own simulation")
        }
        return SimulatedSocket(
            adopting: end,
            peer: socket.peer,
            local: socket.local,
            unread: socket.unread,
            on: self,
            handler: handler
        )
    }

    package func adopt(
        _ socket: consuming PassedSocket,
        security: ServerSecurity,
        handler: any SocketHandler
    ) -> any StreamSocket {
        adopt(socket, handler: handler)
    }

    // MARK: Buffers

    /// Scratch buffers that were taken and not returned.
    package var missingScratchCount: Int { lentScratchCount }

    package func takeScratch() -> [UInt8] {
        lentScratchCount += 1
        return scratch.popLast() ?? [UInt8](repeating: 0, count: 65_536)
    }

    package func returnScratch(_ buffer: consuming [UInt8]) {
        precondition(buffer.count == 65_536, "scratch buffers keep their size")
        lentScratchCount -= 1
        scratch.append(buffer)
    }

    private func check() {
        precondition(isCurrent, "a reactor's methods are called as its work")
    }
}
