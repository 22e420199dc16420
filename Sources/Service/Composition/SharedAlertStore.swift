import Alerting
import Reactor

/// Where alerts are kept: in memory, and in the ledger once there is one.
///
/// While the ledger is away, the memory answers: somebody may want to know just that.
final class SharedAlertStore: AlertStore {
    private let memory = MemoryAlertStore()
    private let ledger = Guarded<(any AlertStore)?>(nil)

    /// Keeps alerts for good from now on.
    func connect(_ store: any AlertStore) { ledger.withLock { $0 = store } }

    func openAlerts() async throws(AlertStoreError) -> [Alert] {
        guard let ledger = ledger.withLock({ $0 }) else { return await memory.openAlerts() }
        return try await ledger.openAlerts()
    }

    func keep(_ news: [AlertDesk.News]) async throws(AlertStoreError) {
        await memory.keep(news)
        try await ledger.withLock { $0 }?.keep(news)
    }

    func alerts(_ query: AlertQuery) async throws(AlertStoreError) -> AlertPage {
        guard let ledger = ledger.withLock({ $0 }) else { return await memory.alerts(query) }
        do throws(AlertStoreError) {
            return try await ledger.alerts(query)
        } catch {
            return AlertPage(await memory.alerts(query).alerts, problem: error.reason)
        }
    }
}
