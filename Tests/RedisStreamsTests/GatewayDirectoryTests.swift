import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

struct GatewayDirectoryTests {
    private let now = WallTime(milliseconds: 1_800_000_000_000)

    private func withDirectory(
        _ body: (MeterBench, GatewayDirectory) async throws -> Void
    ) async throws {
        try await MeterBench.run(options: RedisServer.inMemory) { bench in
            try await body(bench, GatewayDirectory(over: bench.probe, on: bench.reactor))
        }
    }

    /// What the server's clock says.
    private func milliseconds(_ bench: MeterBench) async throws -> Int64 {
        let parts = try await bench.command("TIME").elements.compactMap { $0.text }
        try #require(parts.count == 2)
        return (Int64(parts[0]) ?? 0) * 1_000 + (Int64(parts[1]) ?? 0) / 1_000
    }

    @Test func `gateways are known with what they told and when`() async throws {
        try await withDirectory { bench, directory in
            #expect(try await directory.entries() == [])
            let before = try await milliseconds(bench)
            try await directory.publish("one", of: "a", at: now)
            // Both by the server's own clock, so that it does not matter how long this takes.
            let end = try await bench.command("PEXPIRETIME", "weir:gateway:a").integer ?? 0
            #expect((before...(try await milliseconds(bench))).contains(end - 20_000))
            let later = WallTime(milliseconds: now.milliseconds + 5_000)
            try await directory.publish("two", of: "b", at: later)
            let entries = try await directory.entries()
            #expect(entries.map(\.id) == ["a", "b"])
            #expect(entries.map(\.text) == ["one", "two"])
            #expect(entries.map(\.lastSeen) == [now, later])
        }
    }

    @Test func `one that fell silent is known by name, and one that ended is forgotten`()
        async throws
    {
        try await withDirectory { bench, directory in
            for id in ["a", "b"] { try await directory.publish("x", of: id, at: now) }
            try await bench.command("DEL", "weir:gateway:a")
            try await directory.forget("b")
            let entries = try await directory.entries()
            #expect(entries.map(\.id) == ["a"])
            #expect(entries[0].text == nil)

            let muchLater = WallTime(milliseconds: now.milliseconds + 8 * 86_400_000)
            try await directory.publish("x", of: "c", at: muchLater)
            #expect(try await directory.entries().map(\.id) == ["c"])
        }
    }
}
