import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

/// What a bad line between Weir and a real server does: commands may fail, but no reply is ever
/// taken for another command's.
@Suite(.serialized) struct RedisFaultTests {
    private struct Tally {
        var answered = 0
        var failed: [String: Int] = [:]
    }

    /// Sends numbered commands through a relay, and checks that each answer is its own.
    private func exchange(
        rounds: Int,
        timeout: Duration = .seconds(5),
        fate: @escaping @Sendable (Int) -> FaultRelay.Fate
    ) async throws -> (tally: Tally, counts: RedisCounts) {
        let server = try RedisServer(options: RedisServer.inMemory)
        return try await withReactor { group, reactor in
            let relay = FaultRelay(to: .unix(path: server.socketPath), fate: fate)
            let address = try group.listen(on: .v4(0x7F00_0001, port: 0), acceptor: relay)
            var limits = RedisLimits()
            limits.backoff = .milliseconds(1)
            limits.longestBackoff = .milliseconds(5)
            let connection = RedisConnection(
                to: try RedisURL(parsing: "redis://127.0.0.1:\(address.port)"),
                on: reactor,
                limits: limits
            )
            var tally = Tally()
            for round in 0..<rounds {
                let words = (0..<8).map { "\(round)-\($0)" }
                do throws(RedisError) {
                    let replies = try await connection.send(
                        words.map { RedisCommand("ECHO", $0) },
                        within: timeout
                    )
                    #expect(replies.map(\.text) == words)
                    tally.answered += 1
                } catch {
                    tally.failed[error.label, default: 0] += 1
                }
            }
            await connection.close()
            return (tally, connection.counts)
        }
    }

    private func seeded(
        _ seed: UInt64,
        _ fate: @escaping @Sendable (Int, inout SeededChance) -> FaultRelay.Fate
    ) -> @Sendable (Int) -> FaultRelay.Fate {
        let random = Guarded(SeededChance(seed: seed))
        return { count in random.withLock { fate(count, &$0) } }
    }

    @Test func `replies that come byte by byte are whole`() async throws {
        let (tally, counts) = try await exchange(rounds: 20) { _ in .dribble }

        #expect(tally.answered == 20)
        #expect(counts.opened == 1)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `a line that is cut in the middle of replies`(seed: UInt64) async throws {
        let fate = seeded(seed) { count, random in
            random.chance(perMille: 150) ? .cut(after: random.below(count)) : .pass
        }
        let (tally, counts) = try await exchange(rounds: 200, fate: fate)

        #expect(tally.answered > 50)
        #expect(Set(tally.failed.keys) == ["lost"])
        #expect(counts.opened > 5)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `garbage between replies`(seed: UInt64) async throws {
        let garbage: [[UInt8]] = [
            Array("HTTP/1.1 400\r\n".utf8), [0], [0xFF, 0xFE], Array("\r\n".utf8),
            Array("$5\r\n".utf8), Array("*3\r\n".utf8), Array("$-3\r\n".utf8),
            Array(":1e9\r\n".utf8),
        ]
        let fate = seeded(seed) { _, random in
            random.chance(perMille: 150)
                ? .precede(by: garbage[random.below(garbage.count)]) : .pass
        }
        let (tally, counts) = try await exchange(
            rounds: 200,
            timeout: .milliseconds(500),
            fate: fate
        )

        #expect(tally.answered > 50)
        #expect(tally.failed["garbage"] ?? 0 > 0)
        #expect(counts.opened > 5)
    }

    @Test func `a server that falls silent is left at the deadline`() async throws {
        let pieces = Guarded(0)
        let (tally, counts) = try await exchange(rounds: 6, timeout: .milliseconds(100)) { _ in
            let number = pieces.withLock { number in
                number += 1
                return number
            }
            return number == 5 ? .hang : .pass
        }

        #expect(tally.answered == 5)
        #expect(tally.failed == ["timeout": 1])
        #expect(counts.opened == 2)
    }

    @Test func `a whole reply too many ends the connection before it does harm`() async throws {
        let pieces = Guarded(0)
        let (tally, counts) = try await exchange(rounds: 10) { _ in
            let number = pieces.withLock { number in
                number += 1
                return number
            }
            return number == 4 ? .precede(by: Array("+OK\r\n".utf8)) : .pass
        }

        #expect(tally.answered == 9)
        #expect(tally.failed == ["garbage": 1])
        #expect(counts.opened == 2)
    }
}
