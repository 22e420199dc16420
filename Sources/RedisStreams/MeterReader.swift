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
    private var claimCursor = "0-0"
    private var claimDueAt: MonotonicTime
    /// Delivered by this reader and not acknowledged.
    private var outstanding: Set<String> = []
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

    package func next(limit: Int) async throws(UsageSourceError) -> [DeliveredRecord] {
        precondition(limit > 0, "at least one record is asked for")
        try await makeGroupIfNeeded()
        do throws(RedisError) {
            return try await read(limit)
        } catch {
            // Whatever the failure, some delivery may have been lost on its way.
            ownCursor = "0"
            guard case .refused(let refusal) = error, refusal.kind == .nogroup else {
                throw UsageSourceError(error)
            }
            isGroupKnown = false
            counted.withLock { $0.groupsLost += 1 }
            return []
        }
    }

    package func acknowledge(_ entryIDs: [String]) async throws(UsageSourceError) {
        var rest = entryIDs[...]
        while !rest.isEmpty {
            let part = rest.prefix(1_000)
            rest = rest.dropFirst(part.count)
            _ = try await send(RedisCommand(["XACK", key, settings.group] + part))
            outstanding.subtract(part)
        }
    }

    package func setAside(
        _ record: DeliveredRecord,
        reason: String
    ) async throws(UsageSourceError) {
        var words = ["XADD", deadKey, "*", "reason", reason, "entry_id", record.entryID]
        for (name, value) in record.fields.sorted(by: { $0.key < $1.key }) {
            let isTaken = name == "reason" || name == "entry_id"
            words.append(isTaken ? "record.\(name)" : name)
            words.append(value)
        }
        _ = try await send(RedisCommand(words))
    }

    package func publishCommitted(
        gateway: String,
        epoch: Int64,
        through sequence: Int64
    ) async throws(UsageSourceError) {
        let field = "\(gateway):\(epoch)"
        _ = try await send(
            RedisCommand("HSET", MeterStreams.committedKey, field, String(sequence))
        )
    }
}

// MARK: Reading

extension MeterReader {
    private func makeGroupIfNeeded() async throws(UsageSourceError) {
        guard !isGroupKnown else { return }
        let command = RedisCommand("XGROUP", "CREATE", key, settings.group, "0", "MKSTREAM")
        do throws(RedisError) {
            _ = try await connection.send(command, within: settings.timeout)
            outstanding = []
        } catch {
            guard case .refused(let refusal) = error, refusal.kind == .busygroup else {
                throw UsageSourceError(error)
            }
            // It was there already.
        }
        isGroupKnown = true
        ownCursor = "0"
    }

    private func read(_ limit: Int) async throws(RedisError) -> [DeliveredRecord] {
        // What was delivered and not acknowledged was not stored: it is read again.
        if !outstanding.isEmpty { ownCursor = "0" }
        while let cursor = ownCursor {
            let entries = try await readGroup(limit, after: cursor, blocks: false)
            ownCursor = entries.last?.id
            let records = try await delivered(entries)
            if !records.isEmpty { return records }
        }
        let claimed = try await claimIfDue(limit)
        guard claimed.isEmpty else { return claimed }
        return try await delivered(readGroup(limit, after: ">", blocks: true))
    }

    private func readGroup(
        _ limit: Int,
        after cursor: String,
        blocks: Bool
    ) async throws(RedisError) -> [StreamEntry] {
        var words = ["XREADGROUP", "GROUP", settings.group, settings.consumer]
        words += ["COUNT", String(limit)]
        if blocks { words += ["BLOCK", String(settings.blockTime.wholeMilliseconds)] }
        words += ["STREAMS", key, cursor]
        let timeout = settings.timeout + (blocks ? settings.blockTime : .zero)
        let reply = try await connection.send(RedisCommand(words), within: timeout)
        return StreamEntry.list(reply.elements.first?.elements.last)
    }

