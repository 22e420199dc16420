import Replay
import Testing

struct ReplayCatalogueTests {
    private let catalogue = ReplayCatalogue()

    @Test(arguments: [BodyFormat.openAIChat, .anthropicMessages])
    func `every name is answered`(format: BodyFormat) throws {
        for name in catalogue.names {
            #expect(catalogue.plan(for: name, in: format) != nil, "\(name)")
        }
        #expect(catalogue.plan(for: "none", in: format) == nil)
    }

    @Test(arguments: TestModel.allCases)
    func `test models speak the protocol that was asked for`(model: TestModel) {
        #expect(model.plan(in: .openAIChat)?.body.format == .openAIChat)
        #expect(model.plan(in: .anthropicMessages)?.body.format == .anthropicMessages)
    }

    @Test func `demonstration models stream a whole answer at a human pace`() throws {
        for name in ReplayCatalogue.demonstrationModels {
            let plan = try #require(catalogue.plan(for: name, in: .openAIChat))
            let run = ReplayRun(plan)
            #expect(run.bytes == plan.body.bytes)
            #expect((1...15).contains(run.seconds))
        }
    }

    @Test func `test models fail as their names say`() throws {
        func run(_ model: TestModel) throws -> ReplayRun {
            ReplayRun(try #require(model.plan(in: .openAIChat)))
        }
        #expect(try run(.cut40).events == 40)
        #expect(try run(.cut40).last == .cut)
        #expect(try run(.stall).last == .hold)
        #expect(try run(.silent60s).seconds > 60)
        #expect(try run(.silent60s).text.contains("[DONE]"))
        #expect(try !run(.noEnd).text.contains("[DONE]"))
        #expect(TestModel.status429.plan(in: .openAIChat)?.opening.retryAfterSeconds == 2)
        #expect(TestModel.status500.plan(in: .openAIChat)?.opening.status == 500)
    }

    @Test func `a plan of its own comes first, the standard plan last`() throws {
        let body = RecordedBody(name: "own", bytes: Array("data: own\n\n".utf8))
        var catalogue = ReplayCatalogue()
        catalogue.plans["demo"] = ReplayPlan(body: body)
        #expect(catalogue.plan(for: "demo", in: .openAIChat)?.body == body)
        catalogue.standard = ReplayPlan(body: body)
        #expect(catalogue.plan(for: "none", in: .openAIChat)?.body == body)
        #expect(catalogue.plan(for: nil, in: .openAIChat)?.body == body)
    }

    @Test func `faults are read from a command line`() {
        #expect(ReplayFault(parsing: "err-429:3") == .refusal(status: 429, retryAfterSeconds: 3))
        #expect(ReplayFault(parsing: "err-500") == .refusal(status: 500, retryAfterSeconds: nil))
        #expect(ReplayFault(parsing: "rst:100") == .reset(after: .bytes(100)))
        #expect(ReplayFault(parsing: "cut:40e") == .cut(after: .events(40)))
        #expect(
            ReplayFault(parsing: "silence:5e:250")
                == .silence(after: .events(5), for: .milliseconds(250))
        )
        #expect(ReplayFault(parsing: "slow:7") == .slowFirstToken(.milliseconds(7)))
        #expect(ReplayFault(parsing: "drip") == .drip(pause: .milliseconds(20)))
        #expect(ReplayFault(parsing: "nodone") == .noEnd)
        #expect(ReplayFault(parsing: "badchunk:9") == .badChunk(after: .bytes(9)))
        for text in ["", "err-", "err-99", "rst:x", "nodone:1", "cut:-1", "rst:1:2", "what"] {
            #expect(ReplayFault(parsing: text) == nil, "\(text)")
        }
    }
}
