import Metering
import Reactor
import StreamBytes

/// Looks after the meter streams for everybody who reads them: says how much waits, drops what
/// nobody needs any more, and takes members that are gone for good out of the group.
///
/// Every process with a gateway or with billing has one; `holdsLease` says which of them does the
/// work. Two at a time do no harm.
package actor MeterKeeper {
    private nonisolated let executor: any StreamExecutor
    private let connection: RedisConnection
    private let settings: MeterKeeperSettings

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a keeper.
    ///
    /// - Parameters:
    ///   - connection: on the same reactor; nothing on it may block. The owner closes it.
    ///   - executor: the reactor.
    ///   - settings: names and times.
    package init(
        over connection: RedisConnection,
        on executor: any StreamExecutor,
        settings: MeterKeeperSettings
    ) {
        self.connection = connection
        self.executor = executor
        self.settings = settings
    }

    /// Takes the lease or prolongs it; whoever has it trims.
    package func holdsLease() async throws(RedisError) -> Bool {
        let time = String(settings.lease.wholeMilliseconds)
        let key = MeterStreams.keeperKey
        let taken = try await send("SET", key, settings.name, "NX", "PX", time)
        if taken == .status("OK") { return true }
        guard try await send("GET", key).text == settings.name else { return false }
        return try await send("PEXPIRE", key, time) == .integer(1)
    }

    /// Reads up to which number everything of each run is in the ledger, as the biller says.
    package func committed() async throws(RedisError) -> SequenceRanges {
        let words = try await send("HGETALL", MeterStreams.committedKey).elements
        var committed = SequenceRanges()
        for place in stride(from: 0, to: words.count - 1, by: 2) {
            guard let run = words[place].text, let text = words[place + 1].text,
                let through = Int64(text), through > 0
            else { continue }
            committed.insert(1...through, of: run)
        }
        return committed
    }

    /// Says how much waits in a partition.
    ///
    /// - Parameters:
    ///   - partition: from 0.
    ///   - now: the wall clock, as the ids of entries have it.
    /// - Returns: nothing waits where there is no stream yet.
    /// - Throws: `RedisError`.
    package func backlog(
        of partition: Int,
        at now: WallTime
    ) async throws(RedisError) -> StreamBacklog {
        let key = MeterStreams.key(partition)
        var backlog = StreamBacklog()
        backlog.length = Int(try await send("XLEN", key).integer ?? 0)
        backlog.dead = Int(try await send("XLEN", MeterStreams.deadKey(partition)).integer ?? 0)
        let group = try await groups(of: key).first { $0.name == settings.group }
        // Without its group, nothing of the stream was ever read.
        backlog.undelivered = backlog.length
        var oldest: EntryID?
        if let group {
            backlog.undelivered = group.undelivered
            backlog.consumers = group.consumers
            backlog.pending = group.pending
            if group.pending > 0 { oldest = try await oldestPending(of: group, in: key) }
        }
        if backlog.undelivered != 0 {
            let start = group.map { "(\($0.last.text)" } ?? "-"
            let next = try await send("XRANGE", key, start, "+", "COUNT", "1")
            if let id = next.elements.first?.elements.first?.text.flatMap(EntryID.init(parsing:)) {
                oldest = oldest.map { min($0, id) } ?? id
            }
        }
        if let oldest {
            backlog.oldestMilliseconds = max(0, now.milliseconds - oldest.milliseconds)
        }
        return backlog
    }

    private func send(_ words: String...) async throws(RedisError) -> RedisValue {
        try await connection.send(RedisCommand(words), within: settings.timeout)
    }
}

// MARK: Trimming

extension MeterKeeper {
    /// Drops entries from the stream that every group has acknowledged, that the ledger has, and
    /// that are older than the time to keep them.
    ///
    /// Nothing is dropped while one of the named groups does not exist.
    ///
    /// - Parameters:
    ///   - partition: from 0.
    ///   - now: the wall clock, as the ids of entries have it.
    ///   - stored: what the ledger has; nil: it is not asked.
    /// - Returns: how many were dropped.
    /// - Throws: `RedisError`.
    package func trim(
        _ partition: Int,
        at now: WallTime,
        stored: SequenceRanges?
    ) async throws(RedisError) -> Int {
        let key = MeterStreams.key(partition)
        guard let needed = try await oldestNeeded(of: key, at: now), needed.milliseconds > 0 else {
            return 0
        }
        var bound = needed
        if let stored { bound = try await firstMissing(of: key, before: needed, stored) }
        return Int(try await send("XTRIM", key, "MINID", bound.text).integer ?? 0)
    }

    /// Drops rejected records that are older than the time to keep them; the ledger has them too.
    package func trimDead(_ partition: Int, at now: WallTime) async throws(RedisError) -> Int {
        let since = now.milliseconds - settings.deadRetain.wholeMilliseconds
        guard since > 0 else { return 0 }
        let key = MeterStreams.deadKey(partition)
        return Int(try await send("XTRIM", key, "MINID", String(since)).integer ?? 0)
    }

    /// The first entry that a group still needs or that is too young; nil when nothing is known.
    private func oldestNeeded(
        of key: String,
        at now: WallTime
    ) async throws(RedisError) -> EntryID? {
        let keptSince = now.milliseconds - settings.retain.wholeMilliseconds
        guard var bound = EntryID(milliseconds: max(0, keptSince)) else { return nil }
        let groups = try await groups(of: key)
        let names = groups.map(\.name)
        guard settings.requiredGroups.allSatisfy(names.contains) else { return nil }
        for group in groups {
            let pending = group.pending > 0 ? try await oldestPending(of: group, in: key) : nil
            bound = min(bound, pending ?? group.last)
        }
        return bound
    }

