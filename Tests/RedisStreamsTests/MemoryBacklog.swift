import Metering
import Reactor

/// A spool in memory.
final class MemoryBacklog: UsageBacklog {
    private struct State {
        var entries: [BacklogEntry] = []
        var next = 0
        var released: [GatewayRun: Int64] = [:]
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Guarded(State())

    func append(_ entries: [BacklogEntry]) {
        let actions = state.withLock { state in
            state.entries += entries
            return state.actions
        }
        for action in actions { action() }
    }

    func append(_ records: [UsageRecord]) { append(records.map(BacklogEntry.record)) }

    /// How many entries were read since the last rewind.
    var readCount: Int { state.withLock(\.next) }

    func released(_ run: GatewayRun) -> Int64 { state.withLock { $0.released[run] ?? 0 } }

    // MARK: UsageBacklog

    func next(limit: Int) async throws(UsageBacklogError) -> [BacklogEntry] {
        state.withLock { state in
            let part = state.entries.dropFirst(state.next).prefix(limit)
            state.next += part.count
            return Array(part)
        }
    }

    func rewind() async {
        state.withLock { state in
            let released = state.released
            state.entries.removeAll { $0.sequence <= released[$0.run] ?? 0 }
            state.next = 0
        }
    }

    func release(
        _ run: GatewayRun,
        through sequence: Int64
    ) async throws(UsageBacklogError) {
        state.withLock { $0.released[run] = max($0.released[run] ?? 0, sequence) }
    }

    func waitingRuns() async -> [(run: GatewayRun, released: Int64)] {
        state.withLock { state in
            let runs = Set(state.entries.map(\.run))
            return runs.map { ($0, state.released[$0] ?? 0) }
        }
    }

    func onGrowth(_ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.actions.append(action) }
    }
}

extension BacklogEntry {
    fileprivate var run: GatewayRun {
        switch self {
        case .record(let record): GatewayRun(gateway: record.gateway, epoch: record.epoch)
        case .lost(let run, _): run
        }
    }

    fileprivate var sequence: Int64 {
        switch self {
        case .record(let record): record.sequence
        case .lost(_, let sequence): sequence
        }
    }
}
