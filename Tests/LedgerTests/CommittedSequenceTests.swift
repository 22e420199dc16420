import Ledger
import Pricing
import Testing

@Suite struct CommittedSequenceTests {
    private let fixture: LedgerFixture

    init() throws { fixture = try LedgerFixture() }

    private func entry(
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

    @Test func `a gateway is complete up to its first hole`() async throws {
        let ledger = fixture.ledger()
        #expect(try await ledger.store([entry(2), entry(3)]).committed == [committed("g", 0)])
        #expect(try await ledger.store([entry(1)]).committed == [committed("g", 3)])
        #expect(try await ledger.store([entry(6), entry(5)]).committed == [committed("g", 3)])
        #expect(
            try await ledger.store([entry(4), entry(1, gateway: "h")]).committed
                == [committed("g", 6), committed("h", 1)]
        )
        #expect(try await ledger.store([entry(4)]).committed == [committed("g", 6)])
        await ledger.close()
        #expect(try fixture.value("SELECT count(*) FROM sequences") == "2")
    }

    @Test func `a record that is set aside counts as dealt with`() async throws {
        let ledger = fixture.ledger()
        let receipt = try await ledger.store([entry(1, ["model": "none"]), entry(2)])
        #expect(receipt.committed == [committed("g", 2)])
        await ledger.close()
    }

    @Test func `what is complete is known after a restart`() async throws {
        let first = fixture.ledger()
        _ = try await first.store([entry(1), entry(2), entry(9), entry(5, gateway: "h")])
        await first.close()
        let second = fixture.ledger()
        #expect(try await second.committedSequences() == [committed("g", 2)])
        await second.close()
    }

    @Test func `extreme numbers do no harm`() async throws {
        let ledger = fixture.ledger()
        let numbers: [Int64] = [.max - 1, .max, 0, 1]
        let receipt = try await ledger.store(numbers.map { entry($0) })
        #expect(receipt.committed == [committed("g", 1)])
        #expect(try await ledger.store([entry(.max - 1)]).committed == [committed("g", 1)])
        await ledger.close()
    }
}
