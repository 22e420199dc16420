import Compression
import HTTPWire
import Reactor
import Replay
import ReplayProvider
import StreamBytes
import TestSupport
import Testing

struct ReplayProviderTests {
    private struct Bench {
        let server: ReplayServer
        let reactor: ReactorThread

        func ask(
            _ model: String,
            path: String = "/v1/chat/completions",
            stream: Bool? = true,
            leavesAfter: Int = .max
        ) async -> ReplayAnswer {
            let flag = stream.map { ",\"stream\":\($0)" } ?? ""
            return await ReplayClient.ask(
                server.address,
                on: reactor,
                path,
                body: "{\"model\":\"\(model)\"\(flag)}",
                leavesAfter: leavesAfter
            )
        }

        func get(_ path: String) async -> ReplayAnswer {
            await ReplayClient.ask(server.address, on: reactor, path, body: nil)
        }

        /// Waits until every answer is accounted for.
        func settle() async { while server.handler.counts.open > 0 { await Task.yield() } }
    }

    private func withServer(
        _ plans: [String: ReplayPlan] = [:],
        _ body: (Bench) async throws -> Void
    ) async throws {
        var settings = ReplaySettings()
        settings.catalogue.plans = plans
        settings.requestLimit = 4
        let group = try ReactorGroup(count: 1)
        try group.start()
        defer { group.stop() }
        let server = try ReplayServer(
            on: .v4(0x7F00_0001, port: 0),
            of: group,
            settings: settings
        )
        defer { server.abort() }
        try await body(Bench(server: server, reactor: group.reactors[0]))
    }

    private func plan(_ fault: ReplayFault? = nil) throws -> ReplayPlan {
        var plan = ReplayPlan(body: try #require(EmbeddedBodies.named("openai/chat-text-usage")))
        plan.fault = fault
        return plan
    }

    @Test(arguments: ContentCoding.allCases)
    func `a coded body is the recorded one, and every event of it can be read when it comes`(
        _ coding: ContentCoding
    ) async throws {
        var coded = try plan()
        coded.coding = coding
        var cut = coded
        cut.fault = .cut(after: .events(5))
        try await withServer(["coded": coded, "cut": cut]) { bench in
            let end = coded.body.pieces[4].upperBound
            for (model, count) in [("coded", coded.body.bytes.count), ("cut", end)] {
                let answer = await bench.ask(model)
                #expect(answer.head?.fields.first("content-encoding") == coding.rawValue)
                var decoder = try BodyDecoder(coding)
                var text: [UInt8] = []
                let isWhole = try decoder.decode(answer.body.span, to: &text)
                #expect(isWhole == (model == "coded"))
                #expect(text == Array(coded.body.bytes.prefix(count)))
            }
            await bench.settle()
            #expect(bench.server.handler.counts.broken == 1)
        }
    }

    @Test func `every embedded body arrives as it was recorded`() async throws {
        try await withServer { bench in
            for body in EmbeddedBodies.all {
                let answer = await bench.ask(body.name)
                #expect(answer.body == body.bytes)
                #expect(answer.end == .whole)
                #expect(answer.head?.status == 200)
                #expect(
                    answer.head?.fields.first("content-type") == "text/event-stream; charset=utf-8"
                )
            }
            await bench.settle()
            let counts = bench.server.handler.counts
            #expect(counts.finished == EmbeddedBodies.all.count)
            #expect(counts.bytes == EmbeddedBodies.all.reduce(0) { $0 + $1.bytes.count })
            #expect(counts.events == EmbeddedBodies.all.reduce(0) { $0 + $1.pieces.count })
        }
    }

    @Test func `without stream the answer is one JSON object`() async throws {
        try await withServer { bench in
            for stream in [false, nil] {
                let answer = await bench.ask("openai/chat-text-usage", stream: stream)
                #expect(answer.head?.fields.first("content-type") == "application/json")
                let tree = try #require(JSONTree(parsing: answer.body))
                #expect(tree["object"]?.string == "chat.completion")
            }
            let answer = await bench.ask(
                "demo",
                path: "/v1/messages",
                stream: false
            )
            #expect(JSONTree(parsing: answer.body)?["type"]?.string == "message")
        }
    }

    @Test func `a test model answers in the protocol of the path`() async throws {
        try await withServer { bench in
            let openAI = await bench.ask("test/429")
            #expect(openAI.head?.status == 429)
            #expect(openAI.head?.fields.first("retry-after") == "2")
            #expect(openAI.text.contains("rate_limit_exceeded"))
            let anthropic = await bench.ask("test/429", path: "/v1/messages", stream: nil)
            #expect(anthropic.head?.status == 429)
            #expect(anthropic.text.contains("rate_limit_error"))
        }
    }

    @Test func `an unknown model is refused`() async throws {
        try await withServer { bench in
            #expect(await bench.ask("none").head?.status == 404)
        }
    }

    @Test func `other paths are answered with the body of the model`() async throws {
        let lines = RecordedBody(name: "lines", bytes: Array("{\"a\":1}\n{\"done\":true}\n".utf8))
        try await withServer(["lines": ReplayPlan(body: lines)]) { bench in
            let answer = await bench.ask("lines", path: "/api/chat", stream: nil)
            #expect(answer.body == lines.bytes)
            #expect(answer.head?.fields.first("content-type") == "application/x-ndjson")
        }
    }

