import Metering
import Reactor
import StreamBytes

/// Writes usage records to the meter streams: in batches, in order within an account, each again
/// with the same `record_id` until Redis has answered that it is stored.
package actor MeterWriter: UsageSink, TimerHandler {
    private nonisolated let executor: any StreamExecutor
    private nonisolated let settings: MeterWriterSettings
    private nonisolated let intake = Guarded(Intake())
    private let connection: RedisConnection
    private var queue: MeterQueue
    private var backoff: Backoff
    private var timer: TimerID?
    private var isSending = false
    private var pauseEnd: MonotonicTime?
    private var flush: Flush?
    private var isOver = false

    private struct Intake {
        var arrived: [UsageRecord] = []
        var isSignalled = false
        var isClosed = false
        var counts = MeterWriterCounts()
    }

    private struct Flush {
        let deadline: MonotonicTime
        let continuation: CheckedContinuation<[UsageRecord], Never>
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a writer.
    ///
    /// - Parameters:
    ///   - connection: on the same reactor, and the writer's alone, so that it is never blocked;
    ///     closed by `flush`.
    ///   - executor: the reactor.
    ///   - settings: sizes and times.
    package init(
        to connection: RedisConnection,
        on executor: any StreamExecutor,
        settings: MeterWriterSettings = MeterWriterSettings()
    ) {
        self.connection = connection
        self.executor = executor
        self.settings = settings
        queue = MeterQueue(settings.streams)
        backoff = Backoff(first: settings.backoff, longest: settings.longestBackoff)
    }

    /// Takes records that wait for Redis, unless too many wait already.
    ///
    /// The limit is checked before: a large delivery may pass it once.
    package nonisolated func accept(_ records: [UsageRecord]) -> Bool {
        let (isTaken, mustWake) = intake.withLock { intake in
            guard !intake.isClosed, intake.counts.queued < settings.recordLimit else {
                return (false, false)
            }
            intake.arrived.append(contentsOf: records)
            intake.counts.queued += records.count
            defer { intake.isSignalled = true }
            return (true, !intake.isSignalled)
        }
        if mustWake { executor.perform { self.assumeIsolated { $0.takeArrived() } } }
        return isTaken
    }

    package nonisolated var refusal: String? {
        intake.withLock { intake in
            if intake.isClosed { return "metering is stopping" }
            guard intake.counts.queued >= settings.refusalLimit else { return nil }
            return "\(intake.counts.queued) usage records wait for Redis"
        }
    }

    /// What happened so far.
    ///
    /// Call from any thread.
    package nonisolated var counts: MeterWriterCounts { intake.withLock(\.counts) }

    /// Takes no more records and waits until everything is stored; then closes the connection.
    ///
    /// Call once, at the end.
    ///
    /// - Parameter deadline: when to give up.
    /// - Returns: the records of which Redis has not answered that they are stored; some may be.
    package func flush(until deadline: MonotonicTime) async -> [UsageRecord] {
        precondition(flush == nil && !isOver, "a writer is flushed once")
        intake.withLock { $0.isClosed = true }
        takeArrived()
        let rest = await withCheckedContinuation { continuation in
            flush = Flush(deadline: deadline, continuation: continuation)
            endFlushIfDone()
            armTimer()
        }
        await connection.close()
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        return rest
    }

    package nonisolated func timerFired(_ timer: TimerID) {
        assumeIsolated { $0.checkTime() }
    }
}

extension MeterWriter {
    private func takeArrived() {
        let arrived = intake.withLock { intake in
            defer { intake.arrived = [] }
            intake.isSignalled = false
            return intake.arrived
        }
        queue.append(arrived)
        sendNext()
    }

    private func sendNext() {
        guard !isSending, pauseEnd == nil, !isOver else { return }
        let items = queue.take(settings.batchLimit)
        guard !items.isEmpty else { return }
        isSending = true
        Task { await deliver(items) }
    }

    private func deliver(_ items: [MeterQueue.Item]) async {
        let commands = items.map { MeterStreams.adding($0.record, to: $0.partition) }
        var isStored = [Bool](repeating: false, count: items.count)
        var failure: String?
        do throws(RedisError) {
            let replies = try await connection.send(commands, within: settings.timeout)
            for (place, reply) in replies.enumerated() {
                if case .error(let message) = reply { failure = message }
                // An entry's id is what XADD answers with; anything else stored nothing.
                if case .bytes = reply { isStored[place] = true }
            }
        } catch {
            failure = "\(error)"
        }
        finish(isStored, failure: failure)
    }

    private func finish(_ isStored: [Bool], failure: String?) {
        isSending = false
        let storedCount = queue.settle(isStored)
        intake.withLock { intake in
            intake.counts.queued -= storedCount
            intake.counts.sent += storedCount
            intake.counts.retries += isStored.count - storedCount
            intake.counts.lastFailure = failure
        }
        if storedCount > 0 { backoff.reset() }
        if storedCount < isStored.count {
            pauseEnd = executor.now + backoff.next(randomBits: executor.randomBits())
        }
        endFlushIfDone()
        armTimer()
        sendNext()
    }

    private func checkTime() {
        if let end = pauseEnd, executor.now >= end { pauseEnd = nil }
        endFlushIfDone()
        sendNext()
        armTimer()
    }

    private func endFlushIfDone() {
        guard let flush, queue.count == 0 || executor.now >= flush.deadline else { return }
        self.flush = nil
        isOver = true
        flush.continuation.resume(returning: queue.records)
    }

    private func armTimer() {
        guard !isOver else { return }
        if timer == nil { timer = executor.makeTimer(for: self) }
        let next = [pauseEnd, flush?.deadline].compactMap(\.self).min()
        if let timer { executor.setTimer(timer, at: next) }
    }
}

/// Sizes and times of a `MeterWriter`.
package struct MeterWriterSettings: Sendable {
    package var streams = MeterStreams(partitionCount: 1)
    /// How many records may wait for Redis.
    package var recordLimit = 100_000
    /// From how many waiting records on new streams are refused.
    package var refusalLimit = 80_000
    /// How many records are in flight at most, a few partitions apart.
    package var batchLimit = 1_024
    /// The time for a batch, connecting included.
    package var timeout: Duration = .seconds(5)
    package var backoff: Duration = .milliseconds(20)
    package var longestBackoff: Duration = .seconds(2)

    package init() {}
}

/// What a `MeterWriter` did.
package struct MeterWriterCounts: Sendable, Equatable {
    /// Records that wait, those in flight included.
    package var queued = 0
    /// Records that Redis has stored.
    package var sent = 0
    /// Records whose sending failed and was or will be repeated, each time counted.
    package var retries = 0
    /// Why the last batch was not stored whole; nil when it was.
    package var lastFailure: String?

    package init() {}
}
