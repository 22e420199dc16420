import Metering
import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

/// What may be dropped, who drops it, and how much waits.
struct MeterKeeperTests {
    private static let far = WallTime(milliseconds: 4_000_000_000_000)

    private func trim(
        _ bench: MeterBench,
        stored: SequenceRanges? = nil,
        at now: WallTime = far,
        _ change: (inout MeterKeeperSettings) -> Void = { _ in }
    ) async throws -> Int {
        try await bench.withKeeper("one", change) {
            try await $0.trim(0, at: now, stored: stored)
        }
    }

    @Test func `what any group still needs is kept`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(10)
            try await bench.withReader { reader in
                let first = try await reader.next(limit: 1, waits: true)
                #expect(try await trim(bench) == 0)
                try await reader.acknowledge(first.map(\.entryID))
                let more = try await reader.next(limit: 5, waits: true)
                try await reader.acknowledge([more[0].entryID, more[2].entryID])
                // Ten entries, the first two done, the third pending, more behind it.
                #expect(try await trim(bench) == 2)
                try await bench.command("XGROUP", "CREATE", "weir:meter:0", "audit", "0")
                await reader.rewind()
                #expect(try await reader.drain().count == 7)
                #expect(try await trim(bench) == 0)
                try await bench.command("XGROUP", "DESTROY", "weir:meter:0", "audit")
                #expect(try await trim(bench) == 7)
                #expect(try await bench.command("XLEN", "weir:meter:0") == .integer(1))
            }
        }
    }

    @Test func `nothing is dropped before its time or without the group`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(3)
            try await bench.withReader { reader in
                _ = try await reader.drain()
                #expect(try await trim(bench, at: WallTime(milliseconds: 1)) == 0)
                #expect(try await trim(bench) { $0.requiredGroups = ["billing", "audit"] } == 0)
                try await bench.command("XGROUP", "DESTROY", "weir:meter:0", "billing")
                #expect(try await trim(bench) == 0)
                #expect(try await bench.command("XLEN", "weir:meter:0") == .integer(3))
            }
        }
    }

    @Test func `what the ledger does not have is kept, whoever acknowledged it`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(10)
            let count = try await bench.withReader { try await $0.drain().count }
            #expect(count == 10)
            var stored = SequenceRanges()
            stored.insert(1...4, of: "gw:1")
            stored.insert(6...9, of: "gw:1")
            // Small pages, so that several are looked at.
            #expect(try await trim(bench, stored: stored) { $0.pageLimit = 3 } == 4)
            #expect(try await trim(bench, stored: stored) { $0.pageLimit = 3 } == 0)
            stored.insert(5...5, of: "gw:1")
            #expect(try await trim(bench, stored: stored) { $0.pageLimit = 3 } == 5)
        }
    }

    @Test func `what names no gateway is dropped once it is acknowledged`() async throws {
        try await MeterBench.run { bench in
            try await bench.command("XADD", "weir:meter:0", "*", "v", "1")
            try await bench.command("XADD", "weir:meter:0", "*", "v", "2")
            let count = try await bench.withReader { try await $0.drain().count }
            #expect(count == 2)
            #expect(try await trim(bench, stored: SequenceRanges()) == 1)
        }
    }

    @Test func `a stream that is not there is no failure`() async throws {
        try await MeterBench.run { bench in
            #expect(try await trim(bench) == 0)
            let backlog = try await bench.withKeeper { try await $0.backlog(of: 0, at: Self.far) }
            #expect(backlog == StreamBacklog())
        }
    }

    @Test func `one holds the lease until it is silent for too long`() async throws {
        try await MeterBench.run { bench in
            try await bench.withKeeper("one") { one in
                try await bench.withKeeper("two") { two in
                    #expect(try await one.holdsLease())
                    #expect(try await !two.holdsLease())
                    #expect(try await one.holdsLease())
                    try await bench.command("PEXPIRE", "weir:keeper", "1")
                    while try await bench.command("EXISTS", "weir:keeper") == .integer(1) {}
                    #expect(try await two.holdsLease())
                    #expect(try await !one.holdsLease())
                }
            }
        }
    }

    @Test func `the backlog tells what waits and for how long`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(10)
            try await bench.withReader { reader in
                let records = try await reader.next(limit: 4, waits: true)
                try await reader.acknowledge([records[0].entryID])
                let oldest = records[1].receivedAtMilliseconds
                let now = WallTime(milliseconds: oldest + 1_500)
                try await bench.withKeeper { keeper in
                    var backlog = try await keeper.backlog(of: 0, at: now)
                    #expect(backlog.length == 10)
                    #expect(backlog.pending == 3)
                    #expect(backlog.undelivered == 6)
                    #expect(backlog.consumers == 1)
                    #expect(backlog.oldestMilliseconds == 1_500)

                    await reader.rewind()
                    _ = try await reader.drain()
                    backlog = try await keeper.backlog(of: 0, at: now)
                    #expect(backlog.pending == 0)
                    #expect(backlog.undelivered == 0)
                    #expect(backlog.oldestMilliseconds == 0)
                }
            }
        }
    }

    @Test func `the published numbers are read back`() async throws {
        try await MeterBench.run { bench in
            try await bench.command("HSET", "weir:committed", "a:1", "7", "b:2", "0", "c:3", "x")
            let committed = try await bench.withKeeper { try await $0.committed() }
            #expect(committed.through("a:1") == 7)
            #expect(committed.through("b:2") == 0)
            #expect(committed.through("c:3") == 0)
        }
    }

    @Test func `members that are silent for long and have nothing are taken out`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(2)
            _ = try await bench.withReader("busy") { try await $0.next(limit: 1, waits: true) }
            _ = try await bench.withReader("idle") { try await $0.drain() }
            let none = try await bench.withKeeper("one", { $0.memberRetain = .seconds(3_600) }) {
                try await $0.removeIdleMembers(of: 0)
            }
            let one = try await bench.withKeeper("one", { $0.memberRetain = .milliseconds(-1) }) {
                try await $0.removeIdleMembers(of: 0)
            }
            #expect(none == [])
            #expect(one == ["idle"])
        }
    }

    @Test func `what a removed member still had is read again by the others`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(3)
            _ = try await bench.withReader("gone") { try await $0.next(limit: 2, waits: true) }
            try await bench.withKeeper { try await $0.remove("gone", from: "weir:meter:0") }
            let read = try await bench.withReader("two") { try await $0.drain() }
            #expect(read.map { $0.fields["seq"] } == ["1", "2", "3"])
        }
    }

    @Test func `rejected records are dropped when they are old`() async throws {
        try await MeterBench.run { bench in
            try await bench.command("XADD", "weir:dead:0", "1000-0", "reason", "old")
            try await bench.command("XADD", "weir:dead:0", "*", "reason", "new")
            let now = WallTime(milliseconds: 1_000 + 31 * 86_400_000)
            let count = try await bench.withKeeper { try await $0.trimDead(0, at: now) }
            #expect(count == 1)
            #expect(try await bench.command("XLEN", "weir:dead:0") == .integer(1))
        }
    }
}
