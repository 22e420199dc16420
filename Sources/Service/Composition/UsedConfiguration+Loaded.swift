import Gateway
import Ledger
import Pricing
import Reactor
import StreamBytes

extension UsedConfiguration {
    /// What the ledger notes of a configuration that is used from now on.
    ///
    /// - Parameters:
    ///   - loaded: the configuration.
    ///   - process: names the process.
    ///   - prices: the lists that it names.
    ///   - callers: whose keys are in force.
    init(
        _ loaded: LoadedConfiguration,
        process: String,
        prices: PriceBook,
        callers: [Caller]
    ) {
        self.init(
            process: process,
            path: loaded.path ?? "",
            sha256: loaded.digest?.hexadecimal ?? "",
            priceLists: prices.lists.map(\.version),
            keys: Set(callers.map { AccountKey(account: $0.account, id: $0.keyID) }),
            since: WallTime.now
        )
    }
}
