import Billing
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport
import Testing

@Suite struct BillingActorTests {
    private let thread: BlockingThread
    private let prices: PriceBook
    private let stop = StopSwitch()

    init() throws {
        thread = try BlockingThread(name: "billing-test")
        prices = try BillingSamples.prices()
    }

    private func records(_ count: Int) -> [DeliveredRecord] {
        (1...count).map { number in
            let origin = ["gateway": "g", "epoch": "1", "seq": String(number)]
            return BillingSamples.delivered("r\(number)", origin)
        }
    }

    private func billing(
        _ source: MemoryUsageSource,
        _ store: any ChargeStore,
        pace: InstantPace = InstantPace(),
        batchLimit: Int = 10
    ) -> BillingActor {
        BillingActor(
            on: thread,
            source: source,
            store: store,
            prices: prices,
            pace: pace,
            configuration: BillingConfiguration(batchLimit: batchLimit)
        )
    }

    @Test func `what comes is rated, stored, published and then acknowledged`() async {
        let source = MemoryUsageSource(records(25)) { stop.off() }
        let store = MemoryChargeStore()
        let billing = billing(source, store)

        await billing.run(until: stop)
        thread.stop()

        let state = source.state
        #expect(await store.batchSizes == [10, 10, 5])
        #expect(state.acknowledged.count == 25)
        #expect(state.pending.isEmpty)
        #expect(state.published == ["g:1": 25])
        let status = billing.status
        #expect(status.accepted == 25)
        #expect(status.batches == 3)
        #expect(status.problem == nil)
        #expect(status.lagMilliseconds == 0)
    }

    @Test func `a refused record is set aside with its reason before it is acknowledged`() async {
        let bad = BillingSamples.delivered("bad", ["segment": "-1"], entryID: "7-7")
        let source = MemoryUsageSource([bad] + records(1)) { stop.off() }
        let store = MemoryChargeStore()
        let billing = billing(source, store)

        await billing.run(until: stop)
        thread.stop()

        let state = source.state
        #expect(state.setAside == ["7-7": "negative: segment"])
        #expect(state.acknowledged.contains("7-7"))
        #expect(billing.status.setAside == 1)
        #expect(await store.stored.count == 1)
    }

