import Metering
import StreamBytes
import TestSupport
import Testing

/// What clients do must not be held against the service, and what they make it wait for must show.
struct ServiceClockTests {
    private func records(
        _ seeds: Range<UInt64>,
        _ faults: NetworkFaults,
        of isWanted: (SimulatedClient) -> Bool
    ) -> [UsageRecord] {
        seeds.flatMap { seed in
            let world = GatewayWorld(seed: seed, streamCount: 20, faults: faults)
            defer { world.finish() }
            _ = world.run()
            let users = Set(world.clients.filter(isWanted).map { "u\($0.index)" })
            return world.sink.records.filter { users.contains($0.user) }
        }
    }

    @Test func `events that waited for a client to come back were not late`() {
        let records = records(1..<9, .none) { $0.responses.count > 1 }

        let latencies = records.compactMap(\.latency?.maximum)
        #expect(latencies.count > 2)
        // It stayed away for up to a second; on a line without faults all else is quick.
        #expect(latencies.allSatisfy { $0 < 100_000 }, "\(latencies.max() ?? 0)")
    }

    @Test func `a client that reads nothing more keeps the line busy until it is cut`() {
        var faults = NetworkFaults.none
        faults.bufferByteCounts = 256...512

        let records = records(1..<9, faults) { client in
            if case .stuck = client.manner { true } else { false }
        }

        let streams = Dictionary(grouping: records, by: \.connectionID)
        let cut = streams.values.filter { $0.contains { $0.end == .slowClient } }
        #expect(cut.count > 2)
        for records in cut {
            // The gateway waits five seconds.
            let busy = records.reduce(0) { $0 + $1.busyMilliseconds }
            #expect(busy >= 4_900, "\(records.map { "\($0.end) \($0.busyMilliseconds)" })")
        }
    }
}
