import Metering
import Reactor
import StreamBytes

/// Reads one partition of the meter streams as a member of a consumer group.
///
/// Entries that were delivered to this consumer and never acknowledged come first, then entries that
/// another consumer left idle, then new ones.
package actor MeterReader: UsageSource {
    private nonisolated let executor: any StreamExecutor
    private let connection: RedisConnection
    private let settings: MeterReaderSettings
    private let key: String
    private let deadKey: String
    private var isGroupKnown = false
    /// Where reading of the consumer's own pending entries goes on; nil when there are no more.
    private var ownCursor: String? = "0"
    /// When its own pending entries are looked at again, because some were left there.
    private var ownDueAt: MonotonicTime?
    private var claimCursor = "0-0"
    private var claimDueAt: MonotonicTime
    /// Delivered since the last `rewind` and not settled.
    private var held: Set<String> = []
    /// Set aside already, and not acknowledged yet.
    private var buried: Set<String> = []
    private nonisolated let counted = Guarded(MeterReaderCounts())

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - partition: which stream, from 0.
    ///   - connection: on the same reactor, and the reader's alone, because reading blocks it; the
    ///     owner closes it.
    ///   - executor: the reactor.
    ///   - settings: names, sizes and times.
    package init(
        partition: Int,
        from connection: RedisConnection,
        on executor: any StreamExecutor,
        settings: MeterReaderSettings
    ) {
        self.connection = connection
        self.executor = executor
        self.settings = settings
        key = MeterStreams.key(partition)
        deadKey = MeterStreams.deadKey(partition)
        claimDueAt = MonotonicTime(nanoseconds: .min)
    }

    /// What happened so far.
    ///
    /// Call from any thread.
    package nonisolated var counts: MeterReaderCounts { counted.withLock(\.self) }

    package func rewind() {
        held = []
        ownCursor = "0"
    }

    package func next(
        limit: Int,
        waits: Bool
    ) async throws(UsageSourceError) -> [DeliveredRecord] {
        precondition(limit > 0, "at least one record is asked for")
        try await makeGroupIfNeeded()
        do throws(RedisError) {
            return try await read(limit, waits: waits)
        } catch {
            // Whatever the failure, some delivery may have been lost on its way.
            ownCursor = "0"
            guard case .refused(let refusal) = error,
                refusal.kind == .nogroup || refusal.kind == .unblocked
            else { throw UsageSourceError(error) }
            // Alone or with its stream: it is made again, and everything that is there read anew.
            isGroupKnown = false
            counted.withLock { $0.groupsLost += 1 }
            return []
        }
    }

    package func settle(_ records: SettledRecords) async throws(UsageSourceError) -> String? {
        var plan = SettlementPlan(records, key: key, deadKey: deadKey, group: settings.group)
        plan.skip(buried)
        do throws(RedisError) {
            let replies =
                plan.isEmpty
                ? [] : try await connection.send(plan.commands, within: settings.timeout)
            let result = try plan.result(replies)
            buried.formUnion(result.buried)
            held.subtract(records.stored)
            try await acknowledgeBuried(among: records.refused.map(\.record.entryID))
            return result.problem
        } catch {
            throw UsageSourceError(error)
        }
    }

    /// Takes the consumer out of the group, unless something is pending for it: that would be lost
    /// to the others.
    ///
    /// Call when nothing is read any more.
    ///
    /// - Returns: whether it was taken out.
    /// - Throws: `UsageSourceError`.
    package func leave() async throws(UsageSourceError) -> Bool {
        let name = settings.consumer
        let pending = try await send(
            RedisCommand("XPENDING", key, settings.group, "-", "+", "1", name)
        )
        guard pending.elements.isEmpty else { return false }
        _ = try await send(RedisCommand("XGROUP", "DELCONSUMER", key, settings.group, name))
        return true
    }
}

// MARK: Reading

extension MeterReader {
    private func makeGroupIfNeeded() async throws(UsageSourceError) {
        guard !isGroupKnown else { return }
        let command = RedisCommand("XGROUP", "CREATE", key, settings.group, "0", "MKSTREAM")
        do throws(RedisError) {
            _ = try await connection.send(command, within: settings.timeout)
        } catch {
            guard case .refused(let refusal) = error, refusal.kind == .busygroup else {
                throw UsageSourceError(error)
            }
            // It was there already.
        }
        isGroupKnown = true
        ownCursor = "0"
    }

