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
                // The runtime opens descriptors of its own when tasks sleep for the first time.
                try await Task.sleep(for: .milliseconds(50))
                let before = try leaveOneDescriptor()
                let client = Side(on: reactor)
                await client.connect(to: bound)
                precondition(waited { client.seen.readiness.contains(.isWritable) })
                let turns = await reactor.run { reactor.turnCount }
                usleep(350_000)
                let spent = await reactor.run { reactor.turnCount } - turns
                precondition(spent < 20, "\(spent) turns in 350 ms")
                precondition(acceptor.sides.isEmpty)
                let second = Side(on: reactor)
                await second.connect(to: bound)
                precondition(second.seen.failure == .noDescriptors)
                var limit = before
                precondition(unsafe setrlimit(descriptorCount, &limit) == 0)
                precondition(waited { acceptor.sides.count == 1 })
                await client.close()
                await acceptor.closeAll()
            }
        }
    }
}

/// Waits without `Task.sleep`, which opens a descriptor and ends the process when there is none.
private func waited(_ condition: () -> Bool) -> Bool {
    for _ in 0..<5_000 {
        if condition() { return true }
        usleep(2_000)
    }
    return false
}

private let descriptorCount = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

/// Lowers the soft limit so that one more descriptor can be opened.
///
/// - Returns: the limit as it was.
private func leaveOneDescriptor() throws -> rlimit {
    var before = rlimit()
    precondition(unsafe getrlimit(descriptorCount, &before) == 0)
    let next = dup(0)
    precondition(next >= 0)
    close(next)
    var lowered = rlimit(rlim_cur: rlim_t(next) + 1, rlim_max: before.rlim_max)
    precondition(unsafe setrlimit(descriptorCount, &lowered) == 0)
    return before
}
