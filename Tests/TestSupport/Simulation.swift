import Glibc
import Reactor
import StreamBytes
import Synchronization

/// What goes wrong on the simulated network, and how often.
package struct NetworkFaults: Sendable {
    /// Reads and writes that stop at a random place.
    package var splitsPerMille = 300
    /// How long bytes travel, in microseconds.
    package var delayMicroseconds = 20...2_000
    /// Writes whose bytes travel for `stallMilliseconds` instead.
    package var stallsPerMille = 5
    package var stallMilliseconds = 10...3_000
    /// Writes after which the connection breaks.
    package var resetsPerMille = 0
    /// Connections that are refused although someone listens.
    package var refusalsPerMille = 0
    /// What a socket holds on its way to the other side, in bytes.
    package var bufferByteCounts = 1...65_536
    /// Readiness that is told without a reason.
    package var spuriousPerMille = 20

    package init() {}

    /// A network without faults: whole reads and writes, short and equal delays.
    package static var none: Self {
        var faults = Self()
        faults.splitsPerMille = 0
        faults.delayMicroseconds = 50...50
        faults.stallsPerMille = 0
        faults.bufferByteCounts = 65_536...65_536
        faults.spuriousPerMille = 0
        return faults
    }
}

/// A small world on virtual time: executors, a network and a schedule, all from one seed.
///
/// It runs on the thread that calls `run`. Proof for `@unchecked Sendable`: everything but `foreign`
/// and the atomics is used by one thread at a time, the one that calls `run` or `enter`.
package final class Simulation: @unchecked Sendable {
    package let seed: UInt64
    package var faults: NetworkFaults
    package private(set) var executors: [SimulatedExecutor] = []
    package private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000)
    /// The actions run so far.
    package private(set) var stepCount = 0
    /// Server names whose TLS handshake fails, with the text.
    package var securityFailures: [String: String] = [:]
    /// Addresses that never answer.
    package var silentAddresses: Set<SocketAddress> = []
    /// Sockets that were opened and not closed.
    package internal(set) var openSocketCount = 0

    var random: SeededChance
    var listeners: [SocketAddress: [Listening]] = [:]
    /// Ends of connections that no socket owns at the moment, by their descriptor.
    var passing: [Int32: SimulatedEnd] = [:]
    var lastDescriptor: Int32 = 1_000_000

    struct Listening {
        let executor: SimulatedExecutor
        let acceptor: any ConnectionAcceptor
    }

    private var schedule = SimulatedSchedule()
    private var actions: [(() -> Void)?] = []
    private var freeActions: [Int32] = []
    private var actionCount: UInt64 = 0
    private var wallOffset: Int64
    private let foreign = Guarded<[(SimulatedExecutor, UnownedJob?, (@Sendable () -> Void)?)]>([])
    private let hasForeign = Atomic<Bool>(false)
    private let thread = Atomic<UInt>(0)
    private let current = Atomic<Int>(-1)

    /// Makes a world.
    ///
    /// - Parameters:
    ///   - seed: decides everything that happens by chance.
    ///   - executorCount: how many reactors there are at first.
    ///   - faults: of the network.
    ///   - wallClock: what the wall clock shows at the start.
    package init(
        seed: UInt64,
        executorCount: Int = 1,
        faults: NetworkFaults = NetworkFaults(),
        wallClock: WallTime = WallTime(milliseconds: 1_767_225_600_000)
    ) {
        self.seed = seed
        self.faults = faults
        random = SeededChance(seed: seed)
        wallOffset = wallClock.milliseconds - 1_000
        for _ in 0..<executorCount { makeExecutor() }
    }

    /// Adds a reactor.
    @discardableResult
    package func makeExecutor() -> SimulatedExecutor {
        let executor = SimulatedExecutor(
            index: executors.count,
            in: self,
            random: SeededChance(seed: random.next())
        )
        executors.append(executor)
        return executor
    }

    package var wallClock: WallTime {
        WallTime(milliseconds: wallOffset + now.nanoseconds / 1_000_000)
    }

    /// Sets the wall clock forward or back; the monotonic one goes on.
    package func moveWallClock(by duration: Duration) {
        wallOffset += duration.wholeMilliseconds
    }

    // MARK: Running

    /// Runs until the condition holds; it is asked after every step.
    ///
    /// - Parameters:
    ///   - stepLimit: how many steps at most.
    ///   - condition: nil: until nothing is left to do.
    /// - Returns: whether it holds; false when nothing is left to do or the steps are used up.
    @discardableResult
    package func run(stepLimit: Int = 1_000_000, until condition: (() -> Bool)? = nil) -> Bool {
        onThisThread {
            for _ in 0..<stepLimit {
                if let condition, condition() { return true }
                guard step(before: nil) else { return condition?() ?? true }
            }
            return condition?() ?? schedule.isEmpty
        }
    }

    /// Runs until nothing is left to do.
    ///
    /// Timers count as something: those that are always armed again make it run into the limit.
    ///
    /// - Parameter stepLimit: how many steps at most.
    /// - Returns: false when the steps are used up.
    @discardableResult
    package func runUntilIdle(stepLimit: Int = 1_000_000) -> Bool { run(stepLimit: stepLimit) }

    /// Runs what happens within a stretch of virtual time, and lets the clock reach its end.
    ///
    /// - Parameters:
    ///   - duration: how long.
    ///   - stepLimit: how many steps at most.
    /// - Returns: false when the steps are used up.
    @discardableResult
    package func run(for duration: Duration, stepLimit: Int = 1_000_000) -> Bool {
        let end = now + duration
        return onThisThread {
            for _ in 0..<stepLimit where !step(before: end) {
                now = max(now, end)
                return true
            }
            return false
        }
    }

    /// Calls `body` at once as work of this executor.
    package func enter<Result, Failure: Error>(
        _ executor: SimulatedExecutor,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (outerThread, outer) = (
            thread.load(ordering: .relaxed), current.load(ordering: .relaxed)
        )
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        current.store(executor.index, ordering: .relaxed)
        defer {
            thread.store(outerThread, ordering: .relaxed)
            current.store(outer, ordering: .relaxed)
        }
        return try body()
    }

    private func onThisThread(_ body: () -> Bool) -> Bool {
        let outer = thread.load(ordering: .relaxed)
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        defer { thread.store(outer, ordering: .relaxed) }
        return body()
    }

    private func step(before end: MonotonicTime?) -> Bool {
        if hasForeign.load(ordering: .acquiring) { takeForeign() }
        guard let time = schedule.nextTime, end.map({ time < $0.nanoseconds }) ?? true,
            let entry = schedule.popFirst()
        else { return false }
        now = MonotonicTime(nanoseconds: max(now.nanoseconds, entry.time))
        stepCount += 1
        let action = actions[Int(entry.action)]
        actions[Int(entry.action)] = nil
        freeActions.append(entry.action)
        action?()
        return true
    }

    // MARK: The end

    /// What should be nothing when everything was closed.
    package struct Leaks: Equatable, Sendable {
        package var sockets = 0
        /// Connections that were accepted, or detached, and never adopted.
        package var passing = 0
        package var timers = 0
        package var armedTimers = 0
        package var scratchBuffers = 0
        package var jobs = 0

        package init() {}
    }

    /// What is open, made or lent now.
    package var leaks: Leaks {
        var leaks = Leaks()
        leaks.sockets = openSocketCount
        leaks.passing = passing.count
        for executor in executors {
            leaks.timers += executor.timerCount
            leaks.armedTimers += executor.armedTimerCount
            leaks.scratchBuffers += executor.missingScratchCount
            leaks.jobs += executor.jobCount
        }
        return leaks
    }

    /// Ends the world, which otherwise keeps itself alive: executors and simulation know each other.
    ///
    /// - Returns: what was left.
    @discardableResult
    package func finish() -> Leaks {
        let leaks = leaks
        schedule = SimulatedSchedule()
        actions = []
        freeActions = []
        listeners = [:]
        passing = [:]
        executors = []
        return leaks
    }

    // MARK: For executors and sockets

    /// Whether the caller runs as work of this executor.
    ///
    /// May be asked from any thread.
    func isRunning(_ executor: SimulatedExecutor) -> Bool {
        current.load(ordering: .relaxed) == executor.index
            && thread.load(ordering: .relaxed) == UInt(pthread_self())
    }

    /// Whether the caller is the thread that runs the simulation now.
    var isHere: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Runs `action` as work of the executor, at a time or as soon after it as the schedule likes.
    func at(
        _ time: MonotonicTime,
        on executor: SimulatedExecutor,
        _ action: @escaping () -> Void
    ) {
        let slot = freeActions.popLast() ?? Int32(actions.count)
        if slot == actions.count { actions.append(nil) }
        actions[Int(slot)] = { [self] in enter(executor, action) }
        // Actions of the same instant run in an order of their own for each seed.
        schedule.insert(
            SimulatedSchedule.Entry(time: time.nanoseconds, tie: random.next(), action: slot)
        )
    }

    func after(
        microseconds: Int,
        on executor: SimulatedExecutor,
        _ action: @escaping () -> Void
    ) {
        at(now + .microseconds(microseconds), on: executor, action)
    }

    /// Takes what another thread leaves; the schedule is not reproducible then.
    func leave(
        _ job: UnownedJob?,
        _ work: (@Sendable () -> Void)?,
        for executor: SimulatedExecutor
    ) {
        foreign.withLock { $0.append((executor, job, work)) }
        hasForeign.store(true, ordering: .releasing)
    }

    private func takeForeign() {
        hasForeign.store(false, ordering: .sequentiallyConsistent)
        let arrived = foreign.withLock { foreign in
            defer { foreign = [] }
            return foreign
        }
        for (executor, job, work) in arrived { executor.append(job, work) }
    }
}
