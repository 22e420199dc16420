import Gateway
import Glibc
import HTTPServer
import Metering
import Reactor
import StreamBytes
import TestSupport
import Testing

/// Whole gateways on seeded schedules, with sockets that split, stall, fill up and break.
///
/// `WEIR_SEEDS=100000` runs so many seeds, `WEIR_SEEDS=50001-100000` those; `WEIR_SEED=17` that one.
struct GatewaySimulationTests {
    /// Seeds that once failed: a connection that broke between an answer's finish reason and its end.
    private static let found: [UInt64] = [1_326, 1_932, 2_391]

    private static var seeds: [UInt64] {
        if let text = environment("WEIR_SEED"), let seed = UInt64(text) { return [seed] }
        let bounds = (environment("WEIR_SEEDS") ?? "1000").split(separator: "-").map {
            UInt64($0) ?? 1
        }
        return Array((bounds.count > 1 ? bounds[0] : 1)...(bounds.last ?? 1)) + found
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// What many runs came to.
    private struct Outcome: Sendable {
        var failures: [String] = []
        var ends: [StretchEnd: Int] = [:]
        var returns = 0
        var codings: [String: Int] = [:]
        /// Those of clients whose answers are sealed.
        var sealedReturns = 0
    }

    @Test func `every client gets every event once and in order, and every stream one bill`()
        async throws
    {
        let outcome = try await Self.onThreadOfItsOwn { Self.run(Self.seeds) }

        print(
            "\(Self.seeds.count) seeds: \(outcome.ends), \(outcome.returns) returns, "
                + "\(outcome.sealedReturns) of them sealed"
        )
        print("codings: \(outcome.codings)")
        #expect(outcome.failures == [])
        guard Self.seeds.count >= 100 else { return }
        // Without these the schedules would show nothing.
        for end in [StretchEnd.complete, .providerError, .clientGone, .slowClient, .interval] {
            #expect(outcome.ends[end, default: 0] > 0, "no stream ended by \(end)")
        }
        #expect(outcome.returns > 0)
        for coding in ["identity", "gzip", "deflate", "br"] {
            #expect(outcome.codings[coding, default: 0] > 0, "no stream was coded as \(coding)")
        }
        #expect(outcome.sealedReturns > 0)
    }

    private static func run(_ seeds: [UInt64]) -> Outcome {
        var outcome = Outcome()
        for seed in seeds where outcome.failures.count <= 10 {
            var faults = NetworkFaults()
            faults.resetsPerMille = seed % 3 == 0 ? 2 : 0
            let world = GatewayWorld(seed: seed, streamCount: 20, faults: faults)
            let isOver = world.run()
            outcome.failures += Verdict(world, isOver: isOver).failures.map {
                "seed \(seed): \($0)"
            }
            for record in world.sink.records {
                outcome.ends[record.end, default: 0] += 1
                outcome.codings[record.coding, default: 0] += 1
            }
            outcome.returns += world.clients.reduce(0) { $0 + $1.responses.count - 1 }
            for client in world.clients where client.sealingKey != nil {
                outcome.sealedReturns += client.responses.count - 1
            }
            world.finish()
        }
        return outcome
    }

    /// Minutes of work must not hold up the threads that every other test shares.
    private static func onThreadOfItsOwn(
        _ work: @escaping @Sendable () -> Outcome
    ) async throws -> Outcome {
        let (results, continuation) = AsyncStream.makeStream(of: Outcome.self)
        let thread = try NativeThread(named: "simulation") {
            continuation.yield(work())
            continuation.finish()
        }
        var outcome = Outcome()
        for await result in results { outcome = result }
        thread.join()
        return outcome
    }
}

/// What is wrong with a run; nothing, as a rule.
struct Verdict {
    private(set) var failures: [String] = []
    private let world: GatewayWorld

    init(_ world: GatewayWorld, isOver: Bool) {
        self.world = world
        if !isOver { failures.append("the run did not end") }
        for client in world.clients { check(client, world.scripts[client.index]) }
        checkRecords()
        checkLeaks()
    }

    private mutating func check(_ client: SimulatedClient, _ script: StreamScript) {
        // A kept connection that breaks before any answer is replaced once.
        let limit = breaksProviders || script.fate == .noAnswer ? 2 : 1
        if world.requests[client.index, default: 0] > limit {
            failures.append("stream \(client.index) was generated twice")
        }
        if client.responses.contains(where: { $0.isWhole && $0.isUnfinished }) {
            failures.append("client \(client.index) got a body whose coding has no end")
        }
        do {
            let blocks = try client.blocks()
            client.isOpenAI
                ? checkOpenAI(client, script, blocks.last ?? [])
                : checkWeir(client, script, blocks.joined())
        } catch {
            failures.append("client \(client.index) cannot open its answer: \(error)")
        }
    }

