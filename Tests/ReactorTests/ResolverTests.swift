import Reactor
import StreamBytes
import Testing

struct ResolverTests {
    private let address = SocketAddress.v4(0x0a00_0001, port: 0)

    @Test func `addresses in digits are answered at once, on the caller's thread`() async throws {
        let resolver = try Resolver(lookUp: { _ in .failure(.failed) })
        try await withReactors { group in
            let reactor = group.reactors[0]
            let answers = await reactor.run {
                let answers = Guarded<[Result<[SocketAddress], ResolveError>]>([])
                for host in ["127.0.0.1", "::1"] {
                    resolver.resolve(host: host, port: 80, on: reactor) { answer in
                        answers.withLock { $0.append(answer) }
                    }
                }
                return answers.withLock { $0 }
            }
            #expect(
                answers == [
                    .success([.v4(0x7f00_0001, port: 80)]), .success([.v6(0, 1, port: 80)]),
                ]
            )
        }
        resolver.stop()
    }

    @Test func `an answer is kept for thirty seconds, a failure is not`() async throws {
        let asked = Guarded(0)
        let now = Guarded(MonotonicTime(nanoseconds: 0))
        let resolver = try Resolver(
            clock: { now.withLock { $0 } },
            lookUp: { [address] host in
                asked.withLock { $0 += 1 }
                return host == "known" ? .success([address]) : .failure(.notFound)
            }
        )
        #expect(try await resolver.resolve("known", port: 1) == [address.with(port: 1)])
        #expect(try await resolver.resolve("known", port: 2) == [address.with(port: 2)])
        #expect(asked.withLock { $0 } == 1)
        now.withLock { $0 = MonotonicTime(nanoseconds: 30_000_000_001) }
        _ = try await resolver.resolve("known", port: 1)
        #expect(asked.withLock { $0 } == 2)
        for _ in 0..<2 {
            await #expect(throws: ResolveError.notFound) {
                try await resolver.resolve("unknown", port: 1)
            }
        }
        #expect(asked.withLock { $0 } == 4)
        resolver.stop()
    }

    @Test func `a reactor gets its answer on its own thread`() async throws {
        let resolver = try Resolver(lookUp: { [address] _ in .success([address]) })
        try await withReactors { group in
            let reactor = group.reactors[0]
            let answer = await withCheckedContinuation { continuation in
                reactor.perform {
                    resolver.resolve(host: "name", port: 7, on: reactor) { answer in
                        precondition(reactor.isCurrent)
                        continuation.resume(returning: answer)
                    }
                }
            }
            #expect(answer == .success([address.with(port: 7)]))
        }
        resolver.stop()
    }

    @Test func `the system knows localhost and no invalid name`() async throws {
        let resolver = try Resolver()
        let found = try await resolver.resolve("localhost", port: 80)
        #expect(found.contains { $0.isLoopback && $0.port == 80 })
        await #expect(throws: ResolveError.failed) { try await resolver.resolve("", port: 80) }
        resolver.stop()
    }

    @Test func `the descriptor limit is the hard one afterwards`() {
        let limit = DescriptorLimit.raise()
        #expect(limit > 0)
        #expect(DescriptorLimit.raise() == limit)
    }
}
