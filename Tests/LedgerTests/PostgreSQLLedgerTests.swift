import Foundation
import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport
import Testing

/// What PostgreSQL alone can do to a ledger.
@Suite struct PostgreSQLLedgerTests {
    @Test func `books in PostgreSQL are sound, and what was changed is named`() async throws {
        let fixture = try LedgerFixture(.postgresql)
        let ledger = fixture.ledger(directory: AuditSamples.directory)
        let prices = try await ledger.open(AuditSamples.prices())
        for batch in AuditSamples.batches() {
            _ = try await ledger.store(batch.map { prices.settle($0) })
        }
        await ledger.close()
        let closer = fixture.ledger(directory: AuditSamples.directory, at: AuditSamples.closing)
        _ = try await closer.open(AuditSamples.prices())
        let instant = WallTime(milliseconds: AuditSamples.closing)
        for place in try await closer.duePeriods(bookedThrough: instant, limit: 10) {
            _ = try await closer.closePeriod(place)
        }
        await closer.close()
        let sound = try fixture.database.audit()
        #expect(sound.isSound, "\(sound.findings)")
        #expect(sound.rows["records"] == 90)

        let changes = [
            ("records", "output_tokens = output_tokens + 1"), ("records", "purpose = 'other'"),
            ("charges", "price_list = 'other'"), ("charges", "posted_tier = posted_tier + 1"),
            ("streams", "\"end\" = 'other'"), ("events", "detail = 'other'"),
            ("period_providers", "tokens = tokens + 1"), ("day_models", "bytes_out = 1"),
            ("accounts", "batches = batches + 1"), ("graduated_charges", "tokens = 7"),
            ("price_lists", "added_at_ms = 1"), ("periods", "closed_at_ms = 1"),
            ("usage_reports", "gross = '0.00'"), ("alerts", "severity = 'info'"),
        ]
        for (table, change) in changes {
            try fixture.change("CREATE TABLE kept AS SELECT * FROM \(table)")
            try fixture.change("UPDATE \(table) SET \(change)")
            let column = change.split(separator: " ")[0].filter { $0 != "\"" }
            let findings = try fixture.database.audit().findings
            #expect(findings.contains { $0.table == table && $0.column == column }, "\(table)")
            try fixture.change(
                "DELETE FROM \(table); INSERT INTO \(table) SELECT * FROM kept; DROP TABLE kept"
            )
        }
    }

    @Test func `the same books come out of both databases`() async throws {
        var lists: [[String]] = []
        for kind in LedgerKind.allCases {
            let fixture = try LedgerFixture(kind)
            let ledger = fixture.ledger(directory: AuditSamples.directory)
            let prices = try await ledger.open(AuditSamples.prices())
            for batch in AuditSamples.batches() {
                _ = try await ledger.store(batch.map { prices.settle($0) })
            }
            await ledger.close()
            let queries = [
                "SELECT * FROM charge_list ORDER BY record_id",
                "SELECT * FROM periods ORDER BY account_id, period",
                "SELECT * FROM alerts ORDER BY account_id, rule, level",
                "SELECT account_id, book, sum(amount_nano) FROM postings GROUP BY 1, 2 ORDER BY 1, 2",
            ]
            // The programs print the bytes of seals in their own ways.
            lists.append(
                try queries.flatMap { try fixture.rows($0) }.map { row in
                    row.split(separator: "|").filter {
                        !$0.hasPrefix("\\x") && $0.allSatisfy(\.isASCII)
                    }
                    .joined(separator: "|")
                }
            )
        }
        #expect(lists[0].count > 90)
        let pairs = zip(lists[0], lists[1]).filter { $0.prefix(60) != $1.prefix(60) }
        #expect(pairs.isEmpty, "\(pairs.prefix(3))")
    }

