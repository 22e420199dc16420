import Metering
import Pricing
import TestSupport
import Testing

/// Running totals are those of the records, whatever the order of their arrival.
@Suite struct PeriodBookTests {
    private let prices: PriceBook
    private let tiers: [DiscountTier]

    init() throws {
        let list = try BillingFixtures.prices(
            version: "small tiers",
            effectiveFrom: nil,
            [
                ("\"tokens\": 1000000, \"discount", "\"tokens\": 1000, \"discount"),
                ("\"tokens\": 10000000, \"discount", "\"tokens\": 5000, \"discount"),
            ]
        )
        prices = PriceBook(list)
        tiers = list.tiers(of: "openai")
    }

    private func records(_ random: inout SeededChance, _ count: Int) throws -> [RatedRecord] {
        try (0..<count).map { index in
            func number(below limit: UInt64) -> Int64 { Int64(random.next() % limit) }
            let isFinal = number(below: 3) == 0
            let changes = [
                "model": number(below: 2) == 0 ? "openai/gpt-4" : "openai/gpt-3.5-turbo",
                "ended_at_ms": String(BillingSamples.noon + number(below: 40)),
                "input_tokens": isFinal ? String(number(below: 500)) : "0",
                "output_tokens": isFinal && number(below: 9) == 0 ? "3000" : "0",
                "downtime_ms": String(number(below: 600)),
                "bytes_out": String(number(below: 9_000_000)),
            ]
            let entry = prices.settle(BillingSamples.delivered("r\(index)", changes))
            guard case .rated(let rated) = entry else { throw NotRated() }
            return rated
        }
    }

    private struct NotRated: Error {}

    @Test(arguments: [DiscountMode.wholeVolume, .graduated], 1...60 as ClosedRange<UInt64>)
    func `totals are those of the records at every moment`(
        mode: DiscountMode,
        seed: UInt64
    ) throws {
        var random = SeededChance(seed: seed)
        let records = try records(&random, 60).shuffled(using: &random)
        var book = PeriodBook(mode: mode)
        for (index, rated) in records.enumerated() {
            let added = book.add(rated)
            let booking = try #require(added)
            #expect(booking.posting.isBalanced)
            #expect(booking.adjustment?.isBalanced ?? true)
            let plain = PlainStatement(of: Array(records[...index]), mode: mode)
            let statement = PeriodStatement(book)
            for (model, sums) in plain.models {
                let found = try #require(statement.models[model])
                #expect(found.records == sums.records)
                #expect(found.breachedRecords == sums.breachedRecords)
                #expect(found.subtotal == sums.subtotal)
                #expect(found.discount == sums.discount)
                #expect(found.penalty == sums.penalty)
                #expect(found.charge == sums.charge)
            }
            #expect(Int128(book.balance.accrued) == plain.charge)
            #expect(book.balance.isBalanced)
        }
    }

    @Test func `a record out of order re-rates those between the old and the new boundary alone`()
        throws
    {
        var random = SeededChance(seed: 7)
        let all = try records(&random, 400)
        let inOrder = all.filter { $0.record.tokens > 0 && $0.record.tokens < 600 }
            .sorted { $0.place < $1.place }
        let early = try #require(inOrder.first)
        var book = PeriodBook(mode: .graduated)
        for rated in inOrder.dropFirst() {
            let booking = book.add(rated)
            #expect(booking?.rerated.isEmpty == true)
        }
        let added = book.add(early)
        let booking = try #require(added)

        // Two boundaries, each moved by fewer than 600 tokens; records have about 250.
        #expect((1...20).contains(booking.rerated.count))
        #expect(
            Int128(book.balance.accrued) == PlainStatement(of: inOrder, mode: .graduated).charge
        )
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `a window around the boundaries is all that an insertion needs`(seed: UInt64) throws {
        var random = SeededChance(seed: seed)
        let records = try records(&random, 80).shuffled(using: &random)
        var whole = GraduatedBook(tiers: tiers)
        var cut = GraduatedBook(tiers: tiers)
        for batch in stride(from: 0, to: records.count, by: 7) {
            let members = Array(records[batch..<min(batch + 7, records.count)])
            cut.forgetAllBut(around: members)
            for rated in members {
                whole.add(rated)
                cut.add(rated)
                #expect(cut.order.boundaries == whole.order.boundaries)
                #expect(cut.charges == whole.charges)
            }
        }
    }

