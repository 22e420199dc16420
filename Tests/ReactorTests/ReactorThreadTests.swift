import Reactor
import StreamBytes
import Testing

private actor Counter {
    nonisolated let reactor: any StreamExecutor
    private var count = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe reactor.asUnownedSerialExecutor()
    }

    init(on reactor: any StreamExecutor) { self.reactor = reactor }

    func add() {
        precondition(reactor.isCurrent)
        count += 1
    }

    var total: Int { count }

    nonisolated func addAtOnce() { assumeIsolated { $0.count += 1 } }
}

private final class Alarm: TimerHandler {
    let fired = Guarded<[MonotonicTime]>([])
    let reactor: any StreamExecutor
    init(on reactor: any StreamExecutor) { self.reactor = reactor }
    func timerFired(_ timer: TimerID) { fired.withLock { $0.append(reactor.now) } }
}

struct ReactorThreadTests {
    @Test func `jobs from four threads run once each, on the reactor`() async throws {
        try await withReactors { group in
            let reactor = group.reactors[0]
            let counter = Counter(on: reactor)
            let performed = Guarded(0)
            await withTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask {
                        for _ in 0..<12_500 {
                            await counter.add()
                            reactor.perform { performed.withLock { $0 += 1 } }
                        }
                    }
                }
            }
            #expect(await counter.total == 50_000)
            #expect(await eventually { performed.withLock { $0 } == 50_000 })
        }
    }

    @Test func `work of one thread runs in its order`() async throws {
        try await withReactors { group in
            let order = Guarded<[Int]>([])
            for number in 0..<1_000 {
                group.reactors[0].perform { order.withLock { $0.append(number) } }
            }
            await group.reactors[0].run {}
            #expect(order.withLock { $0 } == Array(0..<1_000))
        }
    }

    @Test func `an actor of the reactor is entered from the loop without a task`() async throws {
        try await withReactors { group in
            let counter = Counter(on: group.reactors[0])
            await group.reactors[0].run { counter.addAtOnce() }
            #expect(await counter.total == 1)
            #expect(!group.reactors[0].isCurrent)
            #expect(await group.reactors[0].run { group.reactors[0].isCurrent })
        }
    }

    @Test func `work enqueued by work waits for the next turn`() async throws {
        try await withReactors { group in
            let reactor = group.reactors[0]
            let first = await reactor.run { reactor.turnCount }
            let second = await withCheckedContinuation { continuation in
                reactor.perform {
                    let turn = reactor.turnCount
                    reactor.perform { continuation.resume(returning: reactor.turnCount - turn) }
                }
            }
            #expect(first > 0)
            #expect(second == 1)
        }
    }

    @Test func `timers fire after their deadline, and a reactor with nothing due sleeps`()
        async throws
    {
        try await withReactors { group in
            let reactor = group.reactors[0]
            let alarm = Alarm(on: reactor)
            let (timer, start) = await reactor.run {
                let timer = reactor.makeTimer(for: alarm)
                reactor.setTimer(timer, at: reactor.now + .milliseconds(50))
                return (timer, reactor.now)
            }
            #expect(await eventually { alarm.fired.withLock { !$0.isEmpty } })
            let waited = alarm.fired.withLock { $0[0] } - start
            #expect(waited >= .milliseconds(50))
            let turns = await reactor.run {
                reactor.setTimer(timer, at: reactor.now + .seconds(3_600))
                return reactor.turnCount
            }
            try await Task.sleep(for: .milliseconds(100))
            #expect(await reactor.run { reactor.turnCount } - turns <= 2)
            await reactor.run { reactor.releaseTimer(timer) }
            #expect(alarm.fired.withLock { $0.count } == 1)
        }
    }

    @Test func `randomness differs and the clocks move forward`() async throws {
        try await withReactors { group in
            let reactor = group.reactors[0]
            let bits = await reactor.run { (0..<100).map { _ in reactor.randomBits() } }
            #expect(Set(bits).count == 100)
            let (first, second) = await reactor.run { (reactor.now, reactor.preciseNow) }
            #expect(first <= second)
        }
    }

    @Test func `stopping waits for what is registered, but not beyond its limit`() async throws {
        let group = try ReactorGroup(count: 2)
        try group.start()
        let reactor = group.reactors[1]
        let alarm = Alarm(on: reactor)
        _ = await reactor.run { reactor.makeTimer(for: alarm) }
        let start = ContinuousClock.now
        group.stop(within: .milliseconds(150))
        let waited = ContinuousClock.now - start
        #expect(waited >= .milliseconds(140))
        #expect(waited < .seconds(5))
    }

    @Test func `stopping an idle group takes no time`() async throws {
        let group = try ReactorGroup(count: 2)
        try group.start()
        let start = ContinuousClock.now
        group.stop(within: .seconds(60))
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func `a blocking thread runs its actor apart and ends after its jobs`() async throws {
        let thread = try BlockingThread(name: "blocking")
        let box = Box(on: thread)
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<4 { tasks.addTask { for _ in 0..<1_000 { await box.add() } } }
        }
        #expect(await box.total == 4_000)
        thread.stop()
    }
}

private actor Box {
    nonisolated let thread: BlockingThread
    private(set) var total = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    init(on thread: BlockingThread) { self.thread = thread }

    func add() {
        precondition(thread.isCurrent)
        total += 1
    }
}
