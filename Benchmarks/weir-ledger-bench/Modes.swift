import Glibc
import Ledger
import LedgerLoad
import Metering
import Pricing
import Reactor
import StreamBytes

/// Records that are made before the clock runs, so that making them is not measured.
private let chunkSize = 10_000

/// Accounts whose discount is graduated in the random runs: every fourth.
@Sendable private func mode(of account: String) -> DiscountMode {
    (Int(account.split(separator: "-").last ?? "") ?? 0) % 4 == 0 ? .graduated : .wholeVolume
}

func rateRecords(_ options: BenchOptions, _ prices: PriceBook) {
    let generator = RecordGenerator(seed: 1)
    var books = PlainBooks()
    var (wall, processor) = (0.0, 0.0)
    for start in stride(from: 0, to: options.records, by: chunkSize) {
        let records = (start..<min(start + chunkSize, options.records)).map(generator.record)
        let watch = Stopwatch()
        for record in records {
            guard case .rated(let rated) = prices.settle(record) else {
                preconditionFailure("a record of the plain shape is rated")
            }
            books.add(rated)
        }
        wall += watch.elapsed.wall
        processor += watch.elapsed.processor
    }
    let count = Double(options.records)
    say(
        "rated \(options.records) records into memory: \(Int(count / wall)) a second, "
            + "\(Int(count / processor)) a second of CPU, \(residentMebibytes()) MiB"
    )
}

/// Stores as billing does: the accounts are divided among connections, and on each, while one batch
/// is written, the next is rated.
func storeRecords(_ options: BenchOptions, _ prices: PriceBook) async throws {
    let ledgers = try (0..<options.connections).map { _ in try openedLedger(options) }
    defer { for (_, thread) in ledgers { thread.stop() } }
    var book = prices
    for (ledger, _) in ledgers { book = try await ledger.open(prices) }
    let generator = RecordGenerator(seed: 1)
    var (wall, processor) = (0.0, 0.0)
    var told = 0
    let step = chunkSize * ledgers.count
    for start in stride(from: 0, to: options.records, by: step) {
        let end = min(start + step, options.records)
        let records = (start..<end).map(generator.record)
        let divided = Dictionary(grouping: records) { partition(of: $0, ledgers.count) }
        let watch = Stopwatch()
        try await withThrowingTaskGroup { [book] group in
            for (partition, records) in divided {
                group.addTask {
                    try await store(records, in: ledgers[partition].0, book, options.batch)
                }
            }
            try await group.waitForAll()
        }
        wall += watch.elapsed.wall
        processor += watch.elapsed.processor
        guard end - told >= 1_000_000 || end == options.records else { continue }
        told = end
        say(
            "stored \(end) records over \(ledgers.count) connections: "
                + "\(Int(Double(end) / wall)) a second, "
                + "\(Int(Double(end) / processor)) a second of CPU, \(residentMebibytes()) MiB"
        )
    }
    for (ledger, _) in ledgers { await ledger.close() }
}

/// All of an account's records are written over one connection.
private func partition(of record: DeliveredRecord, _ count: Int) -> Int {
    let account = record.fields["account_id"] ?? ""
    return (Int(account.split(separator: "-").last ?? "") ?? 0) % count
}

private func store(
    _ records: [DeliveredRecord],
    in ledger: DatabaseLedger,
    _ book: PriceBook,
    _ limit: Int
) async throws {
    let batches = stride(from: 0, to: records.count, by: limit).map { first in
        Array(records[first..<min(first + limit, records.count)])
    }
    var next = settle(batches.first ?? [], book)
    for index in batches.indices {
        let entries = next
        let following = index + 1 < batches.count ? batches[index + 1] : []
        async let rated = settle(following, book)
        let receipt = try await ledger.store(entries)
        precondition(
            receipt.outcomes.allSatisfy { $0 == .accepted },
            "every record is new; is the ledger empty?"
        )
        next = await rated
    }
}

/// Stores what a plan delivers, from one of its batches on, as a biller that may be killed.
func feedRecords(_ options: BenchOptions, _ prices: PriceBook) async throws {
    let (ledger, thread) = try openedLedger(options, AccountDirectory(graduatedAccounts()))
    defer { thread.stop() }
    let book = try await ledger.open(prices)
    let generator = RecordGenerator(.varied(records: options.records), seed: 7)
    let plan = DeliveryPlan(records: options.records, seed: options.plan)
    for (number, batch) in plan.batches.enumerated().dropFirst(options.from) {
        _ = try await ledger.store(settle(batch.map(generator.record), book))
        say("\(number)")
    }
    say("done")
    await ledger.close()
}

func printTotals(_ options: BenchOptions, _ prices: PriceBook) async throws {
    guard options.url != nil else {
        let generator = RecordGenerator(.varied(records: options.records), seed: 7)
        var books = PlainBooks(mode: mode)
        for number in 0..<options.records {
            guard case .rated(let rated) = prices.settle(generator.record(number)) else { continue }
            books.add(rated)
        }
        for line in books.lines { print(line) }
        return
    }
    let (ledger, thread) = try openedLedger(options)
    defer { thread.stop() }
    let accounts = RecordGenerator.Shape.varied(records: options.records).accounts
    var lines: [String] = []
    for account in (0..<accounts).map({ "account-\($0)" }).sorted() {
        for month in [1, 2, 3, 4] {
            let period = CalendarMonth(year: 2_026, month: Int64(month))
            for total in try await ledger.totals(account: account, period: period) {
                lines.append(
                    "\(account) \(period) \(total.provider) \(total.records) \(total.tokens) "
                        + "\(total.tier) \(total.charge)"
                )
            }
        }
    }
    for line in lines { print(line) }
    await ledger.close()
}

/// Returns the exit status.
func verifyLedger(_ options: BenchOptions) throws -> Int32 {
    let watch = Stopwatch()
    let report = try options.database.audit(findingLimit: 20)
    for finding in report.findings { say("\(finding)") }
    let rows = report.rows.values.reduce(0, +)
    say(
        "\(report.findingCount) findings in \(rows) rows, \(report.rows["records"] ?? 0) of them "
            + "records, \(Int(watch.elapsed.wall)) s, \(residentMebibytes()) MiB"
    )
    return report.isSound ? 0 : 1
}

/// A ledger whose clock stands still, and its thread, which is stopped by the caller.
private func openedLedger(
    _ options: BenchOptions,
    _ directory: AccountDirectory = AccountDirectory()
) throws -> (DatabaseLedger, BlockingThread) {
    let thread = try BlockingThread(name: "ledger")
    let ledger = DatabaseLedger(
        try options.database,
        on: thread,
        directory: directory,
        wallClock: { WallTime(milliseconds: 1_767_225_600_000) }
    )
    return (ledger, thread)
}

private func settle(_ records: [DeliveredRecord], _ book: PriceBook) -> [BillingEntry] {
    records.map { book.settle($0) }
}

private func graduatedAccounts() -> [String: AccountTerms] {
    var terms: [String: AccountTerms] = [:]
    for number in 0..<1_000 where mode(of: "account-\(number)") == .graduated {
        terms["account-\(number)"] = AccountTerms(
            country: "FR",
            isTaxIDValid: false,
            currency: "EUR",
            exchangeRateMillionths: 920_000,
            discountMode: .graduated
        )
    }
    return terms
}