    private func read(_ limit: Int, waits: Bool) async throws(RedisError) -> [DeliveredRecord] {
        if let due = ownDueAt, executor.now >= due {
            ownDueAt = nil
            ownCursor = "0"
        }
        while let cursor = ownCursor {
            let entries = try await readGroup(limit, after: cursor, waits: false)
            ownCursor = entries.last?.id
            let records = try await delivered(entries.filter { !held.contains($0.id) })
            if !records.isEmpty { return records }
        }
        let claimed = try await claimIfDue(limit)
        guard claimed.isEmpty else { return claimed }
        return try await delivered(readGroup(limit, after: ">", waits: waits))
    }

    private func readGroup(
        _ limit: Int,
        after cursor: String,
        waits: Bool
    ) async throws(RedisError) -> [StreamEntry] {
        var words = ["XREADGROUP", "GROUP", settings.group, settings.consumer]
        words += ["COUNT", String(limit)]
        if waits { words += ["BLOCK", String(settings.blockTime.wholeMilliseconds)] }
        words += ["STREAMS", key, cursor]
        let timeout = settings.timeout + (waits ? settings.blockTime : .zero)
        let reply = try await connection.send(RedisCommand(words), within: timeout)
        return StreamEntry.list(reply.elements.first?.elements.last)
    }

    /// Takes over entries that another consumer, or an earlier run of this one, left idle.
    private func claimIfDue(_ limit: Int) async throws(RedisError) -> [DeliveredRecord] {
        guard executor.now >= claimDueAt else { return [] }
        let reply = try await connection.send(
            RedisCommand(
                "XAUTOCLAIM",
                key,
                settings.group,
                settings.consumer,
                String(settings.claimAfter.wholeMilliseconds),
                claimCursor,
                "COUNT",
                String(limit)
            ),
            within: settings.timeout
        )
        let parts = reply.elements
        claimCursor = parts.first?.text ?? "0-0"
        if claimCursor == "0-0" { claimDueAt = executor.now + settings.claimInterval }
        let entries = StreamEntry.list(parts.dropFirst().first).filter { !held.contains($0.id) }
        let gone = parts.dropFirst(2).first?.elements.compactMap(\.text) ?? []
        counted.withLock { counts in
            counts.claimed += entries.count
            counts.note(deleted: gone)
        }
        held.subtract(gone)
        return try await delivered(entries)
    }

    /// Turns entries into records; entries that were deleted before they were acknowledged are
    /// counted and taken off the list of pending ones.
    private func delivered(_ entries: [StreamEntry]) async throws(RedisError) -> [DeliveredRecord] {
        let gone = entries.filter { $0.fields == nil }.map(\.id)
        if !gone.isEmpty {
            counted.withLock { $0.note(deleted: gone) }
            _ = try await connection.send(
                RedisCommand(["XACK", key, settings.group] + gone),
                within: settings.timeout
            )
        }
        let records = entries.compactMap(\.record)
        held.formUnion(records.map(\.entryID))
        counted.withLock { $0.delivered += records.count }
        return records
    }

    /// Acknowledges refused records that are set aside; the others are looked at again later.
    private func acknowledgeBuried(among entryIDs: [String]) async throws(RedisError) {
        guard !entryIDs.isEmpty else { return }
        let done = entryIDs.filter(buried.contains)
        if !done.isEmpty {
            _ = try await connection.send(
                RedisCommand(["XACK", key, settings.group] + done),
                within: settings.timeout
            )
        }
        buried.subtract(done)
        held.subtract(entryIDs)
        counted.withLock { $0.setAside += done.count }
        if done.count < entryIDs.count { ownDueAt = executor.now + settings.claimInterval }
    }

    private func send(_ command: RedisCommand) async throws(UsageSourceError) -> RedisValue {
        do throws(RedisError) {
            return try await connection.send(command, within: settings.timeout)
        } catch {
            throw UsageSourceError(error)
        }
    }
}

extension UsageSourceError {
    init(_ error: RedisError) {
        if case .refused(let refusal) = error {
            self = .refused("\(refusal)")
        } else {
            self = .unavailable("\(error)")
        }
    }
}
