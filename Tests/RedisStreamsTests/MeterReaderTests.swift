import Metering
import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

struct MeterReaderTests {
    @Test func `what was not acknowledged comes again, also after a restart`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(5)
            let first = try await bench.withReader { reader in
                let first = try await reader.next(limit: 3, waits: true)
                try await reader.acknowledge([first[0].entryID])
                await reader.rewind()
                let again = try await reader.next(limit: 10, waits: true)
                #expect(again.map(\.entryID) == first.dropFirst().map(\.entryID))
                return first
            }
            try await bench.withReader { reader in
                let pending = try await reader.next(limit: 10, waits: true)
                #expect(pending.map(\.entryID) == first.dropFirst().map(\.entryID))
                try await reader.acknowledge(pending.map(\.entryID))
                let new = try await reader.next(limit: 10, waits: true)
                #expect(new.map { $0.fields["record_id"] } == ["gw:1:4", "gw:1:5"])
            }
        }
    }

    @Test func `more is read while a batch is worked on, and nothing twice`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(6)
            try await bench.withReader { reader in
                let first = try await reader.next(limit: 2, waits: true)
                let second = try await reader.next(limit: 2, waits: false)
                try await reader.acknowledge(first.map(\.entryID))
                let third = try await reader.next(limit: 10, waits: false)
                #expect(try await reader.next(limit: 10, waits: false).isEmpty)
                let ids = (first + second + third).map { $0.fields["seq"] }
                #expect(ids == (1...6).map { "\($0)" })
            }
        }
    }

    @Test func `an empty stream answers with nothing after a while`() async throws {
        try await MeterBench.run { bench in
            let records = try await bench.withReader { try await $0.next(limit: 10, waits: true) }
            #expect(records.isEmpty)
        }
    }

    @Test func `what another consumer left idle is taken over`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(4)
            let left = try await bench.withReader("one") {
                try await $0.next(limit: 4, waits: true)
            }
            try await bench.withReader("two", claimAfter: .zero) { reader in
                let claimed = try await reader.next(limit: 10, waits: true)
                #expect(claimed.map(\.entryID) == left.map(\.entryID))
                #expect(reader.counts.claimed == 4)
            }
        }
    }

    @Test func `what another consumer works on is left to it`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(4)
            _ = try await bench.withReader("one") { try await $0.next(limit: 4, waits: true) }
            let others = try await bench.withReader("two") {
                try await $0.next(limit: 10, waits: true)
            }
            #expect(others.isEmpty)
        }
    }

    @Test func `a lost group is made again from the beginning`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(3)
            try await bench.withReader { reader in
                #expect(try await reader.drain().count == 3)
                try await bench.command("XGROUP", "DESTROY", "weir:meter:0", "billing")
                #expect(try await reader.next(limit: 10, waits: true).isEmpty)
                #expect(reader.counts.groupsLost == 1)
                #expect(try await reader.drain().count == 3)
            }
        }
    }

    @Test func `a lost stream is waited for anew, also by one who waits already`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(3)
            try await bench.withReader { reader in
                #expect(try await reader.drain().count == 3)
                async let waiting = reader.next(limit: 10, waits: true)
                try await bench.command("DEL", "weir:meter:0")
                _ = try await waiting
                try await bench.fill(2)
                #expect(try await reader.drain().map { $0.fields["seq"] } == ["1", "2"])
            }
        }
    }

    @Test func `reading goes on after redis was killed`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(6)
            try await bench.withReader { reader in
                let first = try await reader.next(limit: 3, waits: true)
                bench.server.kill()
                try bench.server.start()
                await reader.rewind()
                var read: [DeliveredRecord] = []
                while read.isEmpty {
                    do { read = try await reader.next(limit: 3, waits: true) } catch {
                        guard case UsageSourceError.unavailable = error else { throw error }
                    }
                }
                #expect(read.map(\.entryID) == first.map(\.entryID))
                try await reader.acknowledge(read.map(\.entryID))
                #expect(try await reader.drain().count == 3)
            }
        }
    }

    @Test func `entries that were deleted while pending are counted`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(3)
            try await bench.withReader { reader in
                let records = try await reader.next(limit: 3, waits: true)
                try await bench.command("XDEL", "weir:meter:0", records[1].entryID)
                await reader.rewind()
                let again = try await reader.next(limit: 3, waits: true)
                #expect(again.map(\.entryID) == [records[0].entryID, records[2].entryID])
                #expect(reader.counts.deleted == 1)
                #expect(reader.counts.lastDeleted == records[1].entryID)
            }
        }
    }

    @Test func `entries that were trimmed away while another had them are counted`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(5)
            let left = try await bench.withReader("one") {
                try await $0.next(limit: 4, waits: true)
            }
            try await bench.command("XTRIM", "weir:meter:0", "MAXLEN", "2")
            try await bench.withReader("two", claimAfter: .zero) { reader in
                let claimed = try await reader.next(limit: 10, waits: true)
                #expect(claimed.map(\.entryID) == [left[3].entryID])
                #expect(reader.counts.deleted == 3)
            }
        }
    }
}

