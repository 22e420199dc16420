import Alerting
import Reactor

/// Where alerts are kept: in memory, and in the ledger once there is one.
///
/// While the ledger is away, or cannot take what happens, the memory answers: somebody may want to
/// know just that.
final class SharedAlertStore: AlertStore {
    private let memory = MemoryAlertStore()
    private let state = Guarded(State())

    private struct State {
        var ledger: (any AlertStore)?
        /// Whether the ledger knows of what happened before it was there.
        var isHandedOver = false
        /// Why the ledger did not take what happened last; nil when it did.
        var problem: AlertStoreError?
    }

    /// Keeps alerts for good from now on, and those that the memory has.
    func connect(_ store: any AlertStore) { state.withLock { $0.ledger = store } }

    /// The ledger, which knows then what the memory knows; nil: there is none.
    private func ledger() async throws(AlertStoreError) -> (any AlertStore)? {
        let (ledger, isHandedOver) = state.withLock { ($0.ledger, $0.isHandedOver) }
        guard let ledger, !isHandedOver else { return ledger }
        try await ledger.keep(await memory.history)
        state.withLock { $0.isHandedOver = true }
        return ledger
    }

    func openAlerts() async throws(AlertStoreError) -> [Alert] {
        guard let ledger = try await ledger() else { return await memory.openAlerts() }
        return try await ledger.openAlerts()
    }

    func keep(_ news: [AlertDesk.News]) async throws(AlertStoreError) {
        await memory.keep(news)
        do throws(AlertStoreError) {
            try await ledger()?.keep(news)
            state.withLock { $0.problem = nil }
        } catch {
            state.withLock { $0.problem = error }
            throw error
        }
    }

    func alerts(_ query: AlertQuery) async throws(AlertStoreError) -> AlertPage {
        do throws(AlertStoreError) {
            if let problem = state.withLock(\.problem) { throw problem }
            guard let ledger = try await ledger() else { return await memory.alerts(query) }
            return try await ledger.alerts(query)
        } catch {
            return AlertPage(await memory.alerts(query).alerts, problem: error.reason)
        }
    }
}
