/// Remembers the running totals of accounts between batches.
///
/// What is remembered of an account holds as long as the number of its batches is the same: whoever
/// books for it, in this process or another, counts one up.
final class PeriodCache {
    private static let accountLimit = 20_000
    /// Late records and those of the next month: more months are rarely open at once.
    private static let periodLimit = 4

    private struct Entry {
        var batches: Int64
        var periods: [String: BatchKnowledge.OpenPeriod]
    }

    private var accounts: [String: Entry] = [:]

    /// The period as it was left; nil where it is not known, or not any more.
    func period(_ key: PeriodKey, batches: Int64) -> BatchKnowledge.OpenPeriod? {
        guard let entry = accounts[key.account], entry.batches == batches else { return nil }
        return entry.periods[key.period]
    }

    /// Remembers what was just committed.
    func remember(_ periods: [PeriodKey: BatchKnowledge.OpenPeriod], _ rows: [String: AccountRow]) {
        if accounts.count + rows.count > Self.accountLimit { accounts = [:] }
        for (account, row) in rows {
            // A batch before this one is all that may be missing in what is remembered.
            let known = accounts[account].flatMap {
                $0.batches == row.batches - 1 ? $0.periods : nil
            }
            accounts[account] = Entry(
                batches: row.batches,
                periods: (known?.count ?? 0) > Self.periodLimit ? [:] : known ?? [:]
            )
        }
        for (key, period) in periods {
            var period = period
            period.touchedProviders = []
            accounts[key.account]?.periods[key.period] = period
        }
    }

    /// Forgets everything: what became of the last batch is not known.
    func forget() { accounts = [:] }
}