    @Test func `a cut truncates the body after the planned bytes`() async throws {
        let recorded = try plan().body
        try await withServer(["x": plan(.cut(after: .bytes(400)))]) { bench in
            let answer = await bench.ask("x")
            #expect(answer.end == .truncated)
            #expect(answer.body == Array(recorded.bytes.prefix(400)))
            await bench.settle()
            #expect(bench.server.handler.counts.broken == 1)
        }
    }

    @Test func `a reset comes after the planned bytes`() async throws {
        let recorded = try plan().body
        try await withServer(["x": plan(.reset(after: .events(2)))]) { bench in
            let answer = await bench.ask("x")
            #expect(answer.end == .reset)
            #expect(answer.body.count == recorded.pieces[1].upperBound)
            await bench.settle()
            #expect(bench.server.handler.counts.broken == 1)
        }
    }

    @Test func `a bad chunk breaks the framing`() async throws {
        let recorded = try plan().body
        try await withServer(["x": plan(.badChunk(after: .events(2)))]) { bench in
            let answer = await bench.ask("x")
            #expect(answer.end == .badFraming)
            #expect(answer.body.count == recorded.pieces[1].upperBound)
        }
    }

    @Test func `bytes that are sent one by one arrive whole`() async throws {
        var cut = try plan()
        cut.cuts = .every(byteCount: 1)
        try await withServer(["x": cut]) { bench in
            let answer = await bench.ask("x")
            #expect(answer.body == cut.body.bytes)
            #expect(answer.end == .whole)
            #expect(answer.readCount > 20)
        }
    }

    @Test func `a paced answer takes its time`() async throws {
        var paced = try plan()
        paced.pace = .events(perSecond: 40)
        paced.delay = .milliseconds(100)
        try await withServer(["x": paced]) { bench in
            let start = ContinuousClock.now
            let answer = await bench.ask("x")
            #expect(answer.body == paced.body.bytes)
            let shortest = Duration.milliseconds(100 + (paced.body.pieces.count - 1) * 25)
            #expect(ContinuousClock.now - start >= shortest)
        }
    }

    @Test func `a client that leaves a stalled answer is noticed`() async throws {
        try await withServer(["x": plan(.stall(after: .events(2)))]) { bench in
            let answer = await bench.ask("x", leavesAfter: 500)
            #expect(answer.end == .left)
            await bench.settle()
            #expect(bench.server.handler.counts.abandoned == 1)
        }
    }

    @Test func `a client that leaves before the head is noticed`() async throws {
        var late = try plan()
        late.delay = .seconds(3_600)
        try await withServer(["x": late]) { bench in
            let reactor = bench.reactor
            let address = bench.server.address
            let waiting = Task {
                await ReplayClient.ask(address, on: reactor, "/v1/x", body: "{\"model\":\"x\"}")
            }
            while bench.server.handler.counts.open == 0 { await Task.yield() }
            bench.server.abort()
            #expect(await waiting.value.head == nil)
            await bench.settle()
            #expect(bench.server.handler.counts.abandoned == 1)
        }
    }

    @Test func `requests are kept, the latest of them`() async throws {
        try await withServer { bench in
            for _ in 0..<9 { _ = await bench.ask("none") }
            _ = await bench.ask("openai/chat-text-usage")
            let requests = bench.server.handler.requests
            #expect(requests.count <= 4)
            #expect(requests.last?.model == "openai/chat-text-usage")
            #expect(requests.last?.stream == true)
            #expect(requests.last?.head.path == "/v1/chat/completions")
            #expect(bench.server.handler.counts.requests == 10)
        }
    }

    @Test func `what each user was sent is served`() async throws {
        let names = [#""user":"ann""#, #""metadata":{"user_id":"bob"}"#]
        try await withServer(["cut": try plan(.cut(after: .events(3)))]) { bench in
            for (name, model) in zip(names, ["openai/chat-text-usage", "cut"]) {
                _ = await ReplayClient.ask(
                    bench.server.address,
                    on: bench.reactor,
                    "/v1/chat/completions",
                    body: "{\"model\":\"\(model)\",\"stream\":true,\(name)}"
                )
                await bench.settle()
            }
            let answers = JSONTree(parsing: await bench.get("/answers").body)?.elements ?? []
            #expect(answers.map { $0["user"]?.string } == ["ann", "bob"])
            #expect(answers.map { $0["end"]?.string } == ["finished", "broken"])
            #expect(answers.map { $0["events"]?.integer } == [9, 3])
            let body = try #require(EmbeddedBodies.named("openai/chat-text-usage"))
            #expect(answers.first?["bytes"]?.integer == Int64(body.bytes.count))
        }
    }

    @Test func `counts and models are served`() async throws {
        try await withServer { bench in
            _ = await bench.ask("openai/chat-text-usage")
            let counts = JSONTree(parsing: await bench.get("/counts").body)
            #expect(counts?["requests"]?.integer == 1)
            #expect(counts?["events"]?.integer == 9)
            let models = JSONTree(parsing: await bench.get("/v1/models").body)
            #expect(models?["data"]?.elements.first?["id"]?.string == "demo")
        }
    }

    @Test func `a load tool may ask for pace and length`() async throws {
        try await withServer { bench in
            let body =
                #"{"model":"openai/chat-text-usage","stream":true,"#
                + #""metadata":{"replay_rate":"100","replay_seconds":"0.5"}}"#
            let start = ContinuousClock.now
            let answer = await ReplayClient.ask(
                bench.server.address,
                on: bench.reactor,
                "/v1/chat/completions",
                body: body
            )
            #expect(ContinuousClock.now - start >= .milliseconds(490))
            #expect((50...56).contains(RecordedBody(name: "", bytes: answer.body).pieces.count))
        }
    }
}
