import Glibc
import Reactor
import StreamBytes
import Testing

struct DescriptorShortageTests {
    @Test func `without descriptors accepting rests, spends no time, and recovers`() async throws {
        await #expect(processExitsWith: .success) {
            try await withReactors { group in
                let reactor = group.reactors[0]
                let acceptor = SideAcceptor()
                let bound = try group.listen(on: anyPort, acceptor: acceptor)
                let before = try leaveOneDescriptor()
                let client = Side(on: reactor)
                await client.connect(to: bound)
                #expect(await eventually { client.seen.readiness.contains(.isWritable) })
                let turns = await reactor.run { reactor.turnCount }
                try await Task.sleep(for: .milliseconds(350))
                let spent = await reactor.run { reactor.turnCount } - turns
                precondition(spent < 20, "\(spent) turns in 350 ms")
                precondition(acceptor.sides.isEmpty)
                let second = Side(on: reactor)
                await second.connect(to: bound)
                precondition(second.seen.failure == .noDescriptors)
                var limit = before
                precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
                let isAccepted = await eventually { acceptor.sides.count == 1 }
                precondition(isAccepted)
                await client.close()
                await acceptor.closeAll()
            }
        }
    }
}

/// Lowers the soft limit so that one more descriptor can be opened.
///
/// - Returns: the limit as it was.
private func leaveOneDescriptor() throws -> rlimit {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var before = rlimit()
    precondition(unsafe getrlimit(resource, &before) == 0)
    let next = dup(0)
    precondition(next >= 0)
    close(next)
    var lowered = rlimit(rlim_cur: rlim_t(next) + 1, rlim_max: before.rlim_max)
    precondition(unsafe setrlimit(resource, &lowered) == 0)
    return before
}
