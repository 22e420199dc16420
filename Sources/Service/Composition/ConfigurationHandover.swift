import Ledger
import Reactor
import Telemetry

/// Who has to know of configurations.
package protocol ConfigurationTaker: Sendable {
    /// Other terms from the next batch on.
    func use(_ accounts: [AccountConfiguration]) async

    /// Notes for good what the process works by from now on.
    func note(_ configuration: UsedConfiguration, isReload: Bool) async throws(LedgerRefused)
}

/// Configurations on their way to the ledger, which may be away for a while: they are told in order,
/// once it is there.
package final class ConfigurationHandover: Sendable {
    /// The most that wait; then the oldest is not noted any more.
    package static let limit = 100
    private static let pause = Duration.seconds(1)

    /// A configuration that was taken over.
    package struct Item: Sendable {
        let used: UsedConfiguration
        let accounts: [AccountConfiguration]
        let isReload: Bool

        package init(
            used: UsedConfiguration,
            accounts: [AccountConfiguration],
            isReload: Bool
        ) {
            self.used = used
            self.accounts = accounts
            self.isReload = isReload
        }
    }

    private struct State {
        var waiting: [Item] = []
        /// How many have left `waiting`.
        var goneCount = 0
        /// How many had come when terms were used last.
        var usedCount = 0
        var isBusy = false
        /// Whether it was said that some wait.
        var isSaid = false

        var count: Int { goneCount + waiting.count }
    }

    private let log: any LogSink
    private let state = Guarded(State())

    package init(log: any LogSink) { self.log = log }

    package var waitingCount: Int { state.withLock(\.waiting.count) }

    /// Whether there are terms that nobody uses yet.
    package var hasTerms: Bool { state.withLock { $0.count > $0.usedCount } }

    package func add(_ item: Item) {
        let isFull = state.withLock { state in
            state.waiting.append(item)
            guard state.waiting.count > Self.limit else { return false }
            state.waiting.removeFirst()
            state.goneCount += 1
            return true
        }
        if isFull { log.write(LogLine(.error, "configuration_not_noted").with("count", 1)) }
    }

    /// Tells what waits, again and again, until the task is cancelled.
    package func run(_ taker: some ConfigurationTaker) async {
        while !Task.isCancelled {
            await tell(taker)
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Tells what waits, as far as that works.
    package func tell(_ taker: some ConfigurationTaker) async {
        let isBusy = state.withLock { state in
            defer { state.isBusy = true }
            return state.isBusy
        }
        guard !isBusy else { return }
        defer { state.withLock { $0.isBusy = false } }
        while let (item, place) = state.withLock({ state in
            state.waiting.first.map { ($0, state.goneCount) }
        }) {
            await useTerms(taker)
            do throws(LedgerRefused) {
                try await taker.note(item.used, isReload: item.isReload)
            } catch {
                sayOnce(error)
                return
            }
            state.withLock { state in
                state.isSaid = false
                // It may have had to leave meanwhile.
                guard state.goneCount == place else { return }
                state.waiting.removeFirst()
                state.goneCount += 1
            }
        }
    }

    /// Has the newest terms used, if they are not yet.
    ///
    /// They are not stored: they hold whatever has to wait.
    package func useTerms(_ taker: some ConfigurationTaker) async {
        let accounts = state.withLock { state in
            guard state.count > state.usedCount else { return nil as [AccountConfiguration]? }
            state.usedCount = state.count
            return state.waiting.last?.accounts
        }
        if let accounts { await taker.use(accounts) }
    }

    /// Says what was never told.
    package func warnOfRest() {
        let count = waitingCount
        guard count > 0 else { return }
        log.write(LogLine(.warning, "configuration_not_noted").with("count", count))
    }

    private func sayOnce(_ error: LedgerRefused) {
        let isNew = state.withLock { state in
            defer { state.isSaid = true }
            return !state.isSaid
        }
        guard isNew else { return }
        log.write(LogLine(.warning, "configuration_waits").with("reason", error.description))
    }
}
