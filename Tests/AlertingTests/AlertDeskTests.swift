import Alerting
import StreamBytes
import TestSupport
import Testing

struct AlertDeskTests {
    private let spool = [
        AlertRule(.spool, limit: 500, severity: .warning),
        AlertRule(.spool, limit: 800, severity: .critical),
    ]

    private func at(_ seconds: Int64) -> WallTime { WallTime(milliseconds: seconds * 1_000) }

    private func note(_ desk: inout AlertDesk, _ value: Int64, at seconds: Int64) -> [String] {
        desk.note([AlertReading(.spool, value)], at: at(seconds)).map { news in
            switch news {
            case .raised(let alert): "raised \(alert.key.limit) \(alert.severity.rawValue)"
            case .cleared(let alert): "cleared \(alert.key.limit)"
            }
        }
    }

    @Test func `each level is raised once, however long the value stays`() {
        var desk = AlertDesk(spool)
        #expect(note(&desk, 499, at: 1) == [])
        #expect(note(&desk, 500, at: 2) == ["raised 500 warning"])
        #expect(note(&desk, 700, at: 3) == [])
        #expect(note(&desk, 900, at: 4) == ["raised 800 critical"])
        #expect(note(&desk, 1_000, at: 5) == [])
        #expect(desk.openAlerts.map(\.key.limit) == ["500", "800"])
    }

    @Test func `a value that hovers at the limit makes no noise`() {
        var desk = AlertDesk(spool, clearsBelow: 800)
        #expect(note(&desk, 510, at: 1) == ["raised 500 warning"])
        for (second, value) in [490, 505, 480, 501, 400].enumerated() {
            #expect(note(&desk, Int64(value), at: Int64(second)) == [])
        }
        #expect(note(&desk, 399, at: 9) == ["cleared 500"])
        #expect(note(&desk, 399, at: 10) == [])
        #expect(note(&desk, 500, at: 11) == ["raised 500 warning"])
    }

    @Test func `a limit of one is over at nothing`() {
        var desk = AlertDesk([AlertRule(.missing, limit: 1, severity: .critical)])
        let one = desk.note([AlertReading(.missing, 1)], at: at(1))
        #expect(one.count == 1)
        #expect(desk.note([AlertReading(.missing, 1)], at: at(2)).isEmpty)
        #expect(desk.note([AlertReading(.missing, 0)], at: at(3)).count == 1)
    }

    @Test func `what is not seen stays as it is`() {
        var desk = AlertDesk(spool)
        #expect(note(&desk, 600, at: 1).count == 1)
        #expect(desk.note([], at: at(2)).isEmpty)
        #expect(desk.note([AlertReading(.redis, 1_000)], at: at(3)).isEmpty)
        #expect(desk.openAlerts.count == 1)
    }

    @Test func `what a complete look does not name is over`() {
        var desk = AlertDesk([AlertRule(.missing, limit: 1, severity: .critical)])
        let holes = ["g:1", "g:2"].map { AlertReading(.missing, 4, subject: $0) }
        let first = desk.note(holes, complete: [.missing], at: at(1))
        #expect(first.map(\.alert.key.subject) == ["g:1", "g:2"])
        #expect(first[0].alert.message.contains("g:1"))
        #expect(desk.note([], at: at(2)).isEmpty)
        let second = desk.note([holes[1]], complete: [.missing], at: at(3))
        #expect(second.map(\.alert.key.subject) == ["g:1"])
        #expect(second.map(\.alert.clearedAt) == [at(3)])
        #expect(desk.openAlerts.map(\.key.subject) == ["g:2"])
    }

    @Test func `accounts are told apart`() {
        var desk = AlertDesk([AlertRule(.usage, limit: 3_000, severity: .warning)])
        let first = desk.note(
            [
                AlertReading(.usage, 3_100, account: "a"), AlertReading(.usage, 100, account: "b"),
            ],
            at: at(1)
        )
        #expect(first.map(\.alert.key.account) == ["a"])
        #expect(
            first[0].alert.message
                == "a has used 3.10 times its usual tokens of a day (limit 3.00 times)"
        )
        let second = desk.note([AlertReading(.usage, 9_000, account: "b")], at: at(2))
        #expect(second.map(\.alert.key.account) == ["b"])
    }

    @Test func `an alert of an earlier run is not raised again, and is cleared`() {
        var first = AlertDesk(spool)
        #expect(note(&first, 600, at: 1).count == 1)
        var second = AlertDesk(spool)
        second.resume(first.openAlerts)
        #expect(note(&second, 600, at: 5) == [])
        let news = second.note([AlertReading(.spool, 0)], at: at(6))
        #expect(news.map(\.alert.raisedAt) == [at(1)])
        #expect(news.map(\.alert.clearedAt) == [at(6)])
    }

    @Test func `with other rules those that are gone are over`() {
        var desk = AlertDesk(spool)
        #expect(note(&desk, 900, at: 1).count == 2)
        let news = desk.replace(rules: [spool[1]], at: at(2))
        #expect(news.map(\.alert.key.limit) == ["500"])
        #expect(desk.openAlerts.map(\.key.limit) == ["800"])
        desk.resume(news.map(\.alert))
        #expect(desk.openAlerts.count == 1)
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `whatever is seen, raising and clearing take turns`(seed: UInt64) {
        var random = SeededChance(seed: seed)
        var desk = AlertDesk(spool)
        var open: Set<Alert.Key> = []
        for second in 0..<200 {
            let value = Int64(random.below(1_001))
            for news in desk.note([AlertReading(.spool, value)], at: at(Int64(second))) {
                switch news {
                case .raised(let alert):
                    #expect(open.insert(alert.key).inserted)
                    #expect(String(value) == alert.key.limit || value > Int64(alert.key.limit) ?? 0)
                case .cleared(let alert):
                    #expect(open.remove(alert.key) != nil)
                    #expect(value < (Int64(alert.key.limit) ?? 0) * 8 / 10)
                }
            }
            #expect(Set(desk.openAlerts.map(\.key)) == open)
        }
    }

    @Test func `values are told in their unit`() {
        #expect(AlertSignal.errorRate.text(72) == "7.2 %")
        #expect(AlertSignal.cost.text(12_050_000_000) == "12.05 dollars")
        #expect(AlertSignal.latency.text(5_100) == "5100 ms")
        for signal in AlertSignal.allCases {
            #expect(!signal.message(1, subject: "a", limit: 1).isEmpty)
        }
    }
}
