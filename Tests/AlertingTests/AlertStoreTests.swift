import Alerting
import StreamBytes
import TestSupport
import Testing

struct AlertStoreTests {
    private func alert(_ number: Int, at seconds: Int64, account: String = "") -> Alert {
        Alert(
            key: Alert.Key(rule: "spool", account: account, limit: "\(number)"),
            severity: .warning,
            message: "m\(number)",
            raisedAt: WallTime(milliseconds: seconds * 1_000)
        )
    }

    /// Reads everything page by page.
    private func all(_ store: MemoryAlertStore, limit: Int, account: String? = nil) async -> [Alert]
    {
        var query = AlertQuery()
        query.limit = limit
        query.account = account
        var alerts: [Alert] = []
        while true {
            let page = await store.alerts(query).alerts
            alerts += page
            guard page.count == limit, let next = AlertCursor(after: page, before: query.before)
            else { return alerts }
            query.before = next
        }
    }

    @Test func `pages give each alert once, the newest first, also those of one instant`() async {
        let store = MemoryAlertStore()
        for number in 0..<23 {
            await store.keep([.raised(alert(number, at: Int64(number / 5)))])
        }
        for limit in [1, 2, 3, 7, 100] {
            let read = await all(store, limit: limit)
            #expect(read.map(\.key.limit) == (0..<23).reversed().map { "\($0)" })
        }
    }

    @Test func `an account sees its own, and what is over is told so`() async {
        let store = MemoryAlertStore()
        var first = alert(1, at: 1, account: "a")
        await store.keep([
            .raised(first), .raised(alert(2, at: 2)), .raised(alert(3, at: 3, account: "b")),
        ])
        first.clearedAt = WallTime(milliseconds: 9_000)
        await store.keep([.cleared(first), .cleared(first)])
        #expect(await all(store, limit: 10, account: "a") == [first])
        #expect(await store.openAlerts().map(\.key.limit) == ["3", "2"])
        var query = AlertQuery()
        query.onlyOpen = true
        #expect(await store.alerts(query).alerts.count == 2)
    }

    @Test func `only the last thousand are kept`() async {
        let store = MemoryAlertStore()
        for number in 0..<1_100 { await store.keep([.raised(alert(number, at: Int64(number)))]) }
        #expect(await all(store, limit: 500).count == 1_000)
    }

    @Test func `cursors are read as they are written`() {
        let cursor = AlertCursor(raisedAt: WallTime(milliseconds: 17), skip: 3)
        #expect(AlertCursor(cursor.text) == cursor)
        for text in ["", "1", "1.", ".2", "-1.2", "1.-2", "a.b", "1.2.3"] {
            #expect(AlertCursor(text) == nil, "\(text)")
        }
    }
}
