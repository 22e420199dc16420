import Metering
import Reactor
import StreamBytes
import Telemetry

/// Puts in order what the last run left in its slots, then opens the slots of this run.
///
/// Stretches that were over and not yet in the spool go there as they are, those that ran as
/// `interrupted`, with their last counters; each once, however often a start is cut short: what the
/// spool has is not stored again, and the old slots go only when everything is in it.
package actor SlotRecovery {
    private nonisolated let thread: BlockingThread
    private nonisolated let counted = Guarded(RecoveredCounts())
    private let slots: MeterSlots
    private let spool: Spool
    private let settings: SlotSettings
    private let output: any LogSink
    /// What is still to be stored; nil before the old slots were read.
    private var left: [UsageRecord]?
    private var isDone = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Makes a recovery that has done nothing yet.
    ///
    /// - Parameters:
    ///   - thread: may wait for files.
    ///   - slots: opened by it.
    ///   - spool: opened by it.
    ///   - settings: place and number of the slots.
    ///   - output: gets a line that says what was found.
    package init(
        on thread: BlockingThread,
        opening slots: MeterSlots,
        and spool: Spool,
        settings: SlotSettings,
        output: any LogSink
    ) {
        self.thread = thread
        self.slots = slots
        self.spool = spool
        self.settings = settings
        self.output = output
    }

    /// What was recovered; call from any thread.
    package nonisolated var counts: RecoveredCounts { counted.withLock(\.self) }

    /// Tries until everything is in order, or the task is cancelled.
    package func run() async {
        while !(await attempt()) {
            try? await Task.sleep(for: .seconds(1))
            if Task.isCancelled { return }
        }
    }

    /// Does what is left to do.
    ///
    /// - Returns: false when something of it failed; the slots' refusal says what.
    package func attempt() async -> Bool {
        guard !isDone else { return true }
        do throws(StorageError) {
            if left == nil { try await read() }
            guard await storeLeft() else { return false }
            try slots.open(settings)
            slots.noteProblem(nil)
            isDone = true
            return true
        } catch {
            slots.noteProblem("\(error)")
            return false
        }
    }

    private func read() async throws(StorageError) {
        let bytes = try SlotFile.read(settings.path)
        let found = LeftSlots(bytes ?? [], gateway: settings.gateway)
        if found.problem != nil { try SlotFile.setAside(settings.path) }
        let ids = Set(found.records.map(\.recordID))
        guard let stored = await spool.open(lookingFor: ids) else { return }
        let missing = found.records.filter { !stored.contains($0.recordID) }
        let counts = RecoveredCounts(missing, unreadable: found.unreadableCount)
        counted.withLock { $0 = counts }
        left = missing
        report(found, alreadyStored: stored.count, counts, hadFile: bytes != nil)
    }

    private func storeLeft() async -> Bool {
        guard var rest = left else { return false }
        while !rest.isEmpty {
            let count = await spool.adopt(rest)
            guard count > 0 else { return false }
            rest.removeFirst(count)
            left = rest
        }
        return true
    }

    private func report(
        _ found: LeftSlots,
        alreadyStored: Int,
        _ counts: RecoveredCounts,
        hadFile: Bool
    ) {
        let isBad = found.problem != nil || found.unreadableCount > 0
        output.write(
            LogLine(isBad ? .error : .info, "meter_recovered")
                .with("slots", hadFile ? settings.path : "none")
                .with("interrupted", counts.interrupted).with("finished", counts.finished)
                .with("already_stored", alreadyStored).with("unreadable", counts.unreadable)
                .with("reason", found.problem)
        )
    }
}

/// What a start found in the slots of the run before it.
package struct RecoveredCounts: Equatable, Sendable {
    /// Stretches that ran when the process ended.
    package var interrupted = 0
    /// Records that were finished and not yet stored.
    package var finished = 0
    /// Slots in use that could not be read.
    package var unreadable = 0

    package init() {}

    init(_ records: [UsageRecord], unreadable: Int) {
        interrupted = records.count { $0.end == .interrupted }
        finished = records.count - interrupted
        self.unreadable = unreadable
    }
}

/// Place and number of a gateway's slots.
package struct SlotSettings: Sendable {
    /// The file, named after the gateway, so that no other takes it.
    package let path: String
    package let gateway: String
    /// How many stretches there may be at once.
    package let count: Int

    /// - Parameters:
    ///   - folder: of shared memory.
    ///   - gateway: names this gateway for good.
    ///   - streamLimit: how many streams may be open. A quarter more slots are for stretches whose record
    ///     is not in the spool yet.
    package init(folder: String, gateway: String, streamLimit: Int) {
        path = "\(folder)/weir-\(gateway).slots"
        self.gateway = gateway
        count = streamLimit + max(64, streamLimit / 4)
    }

    /// The size of the file.
    package var byteCount: Int { SlotLayout.fileByteCount(slotCount: count) }
}
