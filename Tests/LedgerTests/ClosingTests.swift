import FoundationEssentials
import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport
import Testing

/// Months that are closed, in each database.
@Suite struct ClosingTests {
    private static let january = CalendarMonth(year: 2_026, month: 1)
    private static let february = CalendarMonth(year: 2_026, month: 2)

    /// A ledger of the audit's records, at the instant at which January closes.
    private func filled(_ fixture: LedgerFixture) async throws -> (DatabaseLedger, PriceBook) {
        let ledger = fixture.ledger(directory: AuditSamples.directory, at: AuditSamples.closing)
        let prices = try await ledger.open(AuditSamples.prices())
        for batch in AuditSamples.batches() {
            _ = try await ledger.store(batch.map { prices.settle($0) })
        }
        return (ledger, prices)
    }

    /// The same ledger, as another process has it.
    private func another(
        _ fixture: LedgerFixture,
        on thread: BlockingThread
    ) async throws -> DatabaseLedger {
        let ledger = DatabaseLedger(
            fixture.database,
            on: thread,
            directory: AuditSamples.directory,
            wallClock: { WallTime(milliseconds: AuditSamples.closing) }
        )
        _ = try await ledger.open(AuditSamples.prices())
        return ledger
    }

    /// A record that ended in January and was received in its grace.
    private func inTime(_ id: String, _ account: String) -> DeliveredRecord {
        BillingSamples.delivered(
            id,
            ["account_id": account, "connection_id": id, "input_tokens": "300000"],
            receivedAtMilliseconds: AuditSamples.closing - 1
        )
    }

    /// A record of February.
    private func ofFebruary(_ id: String, _ account: String) -> DeliveredRecord {
        let ended = AuditSamples.closing + 1_000
        return BillingSamples.delivered(
            id,
            ["account_id": account, "connection_id": id, "ended_at_ms": String(ended)],
            receivedAtMilliseconds: ended
        )
    }

    @Test(arguments: LedgerKind.allCases)
    func `a month is closed when its grace has passed, once, and its charges are receivable`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let (ledger, _) = try await filled(fixture)
        let instant = WallTime(milliseconds: AuditSamples.closing)
        let before = WallTime(milliseconds: AuditSamples.closing - 1)
        let accrued = try fixture.row("SELECT sum(accrued_nano) FROM periods")

        #expect(try await ledger.duePeriods(bookedThrough: before, limit: 10).isEmpty)
        #expect(try await ledger.duePeriods(bookedThrough: instant, limit: 1).count == 1)
        let due = try await ledger.duePeriods(bookedThrough: instant, limit: 10)
        #expect(due.map(\.account) == ["graded", "whole"])
        #expect(due.allSatisfy { $0.month == Self.january })
        for place in due {
            #expect(try await ledger.closePeriod(place)?.place == place)
            #expect(try await ledger.closePeriod(place) == nil)
        }
        #expect(try await ledger.duePeriods(bookedThrough: instant, limit: 10).isEmpty)
        await ledger.close()