    @Test func `a ledger of a newer program is refused`() async throws {
        let fixture = try LedgerFixture(.postgresql)
        let ledger = fixture.ledger()
        _ = try await ledger.open(fixture.prices)
        await ledger.close()
        try fixture.change("UPDATE ledger_version SET version = 4")
        await #expect(throws: ChargeStoreError.newerSchema(found: 4, supported: 3)) {
            _ = try await fixture.ledger().open(fixture.prices)
        }
    }

    @Test func `a server that is not there is an error that says so`() async throws {
        let thread = try BlockingThread(name: "ledger-test")
        defer { thread.stop() }
        let ledger = DatabaseLedger(
            .postgresql(PostgreSQLLedgerConfiguration(url: "postgresql://u:canary@/d?host=/none")),
            on: thread,
            wallClock: { WallTime(milliseconds: 0) }
        )
        do throws(ChargeStoreError) {
            _ = try await ledger.committedSequences()
            Issue.record("it answered")
        } catch {
            #expect("\(error)".contains("/none"))
            #expect(!"\(error)".contains("canary"))
        }
        await ledger.close()
    }

    private static func entries(_ prices: PriceBook, _ range: Range<Int>) -> [BillingEntry] {
        range.map { number in
            let changes = [
                "gateway": "g", "epoch": "1", "seq": String(number + 1),
                "connection_id": "c\(number)",
            ]
            return prices.settle(BillingSamples.delivered("r\(number)", changes))
        }
    }

    /// Stores entries in small batches, each again for as long as another writer is in the way.
    private static func feed(_ ledger: DatabaseLedger, _ entries: [BillingEntry]) async throws {
        for start in stride(from: 0, to: entries.count, by: 3) {
            let batch = Array(entries[start..<min(start + 3, entries.count)])
            var tries = 0
            while tries < 100, await isBusy(ledger, batch) { tries += 1 }
            let receipt = try await ledger.store(batch)
            #expect(receipt.outcomes.allSatisfy { $0 != .accepted })
        }
    }

    /// Whether the ledger was too busy to store a batch.
    private static func isBusy(_ ledger: DatabaseLedger, _ batch: [BillingEntry]) async -> Bool {
        do throws(ChargeStoreError) {
            _ = try await ledger.store(batch)
            return false
        } catch {
            #expect(error == .busy)
            return error == .busy
        }
    }

    /// Whatever ends the connection, the batch is stored once when it is offered again.
    @Test func `a killed server, a cut connection and a lost answer count nothing twice`()
        async throws
    {
        let server = try PostgreSQLServer(options: [])
        let url = try server.makeDatabase()
        let thread = try BlockingThread(name: "ledger-test")
        defer { thread.stop() }
        let ledger = DatabaseLedger(
            .postgresql(PostgreSQLLedgerConfiguration(url: url)),
            on: thread,
            wallClock: { WallTime(milliseconds: BillingSamples.noon) }
        )
        let prices = try await ledger.open(BillingSamples.prices())
        _ = try await ledger.store(Self.entries(prices, 0..<10))

        try PostgreSQLServer.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weir'",
            at: url
        )
        await #expect(throws: ChargeStoreError.self) {
            _ = try await ledger.store(Self.entries(prices, 5..<20))
        }
        let after = try await ledger.store(Self.entries(prices, 5..<20))
        #expect(after.outcomes.count { $0 == .duplicate } == 5)

        server.kill()
        await #expect(throws: ChargeStoreError.self) {
            _ = try await ledger.store(Self.entries(prices, 15..<30))
        }
        try server.start()
        let last = try await ledger.store(Self.entries(prices, 15..<30))
        #expect(last.outcomes.count { $0 == .accepted } == 10)
        #expect(last.committed == [CommittedSequence(gateway: "g", epoch: 1, through: 30)])
        #expect(try await ledger.counts().records == 30)
        await ledger.close()
        let report = try LedgerDatabase.postgresql(PostgreSQLLedgerConfiguration(url: url)).audit()
        #expect(report.isSound, "\(report.findings)")
        server.stop()
    }

    @Test func `two writers of the same accounts book everything once`() async throws {
        let fixture = try LedgerFixture(.postgresql)
        let threads = try (0..<2).map { try BlockingThread(name: "ledger-\($0)") }
        defer { for thread in threads { thread.stop() } }
        let ledgers = threads.map { thread in
            DatabaseLedger(
                fixture.database,
                on: thread,
                directory: AuditSamples.directory,
                wallClock: { WallTime(milliseconds: BillingSamples.noon) }
            )
        }
        let prices = try await ledgers[0].open(AuditSamples.prices())
        // It opens the database only when it books.
        await ledgers[1].use(prices)
        // Each record goes to one of them, some to both.
        let shares = Self.shares(AuditSamples.batches().flatMap(\.self), prices)
        async let first: Void = Self.feed(ledgers[0], shares[0])
        async let second: Void = Self.feed(ledgers[1], shares[1])
        _ = try await (first, second)
        #expect(try await ledgers[0].counts() == LedgerCounts(records: 90, rejected: 2))
        let noon = WallTime(milliseconds: BillingSamples.noon)
        #expect(try await ledgers[1].duePeriods(bookedThrough: noon, limit: 1).isEmpty)
        for ledger in ledgers { await ledger.close() }
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
    }

    private static func shares(
        _ records: [DeliveredRecord],
        _ prices: PriceBook
    ) -> [[BillingEntry]] {
        var random = SeededChance(seed: 3)
        var shares: [[BillingEntry]] = [[], []]
        for record in records.shuffled(using: &random) {
            let chance = random.below(5)
            for index in 0..<2 where chance == 4 || chance % 2 == index {
                shares[index].append(prices.settle(record))
            }
        }
        return shares
    }
}
