import CLinux
import StreamBytes
import Synchronization

/// One thread: an epoll loop, a timer wheel and a queue of jobs; the executor of all that lives on
/// it.
///
/// Proof for `@unchecked Sendable`: what several threads use (`inbox`, the atomics) guards itself;
/// every other variable is touched by the thread of the loop alone, or before it is started.
package final class ReactorThread: StreamExecutor, @unchecked Sendable {
    package let index: Int
    package private(set) var now: MonotonicTime
    package private(set) var wallClock: WallTime

    private let poller: Poller
    private let inbox = Inbox()
    private let threadID = Atomic<UInt64>(0)
    private var thread: NativeThread?
    private var jobs: [ReactorJob] = []
    private var running: [ReactorJob] = []
    private var targets = TargetTable()
    private var wheel: TimerWheel
    private var timerHandlers: [(any TimerHandler)?] = []
    private var due: [TimerID] = []
    private var scratch: [[UInt8]] = []
    private var random = SystemRandomNumberGenerator()
    private var stopDeadline: MonotonicTime?
    private let handshakesPerTurn: Int
    /// A turn that was long already may take an eighth more for handshakes: when thousands of streams
    /// keep the reactor busy, one step per turn would leave new clients waiting beyond their limits.
    private static let handshakeShare = 8
    private var handshakes = HandshakeQueue<ReactorSocket>()
    private let adoptedCount = Atomic<Int>(0)
    private let arrivingCount = Atomic<Int>(0)

    /// The turns of the loop so far, for measurements.
    package private(set) var turnCount = 0
    /// The steps of TLS handshakes so far, for measurements.
    package private(set) var handshakeStepCount = 0

    /// Makes a reactor that does not run yet; jobs may be enqueued already.
    ///
    /// - Parameters:
    ///   - index: its place in its group.
    ///   - handshakesPerTurn: how many steps of TLS handshakes a short turn makes. A step takes as
    ///     long as twenty events, so that the events of running streams are looked for after each.
    /// - Throws: `SocketError` when the process lacks descriptors.
    package init(index: Int, handshakesPerTurn: Int = 1) throws(SocketError) {
        self.index = index
        self.handshakesPerTurn = handshakesPerTurn
        poller = try Poller(waking: inbox.wakeDescriptor())
        now = MonotonicTime(nanoseconds: CLinux_monotonic_ns())
        wallClock = WallTime(milliseconds: CLinux_wall_ms())
        wheel = TimerWheel(startingAt: now)
    }

    // MARK: Executor

    package var isCurrent: Bool { threadID.load(ordering: .relaxed) == CLinux_current_thread() }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard !isCurrent else { return jobs.append(.task(job)) }
        inbox.append(.task(job))
    }

    package func checkIsolated() {
        precondition(isCurrent, "what belongs to a reactor is called on its thread")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    package func perform(_ work: @escaping @Sendable () -> Void) { offer(work) }

    /// As `perform`.
    ///
    /// - Returns: false when the reactor has ended and will never run `work`.
    @discardableResult
    func offer(_ work: @escaping @Sendable () -> Void) -> Bool {
        guard !isCurrent else {
            jobs.append(.work(work))
            return true
        }
        return inbox.append(.work(work))
    }

    // MARK: Time and chance

    package var preciseNow: MonotonicTime { MonotonicTime(nanoseconds: CLinux_monotonic_ns()) }

    package var cpuNanoseconds: Int64 { CLinux_thread_cpu_ns() }

    package func randomBits() -> UInt64 { random.next() }

    package func makeTimer(for handler: any TimerHandler) -> TimerID {
        let timer = wheel.make()
        let slot = Int(timer.slot)
        if slot == timerHandlers.count {
            timerHandlers.append(handler)
        } else {
            timerHandlers[slot] = handler
        }
        return timer
    }

    package func setTimer(_ timer: TimerID, at deadline: MonotonicTime?) {
        wheel.set(timer, at: deadline)
    }

    package func releaseTimer(_ timer: TimerID) {
        guard wheel.isAlive(timer) else { return }
        wheel.release(timer)
        if let handler = timerHandlers[Int(timer.slot)] { targets.retire(handler) }
        timerHandlers[Int(timer.slot)] = nil
    }

    // MARK: Buffers

    package func takeScratch() -> [UInt8] {
        scratch.popLast() ?? [UInt8](repeating: 0, count: Self.scratchByteCount)
    }

    package func returnScratch(_ buffer: consuming [UInt8]) {
        precondition(buffer.count == Self.scratchByteCount, "scratch buffers keep their size")
        guard scratch.count < Self.scratchLimit else { return }
        scratch.append(buffer)
    }

    private static let scratchByteCount = 65_536
    private static let scratchLimit = 8

    // MARK: Descriptors

    /// Watches a descriptor; its events go to `target` until `unregister`.
    func register(
        _ descriptor: Int32,
        events: UInt32,
        target: any ReadinessTarget
    ) throws(SocketError) -> TargetID {
        let place = targets.insert(target)
        do throws(SocketError) {
            try poller.add(descriptor, events: events, data: place.packed)
        } catch {
            targets.remove(place)
            throw error
        }
        return place
    }

    /// Changes what a descriptor is watched for.
    func watch(_ descriptor: Int32, events: UInt32, place: TargetID) {
        poller.modify(descriptor, events: events, data: place.packed)
    }

    /// Stops watching; call before the descriptor is closed.
    ///
    /// The target and `handler` live on to the end of the turn, because one of them is running.
    func unregister(_ descriptor: Int32, place: TargetID, handler: AnyObject?) {
        poller.remove(descriptor)
        if let handler { targets.retire(handler) }
        targets.remove(place)
    }

    /// Runs the target's handler as if the kernel had reported these events.
    func deliverLater(_ events: UInt32, to place: TargetID) {
        perform { [self] in targets[place]?.deliver(events) }
    }

    /// How busy this reactor is for placement: sockets adopted, and on their way here.
    var load: Int {
        adoptedCount.load(ordering: .relaxed) + arrivingCount.load(ordering: .relaxed)
    }

    func countAdopted(by change: Int) { adoptedCount.add(change, ordering: .relaxed) }
    func countArriving(by change: Int) { arrivingCount.add(change, ordering: .relaxed) }

    // MARK: Handshakes

    /// Has the socket make the next step of its handshake when its turn comes.
    func queueHandshake(of socket: ReactorSocket, isAccepted: Bool) {
        handshakes.append(socket, isAccepted: isAccepted)
    }

    private func goOnWithHandshakes() {
        guard !handshakes.isEmpty else { return }
        let begin = preciseNow
        let share = (begin - now) / Self.handshakeShare
        var stepCount = 0
        while stepCount < handshakesPerTurn || preciseNow - begin < share,
            let socket = handshakes.next()
        {
            if socket.goOnWithHandshake() { stepCount += 1 }
        }
        handshakeStepCount &+= stepCount
    }

    // MARK: Life

    /// Starts the thread; once.
    func start() throws(SocketError) {
        precondition(thread == nil, "a reactor is started once")
        thread = try NativeThread(named: "reactor-\(index)") { [self] in loop() }
    }

    /// Asks the loop to end when nothing is registered any more, at the latest after `limit`.
    func requestStop(within limit: Duration) {
        perform { [self] in stopDeadline = min(stopDeadline ?? now + limit, now + limit) }
    }

    /// Waits for the thread's end; not from the thread itself.
    func join() {
        precondition(!isCurrent, "a reactor cannot wait for itself")
        thread?.join()
        thread = nil
    }

    private func loop() {
        threadID.store(CLinux_current_thread(), ordering: .relaxed)
        var isOpen = true
        while isOpen {
            turn()
            if let stopDeadline { isOpen = !endIfDone(at: stopDeadline) }
        }
        // The system gives the number to another thread soon.
        threadID.store(0, ordering: .relaxed)
    }

    private func turn() {
        let isIdle = jobs.isEmpty && handshakes.isEmpty
        let count = poller.wait(until: isIdle ? wakeTime() : nil, blocks: isIdle)
        now = preciseNow
        wallClock = WallTime(milliseconds: CLinux_wall_ms())
        turnCount &+= 1
        for position in 0..<count { dispatch(poller.event(position)) }
        fireTimers()
        runJobs()
        goOnWithHandshakes()
        _ = targets.takeRetired()
    }

    private func wakeTime() -> MonotonicTime? {
        switch (wheel.nextDeadline(), stopDeadline) {
        case (let timer?, let stop?): min(timer, stop)
        case (let timer, let stop): timer ?? stop
        }
    }

    private func dispatch(_ event: Poller.Event) {
        if event.data == Poller.wakeData {
            inbox.take(into: &jobs)
        } else {
            // An event of the same batch may refer to a socket that was closed since.
            targets[TargetID(packed: event.data)]?.deliver(event.events)
        }
    }

    private func fireTimers() {
        wheel.advance(to: now, into: &due)
        guard !due.isEmpty else { return }
        for timer in due where wheel.confirm(timer) {
            timerHandlers[Int(timer.slot)]?.timerFired(timer)
        }
        due.removeAll(keepingCapacity: true)
    }

    /// Runs one round; what is enqueued meanwhile waits for the next turn, after the sockets.
    private func runJobs() {
        guard !jobs.isEmpty else { return }
        swap(&jobs, &running)
        let executor = unsafe asUnownedSerialExecutor()
        for job in running {
            switch job {
            case .task(let task): unsafe task.runSynchronously(on: executor)
            case .work(let work): work()
            }
        }
        running.removeAll(keepingCapacity: true)
    }

    private func endIfDone(at deadline: MonotonicTime) -> Bool {
        let isIdle = jobs.isEmpty && targets.count == 0 && wheel.count == 0
        guard isIdle || now >= deadline else { return false }
        guard inbox.close(unlessFilled: now < deadline) else { return false }
        for target in targets.all { target.abandon() }
        timerHandlers.removeAll()
        handshakes.removeAll()
        jobs.removeAll()
        return true
    }
}
