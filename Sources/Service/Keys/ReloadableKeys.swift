import Gateway
import Reactor

/// The keys in force, for every thread; a reload replaces them as a whole.
package final class ReloadableKeys: CallerDirectory, Sendable {
    private let store: Guarded<KeyStore>

    package init(_ store: KeyStore) { self.store = Guarded(store) }

    /// Whose keys are in force.
    package var callers: [Caller] { store.withLock { $0 }.callers }

    /// Puts other keys into force.
    package func replace(with store: KeyStore) {
        self.store.withLock { $0 = store }
    }

    package func caller(presenting key: String) -> Caller? {
        // The copy shares its storage: the lock is not held while digests are made and compared.
        store.withLock { $0 }.caller(presenting: key)
    }
}
