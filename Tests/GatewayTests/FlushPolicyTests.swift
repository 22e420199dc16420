import Gateway
import StreamBytes
import Testing

struct FlushPolicyTests {
    private let start = MonotonicTime(nanoseconds: 0)

    @Test func `events leave at once while the line is idle`() {
        var policy = FlushPolicy(byteLimit: 1_000, delay: .milliseconds(20))

        #expect(policy.lineHasRoom(waitingBytes: 10, at: start) == .now)
    }

    @Test func `after a busy line events gather until the delay has passed`() {
        var policy = FlushPolicy(byteLimit: 1_000, delay: .milliseconds(20))
        policy.eventsCameWhileBusy(at: start)

        let early = policy.lineHasRoom(waitingBytes: 10, at: start + .milliseconds(5))
        let late = policy.lineHasRoom(waitingBytes: 10, at: start + .milliseconds(20))

        #expect(early == .wait(until: start + .milliseconds(20)))
        #expect(late == .now)
    }

    @Test func `enough waiting bytes leave without delay`() {
        var policy = FlushPolicy(byteLimit: 1_000, delay: .milliseconds(20))
        policy.eventsCameWhileBusy(at: start)

        #expect(policy.lineHasRoom(waitingBytes: 1_000, at: start) == .now)
    }

    @Test func `the delay counts from the oldest event that waits`() {
        var policy = FlushPolicy(byteLimit: 1_000, delay: .milliseconds(20))
        policy.eventsCameWhileBusy(at: start)
        policy.eventsCameWhileBusy(at: start + .milliseconds(15))

        #expect(policy.lineHasRoom(waitingBytes: 10, at: start + .milliseconds(21)) == .now)
    }

    @Test func `once everything left the line counts as idle again`() {
        var policy = FlushPolicy(byteLimit: 1_000, delay: .milliseconds(20))
        policy.eventsCameWhileBusy(at: start)
        _ = policy.lineHasRoom(waitingBytes: 1_000, at: start)

        #expect(policy.lineHasRoom(waitingBytes: 1, at: start + .milliseconds(1)) == .now)
    }
}
