import Pricing

extension LedgerDatabase {
    /// Works the whole ledger out again, on the calling thread, beside whoever writes to it.
    ///
    /// - Parameters:
    ///   - findingLimit: how many findings are kept; all are counted.
    ///   - progress: told now and then which table is read and how many of its rows were.
    /// - Returns: what was found.
    /// - Throws: `ChargeStoreError` when the ledger cannot be opened.
    package func audit(
        findingLimit: Int = 1_000,
        progress: @escaping (String, Int) -> Void = { _, _ in }
    ) throws(ChargeStoreError) -> AuditReport {
        do throws(LedgerFailure) {
            let engine = try open(.reading)
            try engine.beginReading(within: nil)
            defer { engine.rollback() }
            return LedgerAudit(
                engine,
                AuditLog(findingLimit: findingLimit, progress: progress)
            ).run()
        } catch {
            throw error.error
        }
    }
}
