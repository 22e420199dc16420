import Ledger
import Pricing
import Testing

@Suite struct CommittedSequenceTests {
    private func entry(
        _ fixture: LedgerFixture,
        _ sequence: Int64,
        gateway: String = "g",
        _ changes: [String: String] = [:]
    ) -> BillingEntry {
        let origin = ["gateway": gateway, "epoch": "1", "seq": String(sequence)]
        return fixture.entry("\(gateway):\(sequence)", origin.merging(changes) { $1 })
    }

    private func committed(_ gateway: String, _ through: Int64) -> CommittedSequence {
        CommittedSequence(gateway: gateway, epoch: 1, through: through)
    }

    @Test(arguments: LedgerKind.allCases)
    func `a gateway is complete up to its first hole`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        #expect(
            try await ledger.store([entry(fixture, 2), entry(fixture, 3)]).committed == [
                committed("g", 0)
            ]
        )
        #expect(try await ledger.store([entry(fixture, 1)]).committed == [committed("g", 3)])
        #expect(
            try await ledger.store([entry(fixture, 6), entry(fixture, 5)]).committed == [
                committed("g", 3)
            ]
        )
        #expect(
            try await ledger.store([entry(fixture, 4), entry(fixture, 1, gateway: "h")]).committed
                == [committed("g", 6), committed("h", 1)]
        )
        #expect(try await ledger.store([entry(fixture, 4)]).committed == [committed("g", 6)])
        await ledger.close()
        #expect(try fixture.row("SELECT count(*) FROM sequences") == "2")
    }

    @Test(arguments: LedgerKind.allCases)
    func `numbers far apart join what lies on both sides of each`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let holes: Set<Int64> = [2, 150, 301, 302, 303]
        let first = (1...400).filter { !holes.contains($0) }
        #expect(
            try await ledger.store(first.map { entry(fixture, $0) }).committed
                == [committed("g", 1)]
        )
        let second: [Int64] = [2, 302, 900]
        #expect(
            try await ledger.store(second.map { entry(fixture, $0) }).committed
                == [committed("g", 149)]
        )
        await ledger.close()
        #expect(
            try fixture.rows("SELECT \"first\", \"last\" FROM sequences ORDER BY \"first\"")
                == ["1|149", "151|300", "302|302", "304|400", "900|900"]
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `a record that is set aside counts as dealt with`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let receipt = try await ledger.store([
            entry(fixture, 1, ["model": "none"]), entry(fixture, 2),
        ])
        #expect(receipt.committed == [committed("g", 2)])
        await ledger.close()
    }

    @Test(arguments: LedgerKind.allCases)
    func `what is complete is known after a restart`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let first = fixture.ledger()
        _ = try await first.store([
            entry(fixture, 1), entry(fixture, 2), entry(fixture, 9),
            entry(fixture, 5, gateway: "h"),
        ])
        await first.close()
        let second = fixture.ledger()
        #expect(try await second.committedSequences() == [committed("g", 2)])
        await second.close()
    }

    @Test(arguments: LedgerKind.allCases)
    func `extreme numbers do no harm`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        let numbers: [Int64] = [.max - 1, .max, 0, 1]
        let receipt = try await ledger.store(numbers.map { entry(fixture, $0) })
        #expect(receipt.committed == [committed("g", 1)])
        #expect(try await ledger.store([entry(fixture, .max - 1)]).committed == [committed("g", 1)])
        await ledger.close()
    }
}
