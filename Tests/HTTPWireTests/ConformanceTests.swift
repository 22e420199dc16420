import FoundationEssentials
import HTTPWire
import TestSupport
import Testing

@Suite struct ConformanceTests {
    @Test func `the cases are there`() {
        #expect(WireCase.all.count > 140)
    }

    @Test(arguments: WireCase.all)
    func `each case is answered as the standards allow`(wireCase: WireCase) {
        let bytes = wireCase.bytes

        let outcome = Self.run(wireCase, [bytes]).outcome

        #expect(Self.isAllowed(outcome, wireCase), "\(wireCase.level): \(outcome)")
    }

    @Test(arguments: WireCase.small)
    func `cutting the input changes nothing`(wireCase: WireCase) {
        let bytes = wireCase.bytes
        let whole = Self.run(wireCase, [bytes])

        #expect(Self.run(wireCase, bytes.map { [$0] }) == whole)
        for cut in 1..<bytes.count {
            let parts = [Array(bytes[..<cut]), Array(bytes[cut...])]
            guard Self.run(wireCase, parts) != whole else { continue }
            Issue.record("cut at \(cut): \(Self.run(wireCase, parts)), whole: \(whole)")
        }
    }

    @Test(arguments: 1...200)
    func `random cuts change nothing`(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        guard let wireCase = WireCase.small.randomElement(using: &random) else { return }
        let bytes = wireCase.bytes
        var parts: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...40, using: &random))
            parts.append(Array(bytes[start..<end]))
            start = end
        }

        #expect(Self.run(wireCase, parts) == Self.run(wireCase, [bytes]))
    }

    @Test(arguments: 1...300)
    func `damaged requests neither trap nor depend on cuts`(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        guard let wireCase = WireCase.small.randomElement(using: &random) else { return }
        var bytes = wireCase.bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] = UInt8.random(in: 0...255, using: &random)
        }

        #expect(Self.run(wireCase, bytes.map { [$0] }) == Self.run(wireCase, [bytes]))
    }

    private struct Run: Equatable {
        let outcome: ModelServer.Outcome
        let trace: [String]
    }

    private static func run(_ wireCase: WireCase, _ parts: [[UInt8]]) -> Run {
        var server = ModelServer()
        for part in parts {
            server.receive(part)
            if server.outcome.isClosed { break }
        }
        if wireCase.halfCloses { server.endOfStream() }
        return Run(outcome: server.outcome, trace: server.trace)
    }

    private static func isAllowed(_ outcome: ModelServer.Outcome, _ wireCase: WireCase) -> Bool {
        wireCase.expect.contains { alternative in
            guard alternative.seq.count == outcome.statuses.count else { return false }
            let fits = zip(alternative.seq, outcome.statuses).allSatisfy { allowed, status in
                allowed.contains { $0.matches(status) }
            }
            let closes = alternative.close ?? outcome.isClosed
            let body = alternative.body.flatMap { Data(base64Encoded: $0) }.map(Array.init)
            return fits && closes == outcome.isClosed
                && (body == nil || body == outcome.bodies.first)
        }
    }
}