        #expect(try fixture.row("SELECT sum(receivable_nano) FROM periods") == accrued)
        #expect(
            try fixture.rows(
                "SELECT book, sum(amount_nano) FROM postings "
                    + "WHERE book IN ('accrued', 'receivable') GROUP BY book ORDER BY book"
            ) == ["accrued|0", "receivable|\(accrued ?? "")"]
        )
        #expect(
            try fixture.rows(
                "SELECT account_id, subject FROM events WHERE kind = 'period_closed' "
                    + "ORDER BY account_id"
            ) == ["graded|2026-01", "whole|2026-01"]
        )
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
        #expect(report.rows["usage_reports"] == 2)
    }

    @Test(arguments: LedgerKind.allCases)
    func `a month is not closed before its time`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger(at: AuditSamples.closing - 1)
        _ = try await ledger.open(fixture.prices)
        _ = try await ledger.store([fixture.entry("r1")])
        let later = WallTime(milliseconds: AuditSamples.closing + 9)
        let place = AccountMonth(account: "acme", month: Self.january)
        #expect(try await ledger.duePeriods(bookedThrough: later, limit: 10).isEmpty)
        #expect(try await ledger.closePeriod(place) == nil)
        await ledger.close()
        #expect(try fixture.row("SELECT count(*) FROM usage_reports") == "0")
    }

    @Test(arguments: LedgerKind.allCases)
    func `several that close at once close each month once`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let (first, _) = try await filled(fixture)
        let thread = try BlockingThread(name: "ledger-other")
        defer { thread.stop() }
        let second = try await another(fixture, on: thread)
        let instant = WallTime(milliseconds: AuditSamples.closing)
        let due = try await first.duePeriods(bookedThrough: instant, limit: 10)
        let closed = try await withThrowingTaskGroup(of: Int.self) { group in
            for place in due {
                for ledger in [first, second] {
                    group.addTask { try await ledger.closePeriod(place) == nil ? 0 : 1 }
                }
            }
            return try await group.reduce(0, +)
        }
        for ledger in [first, second] { await ledger.close() }

        #expect(closed == 2)
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
    }

    @Test(arguments: LedgerKind.allCases)
    func `a record that is booked after its month was closed belongs to the next that is open`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let (ledger, prices) = try await filled(fixture)
        let accounts = ["graded", "whole"]
        // February has begun for both, and their totals are remembered.
        _ = try await ledger.store(accounts.map { prices.settle(ofFebruary("f-\($0)", $0)) })
        for account in accounts {
            let place = AccountMonth(account: account, month: Self.january)
            #expect(try await ledger.closePeriod(place) != nil)
        }
        let frozen = try fixture.rows("SELECT report FROM usage_reports ORDER BY account_id")
        let late = accounts.map { prices.settle(inTime("late-\($0)", $0)) }
        let receipt = try await ledger.store(late)
        // Nobody closed a month of this one: it has none yet.
        _ = try await ledger.store([prices.settle(inTime("late-new", "new"))])

        #expect(receipt.outcomes == [.accepted, .accepted])
        #expect(
            try fixture.rows(
                "SELECT record_id, period, is_late FROM charge_list WHERE record_id LIKE 'late%' "
                    + "ORDER BY record_id"
            ) == ["late-graded|2026-02|1", "late-new|2026-01|0", "late-whole|2026-02|1"]
        )
        #expect(
            try fixture.rows("SELECT report FROM usage_reports ORDER BY account_id") == frozen
        )
        let instant = WallTime(milliseconds: AuditSamples.closing)
        let due = try await ledger.duePeriods(bookedThrough: instant, limit: 10)
        #expect(due == [AccountMonth(account: "new", month: Self.january)])
        for place in due { _ = try await ledger.closePeriod(place) }
        await ledger.close()
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
        for id in ["late-graded", "late-whole"] {
            guard case .charged(let explanation, differences: []) = try fixture.database.explain(id)
            else {
                Issue.record("\(id)")
                continue
            }
            #expect(explanation.rated.period == Self.february)
        }
    }

    /// Whether a batch or a closing comes first, each record is in a month that was open then.
    @Test(arguments: LedgerKind.allCases)
    func `months are closed while others book for their accounts`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let (booker, prices) = try await filled(fixture)
        let thread = try BlockingThread(name: "ledger-other")
        defer { thread.stop() }
        let closer = try await another(fixture, on: thread)
        let accounts = ["graded", "whole"]
        async let closed = Self.close(accounts, of: closer)
        for number in 0..<30 {
            let records = accounts.flatMap {
                [inTime("late-\($0)-\(number)", $0), ofFebruary("f-\($0)-\(number)", $0)]
            }
            let receipt = try await booker.store(records.map { prices.settle($0) })
            #expect(receipt.outcomes.allSatisfy { $0 == .accepted })
        }
        let count = try await closed
        for ledger in [booker, closer] { await ledger.close() }

        #expect(count == 2)
        #expect(try fixture.row("SELECT count(*) FROM records") == "210")
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings.prefix(4))")
    }

    /// Closes January for the accounts, one after the other; returns how many were open.
    private static func close(_ accounts: [String], of ledger: DatabaseLedger) async throws -> Int {
        var count = 0
        for account in accounts {
            try await Task.sleep(for: .milliseconds(20))
            let place = AccountMonth(account: account, month: january)
            if try await ledger.closePeriod(place) != nil { count += 1 }
        }
        return count
    }

    @Test(arguments: LedgerKind.allCases)
    func `a record counted into a closed month is found`(kind: LedgerKind) async throws {
        let fixture = try LedgerFixture(kind)
        let (ledger, prices) = try await filled(fixture)
        let place = AccountMonth(account: "whole", month: Self.january)
        _ = try await ledger.closePeriod(place)
        _ = try await ledger.store([prices.settle(inTime("late", "whole"))])
        await ledger.close()
        try fixture.change(
            "UPDATE charges SET period = '2026-01' WHERE number = "
                + "(SELECT number FROM records WHERE record_id = 'late')"
        )
        let findings = try fixture.database.audit().findings
        let named = findings.first { $0.table == "charges" && $0.column == "period" }
        #expect(named?.expected == "'2026-02'", "\(findings)")
    }

    /// In PostgreSQL, the connection is cut; in SQLite, the last row cannot be written.
    @Test(arguments: LedgerKind.allCases)
    func `a closing that is cut short leaves nothing behind, and is done later`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let (ledger, _) = try await filled(fixture)
        let before = try fixture.rows("SELECT * FROM periods ORDER BY account_id")
        try fixture.change(
            kind == .sqlite
                ? "CREATE TRIGGER cut BEFORE INSERT ON events WHEN NEW.kind = 'period_closed' "
                    + "BEGIN SELECT RAISE(FAIL, 'cut'); END"
                : "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    + "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; "
                    + "CREATE TRIGGER cut BEFORE INSERT ON weir.events FOR EACH ROW "
                    + "WHEN (NEW.kind = 'period_closed') EXECUTE FUNCTION cut()"
        )
        let place = AccountMonth(account: "whole", month: Self.january)
        await #expect(throws: ChargeStoreError.self) { _ = try await ledger.closePeriod(place) }

        #expect(try fixture.rows("SELECT * FROM periods ORDER BY account_id") == before)
        #expect(try fixture.row("SELECT count(*) FROM usage_reports") == "0")
        #expect(try fixture.row("SELECT count(*) FROM journal WHERE kind = 'close'") == "0")
        try fixture.change("DROP TRIGGER cut" + (kind == .sqlite ? "" : " ON weir.events"))
        #expect(try await ledger.closePeriod(place) != nil)
        await ledger.close()
        let report = try fixture.database.audit()
        #expect(report.isSound, "\(report.findings)")
    }

    @Test(arguments: LedgerKind.allCases)
    func `a report stays as it is, whatever becomes of the account's terms`(
        kind: LedgerKind
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let (ledger, prices) = try await filled(fixture)
        _ = try await ledger.store([prices.settle(ofFebruary("f", "whole"))])
        _ = try await ledger.closePeriod(AccountMonth(account: "whole", month: Self.january))
        await ledger.use(AccountDirectory())
        await ledger.close()

        let thread = try BlockingThread(name: "ledger-reader")
        defer { thread.stop() }
        let reader = LedgerReader(fixture.database, on: thread)
        let closed = try await reader.report(of: Self.january, "whole", terms: .none)
        let open = try await reader.report(of: Self.february, "whole", terms: .none)
        let nothing = try await reader.report(of: Self.february, "other", terms: .none)
        await reader.close()
        #expect(closed?.contains(#""status":"closed","closedAt":"2026-02-04T00:00:00"#) == true)
        #expect(closed?.contains(#""country":"FR""#) == true)
        #expect(closed?.contains(#""fx":"0.920000""#) == true)
        #expect(closed?.contains(#""currency":"EUR""#) == true)
        #expect(open?.contains(#""status":"open","closedAt":null"#) == true)
        #expect(open?.contains(#""currency":"USD""#) == true)
        #expect(nothing == nil)
    }

    @Test func `a report that is missing, or whose month is, is found`() async throws {
        let fixture = try LedgerFixture()
        let (ledger, _) = try await filled(fixture)
        for account in ["graded", "whole"] {
            _ = try await ledger.closePeriod(AccountMonth(account: account, month: Self.january))
        }
        await ledger.close()
        let missing = try fixture.findings(
            after: "DELETE FROM usage_reports WHERE account_id = 'whole'"
        )
        #expect(
            missing.map(\.description)
                == ["usage_reports account_id='whole' period='2026-01': the row is missing"]
        )
        let open = try fixture.findings(after: "DELETE FROM periods WHERE account_id = 'graded'")
        #expect(
            open.contains {
                $0.table == "usage_reports" && $0.remark == "is of a month that is not closed"
            },
            "\(open)"
        )
    }
}
