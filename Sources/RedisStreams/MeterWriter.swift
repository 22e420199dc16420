import Metering
import Reactor
import StreamBytes
import Telemetry

/// Sends the records of a gateway's spool to the meter streams, and tells the spool when they are
/// safe.
///
/// Records leave in order within a partition, in batches of which a partition takes all or nothing,
/// and again under the same `record_id` until Redis has answered. When Redis turns out to have lost
/// some, everything that is not released is sent once more.
package actor MeterWriter: TimerHandler {
    private nonisolated let executor: any StreamExecutor
    private nonisolated let board = Guarded(MeterWriterCounts())
    private let settings: MeterWriterSettings
    private let backlog: any UsageBacklog
    private let connection: RedisConnection
    private let output: any LogSink
    private var queue: MeterQueue
    private var watch: StoreWatch
    private var backoff: Backoff
    private var timer: TimerID?
    private var waiter: CheckedContinuation<Void, Never>?
    private var pauseEnd: MonotonicTime?
    private var pollDueAt = MonotonicTime(nanoseconds: .min)
    /// Whether the backlog may have records that were not read.
    private var mayHaveMore = true
    private var drain: Drain?
    private var isHurried = false
    private var isRunning = false
    private var isStopped = false
    private var serverRun: String?
    /// Why everything that is not released has to be sent again; nil: it need not.
    private var loss: String?

    private struct Drain {
        let deadline: MonotonicTime
        let continuation: CheckedContinuation<Void, Never>
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a writer; `run` does the work.
    ///
    /// - Parameters:
    ///   - backlog: the spool; this is its only reader.
    ///   - connection: on the same reactor, and the writer's alone, so that it is never blocked;
    ///     closed by `stop`.
    ///   - executor: the reactor.
    ///   - settings: sizes and times.
    ///   - output: gets a line when Redis takes nothing, when it does again, and when it lost records.
    package init(
        from backlog: any UsageBacklog,
        to connection: RedisConnection,
        on executor: any StreamExecutor,
        settings: MeterWriterSettings = MeterWriterSettings(),
        output: any LogSink = NoLog()
    ) {
        self.backlog = backlog
        self.connection = connection
        self.executor = executor
        self.settings = settings
        self.output = output
        queue = MeterQueue(partitionCount: settings.streams.partitionCount)
        watch = StoreWatch(groups: settings.groups, patience: settings.patience)
        backoff = Backoff(shortest: settings.backoff, longest: settings.longestBackoff)
    }

    /// What happened so far; call from any thread.
    package nonisolated var counts: MeterWriterCounts { board.withLock(\.self) }

    /// Sends until `stop`; call once.
    package func run() async {
        isRunning = true
        backlog.onGrowth { [weak self] in self?.moreWaits() }
        await connection.whenOpened { [weak self] identity in
            self?.assumeIsolated { $0.note(identity) }
        }
        while !isStopped {
            if let loss { await sendAgain(because: loss) }
            if executor.now >= pollDueAt { await poll() }
            if !isStopped, !(await sendNext()), !isStopped { await sleep() }
        }
        isRunning = false
        endDrain()
        releaseTimer()
    }

    /// Waits until Redis has everything that waits in the spool, at most until `deadline`; from now on
    /// it asks more often what the ledger has.
    ///
    /// Call once.
    package func drain(until deadline: MonotonicTime) async {
        guard !isStopped else { return }
        await withCheckedContinuation { continuation in
            drain = Drain(deadline: deadline, continuation: continuation)
            isHurried = true
            pollDueAt = executor.now
            mayHaveMore = true
            if waiter == nil { setTimer(at: deadline) }
            wake()
        }
    }

    /// Ends `run` and closes the connection.
    package func stop() async {
        isStopped = true
        wake()
        if !isRunning { releaseTimer() }
        await connection.close()
    }

    package nonisolated func timerFired(_ timer: TimerID) {
        assumeIsolated { writer in
            writer.endDrainIfDue()
            writer.wake()
        }
    }
}

// MARK: - Waiting

extension MeterWriter {
    private nonisolated func moreWaits() {
        executor.perform {
            self.assumeIsolated { writer in
                writer.mayHaveMore = true
                writer.wake()
            }
        }
    }

    /// Waits until there is something to do.
    private func sleep() async {
        if queue.count == 0, !mayHaveMore { endDrain() }
        endDrainIfDue()
        // It came while the spool was asked.
        if mayHaveMore, pauseEnd == nil { return }
        let due = [pauseEnd, pollDueAt, drain?.deadline].compactMap(\.self).min()
        setTimer(at: due)
        await withCheckedContinuation { waiter = $0 }
    }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }

    private func setTimer(at deadline: MonotonicTime?) {
        let timer = timer ?? executor.makeTimer(for: self)
        self.timer = timer
        executor.setTimer(timer, at: deadline)
    }

    private func releaseTimer() {
        if let timer { executor.releaseTimer(timer) }
        timer = nil
    }

    private func endDrainIfDue() {
        if let drain, executor.now >= drain.deadline { endDrain() }
    }

    private func endDrain() {
        drain?.continuation.resume()
        drain = nil
    }
}

// MARK: - Sending

