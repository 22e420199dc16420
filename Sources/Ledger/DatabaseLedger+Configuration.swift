import Pricing
import StreamBytes

/// What a process begins to work by.
package struct UsedConfiguration: Sendable {
    /// Names the process, the same at each start.
    package let process: String
    /// The file; empty: there was none, and the defaults hold.
    package let path: String
    /// The SHA-256 of the file, in hexadecimal.
    package let sha256: String
    /// Versions.
    package let priceLists: [String]
    package let keys: Set<AccountKey>
    /// Since when; the ledger may be told later.
    package let since: WallTime

    package init(
        process: String,
        path: String,
        sha256: String,
        priceLists: [String],
        keys: Set<AccountKey>,
        since: WallTime
    ) {
        self.process = process
        self.path = path
        self.sha256 = sha256
        self.priceLists = priceLists
        self.keys = keys
        self.since = since
    }
}

extension DatabaseLedger {
    /// Notes in the chain of the house what a process works by from now on, and in those of accounts
    /// which of their keys were not there before, or are not any more.
    ///
    /// - Parameters:
    ///   - configuration: nothing of it is secret.
    ///   - isReload: the process ran already.
    /// - Throws: `ChargeStoreError`.
    package func note(
        _ configuration: UsedConfiguration,
        isReload: Bool
    ) throws(ChargeStoreError) {
        try transaction { (engine) throws(LedgerFailure) in
            try ConfigurationBooking(engine).note(configuration, isReload)
        }
    }
}