    /// The first entry before `bound` that the ledger does not have; `bound` when it has all.
    ///
    /// What does not say where it comes from is in nobody's count: that it is acknowledged is
    /// enough.
    private func firstMissing(
        of key: String,
        before bound: EntryID,
        _ stored: SequenceRanges
    ) async throws(RedisError) -> EntryID {
        var start = "-"
        while true {
            let reply = try await send(
                "XRANGE",
                key,
                start,
                "(\(bound.text)",
                "COUNT",
                String(settings.pageLimit)
            )
            let entries = StreamEntry.list(reply)
            for entry in entries {
                guard let origin = entry.origin,
                    !stored.contains(origin.sequence, of: origin.run)
                else { continue }
                return EntryID(parsing: entry.id) ?? bound
            }
            guard let last = entries.last, entries.count == settings.pageLimit else {
                return bound
            }
            start = "(\(last.id)"
        }
    }
}

// MARK: Members

extension MeterKeeper {
    /// Takes members out of the group that have not been heard for a long time and have nothing
    /// pending.
    ///
    /// - Returns: their names.
    package func removeIdleMembers(of partition: Int) async throws(RedisError) -> [String] {
        let key = MeterStreams.key(partition)
        guard try await groups(of: key).contains(where: { $0.name == settings.group }) else {
            return []
        }
        let members = try await send("XINFO", "CONSUMERS", key, settings.group).elements
        let longest = settings.memberRetain.wholeMilliseconds
        var removed: [String] = []
        for member in members {
            guard let name = member.member("name")?.text,
                member.member("pending")?.integer == 0,
                let idle = member.member("idle")?.integer, idle > longest
            else { continue }
            try await remove(name, from: key)
            removed.append(name)
        }
        return removed
    }

    /// Takes a member out of the group.
    ///
    /// What it was given since it was looked at would be lost to the group: then everything is read
    /// anew, which the ledger makes harmless.
    package func remove(_ name: String, from key: String) async throws(RedisError) {
        let lost = try await send("XGROUP", "DELCONSUMER", key, settings.group, name).integer
        guard let lost, lost > 0 else { return }
        _ = try await send("XGROUP", "SETID", key, settings.group, "0")
    }

    private func groups(of key: String) async throws(RedisError) -> [GroupInfo] {
        do throws(RedisError) {
            return try await send("XINFO", "GROUPS", key).elements.compactMap(GroupInfo.init)
        } catch {
            // A stream that nobody has written to yet.
            guard case .refused(let refusal) = error, refusal.message.contains("no such key") else {
                throw error
            }
            return []
        }
    }

    private func oldestPending(
        of group: GroupInfo,
        in key: String
    ) async throws(RedisError) -> EntryID? {
        let summary = try await send("XPENDING", key, group.name).elements
        return summary.dropFirst().first?.text.flatMap(EntryID.init(parsing:))
    }
}

/// A group, as the server describes it.
private struct GroupInfo {
    let name: String
    let consumers: Int
    let pending: Int
    let last: EntryID
    /// Nil where the server does not know.
    let undelivered: Int?

    init?(_ value: RedisValue) {
        guard let name = value.member("name")?.text,
            let pending = value.member("pending")?.integer,
            let last = value.member("last-delivered-id")?.text.flatMap(EntryID.init(parsing:))
        else { return nil }
        self.name = name
        self.pending = Int(pending)
        self.last = last
        consumers = Int(value.member("consumers")?.integer ?? 0)
        undelivered = value.member("lag")?.integer.map { Int($0) }
    }
}

/// Names and times of a `MeterKeeper`.
package struct MeterKeeperSettings: Sendable {
    /// Names the process, as the holder of the lease.
    package var name: String
    /// The group whose backlog is told and whose members are looked after.
    package var group = "billing"
    /// Groups without which nothing is trimmed.
    package var requiredGroups: [String] = ["billing"]
    /// How long entries are kept after every group has acknowledged them.
    package var retain: Duration = .seconds(86_400)
    /// How long rejected records are kept.
    package var deadRetain: Duration = .seconds(30 * 86_400)
    /// How long a member may be silent that has nothing pending.
    package var memberRetain: Duration = .seconds(86_400)
    /// How long the one who trims is left to it when nothing is heard of it.
    package var lease: Duration = .seconds(150)
    /// How many entries are looked at in one go.
    package var pageLimit = 500
    /// The time for a command, connecting included.
    package var timeout: Duration = .seconds(5)

    package init(name: String) { self.name = name }
}

/// How much waits in one partition.
package struct StreamBacklog: Equatable, Sendable {
    /// All entries, those that are only kept for a while included.
    package var length = 0
    /// Rejected records that are kept.
    package var dead = 0
    /// Delivered to a member of the group and not acknowledged.
    package var pending = 0
    /// Not delivered yet; nil where the server does not know.
    package var undelivered: Int? = 0
    package var consumers = 0
    /// The age of the oldest entry that is not acknowledged; 0 when there is none.
    package var oldestMilliseconds: Int64 = 0

    package init() {}
}