    /// Takes over entries that another consumer, or an earlier run of this one, left idle.
    private func claimIfDue(_ limit: Int) async throws(RedisError) -> [DeliveredRecord] {
        guard executor.now >= claimDueAt else { return [] }
        let idle = String(settings.claimAfter.wholeMilliseconds)
        let reply = try await connection.send(
            RedisCommand(
                "XAUTOCLAIM",
                key,
                settings.group,
                settings.consumer,
                idle,
                claimCursor,
                "COUNT",
                String(limit)
            ),
            within: settings.timeout
        )
        let parts = reply.elements
        claimCursor = parts.first?.text ?? "0-0"
        if claimCursor == "0-0" { claimDueAt = executor.now + settings.claimInterval }
        let entries = StreamEntry.list(parts.dropFirst().first)
        let gone = parts.dropFirst(2).first?.elements.count ?? 0
        counted.withLock { counts in
            counts.claimed += entries.count
            counts.deleted += gone
        }
        return try await delivered(entries)
    }

    /// Turns entries into records; entries that were deleted before they were acknowledged are
    /// counted and taken off the list of pending ones.
    private func delivered(_ entries: [StreamEntry]) async throws(RedisError) -> [DeliveredRecord] {
        let gone = entries.filter { $0.fields == nil }.map(\.id)
        if !gone.isEmpty {
            counted.withLock { $0.deleted += gone.count }
            _ = try await connection.send(
                RedisCommand(["XACK", key, settings.group] + gone),
                within: settings.timeout
            )
            outstanding.subtract(gone)
        }
        let records = entries.compactMap(\.record)
        outstanding.formUnion(records.map(\.entryID))
        counted.withLock { $0.delivered += records.count }
        return records
    }

    private func send(_ command: RedisCommand) async throws(UsageSourceError) -> RedisValue {
        do throws(RedisError) {
            return try await connection.send(command, within: settings.timeout)
        } catch {
            throw UsageSourceError(error)
        }
    }
}

// MARK: Trimming

extension MeterReader {
    /// Drops entries from the stream that every group has acknowledged and that are older than the
    /// time to keep them.
    ///
    /// Nothing is dropped while one of the named groups does not exist. Call it now and then,
    /// between two reads.
    ///
    /// - Parameter now: the wall clock, as the ids of entries have it.
    /// - Returns: how many were dropped.
    /// - Throws: `UsageSourceError`.
    package func trim(at now: WallTime) async throws(UsageSourceError) -> Int {
        let groups = try await send(RedisCommand("XINFO", "GROUPS", key)).elements
        let names = groups.compactMap { $0.member("name")?.text }
        guard settings.requiredGroups.allSatisfy(names.contains) else { return 0 }
        let keptSince = now.milliseconds - settings.retain.wholeMilliseconds
        guard var bound = EntryID(milliseconds: max(0, keptSince)) else { return 0 }
        for group in groups {
            guard let needed = try await oldestNeeded(by: group) else { return 0 }
            bound = min(bound, needed)
        }
        let reply = try await send(RedisCommand("XTRIM", key, "MINID", bound.text))
        return Int(reply.integer ?? 0)
    }

    /// The oldest entry that the group has pending, or the last one that it was given.
    private func oldestNeeded(by group: RedisValue) async throws(UsageSourceError) -> EntryID? {
        guard let name = group.member("name")?.text,
            let last = group.member("last-delivered-id")?.text
        else { return nil }
        let pending = try await send(RedisCommand("XPENDING", key, name)).elements
        guard let count = pending.first?.integer else { return nil }
        return EntryID(parsing: count == 0 ? last : pending.dropFirst().first?.text ?? "")
    }
}

extension RedisValue {
    /// The value after `name` in a flat list of names and values.
    fileprivate func member(_ name: String) -> RedisValue? {
        let elements = elements
        for place in stride(from: 0, to: elements.count - 1, by: 2)
        where elements[place].text == name {
            return elements[place + 1]
        }
        return nil
    }
}

extension UsageSourceError {
    fileprivate init(_ error: RedisError) {
        if case .refused(let refusal) = error {
            self = .refused("\(refusal)")
        } else {
            self = .unavailable("\(error)")
        }
    }
}
