import Pricing

/// Why a database did not do what it was told, and what may help.
struct LedgerFailure: Error, Equatable {
    enum Remedy: Equatable {
        /// The connection can be used as before.
        case keep
        /// The same transaction, at once: another one was in its way.
        case again
        /// The same transaction, without taking anything for granted: a key was taken already.
        case carefully
        /// A new connection: nothing is known of this one.
        case reopen
    }

    let error: ChargeStoreError
    let remedy: Remedy

    init(_ error: ChargeStoreError, _ remedy: Remedy) {
        self.error = error
        self.remedy = remedy
    }

    static func damaged(_ what: String) -> Self { Self(.damaged(what), .reopen) }
    static func refused(_ what: String) -> Self { Self(.refused(what), .keep) }
    static func failed(_ what: String) -> Self { Self(.failed(what), .reopen) }
}
