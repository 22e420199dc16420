import Replay
import StreamBytes
import Testing

/// Runs a plan to its end on a clock that jumps to whatever is due.
struct ReplayRun {
    private(set) var bytes: [UInt8] = []
    private(set) var last = ReplayStep.again
    private(set) var endedAt = MonotonicTime(nanoseconds: 0)
    /// Sizes of the writes that a cut plan makes.
    private(set) var writes: [Int] = []
    private(set) var events = 0

    init(_ plan: ReplayPlan, limit: Int = 4_096) {
        var script = ReplayScript(plan, startedAt: endedAt)
        var isOver = false
        while !isOver {
            let before = bytes.count
            last = script.next(into: &bytes, limit: limit, at: endedAt)
            switch last {
            case .again, .flush: writes.append(bytes.count - before)
            case .wait(let due): endedAt = due
            default: isOver = true
            }
        }
        events = script.eventsSent
    }

    var seconds: Double { Double(endedAt.nanoseconds) / 1e9 }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

struct ReplayScriptTests {
    private func plan(_ name: String, _ fault: ReplayFault? = nil) throws -> ReplayPlan {
        var plan = ReplayPlan(body: try #require(EmbeddedBodies.named(name)))
        plan.fault = fault
        return plan
    }

    @Test func `without faults the whole body is sent, then the end`() throws {
        for body in EmbeddedBodies.all {
            let run = ReplayRun(ReplayPlan(body: body), limit: 100)
            #expect(run.bytes == body.bytes)
            #expect(run.last == .finish)
            #expect(run.events == body.pieces.count)
        }
    }

    @Test func `events leave evenly at the chosen rate`() throws {
        var plan = try plan("openai/chat-text-usage")
        plan.pace = .events(perSecond: 10)

        let run = ReplayRun(plan)

        #expect(run.bytes == plan.body.bytes)
        #expect(abs(run.seconds - Double(plan.body.pieces.count - 1) / 10) < 1e-6)
    }

    @Test func `bytes leave evenly at the chosen rate`() throws {
        var plan = try plan("openai/chat-text-usage")
        plan.pace = .bytes(perSecond: 1_000)

        let lastStart = try #require(plan.body.pieces.last?.lowerBound)
        #expect(abs(ReplayRun(plan).seconds - Double(lastStart) / 1_000) < 1e-6)
    }

    @Test func `an event is not sent before it is due`() throws {
        var plan = try plan("openai/chat-text-usage")
        plan.pace = .events(perSecond: 10)
        let start = MonotonicTime(nanoseconds: 5)
        var script = ReplayScript(plan, startedAt: start)
        var bytes: [UInt8] = []

        #expect(script.next(into: &bytes, limit: 9_999, at: start) == .again)
        let due = start + .milliseconds(100)
        #expect(script.next(into: &bytes, limit: 9_999, at: start) == .wait(until: due))
        #expect(bytes.count == plan.body.pieces[0].count)
        #expect(script.next(into: &bytes, limit: 9_999, at: due) == .again)
    }

    @Test func `cuts of one byte send each byte alone`() throws {
        var plan = try plan("deepseek/chat-emoji")
        plan.cuts = .every(byteCount: 1)

        let run = ReplayRun(plan)

        #expect(run.bytes == plan.body.bytes)
        #expect(run.writes.allSatisfy { $0 == 1 })
    }

    @Test func `random cuts are the same for the same seed`() throws {
        var plan = try plan("deepseek/chat-emoji")
        plan.cuts = .random(seed: 7, longest: 50)

        let run = ReplayRun(plan)

        #expect(run.bytes == plan.body.bytes)
        #expect(run.writes == ReplayRun(plan).writes)
        #expect(Set(run.writes).count > 10)
        #expect(run.writes.allSatisfy { (1...50).contains($0) })
        plan.cuts = .random(seed: 8, longest: 50)
        #expect(run.writes != ReplayRun(plan).writes)
    }

    @Test(arguments: ["openai/chat-text-usage", "anthropic/text-emoji"])
    func `loops repeat the text and keep one beginning and one end`(name: String) throws {
        var plan = try plan(name)
        plan.loops = 3

        let run = ReplayRun(plan)

        let body = plan.body
        let repeated = body.repeatablePieces
        #expect(run.events == body.pieces.count + 2 * repeated.count)
        let first = body.bytes[..<body.pieces[repeated.upperBound].lowerBound]
        #expect(run.bytes.starts(with: first))
        let end = body.bytes[body.pieces[repeated.upperBound].lowerBound...]
        #expect(run.bytes.suffix(end.count).elementsEqual(end))
        let terminals = run.text.ranges(of: name.hasPrefix("o") ? "[DONE]" : "event: message_stop")
        #expect(terminals.count == 1)
    }

    @Test func `a cut after events sends exactly these`() throws {
        let run = ReplayRun(try plan("openai/chat-long-text-no-usage", .cut(after: .events(40))))

        #expect(run.last == .cut)
        #expect(run.events == 40)
    }

    @Test func `a reset after bytes may fall inside an event`() throws {
        let plan = try plan("openai/chat-text-usage", .reset(after: .bytes(400)))

        let run = ReplayRun(plan)

        #expect(run.last == .reset)
        #expect(run.bytes == Array(plan.body.bytes.prefix(400)))
    }

    @Test func `a stall holds the connection open`() throws {
        let run = ReplayRun(try plan("openai/chat-text-usage", .stall(after: .events(2))))

        #expect(run.last == .hold)
        #expect(run.events == 2)
    }

    @Test func `a silence ends and the rest follows`() throws {
        let plan = try plan(
            "openai/chat-text-usage",
            .silence(after: .events(3), for: .seconds(60))
        )

        let run = ReplayRun(plan)

        #expect(run.last == .finish)
        #expect(run.bytes == plan.body.bytes)
        #expect(run.seconds == 60)
    }

    @Test func `a slow first token delays everything`() throws {
        let plan = try plan("openai/chat-text-usage", .slowFirstToken(.seconds(10)))
        var script = ReplayScript(plan, startedAt: MonotonicTime(nanoseconds: 0))
        var bytes: [UInt8] = []

        let step = script.next(into: &bytes, limit: 100, at: MonotonicTime(nanoseconds: 0))

        #expect(step == .wait(until: MonotonicTime(nanoseconds: 10_000_000_000)))
        #expect(bytes.isEmpty)
        #expect(ReplayRun(plan).bytes == plan.body.bytes)
    }

    @Test func `dripping sends one byte per pause`() throws {
        let plan = try plan("openai/chat-text-usage", .drip(pause: .milliseconds(10)))

        let run = ReplayRun(plan)

        #expect(run.bytes == plan.body.bytes)
        #expect(abs(run.seconds - Double(plan.body.bytes.count - 1) / 100) < 1e-6)
    }

    @Test func `an answer without its end lacks only the terminal event`() throws {
        let plan = try plan("openai/chat-text-usage", .noEnd)

        let run = ReplayRun(plan)

        #expect(run.last == .finish)
        #expect(run.bytes + Array("data: [DONE]\n\n".utf8) == plan.body.bytes)
    }

    @Test(arguments: ["openai/chat-text-usage", "anthropic/text-emoji"])
    func `an error in the stream is in the form of the provider and the last event`(
        name: String
    ) throws {
        let run = ReplayRun(try plan(name, .errorInStream(afterEvents: 3)))

        #expect(run.events == 4)
        let isAnthropic = name.hasPrefix("anthropic")
        #expect(
            run.text.contains(
                isAnthropic ? "event: error\ndata: {\"type\":\"error\"" : "data: {\"error\":{"
            )
        )
        #expect(!run.text.contains("[DONE]"))
    }

    @Test func `garbage is the same each time and no event`() throws {
        let run = ReplayRun(try plan("openai/chat-text-usage", .garbage(byteCount: 4_096)))

        #expect(run.bytes.count == 4_096)
        #expect(
            run.bytes == ReplayRun(try plan("anthropic/tool-use", .garbage(byteCount: 4_096))).bytes
        )
        #expect(!run.text.contains("data:"))
    }

    @Test func `a huge line comes before the second event`() throws {
        let plan = try plan("openai/chat-text-usage", .hugeLine(byteCount: 100_000))

        let run = ReplayRun(plan)

        #expect(run.bytes.count == plan.body.bytes.count + 100_000 + 8)
        #expect(run.events == plan.body.pieces.count + 1)
    }

    @Test func `a refusal has the status, the time to wait and the provider's form`() throws {
        let plan = try plan(
            "anthropic/text-emoji",
            .refusal(status: 429, retryAfterSeconds: 2)
        )

        #expect(plan.opening.status == 429)
        #expect(plan.opening.retryAfterSeconds == 2)
        let body = JSONTree(parsing: try #require(plan.opening.body))
        #expect(body?["error"]?["type"]?.string == "rate_limit_error")
    }
}
