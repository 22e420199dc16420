import Alerting
import Gateway
import Service
import StreamBytes
import Testing

/// What a process knows, turned into values that rules look at.
struct AlertFiguresTests {
    private func at(_ seconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: seconds * 1_000_000_000)
    }

    private func gateway(_ values: String) -> AlertSnapshot {
        var snapshot = AlertSnapshot()
        snapshot.figures = GatewayFigures(json: Array("{\(values)}".utf8))
        return snapshot
    }

    private func value(_ signal: AlertSignal, _ readings: [AlertReading]) -> Int64? {
        readings.first { $0.signal == signal }?.value
    }

    @Test func `the error rate is that of the last minutes, of enough streams`() {
        var figures = AlertFigures()
        let start = gateway(#""end.complete":900,"end.provider_error":500"#)
        #expect(value(.errorRate, figures.readings(of: start, at: at(0))) == 0)
        let few = gateway(#""end.complete":910,"end.provider_error":509"#)
        #expect(value(.errorRate, figures.readings(of: few, at: at(10))) == 0)
        let many = gateway(#""end.complete":945,"end.provider_error":505"#)
        #expect(value(.errorRate, figures.readings(of: many, at: at(20))) == 100)
    }

    @Test func `the latency is the mean of what came in the last minutes`() {
        var figures = AlertFigures()
        let start = gateway(#""latencyCount":1000,"latencyUs":9000000000"#)
        #expect(value(.latency, figures.readings(of: start, at: at(0))) == 0)
        let next = gateway(#""latencyCount":1010,"latencyUs":9060000000"#)
        #expect(value(.latency, figures.readings(of: next, at: at(10))) == 6_000)
    }

    @Test func `what is away counts its seconds, and begins anew`() {
        var figures = AlertFigures()
        var snapshot = AlertSnapshot()
        snapshot.isRedisAway = true
        #expect(value(.redis, figures.readings(of: snapshot, at: at(5))) == 0)
        #expect(value(.redis, figures.readings(of: snapshot, at: at(40))) == 35)
        snapshot.isRedisAway = false
        #expect(value(.redis, figures.readings(of: snapshot, at: at(41))) == 0)
        snapshot.isRedisAway = true
        #expect(value(.redis, figures.readings(of: snapshot, at: at(50))) == 0)
        // What is not known says nothing.
        #expect(value(.ledger, figures.readings(of: snapshot, at: at(50))) == nil)
    }

    @Test func `rejected records count for an hour`() {
        var figures = AlertFigures()
        var snapshot = AlertSnapshot()
        snapshot.rejectedCount = 4
        #expect(value(.rejected, figures.readings(of: snapshot, at: at(0))) == 0)
        snapshot.rejectedCount = 6
        #expect(value(.rejected, figures.readings(of: snapshot, at: at(60))) == 2)
        #expect(value(.rejected, figures.readings(of: snapshot, at: at(3_500))) == 2)
        _ = figures.readings(of: snapshot, at: at(3_700))
        #expect(value(.rejected, figures.readings(of: snapshot, at: at(7_400))) == 0)
    }

    @Test func `each hole is named, and none once it is too early to say`() {
        var figures = AlertFigures()
        var snapshot = AlertSnapshot()
        #expect(AlertFigures.complete(of: snapshot).isEmpty)
        snapshot.missing = [("a", 3), ("b", 1)]
        let named = figures.readings(of: snapshot, at: at(0)).filter { $0.signal == .missing }
        #expect(named.map(\.subject) == ["a", "b"])
        #expect(named.map(\.value) == [3, 1])
        #expect(AlertFigures.complete(of: snapshot) == [.missing])
    }

    @Test func `counts that begin at different times do not disturb each other`() {
        var figures = AlertFigures()
        var snapshot = AlertSnapshot()
        snapshot.lossCount = 0
        snapshot.rejectedCount = 0
        _ = figures.readings(of: snapshot, at: at(0))
        snapshot.lossCount = 2
        let both = figures.readings(of: snapshot, at: at(60))
        #expect(value(.losses, both) == 2)
        #expect(value(.rejected, both) == 0)
        snapshot.rejectedCount = nil
        #expect(value(.rejected, figures.readings(of: snapshot, at: at(70))) == nil)
    }

    @Test func `an account's usage is measured by its own days`() {
        var figures = AlertFigures()
        var snapshot = AlertSnapshot()
        snapshot.dailyTokens = [
            "steady": (20_000, [20_000, 21_000, 19_000]),
            "wild": (80_000, [20_000, 20_000, 20_000]),
            "new": (900_000, [10, 10]), "small": (9_000, [10, 10, 10]),
        ]
        let usage = figures.readings(of: snapshot, at: at(0)).filter { $0.signal == .usage }
        let byAccount = Dictionary(uniqueKeysWithValues: usage.map { ($0.account, $0.value) })
        #expect(byAccount == ["steady": 1_000, "wild": 4_000, "small": 0])
    }

    @Test func `limits of zero are none, and the others are rules`() {
        var configuration = WeirConfiguration().alerts
        let all = configuration.rules
        #expect(all.contains(AlertRule(.errorRate, limit: 50, severity: .warning)))
        #expect(all.contains(AlertRule(.spool, limit: 500, severity: .warning)))
        #expect(all.contains(AlertRule(.spool, limit: 800, severity: .critical)))
        #expect(all.contains(AlertRule(.usage, limit: 3_000, severity: .warning)))
        #expect(!all.contains { $0.signal == .cost })
        configuration.cost.above = "12.5"
        configuration.drops.above = 0
        #expect(
            configuration.rules.contains(
                AlertRule(.cost, limit: 12_500_000_000, severity: .critical)
            )
        )
        #expect(!configuration.rules.contains { $0.signal == .drops })
    }
}
