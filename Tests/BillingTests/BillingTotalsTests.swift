import Billing
import FoundationEssentials
import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport
import Testing

func fixturePrices() throws -> String {
    try String(contentsOfFile: repositoryRoot() + "/Config/prices.json", encoding: .utf8)
}

/// Whatever happens on the way, the books are those of the set of records.
@Suite struct BillingTotalsTests {
    private struct TotalKey: Hashable {
        let account: String
        let period: CalendarMonth
        let provider: String
    }

    private struct Total: Equatable {
        var records: Int64 = 0
        var tokens: Int64 = 0
        var charge: Int64 = 0
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `order, batches, replays, faults and kills change no total`(seed: UInt64) async throws {
        var random = SeededChance(seed: seed)
        let prices = try BillingSamples.prices()
        let records = Self.records(&random)
        let folder = try ScratchFolder()
        let ledgerThread = try BlockingThread(name: "ledger-test")
        let billingThread = try BlockingThread(name: "billing-test")
        defer {
            ledgerThread.stop()
            billingThread.stop()
        }
        let ledger = DatabaseLedger(
            .sqlite(SQLiteLedgerConfiguration(path: folder.path("ledger.db"))),
            on: ledgerThread,
            wallClock: { WallTime(milliseconds: BillingSamples.noon) }
        )

        let isDrained = Guarded(false)
        let killer = Guarded((random: SeededChance(seed: seed &* 31), stop: StopSwitch()))
        let source = MemoryUsageSource(
            records.shuffled(using: &random),
            fault: { _ in
                killer.withLock { killer in
                    let chance = killer.random.next() % 20
                    if chance == 0 { killer.stop.off() }
                    return chance < 3 ? .unavailable("seeded") : nil
                }
            },
            whenEmpty: {
                isDrained.withLock { $0 = true }
                killer.withLock { $0.stop.off() }
            }
        )
        var runs = 0
        while !isDrained.withLock({ $0 }), runs < 10_000 {
            runs += 1
            let stop = StopSwitch()
            killer.withLock { $0.stop = stop }
            let store = UncertainStore(ledger, seed: random.next())
            let billing = BillingActor(
                on: billingThread,
                source: source,
                store: store,
                prices: prices,
                pace: InstantPace(),
                configuration: BillingConfiguration(batchLimit: Int(random.next() % 40) + 1)
            )
            await billing.run(until: stop)
        }

        let state = source.state
        #expect(state.pending.map(\.entryID).isEmpty)
        #expect(state.waiting.map(\.entryID).isEmpty)
        for (key, expected) in Self.expectation(of: records, prices) {
            let totals = try await ledger.totals(account: key.account, period: key.period)
            let found = totals.first { $0.provider == key.provider }
            #expect(found?.records == expected.records)
            #expect(found?.tokens == expected.tokens)
            #expect(found?.charge.nanodollars == expected.charge)
        }
        let accepted = Self.expectation(of: records, prices).values.reduce(0) { $0 + $1.records }
        #expect(try await ledger.counts().records == accepted)
        #expect(
            try await ledger.committedSequences() == [
                CommittedSequence(gateway: "g", epoch: 1, through: Int64(records.count))
            ]
        )
        #expect(state.published["g:1"] == Int64(records.count))
        await ledger.close()
    }

    /// Valid records, exact copies of some under new entries, and some that are refused.
    private static func records(_ random: inout SeededChance) -> [DeliveredRecord] {
        let models = ["openai/gpt-4", "openai/gpt-3.5-turbo", "google/gemini-pro", "none"]
        let midnight: Int64 = 1_769_904_000_000  // 2026-02-01
        var records: [DeliveredRecord] = []
        for index in 1...200 {
            func number(below limit: UInt64) -> Int64 { Int64(random.next() % limit) }
            let ended = midnight + number(below: 1_000_000) - 500_000
            let changes: [String: String] = [
                "gateway": "g", "epoch": "1", "seq": String(records.count + 1),
                "account_id": "a\(number(below: 3))",
                "model": models[Int(number(below: 40)) % 4],
                "segment": String(number(below: 2)),
                "ended_at_ms": String(ended),
                "input_tokens": String(number(below: 60_000)),
                "output_tokens": String(number(below: 60_000)),
                "bytes_out": String(number(below: 30_000_000)),
                "downtime_ms": String(number(below: 900)),
            ]
            let record = BillingSamples.delivered(
                "r\(index)",
                changes,
                entryID: "\(records.count)-0",
                receivedAtMilliseconds: midnight + 600_000
            )
            records.append(record)
            guard random.next() % 8 == 0 else { continue }
            let again = changes.merging(["seq": String(records.count + 1)]) { $1 }
            records.append(
                BillingSamples.delivered(
                    "r\(index)",
                    again,
                    entryID: "\(records.count)-0",
                    receivedAtMilliseconds: midnight + 700_000
                )
            )
        }
        return records
    }

    /// What the rules give for the set of records, without a store.
    private static func expectation(
        of records: [DeliveredRecord],
        _ prices: PriceBook
    ) -> [TotalKey: Total] {
        var rated: [String: RatedRecord] = [:]
        for record in records {
            guard case .rated(let entry) = prices.settle(record) else { continue }
            rated[entry.record.recordID] = entry
        }
        var totals: [TotalKey: Total] = [:]
        let groups = Dictionary(grouping: rated.values) { entry in
            TotalKey(
                account: entry.record.accountID,
                period: entry.period,
                provider: entry.provider
            )
        }
        for (key, members) in groups {
            let tokens = members.reduce(0) { $0 + $1.record.tokens }
            let tier = members[0].tiers.index(reachedBy: tokens)
            let charge = members.reduce(0) { $0 + $1.charge.tiers[tier].charge.nanodollars }
            totals[key] = Total(records: Int64(members.count), tokens: tokens, charge: charge)
        }
        return totals
    }
}

/// A ledger whose calls fail at times, before or after they have worked.
private actor UncertainStore: ChargeStore {
    private let ledger: DatabaseLedger
    private var random: SeededChance

    init(_ ledger: DatabaseLedger, seed: UInt64) {
        self.ledger = ledger
        random = SeededChance(seed: seed)
    }

    func committedSequences() async throws(ChargeStoreError) -> [CommittedSequence] {
        try await ledger.committedSequences()
    }

    func store(_ entries: [BillingEntry]) async throws(ChargeStoreError) -> StoreReceipt {
        let chance = random.next() % 6
        if chance == 0 { throw .busy }
        let receipt = try await ledger.store(entries)
        if chance == 1 { throw .failed("the answer was lost") }
        return receipt
    }
}
