import Reactor
import Replay
import ReplayProvider
import StreamBytes
import StreamLoad
import TestSupport
import Testing

struct LoadRunTests {
    /// Runs a load test against a replay provider with these plans.
    private func run(
        _ plans: [String: ReplayPlan] = [:],
        _ arguments: String...
    ) throws -> (result: LoadResult, counts: ReplayCounts) {
        var settings = ReplaySettings()
        settings.catalogue.plans = plans
        let group = try ReactorGroup(count: 1)
        try group.start()
        defer { group.stop() }
        let server = try ReplayServer(on: .v4(0x7F00_0001, port: 0), of: group, settings: settings)
        defer { server.abort() }
        let options = try LoadOptions(
            parsing: ["http://127.0.0.1:\(server.address.port)", "--reactors", "2"] + arguments
        )
        let result = try LoadRun(options).run(progress: { _ in }, isInterrupted: { false })
        return (result, server.handler.counts)
    }

    private func plan(_ fault: ReplayFault? = nil) throws -> ReplayPlan {
        var plan = ReplayPlan(body: try #require(EmbeddedBodies.named("openai/chat-text-usage")))
        plan.fault = fault
        return plan
    }

    @Test func `every stream gets one whole answer`() throws {
        let (result, counts) = try run(
            [:],
            "-n",
            "50",
            "--once",
            "--model",
            "openai/chat-text-usage"
        )

        #expect(result.tally.completed == 50)
        #expect(result.tally.opened == 50)
        #expect(result.tally.events == counts.events)
        #expect(result.tally.bytes == counts.bytes)
        #expect(result.tally.failed == 0)
        #expect(result.tally.firstEvent.count == 50)
    }

    @Test func `streams that share connections get their whole answers`() throws {
        let (result, counts) = try run(
            [:],
            "-n",
            "50",
            "--once",
            "--http2",
            "--per-connection",
            "10",
            "--model",
            "openai/chat-text-usage"
        )

        #expect(result.tally.completed == 50)
        #expect(result.tally.events == counts.events)
        #expect(result.tally.bytes == counts.bytes)
        #expect(result.tally.failed == 0)
        #expect(result.tally.firstEvent.count == 50)
        #expect(result.tally.answer.count == 50)
    }

    @Test func `streams that share connections are opened again until the time is over`() throws {
        let (result, _) = try run(
            [:],
            "-n",
            "3",
            "--http2",
            "--duration",
            "300ms",
            "--model",
            "openai/chat-text-usage"
        )

        #expect(result.tally.completed > 6)
        #expect(result.tally.completed + result.tally.cut == result.tally.opened)
    }

    @Test(arguments: [
        (ReplayFault.cut(after: .events(3)), LoadFailure.reset),
        (.reset(after: .events(3)), .reset),
        (.noEnd, .noEnd),
        (.errorInStream(afterEvents: 3), .errorEvent),
        (.refusal(status: 503, retryAfterSeconds: nil), .status(503)),
    ])
    func `what goes wrong on a shared connection is counted by its reason`(
        fault: ReplayFault,
        reason: LoadFailure
    ) throws {
        let (result, _) = try run(
            ["x": plan(fault)],
            "-n",
            "5",
            "--once",
            "--http2",
            "--model",
            "x"
        )

        #expect(result.tally.failures == [reason: 5])
    }

    @Test func `streams that end are opened again until the time is over`() throws {
        let (result, _) = try run(
            [:],
            "-n",
            "3",
            "--duration",
            "300ms",
            "--model",
            "openai/chat-text-usage"
        )

        #expect(result.tally.completed > 6)
        #expect(result.tally.completed + result.tally.cut == result.tally.opened)
        #expect(result.elapsed >= .milliseconds(300))
    }

    @Test func `the rate is passed on to the provider`() throws {
        let (result, _) = try run(
            [:],
            "-n",
            "4",
            "--rate",
            "50",
            "--duration",
            "500ms",
            "--model",
            "openai/chat-text-usage"
        )

        #expect((80...130).contains(result.tally.events))
        #expect(result.tally.lost == 0)
    }

    @Test(arguments: [
        (ReplayFault.cut(after: .events(3)), LoadFailure.truncated),
        (.reset(after: .events(3)), .reset),
        (.badChunk(after: .events(3)), .badFraming),
        (.noEnd, .noEnd),
        (.errorInStream(afterEvents: 3), .errorEvent),
        (.refusal(status: 503, retryAfterSeconds: nil), .status(503)),
        (.garbage(byteCount: 4_096), .noEnd),
        (.hugeLine(byteCount: 2_000_000), .badEvent),
    ])
    func `what goes wrong is counted by its reason`(fault: ReplayFault, reason: LoadFailure) throws
    {
        let (result, _) = try run(["x": plan(fault)], "-n", "5", "--once", "--model", "x")

        #expect(result.tally.failures == [reason: 5])
        #expect(result.tally.lost == (reason.isLoss ? 5 : 0))
    }

    @Test func `a stream without a byte for too long has failed`() throws {
        let (result, _) = try run(
            ["x": plan(.stall(after: .events(2)))],
            "-n",
            "2",
            "--once",
            "--model",
            "x",
            "--silence",
            "200ms"
        )

        #expect(result.tally.failures == [.silent: 2])
    }

    @Test func `connections come from several source addresses`() throws {
        let (result, _) = try run(
            [:],
            "-n",
            "20",
            "--once",
            "--sources",
            "5",
            "--model",
            "openai/chat-text-usage"
        )

        #expect(result.tally.completed == 20)
    }

    /// Runs a load test against a replay provider that speaks TLS, or not.
    private func runSecurely(_ security: ServerSecurity?, _ arguments: [String]) throws -> LoadTally
    {
        let group = try ReactorGroup(count: 1)
        try group.start()
        defer { group.stop() }
        let server = try ReplayServer(
            on: .v4(0x7F00_0001, port: 0),
            of: group,
            security: security
        )
        defer { server.abort() }
        let options = try LoadOptions(
            parsing: [
                "https://127.0.0.1:\(server.address.port)", "-n", "3", "--once", "--model",
                "openai/chat-text-usage",
            ] + arguments
        )
        return try LoadRun(options).run(progress: { _ in }, isInterrupted: { false }).tally
    }

    @Test func `streams over TLS need a trusted authority`() throws {
        let certificate = try TestCertificate("IP:127.0.0.1")
        let security = try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile
        )

        let trusting = try runSecurely(security, ["--ca", certificate.file])
        let shared = try runSecurely(security, ["--ca", certificate.file, "--http2"])
        let doubtful = try runSecurely(security, [])
        let mistaken = try runSecurely(nil, ["--ca", certificate.file])

        #expect(trusting.completed == 3)
        #expect(trusting.lost == 0)
        #expect(shared.completed == 3)
        #expect(doubtful.failures == [.connect: 3])
        #expect(doubtful.connectError == "TLS: self-signed certificate")
        #expect(mistaken.connectError == "TLS: the peer does not speak TLS")
    }

    @Test func `nobody listens`() throws {
        let options = try LoadOptions(parsing: ["http://127.0.0.1:1", "-n", "3", "--once"])
        let result = try LoadRun(options).run(progress: { _ in }, isInterrupted: { false })

        #expect(result.tally.failures == [.connect: 3])
        #expect(result.tally.connectError == "connection refused")
    }

    @Test func `an interruption ends the test and keeps what was measured`() throws {
        let group = try ReactorGroup(count: 1)
        try group.start()
        defer { group.stop() }
        let server = try ReplayServer(on: .v4(0x7F00_0001, port: 0), of: group)
        defer { server.abort() }
        let options = try LoadOptions(parsing: [
            "http://127.0.0.1:\(server.address.port)", "--duration", "1000s",
            "--model", "openai/chat-text-usage",
        ])
        var polls = 0
        let result = try LoadRun(options).run(
            progress: { _ in polls += 1 },
            isInterrupted: { polls > 4 }
        )

        #expect(result.interruption != nil)
        #expect(result.tally.completed > 0)
    }
}