    @Test func `an alert fires once, also where the charge falls again`() throws {
        var random = SeededChance(seed: 1)
        let records = try records(&random, 200)
        let quotas = [Quota.tokens(1_000), .tokens(1_000), .spend(Money(nanodollars: 1))]
        var book = PeriodBook(mode: .wholeVolume)
        let alerts = records.flatMap { book.add($0, quotas: quotas)?.alerts ?? [] }

        #expect(alerts.count == 6)
        #expect(Set(alerts.map(\.level)).count == 6)
    }

    @Test func `what does not fit is refused and changes nothing`() throws {
        let prices = try BillingFixtures.book()
        var book = PeriodBook(mode: .wholeVolume)
        let huge = [
            "bytes_out": "1000000000000000", "input_tokens": "1000000000000",
            "output_tokens": "1000000000000",
        ]
        var refused = 0
        for index in 0..<100 {
            guard
                case .rated(let rated) = prices.settle(
                    BillingSamples.delivered("r\(index)", huge)
                )
            else { throw NotRated() }
            let before = book.balance
            if book.add(rated) == nil {
                refused += 1
                #expect(book.balance == before)
            }
        }
        #expect((1..<50).contains(refused))
    }
}

/// A graduated order, and what each record costs by it.
private struct GraduatedBook {
    var order: GraduatedOrder
    var charges: [String: TierCharge] = [:]
    private var records: [GraduatedRecord] = []
    private var book = PeriodBook(mode: .graduated)
    private var known: [RatedRecord] = []

    init(tiers: [DiscountTier]) { order = GraduatedOrder(tiers: tiers) }

    mutating func add(_ rated: RatedRecord) {
        if book.providers[rated.provider] != nil { book.setOrder(order, of: rated.provider) }
        guard let booking = book.add(rated) else { return }
        charges[rated.record.recordID] = booking.charge
        for rerating in booking.rerated {
            charges[rerating.record.place.recordID] = rerating.record.charge
        }
        known.append(rated)
        if let order = book.providers[rated.provider]?.order { self.order = order }
    }

    /// Keeps what a batch can move a boundary across, as a store would read it.
    mutating func forgetAllBut(around batch: [RatedRecord]) {
        let sorted = known.map { rated in
            GraduatedRecord(
                place: rated.place,
                model: rated.record.model,
                tokens: rated.record.tokens,
                subtotal: rated.charge.subtotal,
                penaltyBasisPoints: rated.penaltyBasisPoints,
                charge: charges[rated.record.recordID] ?? rated.charge.tiers[0]
            )
        }.sorted { $0.place < $1.place }
        var kept: Set<RecordPlace> = []
        for boundary in order.boundaries {
            let inserted = batch.filter { rated in
                boundary.pivot.map { rated.place < $0 } ?? true
            }.reduce(0) { $0 + $1.record.tokens }
            let end = boundary.pivot.flatMap { pivot in
                sorted.firstIndex { $0.place == pivot }
            }
            if let end { kept.insert(sorted[end].place) }
            var tokens: Int64 = 0
            for record in sorted[..<(end ?? sorted.count)].reversed() {
                kept.insert(record.place)
                tokens += record.tokens
                if tokens > inserted { break }
            }
        }
        order = GraduatedOrder(
            tiers: order.tiers,
            boundaries: order.boundaries,
            tokens: order.tokens,
            window: sorted.filter { kept.contains($0.place) }
        )
    }
}