extension MeterWriter {
    /// Sends a batch.
    ///
    /// - Returns: false when there is nothing to send now.
    private func sendNext() async -> Bool {
        if let pauseEnd, executor.now < pauseEnd { return false }
        pauseEnd = nil
        guard await refill() else { return false }
        let batch = queue.take(settings.batchLimit)
        guard !batch.isEmpty else { return false }
        let (isStored, failure) = await deliver(batch)
        let released = queue.settle(isStored)
        note(storedCount: isStored.count { $0 }, of: batch.count, failure)
        if settings.releasesWhenStored {
            await release(released.map { ($0.key, $0.value) })
        }
        return true
    }

    /// Reads on in the backlog.
    ///
    /// - Returns: false when that failed.
    private func refill() async -> Bool {
        let room = min(settings.batchLimit, settings.queueLimit - queue.count)
        guard mayHaveMore, room > 0 else { return true }
        // Before it is asked: what comes meanwhile sets it again.
        mayHaveMore = false
        do throws(UsageBacklogError) {
            let entries = try await backlog.next(limit: room)
            if !entries.isEmpty { mayHaveMore = true }
            for entry in entries { queue.append(OutgoingEntry(entry, settings.streams)) }
            return true
        } catch {
            mayHaveMore = true
            fail(error.reason)
            return false
        }
    }

    /// Sends the entries of each partition as one transaction.
    ///
    /// - Returns: which were stored, and why the others were not.
    private func deliver(_ batch: [OutgoingEntry]) async -> ([Bool], String?) {
        let parts = MeterQueue.parts(of: batch)
        let commands = parts.flatMap { part in
            [RedisCommand("MULTI")] + part.map(\.command) + [RedisCommand("EXEC")]
        }
        do throws(RedisError) {
            var replies = try await connection.send(commands, within: settings.timeout)[...]
            var isStored: [Bool] = []
            var failure: String?
            for part in parts {
                let own = replies.prefix(part.count + 2)
                replies = replies.dropFirst(own.count)
                isStored += note(part, own, &failure)
            }
            return (isStored, failure)
        } catch {
            return ([Bool](repeating: false, count: batch.count), "\(error)")
        }
    }

    /// Reads the replies to one transaction.
    private func note(
        _ part: ArraySlice<OutgoingEntry>,
        _ replies: ArraySlice<RedisValue>,
        _ failure: inout String?
    ) -> [Bool] {
        let ids = replies.last?.elements ?? []
        // The first refusal is the reason; that of the transaction only follows from it.
        if let refusal = (replies + ids).firstNonNil(\.refusal) { failure = "\(refusal)" }
        return part.enumerated().map { place, entry in
            // An entry's id is what XADD answers with; anything else stored nothing.
            guard place < ids.count, case .bytes = ids[place],
                let id = ids[place].text.flatMap({ EntryID(parsing: $0) })
            else { return false }
            watch.noteStored(entry, as: id)
            return true
        }
    }

    private func note(storedCount: Int, of count: Int, _ failure: String?) {
        board.withLock { counts in
            counts.sent += storedCount
            counts.retries += count - storedCount
        }
        if storedCount > 0 { backoff.succeeded() }
        guard storedCount == count else { return fail(failure ?? "Redis stored nothing") }
        let wasFailing = board.withLock { counts in
            defer { counts.lastFailure = nil }
            return counts.lastFailure != nil
        }
        if wasFailing { output.write(LogLine(.info, "meter_records_leave")) }
    }

    /// Nothing leaves for a while.
    private func fail(_ reason: String) {
        guard !isStopped else { return }
        pauseEnd = executor.now + backoff.next(randomBits: executor.randomBits())
        let isNew = board.withLock { counts in
            defer { counts.lastFailure = reason }
            return counts.lastFailure == nil
        }
        guard isNew else { return }
        output.write(LogLine(.warning, "meter_records_wait").with("reason", reason))
    }
}

// MARK: - Releasing

extension MeterWriter {
    /// Another server process may have begun with an older file.
    private func note(_ identity: RedisIdentity?) {
        guard let identity else { return }
        if let serverRun, serverRun != identity.runID { loss = "the server was started anew" }
        serverRun = identity.runID
    }

    /// Asks what the ledger has and whether Redis lost anything.
    private func poll() async {
        pollDueAt = executor.now + (isHurried ? settings.hurriedPoll : settings.poll)
        guard !settings.releasesWhenStored else { return }
        let runs = await backlog.waitingRuns()
        guard !runs.isEmpty else { return }
        let now = executor.now
        let commands = watch.commands(for: runs, at: now)
        do throws(RedisError) {
            let replies = try await connection.send(commands, within: settings.timeout)
            let isAllSent = queue.count == 0 && !mayHaveMore
            let finding = watch.judge(replies, of: runs, isAllSent: isAllSent, at: now)
            await release(finding.releases)
            loss = loss ?? finding.loss
        } catch {
            fail("\(error)")
        }
    }

    private func release(_ numbers: [(run: GatewayRun, through: Int64)]) async {
        for (run, through) in numbers {
            do throws(UsageBacklogError) {
                try await backlog.release(run, through: through)
            } catch {
                fail(error.reason)
            }
        }
    }

    private func sendAgain(because reason: String) async {
        loss = nil
        output.write(LogLine(.error, "redis_lost_records").with("reason", reason))
        board.withLock { $0.losses += 1 }
        watch.forgetStored()
        queue.removeAll()
        await backlog.rewind()
        mayHaveMore = true
    }
}

extension Sequence {
    fileprivate func firstNonNil<Result>(_ value: (Element) -> Result?) -> Result? {
        for element in self {
            if let result = value(element) { return result }
        }
        return nil
    }
}
