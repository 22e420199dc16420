import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// Means of latency and of the time to the first token, in each database.
@Suite struct UsageMeansTests {
    private static let day: Int64 = 86_400_000

    /// Two streams of `acme`, of which one has two records, and one of `other` that says nothing.
    private func filled(_ kind: LedgerKind) async throws -> LedgerFixture {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        _ = try await ledger.open(fixture.prices)
        let ended = BillingSamples.noon - 60_000
        let records: [(String, [String: String])] = [
            ("r1", ["connection_id": "c1", "latency_us": "1000"]),
            (
                "r2",
                [
                    "connection_id": "c1", "segment": "1", "latency_us": "2001",
                    "ttft_us": "900000",
                ]
            ),
            ("r3", ["connection_id": "c2", "purpose": "chat", "ttft_us": "100001"]),
            ("r4", ["connection_id": "c3", "account_id": "other"]),
        ]
        let entries = records.map { id, fields in
            fixture.entry(id, ["ended_at_ms": String(ended)].merging(fields) { $1 })
        }
        _ = try await ledger.store(entries)
        await ledger.close()
        return fixture
    }

    private func answer(
        _ fixture: LedgerFixture,
        _ parameters: [String: String],
        meansLimit: Int64? = nil
    ) throws -> UsageAnswer {
        let now = WallTime(milliseconds: BillingSamples.noon + Self.day)
        let query = try UsageQuery({ parameters[$0] }, now: now)
        return try fixture.database.usage(query, meansLimit: meansLimit)
    }

    @Test(arguments: LedgerKind.allCases)
    func `records and streams without a value do not count, and each stream once`(
        kind: LedgerKind
    ) async throws {
        let fixture = try await filled(kind)
        let whole = try answer(fixture, [:])
        #expect(whole.means?.total == UsageMean(latency: 1_501, firstToken: 500_001))
        #expect(whole.means?.rows == [])
        let accounts = try answer(fixture, ["group": "account"])
        #expect(accounts.report.rows.map(\.values) == [["acme"], ["other"]])
        #expect(
            accounts.means?.rows
                == [UsageMean(latency: 1_501, firstToken: 500_001), UsageMean()]
        )
        let purposes = try answer(fixture, ["group": "purpose,provider", "account": "acme"])
        let means = try #require(purposes.means?.rows)
        let byPurpose = Dictionary(
            uniqueKeysWithValues: zip(purposes.report.rows.map { $0.values[0] }, means)
        )
        #expect(byPurpose["chat"] == UsageMean(firstToken: 100_001))
        let nothing = try answer(fixture, ["from": "2026-01-16", "group": "model"])
        #expect(nothing.means?.rows == [])
        #expect(nothing.means?.total == UsageMean())
    }

    @Test(arguments: LedgerKind.allCases)
    func `the records of all accounts count towards the limit, and sums come all the same`(
        kind: LedgerKind
    ) async throws {
        let fixture = try await filled(kind)
        let few = try answer(fixture, ["account": "other"], meansLimit: 4)
        let many = try answer(fixture, ["account": "other"], meansLimit: 3)
        #expect(few.means != nil)
        #expect(many.means == nil)
        #expect(many.report.total.records == 1)
        #expect(try answer(fixture, ["from": "2026-01-16"], meansLimit: 3).means != nil)
    }

    @Test(arguments: LedgerKind.allCases)
    func `pages have the means of their own rows`(kind: LedgerKind) async throws {
        let fixture = try await filled(kind)
        let first = try answer(fixture, ["group": "account,purpose", "limit": "2"])
        #expect(first.report.rows.count == 2)
        let next = try #require(first.report.next)
        let second = try answer(
            fixture,
            ["group": "account,purpose", "limit": "2", "after": next]
        )
        let all = try answer(fixture, ["group": "account,purpose"])
        #expect((first.means?.rows ?? []) + (second.means?.rows ?? []) == all.means?.rows)
        #expect(second.means?.total == all.means?.total)
    }

    @Test func `means are written beside the sums`() async throws {
        let fixture = try await filled(.sqlite)
        let answer = try answer(fixture, ["group": "account"])
        #expect(
            answer.json.hasSuffix(
                #","means":{"latencyUs":1501,"firstTokenUs":500001,"rows":["#
                    + #"{"latencyUs":1501,"firstTokenUs":500001},"#
                    + #"{"latencyUs":null,"firstTokenUs":null}]}}"#
            )
        )
        let ends = answer.csv.map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).suffix(2)
                .joined(separator: ",")
        }
        #expect(ends == ["latency_us,first_token_us", "1501,500001", ","])
        let cells = answer.table.prefix(4).map { line in
            line.split(separator: " ").suffix(4).joined(separator: " ")
        }
        #expect(cells[0].hasSuffix("LATENCY FIRST TOKEN"))
        #expect(cells[1] == "1.5 ms 500.0 ms")
        #expect(cells[2].hasSuffix("- -"))
        #expect(cells[3] == "1.5 ms 500.0 ms")
        let sizes = Set(answer.table.prefix(4).map(\.count))
        #expect(sizes.count == 1)
    }
}
