import StreamBytes
import Testing

struct BackoffTests {
    @Test func `pauses double up to a bound, and begin anew after a success`() {
        var backoff = Backoff(shortest: .milliseconds(20), longest: .milliseconds(100))

        let pauses = (0..<5).map { _ in backoff.next(randomBits: 0) }
        backoff.succeeded()

        #expect(pauses == [10, 20, 40, 50, 50].map(Duration.milliseconds))
        #expect(backoff.next(randomBits: 0) == .milliseconds(10))
    }

    @Test func `chance spreads a pause over the second half of its length`() {
        for (bits, least, most) in [(UInt64.min, 10, 10), (1 << 63, 15, 15), (.max, 19, 20)] {
            var backoff = Backoff(shortest: .milliseconds(20), longest: .seconds(1))
            let pause = backoff.next(randomBits: bits)
            #expect((Duration.milliseconds(least)...Duration.milliseconds(most)).contains(pause))
        }
    }

    @Test func `failures without end do not overflow`() {
        var backoff = Backoff(shortest: .milliseconds(20), longest: .seconds(2))
        for _ in 0..<100 { _ = backoff.next(randomBits: 0) }
        #expect(backoff.next(randomBits: 0) == .seconds(1))
    }
}
