import Alerting
import Ledger
import Metering
import Pricing
import StreamBytes
import TestSupport
import Testing

/// Alerts that are kept in a ledger.
struct LedgerAlertTests {
    private func alert(_ number: Int, at seconds: Int64, account: String = "") -> Alert {
        Alert(
            key: Alert.Key(rule: "spool", account: account, limit: "\(number)"),
            severity: .critical,
            message: "m\(number)",
            raisedAt: WallTime(milliseconds: BillingSamples.noon + seconds * 1_000)
        )
    }

    private func withLedger(
        _ kind: LedgerKind,
        _ body: (DatabaseLedger) async throws -> Void
    ) async throws {
        let fixture = try LedgerFixture(kind)
        let ledger = fixture.ledger()
        _ = try await ledger.open(fixture.prices)
        try await body(ledger)
        await ledger.close()
    }

    @Test(arguments: LedgerKind.allCases)
    func `pages give each alert once, the newest first, also those of one instant`(
        kind: LedgerKind
    ) async throws {
        try await withLedger(kind) { ledger in
            for number in 0..<23 {
                try await ledger.keep([.raised(alert(number, at: Int64(number / 5)))])
            }
            for limit in [1, 3, 7, 100] {
                var query = AlertQuery()
                query.limit = limit
                var read: [Alert] = []
                while true {
                    let page = try await ledger.alerts(query).alerts
                    read += page
                    guard page.count == limit,
                        let next = AlertCursor(after: page, before: query.before)
                    else { break }
                    query.before = next
                }
                #expect(Set(read.map(\.key.limit)).count == 23)
                #expect(read.count == 23)
                #expect(read.map(\.raisedAt) == read.map(\.raisedAt).sorted(by: >))
            }
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `what is over stays known and is no longer open`(kind: LedgerKind) async throws {
        try await withLedger(kind) { ledger in
            var first = alert(1, at: 1, account: "acme")
            let second = alert(2, at: 2)
            try await ledger.keep([.raised(first), .raised(second), .raised(first)])
            #expect(try await ledger.openAlerts().map(\.key) == [second.key, first.key])
            first.clearedAt = WallTime(milliseconds: BillingSamples.noon + 9_000)
            try await ledger.keep([.cleared(first)])
            #expect(try await ledger.openAlerts() == [second])
            var query = AlertQuery()
            query.account = "acme"
            #expect(try await ledger.alerts(query).alerts == [first])
            query.onlyOpen = true
            #expect(try await ledger.alerts(query).alerts == [])
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `alerts of one moment about several things are kept apart`(kind: LedgerKind) async throws {
        try await withLedger(kind) { ledger in
            let alerts = ["g:1 5-9", "g:2 1-1"].map { subject in
                Alert(
                    key: Alert.Key(rule: "missing", account: "", limit: "1", subject: subject),
                    severity: .critical,
                    message: subject,
                    raisedAt: WallTime(milliseconds: BillingSamples.noon)
                )
            }
            try await ledger.keep(alerts.map { .raised($0) })
            #expect(try await ledger.openAlerts() == alerts)
            var over = alerts[0]
            over.clearedAt = WallTime(milliseconds: BillingSamples.noon + 1)
            try await ledger.keep([.cleared(over)])
            #expect(try await ledger.openAlerts() == [alerts[1]])
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `what two processes raise is open once, and over when one says so`(
        kind: LedgerKind
    ) async throws {
        try await withLedger(kind) { ledger in
            let key = alert(1, at: 1).key
            func raised(_ seconds: Int64, over: Int64? = nil) -> Alert {
                Alert(
                    key: key,
                    severity: .critical,
                    message: "m",
                    raisedAt: WallTime(milliseconds: seconds * 1_000),
                    clearedAt: over.map { WallTime(milliseconds: $0 * 1_000) }
                )
            }
            try await ledger.keep([.raised(raised(1))])
            try await ledger.keep([.raised(raised(2))])
            #expect(try await ledger.openAlerts() == [raised(1)])
            try await ledger.keep([.cleared(raised(2, over: 5))])
            try await ledger.keep([.cleared(raised(1, over: 6))])
            #expect(try await ledger.alerts(AlertQuery()).alerts == [raised(1, over: 5)])
            // What began and ended while the ledger was away comes at once.
            try await ledger.keep([.raised(raised(7)), .cleared(raised(7, over: 8))])
            #expect(try await ledger.alerts(AlertQuery()).alerts.count == 2)
            #expect(try await ledger.openAlerts() == [])
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `tokens of a day stand beside those of the days before`(kind: LedgerKind) async throws {
        try await withLedger(kind) { ledger in
            let day: Int64 = 86_400_000
            let prices = try BillingSamples.prices()
            let records = (0..<4).map { back in
                BillingSamples.delivered(
                    "r\(back)",
                    ["ended_at_ms": String(BillingSamples.noon - Int64(back) * day)]
                )
            }
            _ = try await ledger.store(records.map { prices.settle($0) })
            let now = WallTime(milliseconds: BillingSamples.noon)
            let usage = try await ledger.dailyTokens(at: now, days: 2)
            #expect(usage.keys.sorted() == ["acme"])
            #expect(usage["acme"]?.today == 1_500)
            #expect(usage["acme"]?.before == [1_500, 1_500])
            let later = WallTime(milliseconds: BillingSamples.noon + 2 * day)
            #expect(try await ledger.dailyTokens(at: later, days: 7).isEmpty)
        }
    }
}
