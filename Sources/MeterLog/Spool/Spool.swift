import Metering
import Reactor
import StreamBytes
import Telemetry

/// Finished records on a disk, from the moment a stream is over until the ledger has them.
///
/// Nobody waits for it: records stand somewhere else until it has stored them, in groups, on a thread
/// of its own. When they cannot be stored they stay there, the status says why, and it is tried
/// again every second.
package actor Spool {
    private nonisolated let thread: BlockingThread
    private nonisolated let shared = Guarded(Shared())
    private nonisolated let signal: AsyncStream<Void>
    private nonisolated let signaller: AsyncStream<Void>.Continuation
    private let source: any FinishedRecords
    private let settings: SpoolSettings
    private let output: any LogSink
    private var segments: SegmentLog?
    private var place: SpoolPlace?

    private struct Shared {
        var status = SpoolStatus()
        var isOpen = false
        var growthActions: [@Sendable () -> Void] = []
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Makes a spool that is not open yet.
    ///
    /// - Parameters:
    ///   - thread: for the files, and for nothing that must not wait.
    ///   - source: where finished records stand.
    ///   - settings: place, sizes and times.
    ///   - output: gets a line for what an operator has to know.
    package init(
        on thread: BlockingThread,
        from source: any FinishedRecords,
        settings: SpoolSettings,
        output: any LogSink
    ) {
        self.thread = thread
        self.source = source
        self.settings = settings
        self.output = output
        (signal, signaller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        shared.withLock { $0.status.byteLimit = settings.byteLimit }
    }

    /// What it holds and how it does; call from any thread.
    package nonisolated var status: SpoolStatus { shared.withLock(\.status) }

    /// Why nothing can be stored now; call from any thread.
    package nonisolated var refusal: String? {
        shared.withLock { shared in
            if let problem = shared.status.problem { return "usage cannot be stored: \(problem)" }
            return shared.isOpen ? nil : "the store of usage is being opened"
        }
    }

    /// Call from any thread when the source has something new.
    package nonisolated func recordsAreWaiting() { signaller.yield() }

    /// Opens the files and looks through them.
    ///
    /// - Parameter ids: of records that may be in it already.
    /// - Returns: those of them that are; nil when it cannot be opened now: the status says why.
    package func open(lookingFor ids: Set<String> = []) -> Set<String>? {
        guard segments == nil else { return [] }
        var sizes = SegmentLogSettings()
        sizes.byteLimit = settings.byteLimit
        var found: Set<String> = []
        do throws(StorageError) {
            let opened = try SegmentLog(
                in: SegmentFolder(settings.folder),
                gateway: settings.gateway,
                at: .now,
                settings: sizes,
                visit: ids.isEmpty
                    ? nil : { if ids.contains($0.recordID) { found.insert($0.recordID) } }
            )
            report(opened.finding, run: opened.run)
            segments = consume opened
            shared.withLock { $0.isOpen = true }
            note(problem: nil)
            return found
        } catch {
            note(problem: "\(error)")
            return nil
        }
    }

    /// Stores records that do not stand in the source.
    ///
    /// - Returns: how many of the first are stored now.
    package func adopt(_ records: [UsageRecord]) -> Int {
        let part = Array(records.prefix(Self.groupLimit))
        return append(part) {} ? part.count : 0
    }

    /// Stores what comes, until the task is cancelled; the files must be open.
    package func run() async {
        signaller.yield()
        for await _ in signal {
            if settings.interval > .zero { guard await pause(settings.interval) else { return } }
            while !storeWaiting() { guard await pause(Self.retryPause) else { return } }
        }
    }

    /// Stores what the source has now.
    ///
    /// - Returns: false when that failed; the status says why.
    package func storeWaiting() -> Bool {
        while true {
            let records = source.oldest(limit: Self.groupLimit)
            guard !records.isEmpty else { return true }
            let isStored = append(records) { source.drop(first: records.count) }
            guard isStored else { return false }
        }
    }

    /// Stores a group.
    ///
    /// - Parameters:
    ///   - records: the group.
    ///   - forget: called when they are stored, before anybody can take them out again.
    /// - Returns: false when that failed; the status says why.
    private func append(_ records: [UsageRecord], then forget: () -> Void) -> Bool {
        guard segments != nil else { return false }
        let start = MonotonicTime.now
        do throws(SpoolError) {
            try segments?.append(records, at: .now)
        } catch {
            shared.withLock { $0.status.failureCount += 1 }
            note(problem: "\(error)")
            return false
        }
        forget()
        let time = (MonotonicTime.now - start).wholeNanoseconds / 1_000
        let actions = shared.withLock { shared in
            shared.status.storedCount += Int64(records.count)
            shared.status.storeTimes.record(microseconds: time)
            return shared.growthActions
        }
        note(problem: nil)
        for action in actions { action() }
        return true
    }

    /// Stores what the source has, as far as that works, and ends the thread.
    ///
    /// Call once, when `run` has ended; not on the thread.
    package nonisolated func close() async {
        _ = await storeWaiting()
        thread.stop()
    }

    /// - Returns: false when the task was cancelled.
    private func pause(_ duration: Duration) async -> Bool {
        try? await Task.sleep(for: duration)
        return !Task.isCancelled
    }

    /// How many records are stored at once.
    private static let groupLimit = 256
    private static let retryPause = Duration.seconds(1)
}

// MARK: - Reading

extension Spool: UsageBacklog {
    package func next(limit: Int) throws(UsageBacklogError) -> [BacklogEntry] {
        do throws(StorageError) {
            guard let part = try segments?.read(after: place, limit: limit) else { return [] }
            place = part.place
            noteDamage()
            return part.entries
        } catch {
            throw UsageBacklogError("\(error)")
        }
    }

    package func rewind() { place = nil }

    package func release(
        _ run: GatewayRun,
        through sequence: Int64
    ) throws(UsageBacklogError) {
        defer { note(problem: status.problem) }
        do throws(StorageError) {
            try segments?.release(run, through: sequence)
        } catch {
            throw UsageBacklogError("\(error)")
        }
    }

    package func waitingRuns() -> [(run: GatewayRun, released: Int64)] {
        segments?.waitingRuns ?? []
    }

    package nonisolated func onGrowth(_ action: @escaping @Sendable () -> Void) {
        shared.withLock { $0.growthActions.append(action) }
    }
}

// MARK: - Reporting

extension Spool {
    private func report(_ finding: SpoolFinding, run: GatewayRun) {
        let isDamaged = finding.damagedCount > 0 || finding.problem != nil
        output.write(
            LogLine(isDamaged ? .error : .info, "spool_opened")
                .with("run", "\(run.gateway):\(run.epoch)").with("waiting", finding.waitingCount)
                .with("torn_bytes", finding.tornByteCount).with("damaged", finding.damagedCount)
                .with("reason", finding.problem.map { "\($0)" })
        )
    }

    /// Says that damage was found while it runs.
    private func noteDamage() {
        let known = status.damagedCount
        guard let found = segments?.finding.damagedCount, found > known else { return }
        shared.withLock { $0.status.damagedCount = found }
        output.write(LogLine(.error, "spool_damaged").with("damaged", found - known))
    }

    /// Brings the status up to date and says what changed for the better or worse.
    private func note(problem: String?) {
        let before = shared.withLock(\.status)
        var status = before
        status.byteCount = segments?.byteCount ?? 0
        status.waitingCount = segments?.waitingCount ?? 0
        status.oldestAt = segments?.oldestAt ?? nil
        status.damagedCount = segments?.finding.damagedCount ?? 0
        status.problem = problem
        let permille = status.byteCount * 1_000 / settings.byteLimit
        status.level = problem == nil ? before.level.next(atPermille: permille) : .full
        shared.withLock { shared in
            shared.status.byteCount = status.byteCount
            shared.status.waitingCount = status.waitingCount
            shared.status.oldestAt = status.oldestAt
            shared.status.damagedCount = status.damagedCount
            shared.status.problem = status.problem
            shared.status.level = status.level
        }
        guard status.level != before.level || (problem == nil) != (before.problem == nil) else {
            return
        }
        let level: LogLevel = status.level == .normal ? .info : .warning
        output.write(
            LogLine(problem == nil ? level : .error, "spool_level")
                .with("level", "\(status.level)").with("used_bytes", status.byteCount)
                .with("limit_bytes", status.byteLimit).with("waiting", status.waitingCount)
                .with("reason", problem)
        )
    }
}

/// Place, sizes and times of a spool.
package struct SpoolSettings: Sendable {
    /// The folder of its files, and of nothing else.
    package var folder: String
    /// Names the gateway for good.
    package var gateway: String
    /// Of all files together.
    package var byteLimit = 1 << 30
    /// How long finished records wait for others to be stored with; zero: not at all.
    package var interval: Duration = .milliseconds(100)

    package init(folder: String, gateway: String) {
        self.folder = folder
        self.gateway = gateway
    }
}
