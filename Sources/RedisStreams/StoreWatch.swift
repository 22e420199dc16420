import Metering
import StreamBytes

/// Finds out what the ledger has, and whether Redis still has what it has taken.
///
/// Redis has lost something when the last entry that a partition took is gone although the ledger
/// does not have it, or when the ledger has not got on for long and yet every group has read and
/// acknowledged everything. (Another server process is the connection's to notice.)
struct StoreWatch {
    /// The last entry that a partition took.
    private struct Stored {
        let run: GatewayRun
        let sequence: Int64
        let entry: EntryID
    }

    /// A run that has records in the spool, with the number up to which they are released.
    typealias Waiting = (run: GatewayRun, released: Int64)

    /// What a look showed.
    struct Finding {
        /// Up to where each run is in the ledger, or set aside, where that is news.
        var releases: [(run: GatewayRun, through: Int64)] = []
        /// Why everything that is not released has to be sent again.
        var loss: String?
    }

    private let groups: [String]
    private let firstPatience: Duration
    private var stored: [Int: Stored] = [:]
    /// Since when the ledger has not got on.
    private var stuckSince: MonotonicTime?
    private var patience: Duration

    /// - Parameters:
    ///   - groups: that read the streams.
    ///   - patience: how long the ledger may not get on before the groups are asked; doubled each time
    ///     that sending again did not help.
    init(groups: [String], patience: Duration) {
        self.groups = groups
        firstPatience = patience
        self.patience = patience
    }

    mutating func noteStored(_ entry: OutgoingEntry, as id: EntryID) {
        stored[entry.partition] = Stored(run: entry.run, sequence: entry.sequence, entry: id)
    }

    /// What Redis had taken is sent again.
    mutating func forgetStored() { stored = [:] }

    /// The commands of a look; their replies go to `judge`.
    func commands(for runs: [Waiting], at now: MonotonicTime) -> [RedisCommand] {
        var commands: [RedisCommand] = []
        for (partition, last) in sortedStored {
            let id = last.entry.text
            commands.append(RedisCommand("XRANGE", MeterStreams.key(partition), id, id))
        }
        if isStuck(at: now) {
            for (partition, _) in sortedStored {
                commands.append(RedisCommand("XINFO", "GROUPS", MeterStreams.key(partition)))
            }
        }
        // Last, so that an entry which was booked and then trimmed is not taken for lost.
        let fields = runs.map { "\($0.run.gateway):\($0.run.epoch)" }
        commands.append(RedisCommand(["HMGET", MeterStreams.committedKey] + fields))
        return commands
    }

    /// Says what the replies mean.
    ///
    /// - Parameters:
    ///   - replies: to the commands of `commands(for:at:)`; nothing was stored since.
    ///   - runs: the same ones.
    ///   - isAllSent: whether everything that waits has been sent.
    ///   - now: as for the commands.
    /// - Returns: what is to be done.
    mutating func judge(
        _ replies: [RedisValue],
        of runs: [Waiting],
        isAllSent: Bool,
        at now: MonotonicTime
    ) -> Finding {
        let lasts = sortedStored
        var rest = replies[...]
        let entries = rest.prefix(lasts.count)
        rest = rest.dropFirst(lasts.count)
        let wasStuck = isStuck(at: now)
        let infos = wasStuck ? rest.prefix(lasts.count) : []
        var finding = Finding()
        finding.releases = Self.releases(replies.last?.elements ?? [], of: runs)
        noteProgress(finding.releases.isEmpty, isAllSent: isAllSent, at: now)
        for ((partition, last), reply) in zip(lasts, entries)
        where isGone(last, reply, finding, runs) {
            finding.loss = "entry \(last.entry.text) of \(MeterStreams.key(partition)) is gone"
        }
        let isMissing =
            wasStuck && finding.releases.isEmpty && !infos.isEmpty
            && zip(lasts, infos).allSatisfy { haveRead($1, upTo: $0.last.entry) }
        if isMissing {
            finding.loss = "every group has acknowledged everything, and the ledger lacks records"
            patience = min(patience * 2, .seconds(3_600))
            stuckSince = nil
        }
        return finding
    }

    private var sortedStored: [(partition: Int, last: Stored)] {
        stored.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func releases(
        _ committed: [RedisValue],
        of runs: [Waiting]
    ) -> [(run: GatewayRun, through: Int64)] {
        zip(runs, committed).compactMap { run, value in
            guard let through = value.text.flatMap({ Int64($0) }), through > run.released else {
                return nil
            }
            return (run.run, through)
        }
    }

    private func isStuck(at now: MonotonicTime) -> Bool {
        stuckSince.map { now - $0 >= patience } ?? false
    }

    private mutating func noteProgress(
        _ isWithoutNews: Bool,
        isAllSent: Bool,
        at now: MonotonicTime
    ) {
        if !isWithoutNews { patience = firstPatience }
        if !isWithoutNews || !isAllSent {
            stuckSince = nil
        } else if stuckSince == nil {
            stuckSince = now
        }
    }

    /// Whether an entry is no more, and the ledger does not have it either.
    private func isGone(
        _ last: Stored,
        _ reply: RedisValue,
        _ finding: Finding,
        _ runs: [Waiting]
    ) -> Bool {
        guard case .array(let found) = reply, found.isEmpty,
            let released = runs.first(where: { $0.run == last.run })?.released
        else { return false }
        let through = finding.releases.first { $0.run == last.run }?.through ?? released
        return through < last.sequence
    }

    private func haveRead(_ reply: RedisValue, upTo entry: EntryID) -> Bool {
        groups.allSatisfy { name in
            reply.elements.contains { info in
                let last = info.member("last-delivered-id")?.text.flatMap { EntryID(parsing: $0) }
                return info.member("name")?.text == name && info.member("pending")?.integer == 0
                    && last.map { $0 >= entry } ?? false
            }
        }
    }
}