/// What a reader is told about records that came.
struct MeterReaderSettlingTests {
    private func refused(
        _ entryID: String,
        _ fields: [String: String] = ["record_id": "r1", "reason": "own"]
    ) -> SettledRecords {
        var settled = SettledRecords()
        let record = DeliveredRecord(entryID: entryID, receivedAtMilliseconds: 5, fields: fields)
        settled.refused = [(record, "negative")]
        return settled
    }

    @Test func `a rejected record is kept with its reason`() async throws {
        try await MeterBench.run { bench in
            let problem = try await bench.withReader { try await $0.settle(refused("5-0")) }
            #expect(problem == nil)
            let entries = try await bench.command("XRANGE", "weir:dead:0", "-", "+").elements
            let words = entries.first?.elements.last?.elements.compactMap(\.text)
            #expect(
                words == [
                    "reason", "negative", "entry_id", "5-0", "record.reason", "own", "record_id",
                    "r1",
                ]
            )
        }
    }

    @Test func `the committed sequences are published by gateway and epoch`() async throws {
        try await MeterBench.run { bench in
            var settled = SettledRecords()
            settled.committed = (1...1_200).map { ("gw", Int64($0), 41) }
            let problem = try await bench.withReader { [settled] in try await $0.settle(settled) }
            #expect(problem == nil)
            #expect(try await bench.command("HLEN", "weir:committed") == .integer(1_200))
            #expect(try await bench.command("HGET", "weir:committed", "gw:3").text == "41")
        }
    }

    @Test func `a server without memory hears what it may forget, and keeps what it cannot take`()
        async throws
    {
        try await MeterBench.run { bench in
            try await bench.fill(3)
            try await bench.withReader { reader in
                let records = try await reader.next(limit: 3, waits: true)
                try await bench.command("CONFIG", "SET", "maxmemory", "1")
                var settled = refused(records[0].entryID, records[0].fields)
                settled.stored = records.dropFirst().map(\.entryID)
                settled.committed = [("gw", 1, 3)]

                let problem = try await reader.settle(settled)

                #expect(problem?.contains("OOM") == true)
                let pending = try await bench.command("XPENDING", "weir:meter:0", "billing")
                #expect(pending.elements.first == .integer(1))

                try await bench.command("CONFIG", "SET", "maxmemory", "0")
                // It comes again, because it could not be set aside.
                let again = try await reader.next(limit: 3, waits: true)
                #expect(again.map(\.entryID) == [records[0].entryID])
                #expect(try await reader.settle(refused(again[0].entryID)) == nil)
                #expect(try await bench.command("XLEN", "weir:dead:0") == .integer(1))
                #expect(reader.counts.setAside == 1)
            }
        }
    }

    @Test func `one who leaves takes nothing away from the group`() async throws {
        try await MeterBench.run { bench in
            try await bench.fill(4)
            try await bench.withReader("one") { reader in
                let records = try await reader.next(limit: 2, waits: true)
                #expect(try await !reader.leave())
                try await reader.acknowledge(records.map(\.entryID))
                #expect(try await reader.leave())
            }
            let members = try await bench.command("XINFO", "CONSUMERS", "weir:meter:0", "billing")
            #expect(members.elements.isEmpty)
            let rest = try await bench.withReader("two") { try await $0.drain() }
            #expect(rest.map { $0.fields["seq"] } == ["3", "4"])
        }
    }
}
