import Ledger
import Service
import StreamBytes
import Testing

/// Configurations that a ledger is told of once it is there.
struct ConfigurationHandoverTests {
    private let log = CollectedLog()

    private func item(_ number: Int) -> ConfigurationHandover.Item {
        var account = AccountConfiguration()
        account.id = "a\(number)"
        return ConfigurationHandover.Item(
            used: UsedConfiguration(
                process: "p",
                path: "\(number)",
                sha256: "",
                priceLists: [],
                keys: [],
                since: WallTime(milliseconds: Int64(number))
            ),
            accounts: [account],
            isReload: number > 0
        )
    }

    @Test func `what waits is told in order once the ledger is there, and terms hold before that`()
        async
    {
        let handover = ConfigurationHandover(log: log)
        let taker = ScriptedTaker()
        handover.add(item(0))
        await handover.tell(taker)
        await taker.goAway()
        handover.add(item(1))
        handover.add(item(2))
        await handover.tell(taker)
        await handover.tell(taker)
        #expect(await taker.noted == ["0"])
        #expect(await taker.accounts == "a2")
        #expect(handover.waitingCount == 2)

        await taker.comeBack(for: 1)
        await handover.tell(taker)
        await taker.comeBack()
        await handover.tell(taker)
        #expect(await taker.noted == ["0", "1 again", "2 again"])
        #expect(handover.waitingCount == 0)
        #expect(log.events == ["configuration_waits", "configuration_waits"])
    }

    @Test func `terms that come while the ledger is told of others hold before they are noted`()
        async
    {
        let handover = ConfigurationHandover(log: log)
        let taker = ScriptedTaker()
        handover.add(item(0))
        await taker.onNextNote { [late = item(1)] in handover.add(late) }
        await handover.tell(taker)
        #expect(await taker.noted == ["0", "1 again"])
        #expect(await taker.accounts == "a1")
    }

    @Test func `terms hold before anything is noted, and are told once`() async {
        let handover = ConfigurationHandover(log: log)
        let taker = ScriptedTaker()
        #expect(!handover.hasTerms)
        handover.add(item(0))
        handover.add(item(1))
        #expect(handover.hasTerms)
        await handover.useTerms(taker)
        #expect(!handover.hasTerms)
        await handover.tell(taker)
        #expect(await taker.accounts == "a1")
        #expect(await taker.useCount == 1)
        #expect(await taker.noted == ["0", "1 again"])
    }

    @Test func `more than the limit are not kept, and that is said`() async {
        let handover = ConfigurationHandover(log: log)
        for number in 0..<(ConfigurationHandover.limit + 2) { handover.add(item(number)) }
        #expect(handover.waitingCount == ConfigurationHandover.limit)
        #expect(log.events == ["configuration_not_noted", "configuration_not_noted"])
        let taker = ScriptedTaker()
        await handover.tell(taker)
        #expect(await taker.noted.first == "2 again")
        handover.warnOfRest()
        #expect(log.events.count == 2)

        handover.add(item(7))
        handover.warnOfRest()
        #expect(log.events.count == 3)
    }
}

/// A ledger that is away when the test says so.
private actor ScriptedTaker: ConfigurationTaker {
    private(set) var noted: [String] = []
    private(set) var accounts = ""
    private(set) var useCount = 0
    /// What happens during the next note.
    private var event: (@Sendable () -> Void)?
    /// How many notes are taken before it is away.
    private var left = Int.max

    func goAway() { left = 0 }

    func comeBack(for count: Int = .max) { left = count }

    func onNextNote(_ event: @escaping @Sendable () -> Void) { self.event = event }

    func use(_ accounts: [AccountConfiguration]) {
        useCount += 1
        self.accounts = accounts.map(\.id).joined(separator: " ")
    }

    func note(_ configuration: UsedConfiguration, isReload: Bool) throws(LedgerRefused) {
        guard left > 0 else { throw LedgerRefused("away", at: "here", mayPass: true) }
        left -= 1
        event?()
        event = nil
        noted.append(configuration.path + (isReload ? " again" : ""))
    }
}