    private mutating func checkOpenAI(
        _ client: SimulatedClient,
        _ script: StreamScript,
        _ blocks: [EventBlocks.Block]
    ) {
        guard let response = client.responses.last, response.status == 200 else { return }
        var expected = script.events(model: "m")
        if script.sendsUsage, client.asksForUsage { expected.append(script.usageEvent(model: "m")) }
        expected.append("[DONE]")
        var got = blocks.compactMap(\.data)
        let hasFailed = got.last?.hasPrefix(#"{"error""#) ?? false
        let error = hasFailed ? got.removeLast() : ""
        if got != Array(expected.prefix(got.count)) {
            failures.append("client \(client.index) got other events than were sent")
        }
        if response.isWhole, !hasFailed, got.count != expected.count {
            failures.append("client \(client.index) got an end without the whole")
        }
        if response.isWhole, script.fate == .whole, hasFailed, !breaksProviders,
            !error.contains("lifetime")
        {
            failures.append("client \(client.index) got an error for a good answer: \(error)")
        }
    }

    private mutating func checkWeir(
        _ client: SimulatedClient,
        _ script: StreamScript,
        _ blocks: some Sequence<EventBlocks.Block>
    ) {
        var sequence = 0
        var text = ""
        var ending: String?
        for block in blocks {
            // A client that came back too late is told so.
            if block.id == "gone" { ending = "gone" }
            guard block.event != "heartbeat", let id = block.id, id != "gone" else { continue }
            sequence += 1
            if !id.hasSuffix(".\(sequence)") {
                failures.append("client \(client.index) got \(id) as number \(sequence)")
            }
            if block.event == "chunk" { text += Self.text(block.data) }
            if block.event == "error" { ending = "error" }
            // Stalls may let a stream reach its lifetime first.
            if block.event == "complete" {
                ending = block.data?.contains(#""finish":"stop""#) == true ? "complete" : "cut"
            }
        }
        if !script.deliveredTexts.joined().hasPrefix(text) {
            failures.append("client \(client.index) got another text than was sent")
        }
        if ending == "complete", text != script.text {
            failures.append("client \(client.index) got an end without the whole")
        }
        if client.responses.last?.isWhole == true, client.responses.last?.status == 200,
            ending == nil
        {
            failures.append("client \(client.index) got no end")
        }
    }

    /// The text of a chunk's data.
    private static func text(_ data: String?) -> String {
        let bytes = Array((data ?? "").utf8)
        guard let value = try? JSONValue(parsing: bytes.span),
            let text = value.member("text", in: bytes.span)?.text(in: bytes.span)
        else { return "" }
        return text
    }

    private var breaksProviders: Bool { world.simulation.faults.resetsPerMille > 0 }
}

// MARK: - Records

extension Verdict {
    private mutating func checkRecords() {
        let records = world.sink.records
        if Set(records.map(\.recordID)).count != records.count {
            failures.append("two records have the same id")
        }
        if !world.sink.running.isEmpty {
            failures.append("\(world.sink.running.count) slots are held by nobody")
        }
        let streams = Dictionary(grouping: records, by: \.connectionID)
        for (id, records) in streams {
            if records.map(\.segment) != (0..<Int64(records.count)).map({ $0 }) {
                failures.append("the segments of \(id) are not in order")
            }
            if records.count(where: { $0.usage != nil }) != 1 || records.last?.usage == nil {
                failures.append("\(id) has not exactly one final record")
            }
        }
        checkSums(streams)
    }

    /// What clients received is never more than what was metered, and the same where every client
    /// of a stream got to its end.
    private mutating func checkSums(_ streams: [String: [UsageRecord]]) {
        for client in world.clients where client.isOpenAI || client.responses.count == 1 {
            guard let response = client.responses.first, response.status == 200,
                let id = streamID(of: client, streams)
            else { continue }
            let metered = streams[id]?.reduce(0) { $0 + $1.bytesOut } ?? 0
            let received = response.receivedByteCount
            if metered < received || (response.isWhole && metered != received) {
                failures.append("client \(client.index) received \(received) bytes of \(metered)")
            }
        }
        for records in streams.values {
            guard let last = records.last, last.end == .complete, !last.isUsageEstimated else {
                continue
            }
            if let usage = last.usage, usage.input < 10 {
                failures.append("a complete stream has no usage")
            }
        }
    }

    private func streamID(
        of client: SimulatedClient,
        _ streams: [String: [UsageRecord]]
    ) -> String? {
        streams.first { $0.value.first?.user == "u\(client.index)" }?.key
    }

    private mutating func checkLeaks() {
        let leaks = world.simulation.leaks
        if world.core.openStreamCount != 0 { failures.append("streams were left open") }
        if world.registry.count != 0 { failures.append("connections were left open") }
        if world.core.heldCodingBytes > 4 * 851_968 {
            failures.append("closed encoders hold \(world.core.heldCodingBytes) bytes")
        }
        if leaks.scratchBuffers != 0 || leaks.passing != 0 { failures.append("leaks: \(leaks)") }
    }
}