    @Test func `while the ledger fails nothing is acknowledged and the batch is tried again`()
        async
    {
        let source = MemoryUsageSource(records(3)) { stop.off() }
        let store = MemoryChargeStore(faults: [
            .before(.busy), .before(.diskFull), .after(.failed("commit")),
        ])
        let pace = InstantPace { #expect(source.state.acknowledged.isEmpty) }
        let billing = billing(source, store, pace: pace)

        await billing.run(until: stop)
        thread.stop()

        #expect(pace.waited == [.milliseconds(50), .milliseconds(100), .milliseconds(200)])
        #expect(await store.batchSizes == [3, 3])
        #expect(await store.stored.count == 3)
        #expect(source.state.acknowledged.count == 3)
        #expect(billing.status.duplicates == 3)
        #expect(billing.status.storeFailures == 3)
        #expect(billing.status.problem == nil)
    }

    @Test func `waits grow to their bound and the problem is told`() async {
        let switchOff = stop
        let source = MemoryUsageSource(
            [],
            fault: { _ in .unavailable("away") },
            whenEmpty: {}
        )
        let count = Guarded(0)
        let pace = InstantPace {
            let waits = count.withLock { count in
                count += 1
                return count
            }
            if waits == 12 { switchOff.off() }
        }
        let billing = billing(source, MemoryChargeStore(), pace: pace)

        await billing.run(until: stop)
        thread.stop()

        #expect(pace.waited.first == .milliseconds(50))
        #expect(pace.waited.last == .seconds(5))
        #expect(billing.status.sourceFailures == 12)
        #expect(billing.status.problem == .source(.unavailable("away")))
    }

    @Test func `a kill between commit and acknowledgement counts nothing twice`() async {
        let switchOff = stop
        let isDead = Guarded(true)
        let end = StopSwitch()
        let source = MemoryUsageSource(
            records(5),
            fault: { step in
                guard step == .settle, isDead.withLock({ $0 }) else { return nil }
                switchOff.off()
                return .unavailable("killed")
            },
            whenEmpty: { end.off() }
        )
        let store = MemoryChargeStore()
        await billing(source, store).run(until: stop)
        #expect(source.state.acknowledged.isEmpty)
        #expect(await store.stored.count == 5)

        isDead.withLock { $0 = false }
        let second = billing(source, store)
        await second.run(until: end)
        thread.stop()

        #expect(second.status.accepted == 0)
        #expect(second.status.duplicates == 5)
        #expect(source.state.acknowledged.count == 5)
        #expect(await store.stored.count == 5)
    }

    @Test func `what the ledger holds is published again at the start`() async {
        let source = MemoryUsageSource([]) { stop.off() }
        let known = CommittedSequence(gateway: "old", epoch: 4, through: 99)
        let billing = billing(source, MemoryChargeStore(known: [known]))

        await billing.run(until: stop)
        thread.stop()

        #expect(source.state.published == ["old:4": 99])
    }

    @Test func `a new price list holds from the next batch on`() async throws {
        let text = try fixturePrices().split(separator: #""version": "2026-01-01""#)
            .joined(separator: #""version": "next""#)
        let next = PriceBook(try PriceList(parsing: Array(text.utf8)))
        let source = MemoryUsageSource(records(1)) { stop.off() }
        let store = MemoryChargeStore()
        let billing = billing(source, store)
        await billing.replacePrices(by: next)

        await billing.run(until: stop)
        thread.stop()

        #expect(await store.stored["r1"]?.priceListVersion == "next")
    }

    @Test func `the next batch is read while the ledger writes`() async {
        let (second, signal) = AsyncStream<Void>.makeStream()
        let source = MemoryUsageSource(records(30)) {
            stop.off()
        } whenRead: { count in
            if count == 20 { signal.finish() }
        }
        let reads = Guarded<[Int]>([])
        let store = MemoryChargeStore {
            // Reading goes on without waiting for what is written now.
            for await _ in second {}
            reads.withLock { $0.append(source.state.redelivered) }
        }
        // Nothing else ends the wait where the next batch is not read.
        let limit = Task {
            try await Task.sleep(for: .seconds(60))
            signal.finish()
        }

        await billing(source, store).run(until: stop)
        limit.cancel()
        thread.stop()

        #expect(await store.batchSizes == [10, 10, 10])
        #expect(reads.withLock { $0.first } == 20)
        #expect(source.state.acknowledged.count == 30)
    }

    @Test func `a record that the ledger does not take holds up no other`() async {
        let source = MemoryUsageSource(records(25)) { stop.off() }
        let store = MemoryChargeStore(poison: ["r3", "r17"])
        let billing = billing(source, store)

        await billing.run(until: stop)
        thread.stop()

        #expect(await store.stored.count == 23)
        let state = source.state
        #expect(
            state.setAside == [
                "1-r3": "refused_by_ledger: record_id", "1-r17": "refused_by_ledger: record_id",
            ]
        )
        #expect(state.acknowledged.count == 25)
        #expect(state.published == ["g:1": 25])
        #expect(billing.status.setAside == 2)
        #expect(billing.status.problem == nil)
    }

    @Test func `a ledger that fails for all is waited for, and nothing is set aside`() async {
        let source = MemoryUsageSource(records(3)) { stop.off() }
        let failures = Array(
            repeating: MemoryChargeStore.Fault.before(.failed("disk I/O error")),
            count: 40
        )
        let store = MemoryChargeStore(faults: failures)

        await billing(source, store).run(until: stop)
        thread.stop()

        #expect(await store.stored.count == 3)
        #expect(source.state.setAside.isEmpty)
        #expect(source.state.acknowledged.count == 3)
    }

    @Test func `a ledger that comes and goes sets nothing aside`() async {
        let source = MemoryUsageSource(records(1)) { stop.off() }
        let away = MemoryChargeStore.Fault.before(.unavailable("disk I/O error"))
        // Between the failures there is a moment for a note on the record.
        let store = MemoryChargeStore(faults: [away, away, away, nil, away, nil])

        await billing(source, store).run(until: stop)
        thread.stop()

        #expect(await store.stored.count == 1)
        #expect(source.state.setAside.isEmpty)
    }

    @Test func `a stop finishes what has come`() async {
        let switchOff = stop
        let source = MemoryUsageSource(records(50)) {}
        let store = MemoryChargeStore { switchOff.off() }

        await billing(source, store).run(until: stop)
        thread.stop()

        // The batch in hand and the one that was read meanwhile, at most.
        let state = source.state
        #expect(state.pending.isEmpty)
        #expect([10, 20].contains(state.acknowledged.count))
        #expect(await store.stored.count == state.acknowledged.count)
    }
}
